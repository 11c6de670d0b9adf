"""Setting up a site: a Fluksometer that was found or typed in, or sensors that Home Assistant has already."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult, ConfigSubentryFlow, OptionsFlow
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.util.network import is_ip_address
import voluptuous as vol

from . import channel_form, preview, sensor_form
from .communities import CONF_COMMUNITY, SUBENTRY_MEMBER, is_community
from .community_flow import CommunityOptionsFlow, CommunitySteps
from .const import (
    CONF_CHANNELS,
    CONF_DID,
    CONF_ENTITIES,
    CONF_METER,
    CONF_MODEL,
    DEFAULT_PORT,
    DOMAIN,
    METER_FLUKSO,
    METER_SENSORS,
)
from .contract_flow import ContractFlow
from .contracts import SUBENTRY_CONTRACT
from .core.channel import Assignment, LayoutError, LayoutProblem
from .flukso.discovery import Survey, hostname_of_service, survey
from .flukso.exceptions import (
    FluksoAuthError,
    FluksoConfigError,
    FluksoConnectionError,
    FluksoError,
    NotAFluksoError,
)
from .member_flow import MemberFlow
from .membership_flow import MembershipFlow
from .memberships import SUBENTRY_MEMBERSHIP
from .options_flow import SiteOptionsFlow
from .roles import write_assignments
from .sensor_meter import layout_of

SHORT_ID: Final = 6
"""Digits of a Fluksometer's id that its host name shows."""
REASONS: Final = {
    FluksoConnectionError: "cannot_connect",
    FluksoAuthError: "broker_refuses",
    NotAFluksoError: "not_a_fluksometer",
    FluksoConfigError: "no_configuration",
}

_ADDRESS: Final = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
            NumberSelector(NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)), vol.Coerce(int)
        ),
    }
)


class SiteFlow(CommunitySteps, domain=DOMAIN):
    """Sets up one site, or one community."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        self._host = ""
        self._port = DEFAULT_PORT
        self._survey: Survey | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        return CommunityOptionsFlow() if is_community(config_entry) else SiteOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        if is_community(config_entry):
            return {SUBENTRY_MEMBER: MemberFlow}
        return {SUBENTRY_CONTRACT: ContractFlow, SUBENTRY_MEMBERSHIP: MembershipFlow}

    @staticmethod
    @override
    async def async_setup_preview(hass: HomeAssistant) -> None:
        preview.async_register(hass)

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what measures the site, or whether a community is to be founded."""
        return self.async_show_menu(step_id="user", menu_options=[METER_FLUKSO, METER_SENSORS, CONF_COMMUNITY])

    async def async_step_flukso(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the address of a Fluksometer."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._host, self._port = user_input[CONF_HOST].strip(), user_input[CONF_PORT]
            if error := await self._look():
                errors["base"] = error
            else:
                self._abort_if_known()
                return await self.async_step_channels()
        return self.async_show_form(
            step_id="flukso",
            data_schema=self.add_suggested_values_to_schema(_ADDRESS, user_input),
            errors=errors,
            description_placeholders={"host": self._host},
        )

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Look at what announced itself; only a Fluksometer that answers is offered to the user."""
        hostname = hostname_of_service(discovery_info.name)
        if hostname is None:
            return self.async_abort(reason="not_a_fluksometer", description_placeholders={"host": discovery_info.host})
        self._host = discovery_info.host
        if discovery_info.type.startswith("_mqtt."):
            self._port = discovery_info.port or DEFAULT_PORT
        # Both of its services announce one meter, and its whole id is only told by its broker.
        if entries := self._entries_of(hostname):
            for entry in entries:
                self._follow(entry)
            return self.async_abort(reason="already_configured")
        await self.async_set_unique_id(hostname)
        if error := await self._look(hostname):
            return self.async_abort(reason=error, description_placeholders={"host": self._host})
        self.context["title_placeholders"] = {"name": hostname}
        return await self.async_step_zeroconf_confirm()

    async def async_step_zeroconf_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether the Fluksometer that was found is to be added."""
        assert self._survey  # noqa: S101 - set by the step before
        device = self._survey.device
        placeholders = {"name": device.hostname, "model": device.model, "host": self._host}
        if user_input is None:
            return self.async_show_form(
                step_id="zeroconf_confirm", data_schema=vol.Schema({}), description_placeholders=placeholders
            )
        # The card may have waited for days: show what is measured now.
        if error := await self._look(device.hostname):
            return self.async_abort(reason=error, description_placeholders=placeholders)
        return await self.async_step_channels()

    async def async_step_channels(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the role and the phase of each channel."""
        assert self._survey  # noqa: S101 - set by the steps before
        errors: dict[str, str] = {}
        details: Mapping[str, str] = {}
        if user_input is None:
            self._survey = preview.async_open(self.hass, self.flow_id, self._survey, self._host, self._port).survey
        else:
            try:
                return await self._create_flukso(channel_form.read(self._survey, user_input))
            except LayoutError as err:
                errors["base"], details = err.problem, err.placeholders
        form = channel_form.schema(self._survey)
        if user_input is not None:
            form = self.add_suggested_values_to_schema(form, user_input)
        return self.async_show_form(
            step_id="channels",
            data_schema=form,
            errors=errors,
            description_placeholders={"host": self._host, **channel_form.placeholders(self._survey), **details},
            preview=DOMAIN,
        )

    @override
    @callback
    def async_remove(self) -> None:
        """Hang up when the flow is over."""
        preview.async_close(self.hass, self.flow_id)

    async def async_step_sensors(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the sensors that measure the site."""
        errors: dict[str, str] = {}
        details: Mapping[str, str] = {}
        if user_input is not None:
            entities = sensor_form.read(user_input)
            errors, details = _sensors_errors(entities)
            if not errors:
                self._async_abort_entries_match({CONF_METER: METER_SENSORS, CONF_ENTITIES: entities})
                return self.async_create_entry(
                    title=self.hass.config.location_name or "Energy Neighbours",
                    data={CONF_METER: METER_SENSORS, CONF_ENTITIES: entities},
                )
        values = user_input or sensor_form.suggested(await sensor_form.async_prefill(self.hass))
        return self._sensors_form("sensors", values, errors, details)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change the address of the Fluksometer, or the sensors."""
        if is_community(self._get_reconfigure_entry()):
            return self.async_abort(reason="community_has_options")
        if self._get_reconfigure_entry().data[CONF_METER] == METER_SENSORS:
            return await self._reconfigure_sensors(user_input)
        return await self._reconfigure_flukso(user_input)

    async def _reconfigure_sensors(self, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        details: Mapping[str, str] = {}
        if user_input is not None:
            entities = sensor_form.read(user_input)
            errors, details = _sensors_errors(entities)
            if not errors:
                return self.async_update_and_abort(entry, data={**entry.data, CONF_ENTITIES: entities})
        values = user_input or sensor_form.suggested(entry.data[CONF_ENTITIES])
        return self._sensors_form("reconfigure", values, errors, details)

    async def _reconfigure_flukso(self, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            self._host, self._port = user_input[CONF_HOST].strip(), user_input[CONF_PORT]
            error = await self._look(f"flukso-{entry.data[CONF_DID][:SHORT_ID]}")
            if error == "another_meter":
                return self.async_abort(reason=error)
            if error is None:
                return self.async_update_and_abort(
                    entry, data={**entry.data, CONF_HOST: self._host, CONF_PORT: self._port}
                )
            errors["base"] = error
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(_ADDRESS, user_input or entry.data),
            errors=errors,
            description_placeholders={"host": self._host},
        )

    def _sensors_form(
        self, step: str, values: Mapping[str, Any], errors: dict[str, str], details: Mapping[str, str]
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(sensor_form.schema(self.hass), values),
            errors=errors,
            description_placeholders=details,
        )

    async def _look(self, wanted: str | None = None) -> str | None:
        """Look at the meter; return the reason where that fails.

        `wanted` is its host name where that is known: its broker may be bridged to those of other meters.
        """
        try:
            found = await survey(self._host, self._port)
            if wanted and found.device.hostname != wanted:
                did = next((did for did in found.dids if wanted == f"flukso-{did[:SHORT_ID]}"), None)
                if did is None:
                    return "another_meter"
                found = await survey(self._host, self._port, did=did)
        except FluksoError as err:
            return next(reason for kind, reason in REASONS.items() if isinstance(err, kind))
        self._survey = found
        return None

    def _entries_of(self, hostname: str) -> list[ConfigEntry]:
        """Return the entries of the Fluksometer with that host name: a site, and perhaps a wish to ignore it."""
        return [
            entry
            for entry in self._async_current_entries(include_ignore=True)
            if hostname in (entry.unique_id, f"flukso-{(entry.unique_id or '')[:SHORT_ID]}")
        ]

    def _follow(self, entry: ConfigEntry) -> None:
        """Follow a Fluksometer to its new address.

        A name leads to the new address by itself, and a port of its own tells that somebody forwards it on purpose.
        """
        host = entry.data.get(CONF_HOST)
        if host in (None, self._host) or not is_ip_address(host) or entry.data[CONF_PORT] != self._port:
            return
        self.hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_HOST: self._host})

    def _abort_if_known(self) -> None:
        """Tell that a meter is a site already before asking for its channels."""
        assert self._survey  # noqa: S101 - set by `_look`
        if any(entry.unique_id == self._survey.device.did for entry in self._async_current_entries()):
            raise AbortFlow("already_configured")

    async def _create_flukso(self, assignments: dict[str, Assignment]) -> ConfigFlowResult:
        assert self._survey  # noqa: S101 - set by the steps before
        device = self._survey.device
        await self.async_set_unique_id(device.did, raise_on_progress=False)
        self._abort_if_unique_id_configured(updates={CONF_HOST: self._host, CONF_PORT: self._port})
        # It was perhaps discovered meanwhile: that offer goes by its host name, and is now out of date.
        flows = self.hass.config_entries.flow
        for offer in flows.async_progress_by_handler(DOMAIN, match_context={"unique_id": device.hostname}):
            flows.async_abort(offer["flow_id"])
        taken = {entry.title for entry in self._async_current_entries()}
        return self.async_create_entry(
            title="Flukso" if "Flukso" not in taken else f"Flukso {device.did[:SHORT_ID]}",
            data={
                CONF_METER: METER_FLUKSO,
                CONF_HOST: self._host,
                CONF_PORT: self._port,
                CONF_DID: device.did,
                CONF_MODEL: device.model,
            },
            options={CONF_CHANNELS: write_assignments(assignments)},
        )


def _sensors_errors(entities: Mapping[str, Any]) -> tuple[dict[str, str], Mapping[str, str]]:
    """Return the form's errors and their placeholders."""
    try:
        layout_of(entities)
    except LayoutError as err:
        problem = "no_sensor" if err.problem is LayoutProblem.NO_ROLE else err.problem
        return {"base": problem}, err.placeholders
    return {}, {}
