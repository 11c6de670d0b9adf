"""What communities have to keep of a site's past, before the site forgets it."""

from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .communities import communities_of_site
from .community_ledger import CommunityLedger, async_open_community_ledger
from .core.quarter_hour import midnight
from .memberships import membership_of
from .site_share import belonging_of


async def async_before_forgetting(hass: HomeAssistant, entry: ConfigEntry, zone: ZoneInfo, before: int) -> None:
    """Prepare for quarter-hours of a site that will be forgotten.

    What it took since it joined is added up, so that its totals go on. In a community of this Home Assistant those days
    are closed: what all got stays as it is, for it could not be worked out again. Of a community far away, the shares
    of those days are forgotten here, too.

    Parameters
    ----------
    hass
        Home Assistant.
    entry
        The site's entry.
    zone
        Where it lies.
    before
        What begins before this will be forgotten [s, Unix].

    Raises
    ------
    LedgerError
        Something could not be read or written.
    """
    ledger = await async_open_community_ledger(hass, entry.entry_id)
    try:
        if belonging := belonging_of(hass, entry):
            name, joined = belonging.community, midnight(belonging.joined, zone)
            if joined < before:
                await ledger.async_change(lambda shares: shares.carry(name, entry.entry_id, joined, before))
        for community, _ in communities_of_site(hass, entry.entry_id):
            await _close(ledger, community.entry_id, before)
        if terms := membership_of(entry):
            await ledger.async_change(lambda shares: shares.forget_shares(terms.name, entry.entry_id, before))
    finally:
        await ledger.async_close()


async def _close(ledger: CommunityLedger, community: str, before: int) -> None:
    if (await ledger.async_look(lambda shares: shares.closed_until(community)) or 0) < before:
        await ledger.async_change(lambda shares: shares.close_until(community, before))
