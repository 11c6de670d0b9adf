"""The view for who runs the community: who is late, what is shared, and what goes where now."""

from collections.abc import Iterable
import json
from typing import Any

from .cards import NEIGHBOURS, Card, heading, lines, number, section, text, tile
from .site_entities import CommunityEntities, Street
from .words import Words

PATH = "community"
SHADES = (NEIGHBOURS, "#7cc4b4", "#0b5a4c")
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
                _gauge(community.coverage, words.coverage),
                _gauge(community.self_consumption, words.kept),
                {"type": "markdown", "content": _figures(community, words)},
            ),
            _homes(street, words),
        ],
    }


def _members(street: Street, words: Words) -> Card:
    community = street.community
    return section(
        heading(words.members, "mdi:account-group"),
        number(community.present, words.members_now, "mdi:account-check"),
        {"type": "markdown", "content": _late(street, words)},
        lines([(community.present, words.members_graph, NEIGHBOURS)], hours=2),
        tile(community.completeness, words.told, "mdi:progress-check", NEIGHBOURS),
    )


def _late(street: Street, words: Words) -> str:
    """Name who is late: codes are what others see, but the organiser knows who is who."""
    names = json.dumps(dict(street.names), ensure_ascii=False)
    return (
        f"{{% set names = {names} %}}"
        f"{{% set late = state_attr('{street.community.present}', 'late') or [] %}}"
        f"{{% if late %}}**{words.late}** {{{{ late | map('extract', names) | join(', ') }}}}"
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
    table += [
        f"| {name} | {{{{ states('{entity}') | float(0) | round(1) }}}} kWh "
        f"| {{{{ state_attr('{entity}', 'this_month') | float(0) | round(0) | int }}}} kWh |"
        for name, entity in rows
    ]
    return "\n".join(table)


def _gauge(entity: str, name: str) -> Card:
    return {
        "type": "gauge",
        "entity": entity,
        "name": name,
        "min": 0,
        "max": 100,
        "segments": [{"from": 0, "color": NEIGHBOURS}],
        "grid_options": {"columns": 6, "rows": 3},
    }


def _homes(street: Street, words: Words) -> Card:
    shares = [(home.shares.power, home.name, color) for home, color in zip(street.homes, SHADES, strict=True)]
    return section(
        heading(words.homes, "mdi:home-import-outline"),
        *(tile(entity, name, "mdi:home", color) for entity, name, color in shares),
        lines(shares),
        text(words.homes_hint),
    )
