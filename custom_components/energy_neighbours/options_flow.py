"""Changing a site: the roles of its channels, how often its entities write, and its past."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol

from . import channel_form, preview
from .const import (
    CONF_CHANNELS,
    CONF_DID,
    CONF_METER,
    CONF_RETENTION,
    CONF_WRITE_INTERVAL,
    DEFAULT_RETENTION,
    DEFAULT_WRITE_INTERVAL,
    DOMAIN,
    METER_FLUKSO,
    RETENTION,
)
from .core.channel import LayoutError
from .flukso.discovery import Survey, survey
from .flukso.exceptions import FluksoError
from .import_flow import ImportSteps
from .roles import read_assignments, write_assignments

_SETTINGS = vol.Schema(
    {
        vol.Required(CONF_WRITE_INTERVAL, default=DEFAULT_WRITE_INTERVAL): vol.All(
            NumberSelector(
                NumberSelectorConfig(min=1, max=300, step=1, unit_of_measurement="s", mode=NumberSelectorMode.BOX)
            ),
            vol.Coerce(int),
        ),
        vol.Required(CONF_RETENTION, default=DEFAULT_RETENTION): SelectSelector(
            SelectSelectorConfig(options=list(RETENTION), translation_key="retention")
        ),
    }
)


class SiteOptionsFlow(ImportSteps):
    """Changes the options of one site."""

    def __init__(self) -> None:
        super().__init__()
        self._survey: Survey | None = None

    @staticmethod
    @override
    async def async_setup_preview(hass: HomeAssistant) -> None:
        preview.async_register(hass)

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to change."""
        channels = ["channels"] if self.config_entry.data[CONF_METER] == METER_FLUKSO else []
        return self.async_show_menu(step_id="init", menu_options=[*channels, "settings", "import_readings"])

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how often entities may write."""
        if user_input is not None:
            return self.async_create_entry(data={**self.config_entry.options, **user_input})
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(_SETTINGS, self.config_entry.options),
        )

    async def async_step_channels(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the role and the phase of each channel."""
        entry = self.config_entry
        errors: dict[str, str] = {}
        details: Mapping[str, str] = {}
        if user_input is None:
            host, port = entry.data[CONF_HOST], entry.data[CONF_PORT]
            try:
                found = await survey(host, port, did=entry.data[CONF_DID])
            except FluksoError:
                return self.async_abort(reason="cannot_connect", description_placeholders={"host": host})
            self._survey = preview.async_open(self.hass, self.flow_id, found, host, port).survey
        assert self._survey  # noqa: S101 - looked at when the form was first shown
        if user_input is not None:
            try:
                given = channel_form.read(self._survey, user_input)
            except LayoutError as err:
                errors["base"], details = err.problem, err.placeholders
            else:
                return self.async_create_entry(data={**entry.options, CONF_CHANNELS: write_assignments(given)})
        form = channel_form.schema(self._survey, read_assignments(entry.options))
        if user_input is not None:
            form = self.add_suggested_values_to_schema(form, user_input)
        return self.async_show_form(
            step_id="channels",
            data_schema=form,
            errors=errors,
            description_placeholders={
                "host": entry.data[CONF_HOST],
                **channel_form.placeholders(self._survey),
                **details,
            },
            preview=DOMAIN,
        )

    @override
    @callback
    def async_remove(self) -> None:
        """Hang up when the flow is over."""
        super().async_remove()
        preview.async_close(self.hass, self.flow_id)
