"""Flows that mend a fault after the user's yes."""

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import voluptuous as vol

from .const import CONF_CHANNELS
from .runtime_data import EnergyNeighboursConfigEntry


class ForgetChannelsFlow(RepairsFlow):
    """Take the roles of channels that the meter no longer has out of the site."""

    def __init__(self, entry_id: str, placeholders: dict[str, str]) -> None:
        self._entry_id = entry_id
        self._placeholders = placeholders

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Do it after the yes."""
        if user_input is None:
            return self.async_show_form(
                step_id="confirm", data_schema=vol.Schema({}), description_placeholders=self._placeholders
            )
        entry: EnergyNeighboursConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            return self.async_abort(reason="entry_gone")
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        kept = {k: v for k, v in entry.options.get(CONF_CHANNELS, {}).items() if k in entry.runtime_data.meter.channels}
        self.hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_CHANNELS: kept})
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow that mends an issue; only missing channels have one."""
    texts = {key: str(value) for key, value in (data or {}).items()}
    return ForgetChannelsFlow(texts.pop("entry_id", ""), texts)
