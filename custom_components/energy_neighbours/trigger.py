"""Trigger of automations: a tariff band starts."""

import asyncio
from typing import Any, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, State, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.trigger import (
    EntityTriggerBase,
    NotTriggeredReasonReporter,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
import voluptuous as vol

from .band_target import CONF_BANDS, DOMAIN_SPECS, band_sensors
from .runtime_data import EnergyNeighboursConfigEntry

_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
        vol.Optional(CONF_OPTIONS, default=dict): {
            vol.Optional(CONF_BANDS, default=list): vol.All(cv.ensure_list, [cv.string])
        },
    }
)


class BandStarted(EntityTriggerBase):
    """Fires the moment a band starts; with bands given, only for these."""

    _domain_specs = DOMAIN_SPECS
    _schema = _SCHEMA

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        super().__init__(hass, config)
        self._bands = frozenset((config.options or {}).get(CONF_BANDS, ()))

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        return band_sensors(self._hass, super().entity_filter(entities))

    @override
    def is_valid_state(self, state: State, report_not_triggered: NotTriggeredReasonReporter) -> bool:
        return not self._bands or state.state in self._bands

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None = None
    ) -> CALLBACK_TYPE:
        @callback
        def run(
            extra_trigger_payload: dict[str, Any], description: str, context: Context | None = None
        ) -> asyncio.Task[Any]:
            told = {
                "band": extra_trigger_payload["to_state"].state,
                "from_band": extra_trigger_payload["from_state"].state,
                "price": self._price(extra_trigger_payload["entity_id"]),
            }
            return run_action({**extra_trigger_payload, **told}, description, context)

        return await super().async_attach_runner(run, did_not_trigger)

    def _price(self, entity_id: str) -> float | None:
        """Return what a kWh costs at a site now [€/kWh]."""
        registered = er.async_get(self._hass).async_get(entity_id)
        entry: EnergyNeighboursConfigEntry | None = None
        if registered and registered.config_entry_id:
            entry = self._hass.config_entries.async_get_entry(registered.config_entry_id)
        tariff = entry.runtime_data.tariff if entry and entry.state is ConfigEntryState.LOADED else None
        return float(tariff.price) if tariff and tariff.price is not None else None


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return {"band_started": BandStarted}
