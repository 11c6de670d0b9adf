"""Diagnostics of a site, without anything that names the household, its meter or its radio key."""

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from .const import CONF_CHANNELS, CONF_DID, CONF_ENTITIES
from .contracts import anonymous, contract_subentry
from .runtime_data import EnergyNeighboursConfigEntry

TO_REDACT = {CONF_HOST, CONF_DID, CONF_ENTITIES}


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry) -> dict[str, Any]:
    """Return the diagnostics of a site."""
    site = entry.runtime_data
    balance = site.live.balance
    contract = contract_subentry(entry)
    return {
        "entry": async_redact_data(dict(entry.data), TO_REDACT),
        "options": {
            **entry.options,
            # The keys hold the meter's sensor ids, which also open its data in the cloud.
            CONF_CHANNELS: list(entry.options.get(CONF_CHANNELS, {}).values()),
        },
        "connected": site.connected,
        "power": {
            "grid": balance.grid,
            "production": balance.production,
            "consumption": balance.consumption,
            "phases": dict(balance.phases),
        },
        "registers": {
            "offtake": site.registers.offtake,
            "injection": site.registers.injection,
            "production": site.registers.production,
            "netted_share": site.registers.netted / site.registers.counted if site.registers.counted else None,
        },
        "contract": anonymous(contract.data) if contract else None,
        "meter": site.meter.diagnostics(),
    }
