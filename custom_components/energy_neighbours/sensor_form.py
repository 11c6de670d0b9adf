"""The form in which the user chooses existing Home Assistant sensors as a site's meter."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN, SensorDeviceClass
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import EntitySelector, EntitySelectorConfig
import voluptuous as vol

from .const import DOMAIN
from .sensor_meter import (
    CONF_GRID_POWER,
    CONF_INJECTION_ENERGY,
    CONF_INJECTION_POWER,
    CONF_OFFTAKE_ENERGY,
    CONF_PHASE_POWER,
    CONF_PRODUCTION_ENERGY,
    CONF_PRODUCTION_POWER,
)

SECTION_PHASES: Final = "phases"
POWER_KEYS: Final = (CONF_GRID_POWER, CONF_INJECTION_POWER, CONF_PRODUCTION_POWER)
ENERGY_KEYS: Final = (CONF_OFFTAKE_ENERGY, CONF_INJECTION_ENERGY, CONF_PRODUCTION_ENERGY)
FIELD_ORDER: Final = (
    CONF_GRID_POWER,
    CONF_INJECTION_POWER,
    CONF_OFFTAKE_ENERGY,
    CONF_INJECTION_ENERGY,
    CONF_PRODUCTION_POWER,
    CONF_PRODUCTION_ENERGY,
)


@callback
def schema(hass: HomeAssistant) -> vol.Schema:
    """Return the form's fields. Our own entities are left out: a site must not measure itself."""
    own = [e.entity_id for e in er.async_get(hass).entities.values() if e.platform == DOMAIN]

    def sensors(device_class: SensorDeviceClass) -> EntitySelector:
        return EntitySelector(
            EntitySelectorConfig(domain=SENSOR_DOMAIN, device_class=device_class, multiple=True, exclude_entities=own)
        )

    power, energy = sensors(SensorDeviceClass.POWER), sensors(SensorDeviceClass.ENERGY)
    fields: dict[Any, Any] = {vol.Optional(key): power if key in POWER_KEYS else energy for key in FIELD_ORDER}
    phases = vol.Schema({vol.Optional(key): power for key in CONF_PHASE_POWER.values()})
    fields[vol.Required(SECTION_PHASES)] = section(phases, {"collapsed": True})
    return vol.Schema(fields)


def suggested(entities: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form's values for the entities chosen before."""
    return {
        **{k: v for k, v in entities.items() if k in FIELD_ORDER},
        SECTION_PHASES: {k: v for k, v in entities.items() if k in CONF_PHASE_POWER.values()},
    }


def read(user_input: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the entities chosen in the form, without empty choices."""
    chosen = {**user_input, **user_input.get(SECTION_PHASES, {})}
    return {key: list(chosen[key]) for key in (*FIELD_ORDER, *CONF_PHASE_POWER.values()) if chosen.get(key)}


async def async_prefill(hass: HomeAssistant) -> dict[str, list[str]]:
    """Return the sensors that the Energy dashboard already uses, where there is one."""
    if "energy" not in hass.config.components:
        return {}
    preferences = (await async_get_manager(hass)).data
    found: dict[str, list[str]] = {}

    def add(key: str, statistic: str | None) -> None:
        # A statistic of its own (`source:name`) is no entity and has no present state.
        if statistic and hass.states.get(statistic):
            found.setdefault(key, []).append(statistic)

    for source in preferences["energy_sources"] if preferences else []:
        if source["type"] == "grid":
            add(CONF_OFFTAKE_ENERGY, source.get("stat_energy_from"))
            add(CONF_INJECTION_ENERGY, source.get("stat_energy_to"))
            add(CONF_GRID_POWER, source.get("stat_rate"))
        elif source["type"] == "solar":
            add(CONF_PRODUCTION_ENERGY, source["stat_energy_from"])
            add(CONF_PRODUCTION_POWER, source.get("stat_rate"))
    own = {e.entity_id for e in er.async_get(hass).entities.values() if e.platform == DOMAIN}
    return {key: kept for key, ids in found.items() if (kept := [i for i in ids if i not in own])}
