"""Energy Neighbours: a site's electricity, live and per phase, and what it shares with its neighbours."""

from contextlib import suppress
from typing import cast

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr, entity_registry as er
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from . import services, websocket
from .communities import is_community
from .community_entry import async_remove_community, async_setup_community, async_unload_community
from .const import (
    CONF_METER,
    CONF_RETENTION,
    CONF_WRITE_INTERVAL,
    CONTRACT_KEYS,
    DEFAULT_RETENTION,
    DEFAULT_WRITE_INTERVAL,
    DOMAIN,
    METER_FLUKSO,
    RETENTION,
    ZONE,
)
from .contracts import contract_subentry
from .entity import site_device
from .external_statistics import ExternalStatistics, async_forget_statistics
from .faults import async_end_waiting, async_note_waiting
from .flukso_meter import FluksoMeter
from .leaving import async_end_membership
from .ledger import LedgerError, LedgerFault
from .ledger_keeper import async_open_ledger
from .memberships import membership_of
from .meter import Medium, Meter
from .runtime_data import CommunityConfigEntry, EnergyNeighboursConfigEntry, LoadedSite, site_id
from .sensor_meter import SensorMeter
from .share_statistics import async_follow_shares
from .site import storage

PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]
CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register what belongs to no single entry."""
    services.async_register(hass)
    websocket.async_register(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry | CommunityConfigEntry) -> bool:
    """Set up a site, or a community."""
    # For the entry's life: a site that waits for its meter must take up a new address or new roles at once, too.
    if not entry.update_listeners:
        entry.add_update_listener(_reload)
    if is_community(entry):
        await async_setup_community(hass, cast("CommunityConfigEntry", entry))
    else:
        await _setup_site(hass, cast("EnergyNeighboursConfigEntry", entry))
    return True


async def _setup_site(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry) -> None:
    meter: Meter
    if entry.data[CONF_METER] == METER_FLUKSO:
        meter = await _connect(hass, entry)
    else:
        meter = SensorMeter(hass, entry)
    site = await _open_site(hass, entry, meter)
    entry.runtime_data = site
    try:
        await site.async_begin(entry)
        # The meter's device comes first: the kubes' hang on it.
        dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **site_device(entry))
        _forget_tariff_entities(hass, entry, site)
        await hass.config_entries.async_forward_entry_setups(entry, _platforms(site))
        ExternalStatistics(hass, entry.entry_id, entry.title, site.ledger).async_follow(entry, site)
        async_follow_shares(hass, entry)
    except BaseException:
        await site.async_stop()
        await site.ledger.async_close()
        raise


def _forget_tariff_entities(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry, site: LoadedSite) -> None:
    """Remove the entities that the contract has no more; they would stay behind as no longer provided."""
    if contract_subentry(entry) and not site.tariff:
        return  # it cannot be read now
    keys = site.tariff.entity_keys if site.tariff else frozenset()
    registry = er.async_get(hass)
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        if known.translation_key in CONTRACT_KEYS - keys:
            registry.async_remove(known.entity_id)


def _platforms(site: LoadedSite) -> list[Platform]:
    """Return the platforms of a site; nobody needs a calendar where the price is the same all day."""
    return [*PLATFORMS, Platform.CALENDAR] if site.tariff and site.tariff.changes else PLATFORMS


async def _open_site(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry, meter: Meter) -> LoadedSite:
    """Return the site on its ledger, not started yet."""
    try:
        ledger = await async_open_ledger(hass, entry.entry_id)
    except LedgerError as err:
        await meter.async_stop()
        # Waiting mends a lock and a full disk, but not a file that is damaged or newer.
        kind = ConfigEntryError if err.fault in (LedgerFault.NEWER, LedgerFault.CORRUPT) else ConfigEntryNotReady
        raise kind(translation_domain=DOMAIN, translation_key=err.fault) from err
    zone = await dt_util.async_get_time_zone(ZONE)
    assert zone  # noqa: S101 - in every time zone database
    return LoadedSite(
        hass,
        entry.entry_id,
        ledger=ledger,
        zone=zone,
        title=entry.title,
        meter=meter,
        write_interval=entry.options.get(CONF_WRITE_INTERVAL, DEFAULT_WRITE_INTERVAL),
        keep_days=RETENTION[entry.options.get(CONF_RETENTION, DEFAULT_RETENTION)],
    )


async def _connect(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry) -> FluksoMeter:
    meter = FluksoMeter(hass, entry)
    try:
        await meter.async_connect()
    except ConfigEntryNotReady as err:
        if err.translation_key == meter.silent_fault:
            async_note_waiting(hass, entry.entry_id, entry.title, meter.silent_fault)
        raise
    async_end_waiting(hass, entry.entry_id, meter.silent_fault)
    return meter


async def async_unload_entry(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry) -> bool:
    """Unload a site or a community; what they know is kept."""
    if is_community(entry):
        return await async_unload_community(hass, cast("CommunityConfigEntry", entry))
    if unloaded := await hass.config_entries.async_unload_platforms(entry, _platforms(entry.runtime_data)):
        await entry.runtime_data.async_stop()
        await entry.runtime_data.ledger.async_close()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry) -> None:
    """Forget a site's registers and quarter-hours, or a community, with its entry."""
    if is_community(entry):
        await async_remove_community(hass, entry)
        return
    if terms := membership_of(entry):
        ending = async_end_membership(hass, terms)
        hass.async_create_background_task(ending, f"{DOMAIN} leaving {entry.entry_id}")
    async_end_waiting(hass, entry.entry_id, FluksoMeter.silent_fault)
    async_forget_statistics(hass, entry.entry_id)
    await storage(hass, entry.entry_id).async_remove()
    with suppress(LedgerError):  # what cannot be read is left as it is
        ledger = await async_open_ledger(hass, entry.entry_id)
        try:
            await ledger.async_erase()
        finally:
            await ledger.async_close()


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: EnergyNeighboursConfigEntry, device: dr.AnyDeviceEntry
) -> bool:
    """Let the user delete the device of a kube that is no longer paired; without its meter nobody knows which is."""
    if entry.state is not ConfigEntryState.LOADED or is_community(entry):
        return False
    rooms = {f"{site_id(entry)}_{c.key}" for c in entry.runtime_data.meter.channels.values() if c.medium is Medium.ROOM}
    return not any(domain == DOMAIN and ident in {site_id(entry), *rooms} for domain, ident in device.identifiers)


async def _reload(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry) -> None:
    hass.config_entries.async_schedule_reload(entry.entry_id)
