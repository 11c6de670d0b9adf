"""Settings of the Energy dashboard for one site."""

from typing import Any

from .site_entities import SiteEntities


def energy_preferences(site: SiteEntities) -> dict[str, Any]:
    """Return what `energy/save_prefs` takes: the grid and the roof, in energy and in power."""
    grid = {
        "type": "grid",
        "stat_energy_from": site.offtake,
        "stat_energy_to": site.injection,
        "stat_rate": site.grid,
        "power_config": {"stat_rate": site.grid},
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0,
    }
    sources: list[dict[str, Any]] = [grid]
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
