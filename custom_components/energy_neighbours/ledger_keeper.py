"""The ledger as one site sees it, on the event loop: it never waits for a disk, and never loses what it was told."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
import json
from typing import Any

from homeassistant.core import HomeAssistant

from .core.quarter_hour import QUARTER, QuarterHour, Span
from .ledger import Ledger, LedgerFault, Replaced
from .ledger_rows import micro_price
from .shared_ledger import SHARED_LEDGER, Booking, SharedLedger


class SiteLedger:
    """The ledger as one site sees it, on the event loop."""

    def __init__(self, shared: SharedLedger, site: str) -> None:
        self._shared = shared
        self._site = site

    @property
    def pending(self) -> int:
        """Number of quarter-hours that are not written yet."""
        return sum(len(each.quarters) for each in self._shared.waiting(self._site))

    @property
    def fault(self) -> str | None:
        """Why nothing can be written at the moment, as a translation key; None while all is well."""
        if not (error := self._shared.error):
            return None
        return (LedgerFault.FULL if error.fault is LedgerFault.FULL else LedgerFault.UNWRITABLE).value

    async def async_close(self) -> None:
        """Stop using the ledger. What could not be written is tried again until Home Assistant stops."""
        await self._shared.async_leave()

    async def async_book(
        self,
        quarters: Sequence[QuarterHour],
        state: Mapping[str, Any],
        prices: Mapping[int, Decimal] | None = None,
    ) -> None:
        """Book what the meter measured, see `Ledger.book`. What cannot be written now will be later, in order.

        The state is taken as it is now; what the meter changes in it while the booking waits does not count.
        """
        for start, price in (prices or {}).items():
            micro_price(start, price)
        booking = Booking(list(quarters), json.loads(json.dumps(state)), dict(prices or {}))
        await self._shared.async_book(self._site, booking)

    async def async_save_state(self, state: Mapping[str, Any]) -> None:
        """Keep where the meter goes on after a restart."""
        await self.async_book((), state)

    async def async_load_state(self) -> dict[str, Any] | None:
        """Return the state that was kept last; None if none was."""
        if waiting := self._shared.waiting(self._site):
            return waiting[-1].state
        return await self._shared.async_look(self._site, lambda ledger, _: ledger.load_state(self._site))

    async def async_read(self, span: Span) -> list[QuarterHour]:
        """Return what is known of a span, in order."""
        return await self._shared.async_look(
            self._site, lambda ledger, waiting: ledger.read(self._site, span, _quarters(waiting))
        )

    async def async_prices(self, span: Span) -> dict[int, Decimal]:
        """Return the prices that a sensor told in a span, by the start of their quarter-hour [€/kWh]."""

        def look(ledger: Ledger, waiting: list[Booking]) -> dict[int, Decimal]:
            found = ledger.prices(self._site, span)
            for each in waiting:
                found |= {start: price for start, price in each.prices.items() if span.start <= start < span.end}
            return dict(sorted(found.items()))

        return await self._shared.async_look(self._site, look)

    async def async_known_span(self) -> Span | None:
        """Return the span from the first to the last quarter-hour that is known; None if none is."""

        def look(ledger: Ledger, waiting: list[Booking]) -> Span | None:
            known = ledger.known_span(self._site)
            starts = [each.start for each in _quarters(waiting)]
            if known:
                starts += [known.start, known.end - QUARTER]
            return Span(min(starts), max(starts) + QUARTER) if starts else None

        return await self._shared.async_look(self._site, look)

    async def async_highest_offtake(self, span: Span) -> QuarterHour | None:
        """Return the quarter-hour of a span in which most was taken from the grid, the first of equal ones."""

        def look(ledger: Ledger, waiting: list[Booking]) -> QuarterHour | None:
            if not (quarters := _quarters(waiting)):
                return ledger.highest_offtake(self._site, span)
            known = [each for each in ledger.read(self._site, span, quarters) if each.offtake is not None]
            return max(known, key=lambda each: each.offtake or 0, default=None)

        return await self._shared.async_look(self._site, look)

    async def async_staying(self, quarters: Sequence[QuarterHour]) -> int:
        """Return in how many quarter-hours something would stay if these were imported, see `Ledger.staying`."""
        return await self._shared.async_look(
            self._site, lambda ledger, waiting: ledger.staying(self._site, quarters, _quarters(waiting))
        )

    async def async_replace(self, quarters: Sequence[QuarterHour], note: str) -> Replaced:
        """Let imported quarter-hours take the place of what is known, see `Ledger.replace`.

        Raises
        ------
        LedgerError
            It could not be written; nothing was changed.
        """
        return await self._shared.async_change(self._site, lambda ledger: ledger.replace(self._site, quarters, note))

    async def async_purge(self, before: int) -> None:
        """Forget what begins before a time [s, Unix]; `LedgerError` if that cannot be written."""
        await self._shared.async_change(self._site, lambda ledger: ledger.purge(self._site, before))

    async def async_erase(self) -> None:
        """Forget everything of this site; `LedgerError` if that cannot be written."""
        await self._shared.async_change(self._site, lambda ledger: ledger.erase(self._site), forget=True)


async def async_open_ledger(hass: HomeAssistant, entry_id: str) -> SiteLedger:
    """Return the ledger for a site; it has to be closed.

    Raises
    ------
    LedgerError
        It cannot be opened.
    """
    shared = hass.data.setdefault(SHARED_LEDGER, SharedLedger(hass))
    await shared.async_use()
    return SiteLedger(shared, entry_id)


def _quarters(bookings: Sequence[Booking]) -> list[QuarterHour]:
    return [quarter for each in bookings for quarter in each.quarters]
