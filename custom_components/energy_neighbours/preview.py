"""Live watts below the form, while the user gives the channels their roles."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_FRIENDLY_NAME,
    ATTR_ICON,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNKNOWN,
    UnitOfPower,
)
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from . import channel_form
from .const import DOMAIN
from .flukso.client import FluksoClient
from .flukso.discovery import Survey
from .flukso.models import MessageKind, Reading

EVERY: Final = timedelta(seconds=1)
LINGER: Final = 30
"""The frontend asks anew after each change of the form: keep the connection that long [s] in between."""


class LiveSurvey:
    """A survey of a meter whose readings stay fresh for as long as somebody looks."""

    def __init__(self, hass: HomeAssistant, found: Survey, host: str, port: int) -> None:
        self._hass = hass
        self._readings: dict[str, dict[MessageKind, Reading]] = {sid: dict(r) for sid, r in found.readings.items()}
        self.survey = replace(found, readings=self._readings)
        self._client = FluksoClient(host, port, did=found.device.did, on_reading=self._keep)
        self._task: asyncio.Task[None] | None = None
        self._lookers = 0
        self._cancel_linger: CALLBACK_TYPE | None = None

    @callback
    def _keep(self, reading: Reading) -> None:
        self._readings.setdefault(reading.sid, {})[reading.kind] = reading

    @callback
    def look(self) -> CALLBACK_TYPE:
        """Keep the readings fresh until the function returned is called."""
        self._lookers += 1
        self._forget_linger()
        if self._task is None:
            self._task = self._hass.async_create_background_task(self._client.run(), f"{DOMAIN} preview")

        @callback
        def leave() -> None:
            self._lookers -= 1
            if not self._lookers and self._task:
                self._cancel_linger = async_call_later(
                    self._hass, LINGER, HassJob(self._hang_up, cancel_on_shutdown=True)
                )

        return leave

    @callback
    def _hang_up(self, _now: datetime) -> None:
        self.close()

    @callback
    def close(self) -> None:
        """Hang up."""
        self._forget_linger()
        if self._task:
            self._task.cancel()
            self._task = None

    def _forget_linger(self) -> None:
        if self._cancel_linger:
            self._cancel_linger()
            self._cancel_linger = None


PREVIEWS: Final[HassKey[dict[str, LiveSurvey]]] = HassKey(f"{DOMAIN}_previews")
"""The live surveys of the flows in progress."""


@callback
def async_open(hass: HomeAssistant, flow_id: str, found: Survey, host: str, port: int) -> LiveSurvey:
    """Make the survey of a flow a live one."""
    async_close(hass, flow_id)
    live = hass.data.setdefault(PREVIEWS, {})[flow_id] = LiveSurvey(hass, found, host, port)
    return live


@callback
def async_close(hass: HomeAssistant, flow_id: str) -> None:
    """Hang up when a flow is over."""
    if live := hass.data.get(PREVIEWS, {}).pop(flow_id, None):
        live.close()


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the command with which the frontend asks for a flow's preview."""
    websocket_api.async_register_command(hass, _start_preview)


@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/start_preview",
        vol.Required("flow_id"): str,
        vol.Required("flow_type"): vol.Any("config_flow", "options_flow"),
        vol.Required("user_input"): dict,
    }
)
@websocket_api.require_admin
@callback
def _start_preview(hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]) -> None:
    """Show every second what each channel measures, and what the site's grid power would be with the roles chosen."""
    live = hass.data.get(PREVIEWS, {}).get(msg["flow_id"])
    if live is None:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, "No such form is open")
        return
    leave = live.look()

    @callback
    def show(_now: Any = None) -> None:
        connection.send_message(websocket_api.event_message(msg["id"], _event(live.survey, msg["user_input"])))

    stop = async_track_time_interval(hass, show, EVERY)

    @callback
    def unsubscribe() -> None:
        stop()
        leave()

    connection.subscriptions[msg["id"]] = unsubscribe
    connection.send_result(msg["id"])
    show()


def _event(survey: Survey, user_input: Mapping[str, Any]) -> dict[str, Any]:
    grid = channel_form.grid_power(survey, user_input)
    return {
        "state": STATE_UNKNOWN if grid is None else str(round(grid)),
        "attributes": {
            ATTR_FRIENDLY_NAME: channel_form.live_summary(survey),
            ATTR_ICON: "mdi:transmission-tower",
            ATTR_UNIT_OF_MEASUREMENT: UnitOfPower.WATT,
            ATTR_DEVICE_CLASS: SensorDeviceClass.POWER,
        },
    }
