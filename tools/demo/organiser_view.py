"""The view for who runs the community: who is late, what is shared, and what goes where now."""

from collections.abc import Iterable
import json
from typing import Any

from .cards import NEIGHBOURS, Card, heading, lines, number, section, text, tile
from .street_entities import CommunityEntities, Street
from .words import Words

PATH = "community"
SHADES = (NEIGHBOURS, "#7cc4b4", "#3f7f8f")
"""Three homes that get something from the same source."""


def organiser_view(street: Street, words: Words) -> dict[str, Any]:
    """Return the view, as the dashboard's storage keeps it."""
    community = street.community
    return {
        "title": words.community,
        "path": PATH,
        "type": "sections",
        "max_columns": 3,
        "sections": [
            _members(street, words),
            section(
                heading(words.figures, "mdi:home-group"),
                tile(community.coverage, words.coverage, "mdi:chart-donut", NEIGHBOURS),
                tile(community.self_consumption, words.kept, "mdi:recycle", NEIGHBOURS),
                {"type": "markdown", "content": _figures(community, words)},
                text(words.figures_hint),
            ),
            _homes(street, words),
        ],
    }


def _members(street: Street, words: Words) -> Card:
    community = street.community
    return section(
        heading(words.members, "mdi:account-group"),
        number(community.present, words.members_now.format(count=len(street.names)), "mdi:account-check"),
        {"type": "markdown", "content": _late(street, words)},
        lines([(community.present, words.members_graph, NEIGHBOURS)], hours=2),
        tile(community.completeness, words.told, "mdi:progress-check", NEIGHBOURS),
        text(words.late_hint),
    )


def _late(street: Street, words: Words) -> str:
    """Name who is late: codes are what others see, but the organiser knows who is who."""
    names = json.dumps(dict(street.names), ensure_ascii=False)
    return (
        f"{{% set names = {names} %}}"
        f"{{% set late = state_attr('{street.community.present}', 'late') or [] %}}"
        f"{{% if late %}}**{words.late}** "
        "{% for code in late %}{{ names.get(code, code) }}{{ ', ' if not loop.last }}{% endfor %}"
        f"{{% else %}}{words.nobody_late}{{% endif %}}"
    )


def _figures(community: CommunityEntities, words: Words) -> str:
    rows: Iterable[tuple[str, str]] = (
        (words.produced, community.production),
        (words.taken, community.offtake),
        (words.shared, community.allocated),
        (words.left, community.surplus),
    )
    table = [f"| | {words.today} | {words.this_month} |", "|:--|--:|--:|"]
    for name, entity in rows:
        today, month = f"states('{entity}')", f"state_attr('{entity}', 'this_month')"
        table.append(f"| {name} | {_energy(today, 1, words)} | {_energy(month, 0, words)} |")
    return "\n".join(table)


def _energy(value: str, digits: int, words: Words) -> str:
    rounded = f"'%.{digits}f' | format({value} | float(0))"
    return f"{{{{ ({rounded}).replace('.', '{words.decimal}') }}}} kWh"


def _homes(street: Street, words: Words) -> Card:
    shares = [(home.shares.power, home.name, color) for home, color in zip(street.homes, SHADES, strict=True)]
    return section(
        heading(words.homes, "mdi:home-import-outline"),
        *(tile(entity, name, "mdi:home", color) for entity, name, color in shares),
        lines(shares),
        text(words.homes_hint),
    )
