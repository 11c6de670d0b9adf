"""Taking members into a community, inviting those who are far away, and changing them."""

from collections.abc import Mapping
import time
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, CONF_PASSWORD
from homeassistant.helpers.selector import (
    QrCodeSelector,
    QrCodeSelectorConfig,
    QrErrorCorrectionLevel,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from . import community_form as form
from .brokers import CONF_BROKER
from .communities import (
    CONF_CODE,
    CONF_INVITED,
    CONF_JOINED,
    CONF_SITE,
    CONF_SOURCE,
    Source,
    is_community,
    members_of,
    new_member_code,
    read_keys,
)
from .const import DOMAIN
from .history_import import HistoryImport
from .invitations import invitation_text, new_password
from .member_import import import_for
from .readings_flow import ReadingsSteps

FIELD_TEXT: Final = "invitation"
FIELD_PICTURE: Final = "picture"


class MemberFlow(ReadingsSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], ConfigSubentryFlow):
    """Takes a member in, changes it, and takes in its readings if they come in files."""

    def __init__(self) -> None:
        super().__init__()
        self._data: dict[str, Any] = {}
        """The member that is invited, as its subentry will keep it."""
        self._name = ""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask where the member's readings come from."""
        return self.async_show_menu(step_id="user", menu_options=[source.value for source in Source])

    async def async_step_local(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take a site of this Home Assistant in."""
        if user_input is None and not self._free_sites():
            return self.async_abort(reason="no_site_left")
        return await self._step(Source.LOCAL, user_input)

    async def async_step_remote(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take a member in that sends its readings over the broker."""
        if not self._get_entry().options.get(CONF_BROKER):
            return self.async_abort(reason="no_broker")
        return await self._step(Source.REMOTE, user_input)

    async def async_step_files(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take a member in whose readings come in files."""
        return await self._step(Source.FILES, user_input)

    async def async_step_vacant(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take a place in where nobody lives yet."""
        return await self._step(Source.VACANT, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to do with a member; there is no choice unless it is far away, or its readings come in files."""
        if self._reconfigured_source is Source.FILES:
            return self.async_show_menu(step_id="reconfigure", menu_options=["import_file", "change"])
        if self._reconfigured_source is Source.REMOTE and self._get_entry().options.get(CONF_BROKER):
            return self.async_show_menu(step_id="reconfigure", menu_options=["invitation", "renew", "change"])
        return await self.async_step_change(user_input)

    @property
    def _reconfigured_source(self) -> Source:
        return Source(self._get_reconfigure_subentry().data[CONF_SOURCE])

    async def async_step_change(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change a member: its dates, its part, its group."""
        return await self._step(self._reconfigured_source, user_input)

    @override
    async def async_step_import_file(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="import_not_loaded")
        return await super().async_step_import_file(user_input)

    @override
    def _import_into(self) -> HistoryImport:
        entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        (member,) = (each for each in members_of(entry) if each.subentry_id == subentry.subentry_id)
        return import_for(entry.runtime_data, member)

    @override
    def _end(self, told: str) -> SubentryFlowResult:
        return self.async_abort(reason="import_done", description_placeholders={"outcome": told})

    async def async_step_renew(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask whether the member is to get another invitation, and the one before is to hold no more."""
        if user_input is None:
            return self.async_show_form(step_id="renew", data_schema=vol.Schema({}), last_step=False)
        self._data = {**self._get_reconfigure_subentry().data, **_invited()}
        return await self.async_step_invitation()

    async def async_step_invitation(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show the invitation, as text and as picture, and what the broker has to know."""
        new = self.source == SOURCE_USER
        data = self._data or dict(self._get_reconfigure_subentry().data)
        if user_input is not None:
            if new:
                return self.async_create_entry(title=self._name, data=data, unique_id=data[CONF_CODE])
            return self.async_update_and_abort(self._get_entry(), self._get_reconfigure_subentry(), data=data)
        text = await self.hass.async_add_executor_job(invitation_text, self._get_entry(), data)
        picture = QrCodeSelectorConfig(data=text, scale=5, error_correction_level=QrErrorCorrectionLevel.LOW)
        schema = vol.Schema(
            {
                vol.Optional(FIELD_TEXT): TextSelector(TextSelectorConfig(multiline=True)),
                vol.Optional(FIELD_PICTURE): QrCodeSelector(picture),
            }
        )
        return self.async_show_form(
            step_id="invitation",
            data_schema=self.add_suggested_values_to_schema(schema, {FIELD_TEXT: text}),
            description_placeholders={"code": data[CONF_CODE], "password": data[CONF_PASSWORD]},
        )

    async def _step(self, source: Source, user_input: dict[str, Any] | None) -> SubentryFlowResult:
        new = self.source == SOURCE_USER
        step = source.value if new else "change"
        errors: dict[str, str] = {}
        if user_input is not None:
            if error := form.member_error(user_input):
                errors["base"] = error
            elif new:
                return await self._take_in(source, user_input)
            else:
                return self._change(source, user_input)
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                form.member_schema(source, self._free_sites()), user_input or self._values()
            ),
            errors=errors,
        )

    def _values(self) -> dict[str, Any]:
        """Return what the form shows at first."""
        if self.source != SOURCE_USER:
            subentry = self._get_reconfigure_subentry()
            return form.member_values(subentry.data, subentry.title)
        versions = read_keys(self._get_entry().options)
        first = min((version.valid_from for version in versions), default=dt_util.now().date())
        return {CONF_JOINED: first.isoformat(), form.SECTION_MORE: {}}

    async def _take_in(self, source: Source, user_input: dict[str, Any]) -> SubentryFlowResult:
        code = new_member_code(each.member.code for each in members_of(self._get_entry()))
        data = {CONF_CODE: code, **form.read_member(source, user_input)}
        if source is Source.REMOTE:
            self._data, self._name = {**data, **_invited()}, self._title(user_input)
            return await self.async_step_invitation()
        return self.async_create_entry(title=self._title(user_input), data=data, unique_id=code)

    def _change(self, source: Source, user_input: dict[str, Any]) -> SubentryFlowResult:
        subentry = self._get_reconfigure_subentry()
        kept = {key: subentry.data[key] for key in (CONF_CODE, CONF_PASSWORD, CONF_INVITED) if key in subentry.data}
        return self.async_update_and_abort(
            self._get_entry(),
            subentry,
            title=self._title(user_input),
            data={**kept, **form.read_member(source, user_input)},
        )

    def _title(self, user_input: Mapping[str, Any]) -> str:
        if name := (user_input.get(CONF_NAME) or "").strip():
            return name
        site = self.hass.config_entries.async_get_entry(user_input.get(CONF_SITE, ""))
        return site.title if site else "?"

    def _free_sites(self) -> dict[str, str]:
        """Return the sites that are not members of this community, and the member's own one."""
        taken = {each.site for each in members_of(self._get_entry())}
        if self.source != SOURCE_USER:
            taken.discard(self._get_reconfigure_subentry().data.get(CONF_SITE, ""))
        return {
            entry.entry_id: entry.title
            for entry in self.hass.config_entries.async_entries(DOMAIN, include_ignore=False)
            if not is_community(entry) and entry.entry_id not in taken
        }


def _invited() -> dict[str, Any]:
    return {CONF_PASSWORD: new_password(), CONF_INVITED: int(time.time())}
