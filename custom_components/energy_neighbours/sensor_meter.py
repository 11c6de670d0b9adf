"""Existing Home Assistant sensors as a site's meter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
import math
import time
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, STATE_UNAVAILABLE, STATE_UNKNOWN, UnitOfEnergy, UnitOfPower
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.event import (
    async_track_state_change_event,
    async_track_state_report_event,
    async_track_time_interval,
)
from homeassistant.util.unit_conversion import EnergyConverter, PowerConverter

from .const import CONF_ENTITIES
from .core.channel import Assignment, LayoutError, LayoutProblem, Phase, Role, SiteLayout
from .core.counter import MAX_NET_POWER, CounterState, CounterTrack, StepKind
from .core.power_balance import sum_or_none
from .core.quarter_hour_meter import LISTENING
from .meter import Meter, MeterChannel, MeterDevice, MeterListener

CONF_GRID_POWER: Final = "grid_power"
CONF_INJECTION_POWER: Final = "injection_power"
CONF_OFFTAKE_ENERGY: Final = "offtake_energy"
CONF_INJECTION_ENERGY: Final = "injection_energy"
CONF_PRODUCTION_POWER: Final = "production_power"
CONF_PRODUCTION_ENERGY: Final = "production_energy"
CONF_PHASE_POWER: Final = {Phase.L1: "power_l1", Phase.L2: "power_l2", Phase.L3: "power_l3"}

GRID: Final = "grid"
PRODUCTION: Final = "production"


ENERGY_KEYS: Final = {
    CONF_OFFTAKE_ENERGY: (GRID, True),
    CONF_INJECTION_ENERGY: (GRID, False),
    CONF_PRODUCTION_ENERGY: (PRODUCTION, True),
}
GONE_AFTER: Final = 300
"""An entity that does not exist for this long [s] is gone for good."""
INTEGRATE_EVERY: Final = timedelta(minutes=1)
NOISE: Final = 0.1
"""A fall of energy by less than this share is noise, not a new run; Home Assistant's statistics draw the same line."""


@dataclass(slots=True)
class _Register:
    """Where an energy entity is booked."""

    channel: str
    forward: bool
    track: CounterTrack = field(default_factory=CounterTrack)


def layout_of(entities: Mapping[str, Any]) -> SiteLayout:
    """Return the roles that the chosen entities have. Raises `LayoutError`."""
    assignments = {
        f"{GRID}_{phase}": Assignment(Role.GRID, phase) for phase, key in CONF_PHASE_POWER.items() if entities.get(key)
    }
    total = (CONF_GRID_POWER, CONF_INJECTION_POWER, CONF_OFFTAKE_ENERGY, CONF_INJECTION_ENERGY)
    if not assignments and any(entities.get(key) for key in total):
        if entities.get(CONF_INJECTION_POWER) and not entities.get(CONF_GRID_POWER):
            raise LayoutError(LayoutProblem.INJECTION_ALONE)
        assignments[GRID] = Assignment(Role.GRID)
    if entities.get(CONF_PRODUCTION_POWER) or entities.get(CONF_PRODUCTION_ENERGY):
        assignments[PRODUCTION] = Assignment(Role.PRODUCTION)
    return SiteLayout(assignments)


class SensorMeter(Meter):
    """Follows the power and energy entities of other integrations.

    Several entities of one kind are added up: a meter may count its day and night tariffs apart. Where no entity counts
    energy, it is integrated from power, for as long as the power is known.
    """

    silent_fault = "sensors_silent"
    settle = 75  # many entities are renewed once a minute

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self._hass = hass
        self._title = entry.title
        self._entities = {key: tuple(cv.ensure_list(value)) for key, value in entry.data[CONF_ENTITIES].items()}
        self.layout = layout_of(self._entities)
        self._power = self._power_sources()
        self._registers = {
            entity: _Register(channel, forward)
            for key, (channel, forward) in ENERGY_KEYS.items()
            for entity in self._entities.get(key, ())
        }
        counted = {r.channel for r in self._registers.values()}
        self._integrated = {
            role: [k for k, a in self.layout.assignments.items() if a.role is role and k in self._power]
            for role in (Role.GRID, Role.PRODUCTION)
            if role.value not in counted
        }
        self.integrated = frozenset(role for role, keys in self._integrated.items() if keys)
        self.channels = {
            key: MeterChannel(
                key=key,
                name="",
                assignment=a,
                has_rate=key in self._power,
                counts=False,
                two_way=a.role is Role.GRID,
            )
            for key, a in self.layout.assignments.items()
        }
        self._watts: dict[str, float] = {}
        self._counted: set[str] = set()
        self._integrated_to: float | None = None
        self._integrated_until: dict[Role, float] = {}
        self.last_reading: float | None = None
        self._gone_since: float | None = None
        self._site: MeterListener | None = None
        self._stop: list[CALLBACK_TYPE] = []

    def _power_sources(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Return the entities to add and those to subtract, by channel."""
        sources = {f"{GRID}_{phase}": (self._entities.get(key, ()), ()) for phase, key in CONF_PHASE_POWER.items()}
        sources[GRID] = (self._entities.get(CONF_GRID_POWER, ()), self._entities.get(CONF_INJECTION_POWER, ()))
        sources[PRODUCTION] = (self._entities.get(CONF_PRODUCTION_POWER, ()), ())
        return {k: s for k, s in sources.items() if k in self.layout.assignments and any(s)}

    @override
    async def async_start(self, site: MeterListener) -> None:
        self._site = site
        entities = {e for chosen in self._entities.values() for e in chosen}
        for entity in entities:
            self._take(entity, self._hass.states.get(entity))
        self._stop = [
            async_track_state_change_event(self._hass, entities, self._changed),
            async_track_state_report_event(self._hass, entities, self._reported),
        ]
        if any(self._integrated.values()):
            self._integrated_to = self._hass.loop.time()
            self._stop.append(async_track_time_interval(self._hass, self._integrate, INTEGRATE_EVERY))
        self._look_around()

    @override
    async def async_stop(self) -> None:
        self._integrate()
        while self._stop:
            self._stop.pop()()
        self._site = None

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        self._integrate()
        self._take(event.data["entity_id"], event.data["new_state"])
        self._look_around()

    @callback
    def _reported(self, event: Event[EventStateReportedData]) -> None:
        """Take note of a reading that says the same as the one before it."""
        state = event.data["new_state"]
        if state.entity_id in self._registers:
            self._take(state.entity_id, state)
        else:
            self._hear(state)

    def _hear(self, state: State) -> None:
        if _number(state) is not None:
            self.last_reading = max(self.last_reading or 0.0, state.last_reported_timestamp)

    def _take(self, entity: str, state: State | None) -> None:
        self._watts.pop(entity, None)
        value = _number(state)
        if state is None or value is None or self._site is None:
            return
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        self._hear(state)
        if register := self._registers.get(entity):
            if unit in EnergyConverter.VALID_UNITS:
                self._counted.add(entity)
                self._count(
                    register,
                    EnergyConverter.convert(value, unit, UnitOfEnergy.WATT_HOUR),
                    state.last_reported_timestamp,
                )
        elif unit in PowerConverter.VALID_UNITS:
            self._watts[entity] = PowerConverter.convert(value, unit, UnitOfPower.WATT)

    def _count(self, register: _Register, value: float, when: float) -> None:
        last = register.track.state
        if last:
            if (1 - NOISE) * last.value < value < last.value:
                return
            if (value - last.value) * 3600 > MAX_NET_POWER * max(when - last.time, 3600):
                # No home does that: it told 0 for a moment and is back, or another meter stands behind it.
                register.track = CounterTrack()
        step = register.track.advance(value, when)
        if last is None or self._site is None:
            return
        seconds = when - last.time
        if step.delta or step.kind not in (StepKind.FIRST, StepKind.RESET):
            self._book(register.channel, step.delta if register.forward else -step.delta, when, seconds)
            return
        for key in self.layout.keys(Role(register.channel)):
            self._site.miss_energy(key, when, seconds)

    def _book(self, side: str, energy: float, when: float, seconds: float) -> None:
        """Book energy [Wh] of a side, negative for injection."""
        if self._site is None:
            return
        if side == GRID:
            self._site.add_grid_energy(max(energy, 0.0), max(-energy, 0.0), when, seconds)
        else:
            self._site.add_energy(PRODUCTION, max(energy, 0.0), 0.0, when, seconds)

    @callback
    def _integrate(self, _now: Any = None) -> None:
        if self._integrated_to is None:
            return
        now = self._hass.loop.time()
        seconds, self._integrated_to = now - self._integrated_to, now
        when = time.time()
        for role in self.integrated:
            power = sum_or_none([self._net(key) for key in self._integrated[role]])
            if power is not None and self._site:
                since = when - seconds
                lost = since - self._integrated_until.get(role, since)
                if 1 < lost <= LISTENING:  # so short that it would be taken for heard
                    self._site.miss_energy(self.layout.keys(role)[0], since, lost)
                self._book(role.value, power * seconds / 3600, when, seconds)
                self._integrated_until[role] = when

    def _look_around(self) -> None:
        if self._site is None:
            return
        # One entity that tells something is enough to be connected; what the others lack shows as unknown.
        known = bool(self._watts) or any(_number(self._hass.states.get(e)) is not None for e in self._registers)
        self._site.set_connected(connected=known)
        self._site.touch()

    @property
    @override
    def device(self) -> MeterDevice:
        return MeterDevice(name=self._title, is_service=True)

    @property
    @override
    def messages_dropped(self) -> int:
        return 0

    @override
    def power(self, key: str, now: float) -> float | None:
        power = self._net(key)
        return max(power, 0.0) if power is not None and key == PRODUCTION else power

    def _net(self, key: str) -> float | None:
        forward, backward = self._power.get(key, ((), ()))
        return sum_or_none([*map(self._watts.get, forward), *(_negative(self._watts.get(e)) for e in backward)])

    @override
    def value(self, key: str, quantity: str, now: float) -> float | None:
        return None

    @override
    def has_counted(self, key: str) -> bool:
        role = self.layout.assignments[key].role.value
        return self._counted.issuperset(e for e, r in self._registers.items() if r.channel == role)

    @override
    def heard_until(self, side: Role) -> float | None:
        if side in self.integrated:
            return self._integrated_until.get(side)
        registers = {entity: register for entity, register in self._registers.items() if register.channel == side}
        if any(_number(self._hass.states.get(entity)) is None for entity in registers):
            return None
        # Some are not renewed while they do not rise: that another one was tells that they would have been.
        return max((r.track.state.time for r in registers.values() if r.track.state), default=None)

    @override
    def faults(self, now: float) -> Mapping[str, Mapping[str, str]]:
        known = er.async_get(self._hass)
        gone = {
            entity
            for chosen in self._entities.values()
            for entity in chosen
            if self._hass.states.get(entity) is None and known.async_get(entity) is None
        }
        if not gone:
            self._gone_since = None
        elif self._gone_since is None:
            # Their integration may only be starting.
            self._gone_since = now
        elif now - self._gone_since > GONE_AFTER:
            return {"entities_missing": {"entities": ", ".join(sorted(gone))}}
        return {}

    @override
    def dump(self) -> dict[str, Any]:
        self._integrate()
        return {"tracks": {e: r.track.state for e, r in self._registers.items() if r.track.state}}

    @override
    def restore(self, data: Mapping[str, Any]) -> None:
        for entity, (value, when) in data["tracks"].items():
            if register := self._registers.get(entity):
                register.track = CounterTrack(CounterState(value, when))

    @override
    def diagnostics(self) -> dict[str, Any]:
        return {
            "entities": {key: len(chosen) for key, chosen in self._entities.items()},
            "known": len(self._watts),
            "integrated": [role.value for role, keys in self._integrated.items() if keys],
        }


def _number(state: State | None) -> float | None:
    if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return None
    try:
        value = float(state.state)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
