"""Joining a community far away with an invitation, and changing what is sent to its organiser."""

from collections.abc import Mapping
import secrets
from typing import Any, Final

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.helpers.selector import BooleanSelector, DateSelector, TextSelector, TextSelectorConfig
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .brokers import write_broker
from .communities import communities_of_site
from .core.invitation import Invitation, InvitationError, decode
from .link import Broker, async_try_broker
from .membership_text import async_membership_text
from .memberships import (
    CONF_BROKER,
    CONF_CODE,
    CONF_COMMUNITY_ID,
    CONF_DEVICE,
    CONF_LIVE,
    CONF_PUBLIC_KEY,
    CONF_READINGS,
    CONF_SINCE,
    CONF_STATISTICS,
    CONSENTS,
    membership_subentry,
)
from .runtime_data import EnergyNeighboursConfigEntry

FIELD_INVITATION: Final = "invitation"
_INVITATION: Final = vol.Schema({vol.Required(FIELD_INVITATION): TextSelector(TextSelectorConfig(multiline=True))})
_CONSENT: Final = {
    vol.Required(CONF_READINGS, default=True): BooleanSelector(),
    vol.Required(CONF_LIVE, default=False): BooleanSelector(),
    vol.Required(CONF_STATISTICS, default=False): BooleanSelector(),
}


class MembershipFlow(ConfigSubentryFlow):
    """Makes a membership out of an invitation, and changes it."""

    def __init__(self) -> None:
        self._invitation: Invitation | None = None

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the invitation; a site has one community."""
        entry = self._get_entry()
        if membership_subentry(entry) or next(communities_of_site(self.hass, entry.entry_id), None):
            return self.async_abort(reason="already_member")
        return await self._ask_invitation("user", user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to change."""
        return self.async_show_menu(step_id="reconfigure", menu_options=["agree", "invitation"])

    async def async_step_invitation(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for another invitation of the same community."""
        return await self._ask_invitation("invitation", user_input)

    async def _ask_invitation(self, step: str, user_input: dict[str, Any] | None) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                found = decode(user_input[FIELD_INVITATION])
            except InvitationError as error:
                errors[FIELD_INVITATION] = error.fault.value
            else:
                if not self._fits(found):
                    errors[FIELD_INVITATION] = "another_community"
                elif fault := await async_try_broker(self.hass, _broker(found)):
                    errors["base"] = fault
                else:
                    self._invitation = found
                    return await self.async_step_agree()
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(_INVITATION, user_input),
            errors=errors,
            last_step=False,
        )

    def _fits(self, found: Invitation) -> bool:
        """Whether an invitation is for the place that the site has already, if it has one."""
        if self.source == SOURCE_USER:
            return True
        data = self._get_reconfigure_subentry().data
        return (found.community, found.code) == (data[CONF_COMMUNITY_ID], data[CONF_CODE])

    async def async_step_agree(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Tell what is sent to whom, and ask what the household agrees to."""
        if user_input is not None:
            return self._finish(user_input)
        new = self.source == SOURCE_USER
        values: Mapping[str, Any] = {} if new else self._get_reconfigure_subentry().data
        fields: dict[Any, Any] = dict(_CONSENT)
        if new:
            fields = {vol.Required(CONF_SINCE, default=dt_util.now().date().isoformat()): DateSelector(), **fields}
        name = self._invitation.name if self._invitation else self._get_reconfigure_subentry().title
        return self.async_show_form(
            step_id="agree",
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields), values),
            description_placeholders={"community": name, "about": await self._about()},
        )

    async def _about(self) -> str:
        """Return in words by which key is divided, and what was sent last."""
        entry: EnergyNeighboursConfigEntry = self._get_entry()
        loaded = entry.state is ConfigEntryState.LOADED
        return await async_membership_text(self.hass, entry.runtime_data.membership if loaded else None)

    def _finish(self, user_input: Mapping[str, Any]) -> SubentryFlowResult:
        consents = {key: user_input[key] for key in CONSENTS}
        told = _told(self._invitation) if self._invitation else {}
        if self.source == SOURCE_USER:
            assert self._invitation  # noqa: S101 - set by the step before
            return self.async_create_entry(
                title=self._invitation.name,
                data={**told, CONF_DEVICE: secrets.token_urlsafe(12), CONF_SINCE: user_input[CONF_SINCE], **consents},
                unique_id=self._invitation.community,
            )
        subentry = self._get_reconfigure_subentry()
        return self.async_update_and_abort(self._get_entry(), subentry, data={**subentry.data, **told, **consents})


def _broker(invitation: Invitation) -> Broker:
    return Broker(
        invitation.host,
        invitation.port,
        invitation.tls,
        invitation.ca,
        invitation.username,
        invitation.password,
    )


def _told(invitation: Invitation) -> dict[str, Any]:
    """Return what an invitation tells, as the subentry keeps it."""
    return {
        CONF_COMMUNITY_ID: invitation.community,
        CONF_CODE: invitation.code,
        CONF_PUBLIC_KEY: invitation.public_key,
        CONF_BROKER: write_broker(_broker(invitation)),
    }
