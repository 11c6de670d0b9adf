"""The form that takes the coefficients of a community's quarter-hours: give a file, look at it, keep it."""

from typing import Any, Final

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import FileSelector, FileSelectorConfig
import voluptuous as vol

from .coefficient_import import CoefficientDraft, async_draft, async_keep, told
from .core.history import HistoryError
from .core.readings_cells import NumberedRow
from .history_files import read_csv
from .history_text import ImportTexts, async_import_texts
from .ledger import LedgerError

FIELD_FILE: Final = "file"

_FILE: Final = vol.Schema({vol.Required(FIELD_FILE): FileSelector(FileSelectorConfig(accept=".csv,.tsv,.txt"))})
_NOTHING: Final = vol.Schema({})


class CoefficientSteps(OptionsFlow):
    """Steps of an options flow that take a community's coefficients."""

    def __init__(self) -> None:
        super().__init__()
        self._draft: CoefficientDraft | None = None
        self._kept = ""

    async def async_step_coefficients(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a file."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="community_not_loaded")
        community, texts = self.config_entry.runtime_data, await self._texts()
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                rows = await self.hass.async_add_executor_job(_read_upload, self.hass, user_input[FIELD_FILE])
                self._draft = await async_draft(community, rows)
            except HistoryError as refusal:
                errors["base"], placeholders["reason"] = "import_refused", texts.error(refusal)
            else:
                if self._draft.file.problems:
                    return await self.async_step_coefficients_problems()
                return await self.async_step_coefficients_preview()
        return self.async_show_form(
            step_id="coefficients",
            data_schema=_FILE,
            errors=errors,
            description_placeholders={**placeholders, "known": await self._known(texts)},
        )

    async def async_step_coefficients_problems(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Tell what is wrong with the file; then ask for another."""
        if user_input is not None:
            return await self.async_step_coefficients()
        assert self._draft  # noqa: S101 - read by the step before
        return self.async_show_form(
            step_id="coefficients_problems",
            data_schema=_NOTHING,
            description_placeholders={"preview": told(self._draft, await self._texts())},
            last_step=False,
        )

    async def async_step_coefficients_preview(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what the file holds, and ask whether to keep it."""
        assert self._draft  # noqa: S101 - read by the step before
        texts = await self._texts()
        errors: dict[str, str] = {}
        placeholders = {"preview": told(self._draft, texts)}
        if user_input is not None:
            try:
                changes = await async_keep(self.config_entry.runtime_data, self._draft, texts)
            except HistoryError as refusal:
                errors["base"], placeholders["reason"] = "import_refused", texts.error(refusal)
            else:
                counts = {"added": len(changes.added), "changed": len(changes.changed), "unchanged": changes.unchanged}
                self._kept = texts.say("import_kept", **counts)
                return await self.async_step_coefficients_done()
        return self.async_show_form(
            step_id="coefficients_preview",
            data_schema=_NOTHING,
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_coefficients_done(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Tell what was kept."""
        if user_input is not None:
            return self.async_create_entry(data=dict(self.config_entry.options))
        return self.async_show_form(
            step_id="coefficients_done", data_schema=_NOTHING, description_placeholders={"outcome": self._kept}
        )

    async def _texts(self) -> ImportTexts:
        return await async_import_texts(self.hass, self.config_entry.runtime_data.zone)

    async def _known(self, texts: ImportTexts) -> str:
        """Tell of which time coefficients are known."""
        ledger = self.config_entry.runtime_data.ledger
        try:
            known = await ledger.async_look(lambda shares: shares.known_coefficients(ledger.name))
        except LedgerError as error:
            return texts.error(HistoryError(str(error.fault)))
        if known is None:
            return texts.say("coefficients_none")
        return texts.say("coefficients_known", start=texts.time(known.start), end=texts.time(known.end))


def _read_upload(hass: HomeAssistant, upload: str) -> list[NumberedRow]:
    """Return the rows of a file that was uploaded, which is then removed."""
    try:
        with process_uploaded_file(hass, upload) as path:
            return read_csv(path)
    except ValueError as error:  # Home Assistant was restarted meanwhile
        raise HistoryError("import_upload_gone") from error
