"""The demo's dashboard of built-in cards: what the house uses now, what it costs, per phase, and day by day."""

from collections.abc import Sequence
from typing import Any

from .site_entities import SiteEntities
from .words import Words

type Card = dict[str, Any]

URL_PATH = "energy-neighbours"

# One colour a source, everywhere the same: the own roof, the supplier's grid, what is given away.
ROOF = "#f2a900"
GRID = "#6b7fb3"
GIVEN = "#8ab661"
HOUSE = "#12967f"
RED = "#c8374d"
PHASES = ("#b5764f", "#64748b", "#a3adb8")  # after the wires' brown, black and grey, readable on both themes

LOWEST, HIGHEST = -3000, 7000  # scale of a phase [W]
LIMIT = 5750  # 25 A at 230 V, what a phase of a common Belgian connection carries [W]

THEME = "Energy Neighbours"
THEMES = {
    # The Energy dashboard's own variables: so its pictures wear the same colours.
    THEME: {
        "energy-solar-color": ROOF,
        "energy-grid-consumption-color": GRID,
        "energy-grid-return-color": GIVEN,
        "modes": {"light": {}, "dark": {}},  # it follows the dark mode only if it names it
    }
}


def dashboard(site: SiteEntities, words: Words) -> dict[str, Any]:
    """Return the dashboard's configuration, as its storage keeps it."""
    view = {
        "title": words.title,
        "path": "now",
        "type": "sections",
        "max_columns": 3,
        "sections": [_now(site, words), _section(*_tariff(site, words), *_phases(site, words)), _today(site, words)],
    }
    return {"views": [view]}


def _now(site: SiteEntities, words: Words) -> dict[str, Any]:
    badge = {"type": "entity", "entity": site.connected, "show_state": True, "show_icon": True}
    lines = [
        (site.consumption, words.house, HOUSE),
        (site.production, words.solar, ROOF),
        (site.grid, words.grid, GRID),
    ]
    return _section(
        _heading(words.now, "mdi:flash", badges=[badge]),
        _number(site.consumption, words.consumption, "mdi:home-lightning-bolt"),
        _number(site.production, words.solar, "mdi:solar-power-variant", columns=6),
        _number(site.grid, words.grid, "mdi:transmission-tower", columns=6 if site.production else 12),
        _lines(lines),
        {"type": "markdown", "content": words.origin, "text_only": True},
    )


def _tariff(site: SiteEntities, words: Words) -> list[Card | None]:
    if site.band is None:
        return []
    return [
        _heading(words.tariff, "mdi:cash-clock"),
        _number(site.band, words.band, "mdi:clock-time-four-outline", columns=6),
        _number(site.price, words.price, "mdi:currency-eur", columns=6),
        _tile(site.band_ends, words.band_ends, "mdi:clock-end", GRID, columns=6),
        _tile(site.next_band, words.next_band, "mdi:clock-fast", GRID, columns=6),
        _tile(site.cost_today, words.cost_today, "mdi:calendar-today", HOUSE, columns=6),
        _tile(site.cost_this_month, words.cost_month, "mdi:calendar-month", HOUSE, columns=6),
        _tile(site.quarter_hour, words.quarter, "mdi:timer-sand", GRID, columns=6),
        _tile(site.peak, words.peak, "mdi:chart-bell-curve", GRID, columns=6),
    ]


def _phases(site: SiteEntities, words: Words) -> list[Card | None]:
    gauges = [
        {
            "type": "gauge",
            "entity": entity,
            "name": phase,
            "min": LOWEST,
            "max": HIGHEST,
            "needle": True,
            "segments": [
                {"from": LOWEST, "color": GIVEN},
                {"from": 0, "color": GRID},
                {"from": LIMIT, "color": RED},
            ],
            "grid_options": {"columns": 4, "rows": 2},
        }
        for phase, entity in site.phases.items()
    ]
    lines = [(entity, phase, color) for (phase, entity), color in zip(site.phases.items(), PHASES, strict=False)]
    return [
        _heading(words.phases, "mdi:sine-wave"),
        *gauges,
        _tile(site.imbalance, words.imbalance, "mdi:scale-unbalanced", GRID),
        _lines(lines),
        {"type": "markdown", "content": words.phases_hint, "text_only": True},
    ]


def _today(site: SiteEntities, words: Words) -> dict[str, Any]:
    link = {"type": "button", "text": words.energy, "tap_action": {"action": "navigate", "navigation_path": "/energy"}}
    sources = [
        (site.produced, words.solar, ROOF),
        (site.offtake, words.offtake, GRID),
        (site.injection, words.injection, GIVEN),
    ]
    bars = [{"entity": entity, "name": name, "color": color} for entity, name, color in sources if entity]
    return _section(
        _heading(words.today, "mdi:calendar-today", badges=[link]),
        {"type": "energy-distribution"},
        _heading(words.last_days, "mdi:chart-bar"),
        {
            "type": "statistics-graph",
            "entities": bars,
            "stat_types": ["change"],
            "chart_type": "bar",
            "period": "day",
            "days_to_show": 7,
            "grid_options": {"columns": 12, "rows": 4},
        },
        *_weeks(site, words),
    )


def _weeks(site: SiteEntities, words: Words) -> list[Card]:
    """Show the past that was imported, which the site keeps as statistics of its own."""
    if not site.history:
        return []
    names = {"production": (words.solar, ROOF), "offtake": (words.offtake, GRID), "injection": (words.injection, GIVEN)}
    shown = [(site.history[series], *names[series]) for series in names if series in site.history]
    graph = {
        "type": "statistics-graph",
        "entities": [{"entity": statistic, "name": name, "color": color} for statistic, name, color in shown],
        "stat_types": ["change"],
        "chart_type": "bar",
        "period": "week",
        "days_to_show": 112,
        "grid_options": {"columns": 12, "rows": 4},
    }
    return [_heading(words.weeks, "mdi:chart-bar-stacked"), graph]


def _lines(series: Sequence[tuple[str | None, str, str]]) -> Card:
    """Show powers of the last quarter-hour on one scale."""
    return {
        "type": "history-graph",
        "entities": [{"entity": entity, "name": name, "color": color} for entity, name, color in series if entity],
        "hours_to_show": 0.25,
        "grid_options": {"columns": 12, "rows": 4},
    }


def _section(*cards: Card | None) -> dict[str, Any]:
    return {"type": "grid", "cards": [card for card in cards if card]}


def _heading(text: str, icon: str, badges: list[Card] | None = None) -> Card:
    return {"type": "heading", "heading": text, "icon": icon, "heading_style": "title", "badges": badges or []}


def _number(entity: str | None, name: str, icon: str, *, columns: int = 12) -> Card | None:
    if entity is None:
        return None
    return {"type": "entity", "entity": entity, "name": name, "icon": icon, "grid_options": {"columns": columns}}


def _tile(entity: str | None, name: str, icon: str, color: str, *, columns: int = 12) -> Card | None:
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
