"""The ledger as one community sees it, on the event loop."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from homeassistant.core import HomeAssistant

from .core.quarter_hour import QuarterHour
from .ledger import Ledger, LedgerError, Replaced
from .ledger_coefficients import SettledError
from .ledger_shares import ShareLedger
from .shared_ledger import SHARED_LEDGER, SharedLedger


class CommunityLedger:
    """The ledger as a community, or one site's membership in one, sees it.

    Parameters
    ----------
    shared
        The ledger of this Home Assistant.
    name
        Under which the community is known in it: the id of its config entry, or of the membership's subentry.
    """

    def __init__(self, shared: SharedLedger, name: str) -> None:
        self._shared = shared
        self.name = name

    async def async_look[T](self, look: Callable[[ShareLedger], T]) -> T:
        """Read in a thread; `LedgerError` if that cannot be done."""
        return await self._shared.async_look(self.name, lambda ledger, _: look(ledger.shares))

    async def async_change[T](self, change: Callable[[ShareLedger], T]) -> T:
        """Write in a thread, after a backup that copies the file.

        Raises
        ------
        LedgerError
            It could not be written; nothing was changed, and it has to be tried again.
        """
        return await self._shared.async_change(self.name, lambda ledger: change(ledger.shares))

    async def async_closed_until(self) -> int:
        """Return before when quarter-hours are settled [s, Unix]; 0 if none is. `LedgerError` if that is not known."""
        return await self.async_look(lambda shares: shares.closed_until(self.name)) or 0

    async def async_known_until(self, sites: Sequence[str]) -> dict[str, int]:
        """Return where the last known quarter-hour of each site ends [s, Unix], of those of whom any is known."""
        return await self._shared.async_look(
            self.name, lambda ledger, _: {site: known.end for site in sites if (known := ledger.known_span(site))}
        )

    async def async_staying(self, site: str, quarters: Sequence[QuarterHour]) -> int:
        """Return in how many quarter-hours something would stay if these were imported, see `Ledger.staying`."""
        return await self._shared.async_look(site, lambda ledger, _: ledger.staying(site, quarters))

    async def async_replace(self, site: str, quarters: Sequence[QuarterHour], note: str) -> Replaced:
        """Let imported quarter-hours of a member take the place of what is known, see `Ledger.replace`.

        Raises
        ------
        SettledError
            One of them is settled.
        LedgerError
            They could not be written; nothing was changed.
        """

        def replace(ledger: Ledger) -> Replaced:
            closed = ledger.shares.closed_until(self.name) or 0
            if any(quarter.start < closed for quarter in quarters):
                raise SettledError
            return ledger.replace(site, quarters, note)

        return await self._shared.async_change(site, replace)

    async def async_erase_site(self, site: str) -> None:
        """Forget everything that is known of a site, its readings too; `LedgerError` if that cannot be written."""
        await self._shared.async_change(site, lambda ledger: ledger.erase(site), forget=True)

    async def async_close(self) -> None:
        """Stop using the ledger."""
        await self._shared.async_leave()


async def async_open_community_ledger(hass: HomeAssistant, name: str) -> CommunityLedger:
    """Return the ledger for a community; it has to be closed.

    Raises
    ------
    LedgerError
        It cannot be opened.
    """
    shared = hass.data.setdefault(SHARED_LEDGER, SharedLedger(hass))
    await shared.async_use()
    return CommunityLedger(shared, name)


async def async_forget_community(hass: HomeAssistant, name: str) -> None:
    """Forget a community that is removed; what cannot be read is left as it is."""
    with suppress(LedgerError):
        ledger = await async_open_community_ledger(hass, name)
        try:
            await ledger.async_change(lambda shares: shares.forget_community(name))
        finally:
            await ledger.async_close()
