"""Setting a community up and taking it down."""

from contextlib import suppress
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady

from .communities import CommunityError, members_of
from .community_ledger import async_forget_community, async_open_community_ledger
from .const import DOMAIN
from .ledger import LedgerError, LedgerFault
from .runtime_data import CommunityConfigEntry, LoadedCommunity, loaded_sites
from .site_share import belonging_of

PLATFORMS = [Platform.SENSOR]


async def async_setup_community(hass: HomeAssistant, entry: CommunityConfigEntry) -> None:
    """Set a community up, and let its local sites know."""
    try:
        ledger = await async_open_community_ledger(hass, entry.entry_id)
    except LedgerError as err:
        kind = ConfigEntryError if err.fault in (LedgerFault.NEWER, LedgerFault.CORRUPT) else ConfigEntryNotReady
        raise kind(translation_domain=DOMAIN, translation_key=err.fault) from err
    try:
        community = entry.runtime_data = LoadedCommunity(hass, entry, ledger)
        await community.async_begin(entry)
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    except BaseException as err:
        await ledger.async_close()
        if isinstance(err, CommunityError):
            raise ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key="community_unreadable",
                translation_placeholders={"reason": str(err)},
            ) from err
        if isinstance(err, LedgerError):
            raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key=err.fault) from err
        raise
    async_reload_sites(hass)


async def async_unload_community(hass: HomeAssistant, entry: CommunityConfigEntry) -> bool:
    """Take a community down; what it knows is kept."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.async_stop()
        await entry.runtime_data.ledger.async_close()
    return unloaded


async def async_remove_community(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Forget a community, and what its members sent."""
    with suppress(LedgerError, CommunityError):
        ledger = await async_open_community_ledger(hass, entry.entry_id)
        try:
            for member in members_of(entry):
                if member.site.startswith(entry.entry_id):
                    await ledger.async_erase_site(member.site)
        finally:
            await ledger.async_close()
    await async_forget_community(hass, entry.entry_id)
    async_reload_sites(hass)


@callback
def async_reload_sites(hass: HomeAssistant) -> None:
    """Load the sites anew whose place in a community has changed: they have other entities then."""
    for entry in loaded_sites(hass):
        share = entry.runtime_data.share
        if belonging_of(hass, entry) != (share.belonging if share else None):
            hass.config_entries.async_schedule_reload(entry.entry_id)
