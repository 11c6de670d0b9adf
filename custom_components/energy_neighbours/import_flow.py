"""The form that takes past readings into a site: choose a source, look at what it holds, keep it."""

from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntryState, ConfigFlowContext, ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_TOKEN
from homeassistant.helpers.selector import (
    StatisticSelector,
    StatisticSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import CONF_METER, METER_FLUKSO
from .core.history import HistoryError
from .external_statistics import SERIES
from .history_import import HistoryImport, import_into
from .history_sources import BlocksSource, CloudSource, StatisticsSource, async_allowed
from .readings_flow import ReadingsSteps

FIELD_FOLDER: Final = "folder"

_STATISTICS: Final = vol.Schema(
    {vol.Optional(series): StatisticSelector(StatisticSelectorConfig(multiple=True)) for series in SERIES}
)
_BLOCKS: Final = vol.Schema({vol.Required(FIELD_FOLDER): TextSelector()})
_CLOUD: Final = vol.Schema(
    {vol.Required(CONF_TOKEN): TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))}
)


class ImportSteps(ReadingsSteps[ConfigFlowContext, ConfigFlowResult, str], OptionsFlow):
    """Steps of an options flow that take past readings into its site."""

    async def async_step_import_readings(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the readings come from."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="import_not_loaded")
        sources = ["import_file", "import_statistics"]
        if self.config_entry.data[CONF_METER] == METER_FLUKSO:
            sources += ["import_blocks", "import_cloud"]
        return self.async_show_menu(step_id="import_readings", menu_options=sources)

    async def async_step_import_statistics(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for long-term statistics."""
        if user_input is not None:
            self._source_values = user_input
            return await self._read("import_statistics", StatisticsSource(user_input))
        return await self._ask("import_statistics", _STATISTICS)

    async def async_step_import_blocks(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a folder with a Fluksometer's blocks."""
        if user_input is not None:
            self._source_values = user_input
            try:
                folder = await async_allowed(self.hass, user_input[FIELD_FOLDER])
            except HistoryError as refusal:
                self._refusal = refusal
            else:
                return await self._read("import_blocks", BlocksSource(folder))
        return await self._ask("import_blocks", _BLOCKS)

    async def async_step_import_cloud(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the token of a Fluksometer's cloud."""
        if user_input is not None:
            return await self._read("import_cloud", CloudSource(user_input[CONF_TOKEN]))
        return await self._ask("import_cloud", _CLOUD)

    @override
    async def async_step_import_done(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Tell what was kept; the flow ends when that was read."""
        if user_input is not None:
            return self.async_create_entry(data=dict(self.config_entry.options))
        return await super().async_step_import_done()

    @override
    def _import_into(self) -> HistoryImport:
        return import_into(self.hass, self.config_entry, self.config_entry.runtime_data)

    @override
    def _end(self, told: str) -> ConfigFlowResult:
        return self.async_show_form(
            step_id="import_done", data_schema=vol.Schema({}), description_placeholders={"outcome": told}
        )
