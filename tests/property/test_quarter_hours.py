"""Whatever happens between a meter and us, quarter-hours add up to what its counters counted."""

from dataclasses import dataclass, field
import json
from typing import Any

from hypothesis import example, given, settings, strategies as st

from custom_components.energy_neighbours.core.channel import Assignment, Phase, Role, SiteLayout
from custom_components.energy_neighbours.core.counter import CounterState, CounterTrack, StepKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour
from custom_components.energy_neighbours.core.quarter_hour_meter import LISTENING
from custom_components.energy_neighbours.core.site_energy import SiteEnergy

T = 1_790_000_100  # on the grid
ONE_PHASE = SiteLayout({"grid": Assignment(Role.GRID), "roof": Assignment(Role.PRODUCTION)})
THREE_PHASES = SiteLayout({phase.value: Assignment(Role.GRID, phase) for phase in Phase})
FORWARD, BACKWARD = "+", "-"
MILLI = 1000


@dataclass
class Listener:
    """The way from a meter's messages to the ledger, with the restarts of the computer on it."""

    layout: SiteLayout
    energy: SiteEnergy = field(init=False)
    tracks: dict[str, CounterTrack] = field(default_factory=dict)
    ledger: list[QuarterHour] = field(default_factory=list)
    saved: str = ""

    def __post_init__(self) -> None:
        self.energy = SiteEnergy(self.layout)
        self.save()

    def take(self, counter: str, value: float, time: int) -> None:
        """Take a message."""
        track = self.tracks.setdefault(counter, CounterTrack())
        before = track.state
        step = track.advance(value, time)
        key, direction = counter[:-1], counter[-1]
        if step.kind is StepKind.FIRST or before is None:
            return
        if step.kind is StepKind.RESET and not step.delta:
            self.energy.miss_energy(key, time, time - before.time)
            self.save()  # what it counts from now on starts elsewhere
            return
        forward, backward = (step.delta, 0.0) if direction == FORWARD else (0.0, step.delta)
        self.energy.add_energy(key, forward, backward, time, time - before.time)

    def hear(self, time: int) -> None:
        """Take note that the meter spoke, and keep the quarter-hours that are over together with the state."""
        for side in (Role.GRID, Role.PRODUCTION):
            self.energy.hear(side, time)
        if closed := self.energy.close_quarter_hours():
            self.ledger += closed
            self.save()

    def save(self) -> None:
        tracks = {key: track.state for key, track in self.tracks.items()}
        self.saved = json.dumps({"energy": self.energy.as_dict(), "tracks": tracks})

    def crash(self) -> None:
        """Go on from what was saved last."""
        saved: dict[str, Any] = json.loads(self.saved)
        self.energy = SiteEnergy(self.layout)
        self.energy.restore(saved["energy"])
        self.tracks = {key: CounterTrack(CounterState(*state)) for key, state in saved["tracks"].items() if state}

    def total(self, series: str) -> float:
        """What was counted in all, in quarter-hours that are closed or still open [Wh]."""
        waiting = self.energy.waiting()
        return sum(getattr(q, series) or 0 for q in [*self.ledger, *waiting])


SECOND = st.tuples(st.sampled_from([1, 5, 10, 30, 60]), st.lists(st.integers(0, 30_000), min_size=6, max_size=6))
ACTIONS = st.sampled_from(["duplicate", "late", "save", "crash", "stop and start", "reset", "quiet"])
GAP = st.tuples(st.just("gap"), st.integers(1, 40_000), st.lists(st.integers(0, 9_000_000), min_size=6, max_size=6))
HISTORY = st.lists(st.one_of(SECOND, SECOND, SECOND, ACTIONS, GAP), max_size=120)


class Meter:
    """A meter whose counters are known, in thousandths of a Wh."""

    def __init__(self, listener: Listener, counters: list[str], begin: int) -> None:
        self.listener = listener
        self.counters = dict.fromkeys(counters, begin)
        self.counted = dict.fromkeys(counters, 0)
        self.time = T
        self.sent: list[tuple[str, float, int]] = []
        self.speak()
        listener.save()  # a crash in the very first minutes forgets that there was anything

    def pass_time(self, seconds: int, rises: list[int]) -> None:
        self.time += seconds
        for counter, rise in zip(self.counters, rises, strict=False):
            self.counters[counter] = (self.counters[counter] + rise) % (2**32 * MILLI)
            self.counted[counter] += rise

    def speak(self) -> None:
        messages = [(counter, value / MILLI, self.time) for counter, value in self.counters.items()]
        for message in messages:
            self.listener.take(*message)
        self.sent = [*self.sent[-24:], *messages]
        self.listener.hear(self.time)

    def live(self, history: list[Any]) -> None:  # noqa: C901, PLR0912 - a list of all that can happen
        for event in history:
            match event:
                case "duplicate":
                    for message in self.sent:
                        if message[2] == self.time:
                            self.listener.take(*message)
                case "late":
                    for counter, value, time in self.sent[:12]:
                        if self.time - time < 60:
                            self.listener.take(counter, value, time)
                case "save":
                    self.listener.save()
                case "crash":
                    self.listener.crash()
                    self.speak()
                case "stop and start":
                    self.listener.save()
                    self.listener.crash()
                case "reset" if max(self.counters.values()) < 2**31 * MILLI:  # else it would be taken for a wrap
                    for counter in self.counters:
                        self.counters[counter] = 0
                    self.sent = []
                    self.speak()
                case "quiet":
                    self.time += 60
                    self.listener.hear(self.time)
                case ("gap", seconds, rises):
                    # What a counter cannot have counted in the time would be taken for a replaced meter at a wrap.
                    self.pass_time(seconds, [min(rise, 10 * seconds * MILLI) for rise in rises])
                    self.speak()
                case (int(seconds), rises):
                    self.pass_time(seconds, rises)
                    self.speak()

    def wh(self, counter: str) -> float:
        return self.counted[counter] / MILLI


# The last is close to the end of 32 bits, where counters begin at zero again.
BEGINNINGS = st.sampled_from([0, 123_456_789, (2**32 - 400) * MILLI])


@settings(max_examples=1500, deadline=None)
@given(HISTORY, BEGINNINGS)
def test_sum_of_quarter_hours_is_what_the_counters_counted(history: list[Any], begin: int) -> None:
    listener = Listener(ONE_PHASE)
    meter = Meter(listener, ["grid+", "roof+"], begin)
    meter.live(history)
    listener.energy.close_step()
    assert abs(listener.total("offtake") - meter.wh("grid+")) < 1.001
    assert abs(listener.total("production") - meter.wh("roof+")) < 1.001
    assert listener.total("injection") == 0
    assert abs(listener.energy.registers.offtake - meter.wh("grid+")) < 1e-3


@settings(max_examples=1500, deadline=None)
@example([("gap", 40, [0, 0, 0, 0, 0, 400_000]), "late"], (2**32 - 400) * MILLI)
@given(HISTORY, BEGINNINGS)
def test_three_phases_that_flow_both_ways_keep_their_net_energy(history: list[Any], begin: int) -> None:
    listener = Listener(THREE_PHASES)
    counters = [f"{phase}{direction}" for phase in Phase for direction in (FORWARD, BACKWARD)]
    meter = Meter(listener, counters, begin)
    meter.live(history)
    listener.energy.close_step()
    net = sum(meter.wh(c) for c in counters if c.endswith(FORWARD)) - sum(
        meter.wh(c) for c in counters if c.endswith(BACKWARD)
    )
    assert abs(listener.total("offtake") - listener.total("injection") - net) < 2.001
    registers = listener.energy.registers
    assert abs(listener.total("offtake") - registers.offtake) < 1.001
    assert abs(listener.total("injection") - registers.injection) < 1.001


@settings(max_examples=500, deadline=None)
@given(HISTORY, BEGINNINGS)
def test_every_quarter_hour_comes_once_and_in_order(history: list[Any], begin: int) -> None:
    listener = Listener(ONE_PHASE)
    meter = Meter(listener, ["grid+", "roof+"], begin)
    meter.live(history)
    starts = [quarter.start for quarter in listener.ledger]
    assert starts == list(range(T, T + QUARTER * len(starts), QUARTER))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 40_000), min_size=90, max_size=400))
def test_every_boundary_is_exact_while_the_meter_is_heard(rises: list[int]) -> None:
    listener = Listener(ONE_PHASE)
    meter = Meter(listener, ["grid+", "roof+"], 0)
    at: dict[int, float] = {}
    for rise in rises:
        meter.pass_time(30, [rise, 0])
        meter.speak()
        at[meter.time] = meter.wh("grid+")
    booked = 0
    for quarter in listener.ledger:
        booked += quarter.offtake or 0
        assert quarter.quality is Quality.MEASURED
        assert 0 <= at[quarter.end] - booked + 1e-6 < 1.001
    assert listener.ledger


@settings(max_examples=300, deadline=None)
@given(st.integers(LISTENING + 1, 200_000), st.integers(0, 900))
def test_a_gap_is_spread_over_its_time_and_marked(gap: int, before: int) -> None:
    listener = Listener(ONE_PHASE)
    meter = Meter(listener, ["grid+", "roof+"], 0)
    for _ in range(before // 30):
        meter.pass_time(30, [0, 0])
        meter.speak()
    silent_from = meter.time
    meter.pass_time(gap, [gap * MILLI, 0])  # 3600 W
    meter.speak()
    silent_until = meter.time
    for _ in range(40):
        meter.pass_time(30, [0, 0])
        meter.speak()
    for quarter in listener.ledger:
        silent = max(min(quarter.end, silent_until) - max(quarter.start, silent_from), 0)
        assert abs((quarter.offtake or 0) - silent) <= 1
        uncovered = silent > 0.2 * QUARTER
        assert quarter.quality is (Quality.ESTIMATED if uncovered else Quality.MEASURED)
    assert sum(quarter.offtake or 0 for quarter in listener.ledger) == gap
