"""Websocket commands: live power for an open card."""

from typing import Any

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import voluptuous as vol

from .const import DOMAIN
from .runtime_data import EnergyNeighboursConfigEntry, loaded_sites
from .site import LivePower, Site


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the commands."""
    websocket_api.async_register_command(hass, subscribe_power)
    websocket_api.async_register_command(hass, list_sites)


@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/sites"})
@callback
def list_sites(hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]) -> None:
    """Answer with the sites that a card can show."""
    sites = [
        {"entry_id": entry.entry_id, "title": entry.title, "phases": list(entry.runtime_data.meter.layout.phases)}
        for entry in loaded_sites(hass)
        if _may_read(hass, connection, entry)
    ]
    connection.send_result(msg["id"], sites)


@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/subscribe_power", vol.Required("entry_id"): str})
@callback
def subscribe_power(hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]) -> None:
    """Stream a site's power, as often as its meter measures it (a Fluksometer: every second).

    Each event holds `time` [s, Unix], `grid`, `production`, `consumption`, `imbalance` [W], `phases` (power by phase
    [W]) and `channels` (a list of `name` and `power` [W]); null where a value is not known.
    """
    entry: EnergyNeighboursConfigEntry | None = hass.config_entries.async_get_entry(msg["entry_id"])
    if entry is None or entry not in loaded_sites(hass):
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, "No site with this entry_id is loaded")
        return
    if not _may_read(hass, connection, entry):
        connection.send_error(msg["id"], websocket_api.ERR_UNAUTHORIZED, "Not allowed to read this site")
        return
    connection.subscriptions[msg["id"]] = _follow(hass, connection, msg["id"], entry)


@callback
def _follow(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, number: int, entry: EnergyNeighboursConfigEntry
) -> CALLBACK_TYPE:
    """Send a site's power until told to stop; a reload of the site, which makes it anew, does not end it."""
    site: Site | None = None
    unwatch: CALLBACK_TYPE | None = None

    @callback
    def stop() -> None:
        nonlocal site, unwatch
        if unwatch:
            unwatch()
        site = unwatch = None

    @callback
    def watch() -> None:
        nonlocal site, unwatch
        site = entry.runtime_data
        names = {key: channel.name for key, channel in site.meter.channels.items() if channel.name}

        @callback
        def send(live: LivePower) -> None:
            connection.send_message(websocket_api.event_message(number, _event(live, names)))

        unwatch = site.async_watch(send)
        send(site.live)

    @callback
    def follow(_change: ConfigEntryChange, changed: ConfigEntry) -> None:
        if changed.entry_id != entry.entry_id:
            return
        if entry.state is not ConfigEntryState.LOADED:
            stop()
        elif site is not entry.runtime_data:
            stop()
            watch()

    unfollow = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, follow)
    connection.send_result(number)
    watch()

    @callback
    def unsubscribe() -> None:
        unfollow()
        stop()

    return unsubscribe


def _event(live: LivePower, names: dict[str, str]) -> dict[str, Any]:
    balance = live.balance
    return {
        "time": live.time,
        "grid": balance.grid,
        "production": balance.production,
        "consumption": balance.consumption,
        "imbalance": balance.imbalance,
        "phases": dict(balance.phases),
        "channels": [{"name": names[key], "power": power} for key, power in live.channels.items() if key in names],
    }


def _may_read(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, entry: EnergyNeighboursConfigEntry
) -> bool:
    """Whether the user may read every power entity of the site: the stream tells no less than they do."""
    permissions = connection.user.permissions
    if permissions.access_all_entities(POLICY_READ):
        return True
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return bool(entities) and all(permissions.check_entity(e.entity_id, POLICY_READ) for e in entities)
