"""Condition of automations: it is the time of a tariff band."""

from typing import override

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL,
    Condition,
    ConditionConfig,
    EntityStateConditionBase,
)
import voluptuous as vol

from .band_target import CONF_BANDS, DOMAIN_SPECS, band_sensors

_SCHEMA = ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL.extend(
    {
        vol.Required(CONF_OPTIONS): {
            vol.Required(CONF_BANDS): vol.All(cv.ensure_list, vol.Length(min=1), [cv.string]),
        },
    }
)


class IsInBand(EntityStateConditionBase):
    """True while one of the given bands is in force."""

    _domain_specs = DOMAIN_SPECS
    _schema = _SCHEMA

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        super().__init__(hass, config)
        self._states = set((config.options or {})[CONF_BANDS])

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        return band_sensors(self._hass, super().entity_filter(entities))


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return {"is_in_band": IsInBand}
