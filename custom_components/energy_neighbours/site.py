"""One site: the live state behind its entities, and when they are to be written."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
import logging
import time
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .core.channel import Phase, Role
from .core.energy_registers import GAP, EnergyRegisters
from .core.power_balance import PowerBalance, power_balance
from .faults import UNREACHABLE_AFTER, FaultList
from .meter import Meter

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1
SETTLE = 0.2
"""A meter's readings of one second come as a burst: look at them together, this long [s] after the first."""
GRACE = 60
"""A connection that is lost for less than this [s] leaves the entities as they are."""
LATECOMER = 1
"""After a gap a phase may be heard this much [s] later than the others."""
SAVE_INTERVAL = timedelta(minutes=5)
JUMP_WATTS = 100
JUMP_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class LivePower:
    """The site's power at one moment, as streamed to an open card."""

    time: float
    balance: PowerBalance
    channels: Mapping[str, float | None] = field(default_factory=dict)


def storage(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    """Return the file that keeps a site's registers over a restart."""
    return Store(hass, STORAGE_VERSION, f"{DOMAIN}.site.{entry_id}")


class Site:
    """State of one site, fed by its meter, read by its entities.

    Readings only mark the site as touched. They are looked at together once a burst, streamed to open cards, and
    written to entities every `write_interval` seconds, or at once when the site's power jumps.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, title: str, meter: Meter, write_interval: float) -> None:
        self.hass = hass
        self.entry_id = entry_id
        self.meter = meter
        self.registers = EnergyRegisters()
        self.connected = False
        self.live = LivePower(0, power_balance(meter.layout, {}))
        self._electric = [k for k, c in meter.channels.items() if c.assignment is not None]
        self._grid = frozenset(meter.layout.keys(Role.GRID))
        self._write_interval = write_interval
        self._store = storage(hass, entry_id)
        self._faults = FaultList(hass, entry_id, title)
        self._lost_at: float | None = None
        self._writers: list[Callable[[], None]] = []
        self._live_writers: list[Callable[[], None]] = []
        self._watchers: list[Callable[[LivePower], None]] = []
        self._cancel: list[CALLBACK_TYPE] = []
        self._cancel_grace: CALLBACK_TYPE | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._loaded = False
        self._behind: set[str] = set()
        self._written: float | None = None
        self._step: dict[str, tuple[float, float]] = {}
        self._step_time = 0.0
        self._step_seconds = 0.0

    async def async_start(self) -> None:
        """Take the registers up where they were left and begin to measure."""
        if saved := await self._store.async_load():
            try:
                registers = EnergyRegisters.from_dict(saved["registers"])
                self.meter.restore(saved["meter"])
            except KeyError, TypeError, ValueError:
                _LOGGER.warning("The saved energy registers cannot be read; counting starts anew")
            else:
                self.registers = registers
                if not saved.get("clean"):
                    self._behind = set(self.meter.channels)
        self._loaded = True
        await self._store.async_save(self._dump())
        await self.meter.async_start(self)
        self._cancel = [
            async_track_time_interval(self.hass, self._tick, timedelta(seconds=self._write_interval)),
            async_track_time_interval(self.hass, self._save_now, SAVE_INTERVAL),
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
            await self._store.async_save(self._dump(clean=True))

    def _dump(self, *, clean: bool = False) -> dict[str, Any]:
        """Return what is kept; `clean` tells that nothing was counted or shown after it."""
        meter = self.meter.dump()  # may book what it still holds
        self._close_step()
        self._catch_up()
        return {"clean": clean and not self._behind, "registers": self.registers.as_dict(), "meter": meter}

    async def _save_now(self, _now: Any) -> None:
        await self._store.async_save(self._dump())

    async def _save_at_stop(self, _event: Event) -> None:
        await self._store.async_save(self._dump(clean=True))

    def knows_energy(self, keys: Iterable[str]) -> bool:
        """Whether the registers of these channels are up to date.

        After a power cut those that were saved are some minutes old: what was shown before it must not be shown again
        until the meter's counters have been heard.
        """
        self._catch_up()
        return self._behind.isdisjoint(keys)

    def _catch_up(self) -> None:
        if self._behind:
            self._behind -= {k for k in self._behind if k not in self._step and self.meter.has_counted(k)}

    @callback
    def touch(self) -> None:
        """Take note that values have changed."""
        if self._settling is None:
            self._settling = self.hass.loop.call_later(SETTLE, self._look)

    @callback
    def add_energy(self, key: str, forward: float, backward: float, time: float, seconds: float) -> None:
        """Book energy that a channel counted [Wh] in the `seconds` [s] before `time` [s, Unix]."""
        if key not in self._grid:
            self.registers.book(self.meter.layout, {key: (forward, backward)}, 0)
            return
        # All phases' counters of one second belong to one step: it is over when the next second begins. After a gap a
        # phase may be heard a second late: we came back amid the phases of one second. A clock that is set back begins
        # a step as well.
        latest = self._step_time + (LATECOMER if self._step_seconds > GAP else 0)
        if not self._step_time - GRACE <= time <= latest:
            self._close_step()
            self._step_time = time
        self._step_seconds = max(self._step_seconds, seconds)
        before = self._step.get(key, (0.0, 0.0))
        self._step[key] = (before[0] + forward, before[1] + backward)

    @callback
    def add_grid_energy(self, offtake: float, injection: float) -> None:
        """Book energy that the meter counted for the whole connection, netted over its phases [Wh]."""
        self.registers.offtake += offtake
        self.registers.injection += injection

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
        if self._step and time.time() - self._step_time > GRACE:
            self._close_step()
        self.write()
        self._faults.update(self._find_faults())

    def _find_faults(self) -> Mapping[str, Mapping[str, str]]:
        now = time.time()
        found = dict(self.meter.faults(now))
        if self._lost_at and now - self._lost_at > UNREACHABLE_AFTER:
            found[self.meter.silent_fault] = {}
        return found

    def _close_step(self) -> None:
        if not self._step:
            return
        self.registers.book(self.meter.layout, self._step, self._step_seconds)
        self._step, self._step_seconds = {}, 0.0
        self._catch_up()
