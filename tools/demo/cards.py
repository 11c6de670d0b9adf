"""Built-in cards, and the colours that they share."""

from collections.abc import Sequence
from typing import Any

type Card = dict[str, Any]
type Series = tuple[str | None, str, str]
"""An entity or a statistic, its name and its colour."""

# One colour a source, everywhere the same: own roof, neighbours, supplier; then what is given away, and the house.
ROOF = "#f2a900"
NEIGHBOURS = "#12967f"
SUPPLIER = "#6b7fb3"
GIVEN = "#8ab661"
HOUSE = "#8a8f98"
RED = "#c8374d"


def lines(series: Sequence[Series], hours: float = 0.25) -> Card:
    """Show values of the last quarter-hour, or of more hours, on one scale."""
    return {
        "type": "history-graph",
        "entities": [{"entity": entity, "name": name, "color": color} for entity, name, color in series if entity],
        "hours_to_show": hours,
        "grid_options": {"columns": 12, "rows": 4},
    }


def bars(series: Sequence[Series], period: str, days: int, *, stacked: bool = False) -> Card:
    """Show energy by the hour, day or week; `stacked` for parts of a whole."""
    return {
        "type": "statistics-graph",
        "entities": [{"entity": entity, "name": name, "color": color} for entity, name, color in series if entity],
        "stat_types": ["change"],
        "chart_type": "bar-stack" if stacked else "bar",
        "period": period,
        "days_to_show": days,
        "grid_options": {"columns": 12, "rows": 4},
    }


def section(*cards: Card | None) -> Card:
    """Put cards into one column."""
    return {"type": "grid", "cards": [card for card in cards if card]}


def heading(text: str, icon: str, badges: list[Card] | None = None) -> Card:
    """Begin a section, or a part of one."""
    return {"type": "heading", "heading": text, "icon": icon, "heading_style": "title", "badges": badges or []}


def link(text: str, path: str) -> Card:
    """Lead to another page, from a heading."""
    return {"type": "button", "text": text, "tap_action": {"action": "navigate", "navigation_path": path}}


def text(content: str) -> Card:
    """Say something, without a frame."""
    return {"type": "markdown", "content": content, "text_only": True}


def number(entity: str | None, name: str, icon: str, *, columns: int = 12) -> Card | None:
    """Show one large number."""
    if entity is None:
        return None
    return {"type": "entity", "entity": entity, "name": name, "icon": icon, "grid_options": {"columns": columns}}


def tile(entity: str | None, name: str, icon: str, color: str, *, columns: int = 12) -> Card | None:
    """Show a figure beside others."""
    if entity is None:
        return None
    return {
        "type": "tile",
        "entity": entity,
        "name": name,
        "icon": icon,
        "color": color,
        "grid_options": {"columns": columns},
    }
