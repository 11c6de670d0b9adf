"""Settings of the Energy dashboard for one site."""

from typing import Any

from .site_entities import SiteEntities
from .street_entities import Shares


def energy_preferences(site: SiteEntities, shares: Shares | None = None) -> dict[str, Any]:
    """Return what `energy/save_prefs` takes: the grid and the roof, in energy and in power.

    What comes from the grid is one source, or with shares two: the neighbours and the supplier, each with its price.
    """
    grid = {**_grid(site.offtake), "stat_energy_to": site.injection, "stat_rate": site.grid}
    grid["power_config"] = {"stat_rate": site.grid}
    sources: list[dict[str, Any]] = [grid]
    if shares:
        grid |= {"stat_energy_from": shares.from_supplier, "entity_energy_price": site.price}
        sources.insert(0, {**_grid(shares.from_neighbours), "entity_energy_price": shares.price})
    if site.produced:
        solar: dict[str, Any] = {
            "type": "solar",
            "stat_energy_from": site.produced,
            "config_entry_solar_forecast": None,
        }
        if site.production:
            solar["stat_rate"] = site.production
        sources.append(solar)
    return {"energy_sources": sources, "device_consumption": []}


def _grid(energy: str) -> dict[str, Any]:
    return {
        "type": "grid",
        "stat_energy_from": energy,
        "stat_energy_to": None,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0,
    }
