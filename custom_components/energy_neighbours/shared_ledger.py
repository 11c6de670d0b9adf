"""The one ledger of a Home Assistant: opened once for all sites, written off the event loop, patient with its disk."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
import logging
from pathlib import Path
from typing import Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .core.quarter_hour import QuarterHour
from .ledger import Ledger, LedgerError, LedgerFault

_LOGGER = logging.getLogger(__name__)

FILE: Final = f"{DOMAIN}.db"
FIRST_RETRY: Final = 1.0
LONGEST_RETRY: Final = 60.0
"""What could not be written is tried again after these waits [s], each twice the one before."""
LONGEST_HOLD: Final = 6 * 3600
"""A backup that does not end within this [s] will not end at all: write on."""


@dataclass(slots=True)
class Booking:
    """What waits to be written for one site."""

    quarters: list[QuarterHour]
    state: dict[str, Any]
    prices: dict[int, Decimal] = field(default_factory=dict)

    def followed_by(self, later: Booking | None) -> Booking:
        """Return both as one: only the newest state counts."""
        if later is None:
            return self
        return Booking(self.quarters + later.quarters, later.state, self.prices | later.prices)


type Bookings = dict[str, Booking]


class SharedLedger:
    """Holds the ledger for all sites; closes it with the last of them, or when Home Assistant stops.

    Only one write goes on at a time. What cannot be written, because the disk is full, another program holds the file,
    or a backup copies it, waits here in order.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.path = Path(hass.config.path(FILE))
        self.error: LedgerError | None = None
        self._ledger: Ledger | None = None
        self._users = 0
        self._waiting: Bookings = {}
        self._flying: Bookings = {}
        self._lock = asyncio.Lock()
        self._released = asyncio.Event()
        self._released.set()
        self._retry_after = FIRST_RETRY
        self._cancel_retry: CALLBACK_TYPE | None = None
        self._cancel_hold: CALLBACK_TYPE | None = None
        self._cancel_stop: CALLBACK_TYPE | None = None

    async def async_use(self) -> None:
        """Open the ledger if nobody has.

        Raises
        ------
        LedgerError
            It cannot be opened.
        """
        self._users += 1  # before it is open, else the last one to leave might close it behind us
        try:
            await self._whole(self._open)
        except BaseException:
            await self.async_leave()
            raise

    async def async_leave(self) -> None:
        """Write what waits, and close the ledger if nobody else uses it."""
        self._users = max(self._users - 1, 0)  # it may have been closed for all
        await self._whole(self._drain)

    def waiting(self, site: str) -> list[Booking]:
        """Return what is still to be written for a site, in order."""
        return [each for each in (self._flying.get(site), self._waiting.get(site)) if each]

    async def async_book(self, site: str, booking: Booking) -> None:
        """Write now if that can be, else later."""
        before = self._waiting.get(site)
        self._waiting[site] = before.followed_by(booking) if before else booking
        await self._whole(self._drain)

    async def async_change[T](self, site: str, change: Callable[[Ledger], T], *, forget: bool = False) -> T:
        """Do something to the ledger that has to be answered; after a backup, and after what waits for this site.

        Parameters
        ----------
        site
            Whose.
        change
            What is done, in a thread.
        forget
            Forget what waits for this site instead.

        Raises
        ------
        LedgerError
            It could not be done.
        """
        return await self._whole(lambda: self._change(site, change, forget=forget))

    async def _change[T](self, site: str, change: Callable[[Ledger], T], *, forget: bool) -> T:
        while True:
            await self._released.wait()
            async with self._lock:
                if not self._released.is_set():
                    continue
                if forget:
                    self._waiting.pop(site, None)
                await self._write()
                if self.error and site in self._waiting:
                    raise self.error
                return await self.hass.async_add_executor_job(change, self._opened)

    async def async_look[T](self, site: str, look: Callable[[Ledger, list[Booking]], T]) -> T:
        """Read in a thread, with what waits for the site.

        Raises
        ------
        LedgerError
            It cannot be read.
        """
        if not self.waiting(site):
            return await self.hass.async_add_executor_job(look, self._opened, [])
        async with self._lock:  # what is being written must not be seen twice
            return await self.hass.async_add_executor_job(look, self._opened, self.waiting(site))

    async def async_hold(self) -> None:
        """Leave the file alone, and all of it in one piece, until `async_release`."""
        async with self._lock:
            await self._write()
            self._released.clear()
            self._forget_hold()
            self._cancel_hold = async_call_later(
                self.hass, LONGEST_HOLD, HassJob(self._end_hold, "ledger hold", cancel_on_shutdown=True)
            )
            if self._ledger:
                try:
                    whole = await self.hass.async_add_executor_job(self._ledger.checkpoint)
                except LedgerError as error:
                    _LOGGER.debug("%s", error)
                    whole = False
                if not whole:
                    # Nothing is written meanwhile, so that both files fit together.
                    _LOGGER.warning("%s is read by another program: a copy needs %s-wal as well", self.path, FILE)

    async def async_release(self) -> None:
        """Write again, first of all what has come meanwhile."""
        self._forget_hold()
        self._released.set()
        await self._whole(self._drain)

    async def _end_hold(self, _now: datetime) -> None:
        self._cancel_hold = None
        _LOGGER.warning("The backup has not ended in %d hours; %s is written again", LONGEST_HOLD // 3600, self.path)
        await self.async_release()

    async def _stop(self, _event: Event) -> None:
        """Write and close in the last moment, even into a backup: what is in memory would be lost."""
        self._cancel_stop = None
        self._users = 0
        await self.async_release()
        self._forget_retry()
        async with self._lock:
            if left := sum(len(each.quarters) for each in self._waiting.values()):
                _LOGGER.error(
                    "%d quarter-hours could not be written before the stop; the meter's counters will tell their "
                    "energy again: %s",
                    left,
                    self.error,
                )
            self._waiting.clear()
            await self._close()

    async def _whole[T](self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do work to its end, even if the one who asked for it is cancelled."""
        return await asyncio.shield(self.hass.async_create_task(work(), f"{DOMAIN} ledger"))

    async def _open(self) -> None:
        async with self._lock:
            if self._ledger is None:
                self._ledger = await self.hass.async_add_executor_job(Ledger.open, self.path)
                self._cancel_stop = self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, self._stop)

    async def _drain(self) -> None:
        async with self._lock:
            await self._write()
            if not self._users and not self._waiting:
                await self._close()

    async def _write(self) -> None:
        """Write what waits; the lock is ours."""
        if self._ledger is None or not self._waiting or not self._released.is_set():
            return
        self._flying, self._waiting = self._waiting, {}
        written, error = await self.hass.async_add_executor_job(_write, self._ledger, self._flying)
        unwritten = {site: each for site, each in self._flying.items() if site not in written}
        self._waiting |= {site: each.followed_by(self._waiting.get(site)) for site, each in unwritten.items()}
        self._flying = {}
        self._forget_retry()
        if error is None:
            if self.error:
                _LOGGER.info("%s is written again", self.path)
            self.error, self._retry_after = None, FIRST_RETRY
            return
        if self.error is None or self.error.fault is not error.fault:
            _LOGGER.warning("%s; quarter-hours are kept in memory until it can be written", error)
        self.error = error
        job = HassJob(self._retry, "ledger retry", cancel_on_shutdown=True)
        self._cancel_retry = async_call_later(self.hass, self._retry_after, job)
        self._retry_after = min(2 * self._retry_after, LONGEST_RETRY)

    async def _retry(self, _now: datetime) -> None:
        self._cancel_retry = None
        await self._whole(self._drain)

    @callback
    def _forget_retry(self) -> None:
        if self._cancel_retry:
            self._cancel_retry()
            self._cancel_retry = None

    @callback
    def _forget_hold(self) -> None:
        if self._cancel_hold:
            self._cancel_hold()
            self._cancel_hold = None

    async def _close(self) -> None:
        """Close the file; the lock is ours."""
        if self._cancel_stop:
            self._cancel_stop()
            self._cancel_stop = None
        ledger, self._ledger = self._ledger, None
        if ledger:
            await self.hass.async_add_executor_job(ledger.close)

    @property
    def _opened(self) -> Ledger:
        if self._ledger is None:
            raise LedgerError(LedgerFault.UNWRITABLE, f"{self.path} is closed")
        return self._ledger


def _write(ledger: Ledger, bookings: Bookings) -> tuple[set[str], LedgerError | None]:
    """Book, site by site; return which are written and what was in the way of the others."""
    written: set[str] = set()
    fault: LedgerError | None = None
    for site, each in bookings.items():
        try:
            ledger.book(site, each.quarters, each.state, each.prices)
        except LedgerError as error:
            return written, error
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing that waits may be lost
            fault = LedgerError(LedgerFault.UNWRITABLE, f"{ledger.path} cannot be written: {error!r}")
        else:
            written.add(site)
    return written, fault


SHARED_LEDGER: Final[HassKey[SharedLedger]] = HassKey(f"{DOMAIN}_ledger")
