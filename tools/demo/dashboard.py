"""The demo's dashboard of built-in cards: what the house uses now, where it comes from, and what it costs."""

from typing import Any

from .cards import (
    GIVEN,
    HOUSE,
    NEIGHBOURS,
    RED,
    ROOF,
    SUPPLIER,
    Card,
    bars,
    heading,
    lines,
    link,
    number,
    section,
    text,
    tile,
)
from .organiser_view import PATH as COMMUNITY_PATH, organiser_view
from .site_entities import SiteEntities
from .street_entities import Shares, Street
from .words import Words

URL_PATH = "energy-neighbours"

PHASES = ("#b5764f", "#64748b", "#a3adb8")  # after the wires' brown, black and grey, readable on both themes

LOWEST, HIGHEST = -3000, 7000  # scale of a phase [W]
LIMIT = 5750  # 25 A at 230 V, what a phase of a common Belgian connection carries [W]

THEME = "Energy Neighbours"
THEMES = {
    # The Energy dashboard's own variables: so its pictures wear the same colours.
    THEME: {
        "energy-solar-color": ROOF,
        "energy-grid-consumption-color": SUPPLIER,
        # Its first and its second grid source: see energy_preferences.py.
        "energy-grid-consumption-color-0": NEIGHBOURS,
        "energy-grid-consumption-color-1": SUPPLIER,
        "energy-grid-return-color": GIVEN,
        "modes": {"light": {}, "dark": {}},  # it follows the dark mode only if it names it
    }
}


def dashboard(site: SiteEntities, words: Words, street: Street | None = None) -> dict[str, Any]:
    """Return the dashboard's configuration, as its storage keeps it; with a view for the organiser of a street."""
    shares = street.homes[0].shares if street else None
    view = {
        "title": words.title,
        "path": "now",
        "type": "sections",
        "max_columns": 3,
        "sections": _columns(site, words, shares),
    }
    return {"views": [view, organiser_view(street, words)] if street else [view]}


def _columns(site: SiteEntities, words: Words, shares: Shares | None) -> list[Card]:
    """Return three columns of about the same height."""
    now, today = _now(site, words), _today(site, words)
    tariff, weeks = [*_tariff(site, words), *_phases(site, words)], _weeks(site, words)
    if shares is None:
        return [section(*now), section(*tariff), section(*today, *weeks)]
    return [section(*now, *today), section(*_sharing(site, shares, words)), section(*tariff, *weeks)]


def _now(site: SiteEntities, words: Words) -> list[Card | None]:
    badge = {"type": "entity", "entity": site.connected, "show_state": True, "show_icon": True}
    powers = [
        (site.consumption, words.house, HOUSE),
        (site.production, words.solar, ROOF),
        (site.grid, words.grid, SUPPLIER),
    ]
    return [
        heading(words.now, "mdi:flash", badges=[badge]),
        number(site.consumption, words.consumption, "mdi:home-lightning-bolt"),
        number(site.production, words.solar, "mdi:solar-power-variant", columns=6),
        number(site.grid, words.grid, "mdi:transmission-tower", columns=6 if site.production else 12),
        lines(powers),
        text(words.origin),
    ]


def _sharing(site: SiteEntities, shares: Shares, words: Words) -> list[Card | None]:
    sources = [
        (shares.from_neighbours, words.from_neighbours, NEIGHBOURS),
        (shares.from_supplier, words.from_supplier, SUPPLIER),
    ]
    community = link(words.community, f"/{URL_PATH}/{COMMUNITY_PATH}")
    return [
        heading(words.neighbours, "mdi:home-group", badges=[community]),
        number(shares.power, words.neighbours_now, "mdi:home-import-outline"),
        tile(shares.today, words.neighbours_today, "mdi:calendar-today", NEIGHBOURS, columns=6),
        tile(shares.this_month, words.neighbours_month, "mdi:calendar-month", NEIGHBOURS, columns=6),
        tile(shares.coverage, words.covered, "mdi:chart-donut", NEIGHBOURS, columns=6),
        tile(shares.saving, words.saved, "mdi:piggy-bank-outline", NEIGHBOURS, columns=6),
        tile(shares.price, words.neighbours_price, "mdi:home-group", NEIGHBOURS, columns=6),
        tile(site.price, words.supplier_price, "mdi:transmission-tower", SUPPLIER, columns=6),
        lines([(shares.power, words.from_neighbours, NEIGHBOURS), (site.grid, words.grid, SUPPLIER)]),
        heading(words.by_hour, "mdi:chart-bar-stacked"),
        bars(sources, "hour", 1, stacked=True),
        heading(words.by_day, "mdi:chart-bar-stacked"),
        bars(sources, "day", 7, stacked=True),
        text(words.share_hint),
    ]


def _tariff(site: SiteEntities, words: Words) -> list[Card | None]:
    if site.band is None:
        return []
    return [
        heading(words.tariff, "mdi:cash-clock"),
        number(site.band, words.band, "mdi:clock-time-four-outline", columns=6),
        number(site.price, words.price, "mdi:currency-eur", columns=6),
        tile(site.band_ends, words.band_ends, "mdi:clock-end", SUPPLIER, columns=6),
        tile(site.next_band, words.next_band, "mdi:clock-fast", SUPPLIER, columns=6),
        tile(site.cost_today, words.cost_today, "mdi:calendar-today", HOUSE, columns=6),
        tile(site.cost_this_month, words.cost_month, "mdi:calendar-month", HOUSE, columns=6),
        tile(site.quarter_hour, words.quarter, "mdi:timer-sand", SUPPLIER, columns=6),
        tile(site.peak, words.peak, "mdi:chart-bell-curve", SUPPLIER, columns=6),
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
                {"from": 0, "color": SUPPLIER},
                {"from": LIMIT, "color": RED},
            ],
            "grid_options": {"columns": 4, "rows": 2},
        }
        for phase, entity in site.phases.items()
    ]
    powers = [(entity, phase, color) for (phase, entity), color in zip(site.phases.items(), PHASES, strict=False)]
    return [
        heading(words.phases, "mdi:sine-wave"),
        *gauges,
        tile(site.imbalance, words.imbalance, "mdi:scale-unbalanced", SUPPLIER),
        lines(powers),
        text(words.phases_hint),
    ]


def _today(site: SiteEntities, words: Words) -> list[Card]:
    sources = [
        (site.produced, words.solar, ROOF),
        (site.offtake, words.offtake, SUPPLIER),
        (site.injection, words.injection, GIVEN),
    ]
    return [
        heading(words.today, "mdi:calendar-today", badges=[link(words.energy, "/energy")]),
        {"type": "energy-distribution"},
        heading(words.last_days, "mdi:chart-bar"),
        bars(sources, "day", 7),
    ]


def _weeks(site: SiteEntities, words: Words) -> list[Card]:
    """Show the past that was imported, which the site keeps as statistics of its own."""
    if not site.history:
        return []
    names = {
        "production": (words.solar, ROOF),
        "offtake": (words.offtake, SUPPLIER),
        "injection": (words.injection, GIVEN),
    }
    shown = [(site.history[series], *names[series]) for series in names if series in site.history]
    return [heading(words.weeks, "mdi:chart-bar-stacked"), bars(shown, "week", 112)]
