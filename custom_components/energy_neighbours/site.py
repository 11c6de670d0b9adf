"""One site: the live state behind its entities, and when they are to be written."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
import logging
import time
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .core.channel import Phase, Role
from .core.energy_registers import EnergyRegisters
from .core.power_balance import PowerBalance, power_balance
from .core.quarter_hour import QuarterHour, quarter_start
from .core.quarter_hour_meter import OpenQuarterHour
from .core.site_energy import SIDES, SiteEnergy
from .faults import UNREACHABLE_AFTER, FaultList
from .ledger import LedgerError
from .ledger_keeper import SiteLedger
from .meter import Meter

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1
SETTLE = 0.2
"""A meter's readings of one second come as a burst: look at them together, this long [s] after the first."""
GRACE = 60
"""A connection that is lost for less than this [s] leaves the entities as they are."""
LISTEN_INTERVAL = timedelta(seconds=10)
"""So often it is looked whether quarter-hours are over, however rarely entities are written."""
SAVE_INTERVAL = timedelta(minutes=5)
PURGE_INTERVAL = timedelta(hours=6)
SECONDS_PER_DAY = 86_400
JUMP_WATTS = 100
JUMP_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class LivePower:
    """The site's power at one moment, as streamed to an open card."""

    time: float
    balance: PowerBalance
    channels: Mapping[str, float | None] = field(default_factory=dict)


class PriceSource(Protocol):
    """Knows what a sensor told of the price of each quarter-hour [€/kWh]."""

    def price_of(self, quarter: int) -> Decimal | None:
        """Return the price of a quarter-hour, None if nothing is known of it."""

    def dump_prices(self, since: int) -> dict[str, Any]:
        """Return what is known of the quarter-hours from a start on, JSON-ready."""

    def restore_prices(self, data: Mapping[str, Any]) -> None:
        """Add what `dump_prices` gave."""


def storage(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    """Return the file that kept a site's registers before there was a ledger."""
    return Store(hass, STORAGE_VERSION, f"{DOMAIN}.site.{entry_id}")


class Site:
    """State of one site, fed by its meter, read by its entities.

    Readings only mark the site as touched. They are looked at together once a burst, streamed to open cards, and
    written to entities every `write_interval` seconds, or at once when the site's power jumps. Quarter-hours that are
    over go into the ledger together with the state that goes on from them: whatever ends us, both fit.

    Parameters
    ----------
    hass
        Home Assistant.
    entry_id
        Its config entry.
    ledger
        Where quarter-hours and the state over a restart are kept.
    zone
        Time zone of the site's delivery point.
    title
        Its name, for repairs.
    meter
        What measures it.
    write_interval
        Shortest time between two states of an entity [s].
    keep_days
        Quarter-hours that are older are erased [days]; None keeps all.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        *,
        ledger: SiteLedger,
        zone: ZoneInfo,
        title: str,
        meter: Meter,
        write_interval: float,
        keep_days: int | None = None,
    ) -> None:
        self.hass = hass
        self.entry_id = entry_id
        self.ledger = ledger
        self.zone = zone
        self.meter = meter
        self.energy = SiteEnergy(meter.layout, meter.integrated, settle=meter.settle)
        self.connected = False
        self.live = LivePower(0, power_balance(meter.layout, {}))
        self._electric = [k for k, c in meter.channels.items() if c.assignment is not None]
        self._grid = frozenset(meter.layout.keys(Role.GRID))
        self._write_interval = write_interval
        self._keep_days = keep_days
        self._faults = FaultList(hass, self.entry_id, title)
        self._lost_at: float | None = None
        self._writers: list[Callable[[], None]] = []
        self._live_writers: list[Callable[[], None]] = []
        self._watchers: list[Callable[[LivePower], None]] = []
        self.prices: PriceSource | None = None
        """Set before the start, if the site has a contract."""
        self._booking: list[QuarterHour] = []
        self._boundary_listeners: list[Callable[[Sequence[QuarterHour]], None]] = []
        self._cancel: list[CALLBACK_TYPE] = []
        self._cancel_grace: CALLBACK_TYPE | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._loaded = False
        self._behind: set[str] = set()
        self._written: float | None = None

    @property
    def registers(self) -> EnergyRegisters:
        """Running totals of the site."""
        return self.energy.registers

    @property
    def quarter_hour(self) -> OpenQuarterHour:
        """The quarter-hour that is running."""
        return self.energy.running(quarter_start(time.time()))

    @property
    def waiting(self) -> list[QuarterHour | OpenQuarterHour]:
        """What was counted and is not in the ledger yet, by quarter-hour."""
        return [*self._booking, *self.energy.waiting()]

    async def async_start(self) -> None:
        """Take the registers up where they were left and begin to measure."""
        store = storage(self.hass, self.entry_id)
        if saved := await self.ledger.async_load_state() or await store.async_load():
            try:
                self.energy.restore(saved.get("energy", saved))
                self.meter.restore(saved["meter"])
            except AttributeError, KeyError, TypeError, ValueError:
                _LOGGER.warning("The saved energy registers cannot be read; counting starts anew")
                self.energy = SiteEnergy(self.meter.layout, self.meter.integrated, settle=self.meter.settle)
            else:
                if not saved.get("clean"):
                    self._behind = set(self.meter.channels)
            if self.prices:
                self.prices.restore_prices(saved.get("prices", {}))
        self._loaded = True
        await self.ledger.async_save_state(self._dump())
        if not self.ledger.fault:
            await store.async_remove()
        await self.meter.async_start(self)
        self._cancel = [
            async_track_time_interval(self.hass, self._tick, timedelta(seconds=self._write_interval)),
            async_track_time_interval(self.hass, self._close_quarter_hours, LISTEN_INTERVAL),
            async_track_time_interval(self.hass, self._save_now, SAVE_INTERVAL),
            async_track_time_interval(self.hass, self._purge, PURGE_INTERVAL),
            self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, self._save_at_stop),
        ]

    async def async_stop(self) -> None:
        """Stop measuring and keep the registers."""
        await self.meter.async_stop()
        while self._cancel:
            self._cancel.pop()()
        self._forget_grace()
        if self._settling:
            self._settling.cancel()
            self._settling = None
        self._faults.clear()
        if self._loaded:  # else a start that was broken off would save empty registers over the good ones
            await self.ledger.async_save_state(self._dump(clean=True))
            self._loaded = False

    def _dump(self, *, clean: bool = False) -> dict[str, Any]:
        """Return what is kept; `clean` tells that nothing was counted or shown after it."""
        meter = self.meter.dump()  # may book what it still holds
        energy = self.energy.as_dict()
        self._catch_up()
        state = {"clean": clean and not self._behind, "energy": energy, "meter": meter}
        if self.prices:  # of what is not booked yet
            since = self.energy.open_since
            state["prices"] = self.prices.dump_prices(quarter_start(time.time()) if since is None else since)
        return state

    async def _save_now(self, _now: Any) -> None:
        await self.ledger.async_save_state(self._dump())

    async def _purge(self, _now: Any = None) -> None:
        if not self._keep_days:
            return
        now = time.time()
        if self.connected:  # what is erased is gone: not because this computer's clock has jumped ahead of the meter's
            now = min([now, *(heard for side in SIDES if (heard := self.meter.heard_until(side)) is not None)])
        with suppress(LedgerError):  # what is too old today is so the next time, too
            await self._forget(quarter_start(now - self._keep_days * SECONDS_PER_DAY))

    async def _forget(self, before: int) -> None:
        """Forget what is older than a time [s, Unix]; `LedgerError` if that cannot be written."""
        await self.ledger.async_purge(before)

    async def _save_at_stop(self, _event: Event) -> None:
        await self.ledger.async_save_state(self._dump(clean=True))

    def knows_energy(self, keys: Iterable[str]) -> bool:
        """Whether the registers of these channels are up to date.

        After a power cut those that were saved are some minutes old: what was shown before it must not be shown again
        until the meter's counters have been heard.
        """
        self._catch_up()
        return self._behind.isdisjoint(keys)

    def _catch_up(self) -> None:
        if self._behind:
            self._behind -= {k for k in self._behind if k not in self.energy.unbooked and self.meter.has_counted(k)}

    @callback
    def touch(self) -> None:
        """Take note that values have changed."""
        if self._settling is None:
            self._settling = self.hass.loop.call_later(SETTLE, self._look)

    @callback
    def add_energy(self, key: str, forward: float, backward: float, time: float, seconds: float) -> None:
        """Book energy that a channel counted [Wh] in the `seconds` [s] before `time` [s, Unix]; zero is told, too."""
        self.energy.add_energy(key, forward, backward, time, seconds)

    @callback
    def add_grid_energy(self, offtake: float, injection: float, time: float, seconds: float) -> None:
        """Book energy that the meter counted for the whole connection, netted over its phases [Wh]."""
        self.energy.add_grid_energy(offtake, injection, time, seconds)

    @callback
    def miss_energy(self, key: str, time: float, seconds: float) -> None:
        """Take note that a counter began anew: what it counted in the `seconds` before `time` is not known."""
        self.energy.miss_energy(key, time, seconds)
        if self.meter.layout.assignments[key].role in self.meter.integrated:
            return
        # Where it begins is worth keeping at once: what it counts from here on could not be told after a crash.
        self.hass.async_create_task(self._save_now(None), f"{DOMAIN} save {self.entry_id}")

    @callback
    def set_connected(self, *, connected: bool) -> None:
        """Take note that the meter answers, or does not. Short losses change nothing."""
        if connected:
            self._forget_grace()
            self._lost_at = None
            if not self.connected:
                self.connected = True
                self.write()
        elif not self.connected:
            self._lost_at = self._lost_at or time.time()
        elif self._cancel_grace is None:
            self._cancel_grace = async_call_later(self.hass, GRACE, self._lose)

    @callback
    def _lose(self, _now: Any) -> None:
        self._cancel_grace = None
        self._lost_at = time.time() - GRACE
        self.connected = False
        self._look()
        self.write()

    def _forget_grace(self) -> None:
        if self._cancel_grace:
            self._cancel_grace()
            self._cancel_grace = None

    @callback
    def async_add_writer(self, writer: Callable[[], None], *, live: bool = False) -> CALLBACK_TYPE:
        """Call `writer` whenever entities are due; `live` ones also when the power jumps."""
        lists = [self._writers, self._live_writers] if live else [self._writers]
        for each in lists:
            each.append(writer)

        def remove() -> None:
            for each in lists:
                each.remove(writer)

        return remove

    @callback
    def async_watch(self, watcher: Callable[[LivePower], None]) -> CALLBACK_TYPE:
        """Call `watcher` with every new power, some once a second."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    @callback
    def async_add_boundary_listener(self, listener: Callable[[Sequence[QuarterHour]], None]) -> CALLBACK_TYPE:
        """Call `listener` with quarter-hours of this site that have come into its ledger."""
        self._boundary_listeners.append(listener)
        return lambda: self._boundary_listeners.remove(listener)

    @callback
    def write(self) -> None:
        """Let every entity write its state if that has changed."""
        self._note_written()
        for writer in tuple(self._writers):
            writer()

    def phase_power(self, phase: Phase) -> float | None:
        """Return the grid power on one phase [W]."""
        return self.live.balance.phases.get(phase)

    @callback
    def _look(self) -> None:
        if self._settling:
            self._settling.cancel()
            self._settling = None
        now = time.time()
        powers = {k: self.meter.power(k, now) if self.connected else None for k in self._electric}
        self.live = LivePower(now, power_balance(self.meter.layout, powers), powers)
        for watcher in tuple(self._watchers):
            watcher(self.live)
        if self._has_jumped():
            self._note_written()
            for writer in tuple(self._live_writers):
                writer()

    def _has_jumped(self) -> bool:
        power, before = self._total(), self._written
        if power is None or before is None:
            return power is not before
        return abs(power - before) > max(JUMP_WATTS, JUMP_SHARE * abs(before))

    def _note_written(self) -> None:
        self._written = self._total()

    def _total(self) -> float | None:
        balance = self.live.balance
        return balance.grid if self._grid else balance.production

    @callback
    def _tick(self, _now: Any) -> None:
        # Pulses that no longer come lower their channel's power without any message: look even if nothing was said.
        self._look()
        self._close_quarter_hours()
        self.write()
        self._faults.update(self._find_faults())

    def _find_faults(self) -> Mapping[str, Mapping[str, str]]:
        now = time.time()
        found = dict(self.meter.faults(now))
        if self.ledger.fault:
            found[self.ledger.fault] = {}
        if self._lost_at and now - self._lost_at > UNREACHABLE_AFTER:
            found[self.meter.silent_fault] = {}
        return found

    @callback
    def _close_quarter_hours(self, _now: Any = None) -> None:
        for side in SIDES:
            if (heard := self.meter.heard_until(side)) is not None:
                self.energy.hear(side, heard)
        if closed := self.energy.close_quarter_hours():
            # The state goes on from exactly these: it is taken before anything else is counted.
            self.hass.async_create_task(
                self._book(closed, self._dump()), f"{DOMAIN} quarter-hour {self.entry_id}", eager_start=True
            )

    async def _book(self, closed: Sequence[QuarterHour], state: Mapping[str, Any]) -> None:
        told = {each.start: self.prices.price_of(each.start) for each in closed} if self.prices else {}
        prices = {start: price for start, price in told.items() if price is not None}
        self._booking += closed
        await self.ledger.async_book(closed, state, prices)
        del self._booking[: len(closed)]
        for listener in tuple(self._boundary_listeners):
            listener(closed)
