"""The steps in which a file of past readings is given, looked at and kept, for the flows of sites and of members."""

from abc import abstractmethod
import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, override

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    FileSelector,
    FileSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol

from .core.history import HistoryError
from .history_import import Draft, HistoryImport
from .history_sources import FileSource, Source
from .history_text import Outcome

FIELD_FILE: Final = "file"
FIELD_EANS: Final = "eans"
FIELD_ACCEPT: Final = "accept_problems"

_FILE: Final = vol.Schema({vol.Required(FIELD_FILE): FileSelector(FileSelectorConfig(accept=".csv,.tsv,.txt,.xlsx"))})


class ReadingsSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """Steps of a flow that take past readings in; how it begins and ends is for the flow to say."""

    def __init__(self) -> None:
        self._source: Source | None = None
        self._source_step = ""
        self._source_values: dict[str, Any] | None = None
        self._eans: Sequence[str] = ()
        self._upload = ExitStack()
        self._import: HistoryImport | None = None
        self._draft: Draft | None = None
        self._outcome: Outcome | None = None
        self._refusal: HistoryError | None = None
        self._work: asyncio.Task[str] | None = None
        self._waiting: asyncio.Task[Any] | None = None

    @abstractmethod
    def _import_into(self) -> HistoryImport:
        """Begin an import."""

    @abstractmethod
    def _end(self, told: str) -> ResultT:
        """End the import, of which it is `told` what was kept."""

    async def async_step_import_file(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask for a file."""
        if user_input is not None:
            try:
                path = await self.hass.async_add_executor_job(self._open_upload, user_input[FIELD_FILE])
            except ValueError:  # Home Assistant was restarted meanwhile
                self._refusal = HistoryError("import_upload_gone")
            else:
                return await self._read("import_file", FileSource(path))
        return await self._ask("import_file", _FILE)

    async def async_step_import_read(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Read the source."""
        return self._progress("import_read")

    async def async_step_import_ean(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask which of several access points are meant."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._eans = user_input[FIELD_EANS]
            if self._eans:
                return await self._start_reading()
            errors[FIELD_EANS] = "import_no_ean"
        assert self._draft  # noqa: S101 - read by the step before
        options = SelectSelectorConfig(options=list(self._draft.eans), multiple=True)
        return self.async_show_form(
            step_id="import_ean",
            data_schema=vol.Schema({vol.Required(FIELD_EANS, default=[]): SelectSelector(options)}),
            errors=errors,
        )

    async def async_step_import_preview(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Show what the source holds, and ask whether to keep it."""
        assert self._draft  # noqa: S101 - read by the step before
        assert self._import  # noqa: S101 - like the draft
        errors: dict[str, str] = {}
        problems = self._draft.history.problems
        if user_input is not None:
            if problems and not user_input.get(FIELD_ACCEPT):
                errors[FIELD_ACCEPT] = "import_not_accepted"
            else:
                commit = self._import.async_commit(self._draft, accept_problems=bool(problems))
                # It goes on if the dialog is closed meanwhile; the notification tells how it went.
                self._work, self._waiting = self.hass.async_create_task(self._commit(commit), eager_start=False), None
                return await self.async_step_import_write()
        texts = await self._import.async_texts()
        placeholders = {"preview": texts.preview(self._draft.preview, self._draft.stay, self._draft.history.notes)}
        if self._refusal:
            errors["base"] = "import_refused"
            placeholders["reason"] = texts.error(self._refusal)
            self._refusal = None
        fields = {vol.Required(FIELD_ACCEPT, default=False): BooleanSelector()} if problems else {}
        return self.async_show_form(
            step_id="import_preview",
            data_schema=vol.Schema(fields),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_import_write(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Keep what was read."""
        return self._progress("import_write")

    async def async_step_import_done(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Tell what was kept."""
        assert self._import  # noqa: S101 - the step before used it
        assert self._outcome  # noqa: S101 - like the import
        return self._end((await self._import.async_texts()).outcome(self._outcome))

    @override
    @callback
    def async_remove(self) -> None:
        """Stop reading, and remove the file that was uploaded."""
        super().async_remove()
        if self._work and self._draft is None:
            self._work.cancel()
        self.hass.async_add_executor_job(self._upload.close)

    async def _ask(self, step: str, schema: vol.Schema) -> ResultT:
        """Show the form of a source, and why the one before was refused."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if self._refusal:
            errors["base"] = "import_refused"
            placeholders["reason"] = (await self._begin().async_texts()).error(self._refusal)
            self._refusal = None
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, self._source_values),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _read(self, step: str, source: Source) -> ResultT:
        self._source_step, self._source, self._eans = step, source, ()
        return await self._start_reading()

    async def _start_reading(self) -> ResultT:
        self._draft = None
        assert self._source  # noqa: S101 - chosen before it is read
        self._work, self._waiting = self.hass.async_create_task(self._draw_up(self._source), eager_start=False), None
        return await self.async_step_import_read()

    async def _draw_up(self, source: Source) -> str:
        """Read a source; return the next step."""
        try:
            self._draft = await self._begin().async_read(source, self._eans, self.async_update_progress)
        except HistoryError as refusal:
            self._refusal = refusal
            return self._source_step
        return "import_ean" if self._draft.eans else "import_preview"

    async def _commit(self, commit: Any) -> str:
        """Wait for the end of an import; return the next step."""
        try:
            self._outcome = await commit
        except HistoryError as refusal:
            self._refusal = refusal
            return "import_preview"
        return "import_done"

    def _progress(self, step: str) -> ResultT:
        """Show that work goes on; when it is done, go on to the step that it returned."""
        assert self._work  # noqa: S101 - begun before its progress is shown
        if self._work.done():
            return self.async_show_progress_done(next_step_id=self._work.result())
        # Home Assistant cancels the task it is given when the dialog is closed.
        self._waiting = self._waiting or self.hass.async_create_task(asyncio.wait([self._work]))
        return self.async_show_progress(step_id=step, progress_action=step, progress_task=self._waiting)

    def _begin(self) -> HistoryImport:
        if self._import is None:
            self._import = self._import_into()
        return self._import

    def _open_upload(self, upload: str) -> Path:
        self._upload.close()
        return self._upload.enter_context(process_uploaded_file(self.hass, upload))
