"""Past quarter-hours from the meters' own history: counters of several sensors, booked as they are live."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from heapq import merge
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, Final, Protocol

from .core.channel import Role, SiteLayout
from .core.counter import CounterTrack, StepKind
from .core.history import History, HistoryError, Problem, ProblemKind
from .core.quarter_hour import QUARTER, Quality, QuarterHour, Span, quarter_start
from .core.quarter_hour_meter import LISTENING, MEASURED_SHARE
from .core.site_energy import SIDES, SiteEnergy
from .flukso.tmpo import SensorHistory, find_blocks, open_history

ERRORS: Final = ("no_blocks", "no_blocks_of_site", "never_together")
"""Translation keys of all that a folder of blocks can be refused for."""
FORMAT: Final = "tmpo_blocks"

HEAR_EVERY: Final = 30
"""The sides are told that the meter speaks no more often than this [s]."""
QUIET: Final = 900
"""A meter that only tells of changes may be silent for this long [s] while hardly anything is used."""
LITTLE: Final = 2
"""So little [Wh] counted over a silence says that hardly anything was used, or that the meter was off."""
OFF: Final = 3600
"""After a longer silence [s] in which nothing was counted, the meter was off and what was used is not known."""
ASLEEP: Final = 86_400
"""So long [s] a counter that tells only changes is believed to stand still at the end: a roof sleeps at night."""
CUT: Final = 3600
"""A side that is known for less than the rest by so much [s] is named."""


class CounterRole(Protocol):
    """Where a counter is booked: a row of `flukso_channels.make_registers`."""

    @property
    def channel(self) -> str:
        """Key of its channel."""
        ...

    @property
    def forward(self) -> bool:
        """Whether its rise means energy forward."""
        ...

    @property
    def signed(self) -> bool:
        """Whether it is a net meter's."""
        ...

    @property
    def on_change(self) -> bool:
        """Whether it tells nothing while it does not change."""
        ...


def read_folder(
    folder: Path,
    registers: Mapping[str, CounterRole],
    layout: SiteLayout,
    *,
    now: float,
    on_progress: Callable[[float], None] | None = None,
) -> History:
    """Read a folder of blocks; see `read_sensors`. Reads files: for an executor thread only.

    Raises
    ------
    HistoryError
        With one of `ERRORS`: there are no blocks, or none of the site's meter, or none of a time in which all of a
        side was measured.
    """
    found = find_blocks(folder)
    if not found:
        raise HistoryError("no_blocks", folder=folder.name)
    sensors = {sid: open_history(files) for sid, files in found.items()}
    return read_sensors(sensors, registers, layout, now=now, on_progress=on_progress)


def read_sensors(
    sensors: Mapping[str, SensorHistory],
    registers: Mapping[str, CounterRole],
    layout: SiteLayout,
    *,
    now: float,
    on_progress: Callable[[float], None] | None = None,
) -> History:
    """Book the counters of a site's sensors, netted over the phases as they are live.

    A side of the site (grid, production) is left out if one of its counters has no blocks, and while one of them tells
    nothing yet, or nothing more, or counted what is not known: what is missing of a sum cannot be told. Every run of a
    sensor is a counter of its own; runs in which it measured something else are left out. What cannot be known wholly,
    as the quarter-hour in which the history begins, is left out as well.

    Parameters
    ----------
    sensors
        Histories by sid.
    registers
        Where each sid's counter is booked.
    layout
        The roles of the channels, as they are now.
    now
        Nothing later than this [s, Unix] can have been measured.
    on_progress
        Is told the share that is done.

    Raises
    ------
    HistoryError
        None of the sides has all its blocks, or their counters never told something at the same time.
    """
    sensors = {sid: sensor for sid, sensor in sensors.items() if sid in registers and sensor.span}
    counters = {side: _counters(registers, layout.keys(side)) for side in SIDES if layout.keys(side)}
    whole = {side: sids for side, sids in counters.items() if sids and sids <= sensors.keys()}
    if not whole:
        raise HistoryError("no_blocks_of_site")
    kept = {key: entry for key, entry in layout.assignments.items() if entry.role in whole}
    used = {sid: sensors[sid] for sids in whole.values() for sid in sorted(sids)}
    booking = _Booking(SiteLayout(kept, layout.wiring, layout.bundled), {sid: registers[sid] for sid in used}, now)
    covered = [span for sensor in used.values() if (span := sensor.span)]
    first, last = min(start for start, _ in covered), max(end for _, end in covered)
    day, told = 86_400, -1
    for time, readings in groupby(merge(*(_series(sid, used[sid]) for sid in used)), itemgetter(0)):
        if time > now:
            break
        booking.take(time, readings)
        if on_progress and time // day != told:
            told = time // day
            on_progress((time - first) / (last - first))
    spans = {side: span for side, sids in whole.items() if (span := booking.common_span(sids))}
    if booking.count and not spans:
        raise HistoryError("never_together")
    notes = {f"{side.value}_span": _interval(span) for side, span in spans.items() if _is_cut(span, booking.span)}
    if missing := [side.value for side in counters if side not in spans]:
        notes["without"] = ", ".join(missing)
    return History(
        quarter_hours=booking.finish(spans),
        rows=booking.count,
        duplicates=sum(sensor.dropped for sensor in used.values()),
        problems=[
            Problem(ProblemKind.BAD_BLOCK, f"{sid}/{block.path}", fault)
            for sid, sensor in used.items()
            for block, fault in sorted(sensor.faults.items())
        ],
        format=FORMAT,
        notes=notes,
    )


def _counters(registers: Mapping[str, CounterRole], channels: Collection[str]) -> set[str]:
    """Return the sids of all counters of some channels; none if a channel has no counter."""
    sids = {sid for sid, register in registers.items() if register.channel in channels}
    return sids if {registers[sid].channel for sid in sids} == set(channels) else set()


def _is_cut(span: Span, of: Span) -> bool:
    return span.start - of.start >= CUT or of.end - span.end >= CUT


def _interval(span: Span) -> str:
    """Return an interval as ISO 8601 writes it."""
    return "/".join(datetime.fromtimestamp(each, UTC).isoformat() for each in span)


type _Reading = tuple[int, str, int, float]
"""Time [s, Unix], sid, run and value."""


def _series(sid: str, sensor: SensorHistory) -> Iterator[_Reading]:
    last = 0
    for run in sensor.runs:
        for time, value in sensor.readings(run):
            if not _counts_electricity(sensor.config.get(run, {})):
                break
            if time > last:
                last = time
                yield time, sid, run, value


def _counts_electricity(config: Mapping[str, Any]) -> bool:
    kind = config.get("type", "electricity"), config.get("data_type", "counter")
    return kind == ("electricity", "counter")


class _Booking:
    """Follows the counters and gathers their quarter-hours."""

    def __init__(self, layout: SiteLayout, registers: Mapping[str, CounterRole], now: float) -> None:
        self._registers = registers
        self._now = now
        self._keys = {side: layout.keys(side) for side in SIDES if layout.keys(side)}
        self._side_of = {key: side for side, keys in self._keys.items() for key in keys}
        self._energy = SiteEnergy(layout)
        self._tracks: dict[str, tuple[int, CounterTrack]] = {}
        self._since: dict[str, int] = {}
        self._until: dict[str, int] = {}
        self._least: dict[str, float] = {}
        self._spread: dict[Role, set[int]] = {side: set() for side in self._keys}
        self._lost: dict[Role, set[int]] = {side: set() for side in self._keys}
        self._last: int | None = None
        self._heard = 0
        self._closed: list[QuarterHour] = []
        self.count = 0

    @property
    def span(self) -> Span:
        """Return the time between the first reading of all and the last."""
        return Span(min(self._since.values(), default=0), max(self._until.values(), default=0))

    def common_span(self, sids: Collection[str]) -> Span | None:
        """Return the time over which all of some counters told something; None if there is none."""
        if not self._since.keys() >= set(sids):
            return None
        span = Span(max(self._since[sid] for sid in sids), min(self._known_until(sid) for sid in sids))
        return span if span.start < span.end else None

    def _known_until(self, sid: str) -> int:
        asleep = ASLEEP if self._registers[sid].on_change else 0
        return min(self._until[sid] + asleep, self.span.end)

    def take(self, time: int, readings: Iterable[_Reading]) -> None:
        """Take what the meter counted at one moment."""
        steps = [step for _, sid, run, value in readings if (step := self._advance(sid, run, value, time))]
        silence = 0 if self._last is None else time - self._last
        if silence > LISTENING:
            self._break(time, silence, steps)
        elif time - self._heard >= HEAR_EVERY:
            self._hear(time)
        was_off = silence > OFF and _little(steps)
        for channel, forward, backward, seconds in steps:
            # What was counted after the meter came back does not belong to the time in which it was off.
            self._energy.add_energy(channel, forward, backward, time, 0 if was_off else seconds)
        if self._last is not None and time // QUARTER != self._last // QUARTER:
            self._closed += self._energy.close_quarter_hours()
        self._last = time

    def _advance(self, sid: str, run: int, value: float, time: int) -> tuple[str, float, float, float] | None:
        """Return the channel, what its counter adds forward and backward [Wh], and the time that took [s]."""
        self.count += 1
        self._since.setdefault(sid, time)
        self._until[sid] = time
        register = self._registers[sid]
        known = self._tracks.get(sid)
        if known is None or known[0] != run:
            track = CounterTrack(signed=register.signed)
            track.advance(value, time)
            self._tracks[sid] = run, track
            if known and (state := known[1].state):
                self._miss(register.channel, time, time - state.time)
            return None
        track = known[1]
        before = track.state
        assert before is not None  # noqa: S101 - it was advanced when it was made
        step = track.advance(value, time)
        seconds = time - before.time
        if step.kind is StepKind.RESET and not step.delta:
            self._miss(register.channel, time, seconds)
            return None
        amount = abs(step.delta)
        if seconds > QUIET and amount > max(LITTLE, self._least.get(sid, LITTLE)):
            # It counted more than a step of its own and told none of them: they were lost.
            self._spread[self._side_of[register.channel]] |= set(_quarters(time, seconds))
        if amount:
            self._least[sid] = min(amount, self._least.get(sid, amount))
        forward, backward = (amount, 0.0) if register.forward is (step.delta >= 0) else (0.0, amount)
        return register.channel, forward, backward, seconds

    def _miss(self, channel: str, time: int, seconds: float) -> None:
        """Take note of an unknown amount, also in quarter-hours that are closed for the other counters told theirs."""
        self._energy.miss_energy(channel, time, seconds)
        self._lost[self._side_of[channel]] |= {
            start
            for start in _quarters(time, seconds)
            if min(time, start + QUARTER) - max(time - seconds, start) > (1 - MEASURED_SHARE) * QUARTER
        }

    def _break(self, time: int, silence: int, steps: list[tuple[str, float, float, float]]) -> None:
        """Judge a silence of all sensors: hardly anything was used, or the meter was off, or what it said was lost."""
        if silence <= QUIET and _little(steps):
            for moment in range(time - silence + HEAR_EVERY, time, HEAR_EVERY):
                self._hear(moment)
        elif silence > OFF and _little(steps):
            for keys in self._keys.values():
                self._energy.miss_energy(keys[0], time, silence)
        self._hear(time)

    def _hear(self, time: int) -> None:
        self._heard = time
        for side in self._keys:
            self._energy.hear(side, time)

    def finish(self, spans: Mapping[Role, Span]) -> list[QuarterHour]:
        """Return the quarter-hours that are known, of each side those that lie within the span given for it."""
        if self._last is not None:
            self._hear(self._last)
        self._closed += self._energy.close_quarter_hours()
        known = (self._within(quarter, spans) for quarter in _joined(self._closed) if quarter.end <= self._now)
        return [quarter for quarter in known if _is_known(quarter)]

    def _within(self, quarter: QuarterHour, spans: Mapping[Role, Span]) -> QuarterHour:
        """Return what all counters of a side told of a quarter-hour; it is estimated if one was silent for long."""
        told = {
            side
            for side, span in spans.items()
            if span.start <= quarter.start and quarter.end <= span.end and quarter.start not in self._lost[side]
        }
        # A quarter-hour is as good as the grid's side of it.
        side = Role.GRID if Role.GRID in told else Role.PRODUCTION
        worse = quarter.quality is Quality.MEASURED and quarter.start in self._spread.get(side, ())
        return replace(
            quarter,
            offtake=quarter.offtake if Role.GRID in told else None,
            injection=quarter.injection if Role.GRID in told else None,
            production=quarter.production if Role.PRODUCTION in told else None,
            quality=Quality.ESTIMATED if worse else quarter.quality,
        )


def _quarters(time: int, seconds: float) -> range:
    """Return the starts of the quarter-hours that the `seconds` before a time touch."""
    return range(quarter_start(time - seconds), time, QUARTER)


def _joined(quarters: Iterable[QuarterHour]) -> Iterator[QuarterHour]:
    """Add what a counter told late to its quarter-hour; each comes once then, in order."""
    for start, parts in groupby(sorted(quarters, key=attrgetter("start")), attrgetter("start")):
        one, *more = parts
        if more:
            # What the roof told late takes nothing from the grid's quality.
            judged = [part for part in (one, *more) if part.offtake is not None] or [one, *more]
            worst = max((part.quality for part in judged), key=list(Quality).index)
            energies = ([part.offtake, part.injection, part.production] for part in (one, *more))
            offtake, injection, production = map(_sum_known, zip(*energies, strict=True))
            one = QuarterHour(start, offtake, injection, production, worst)
        yield one


def _sum_known(energies: Iterable[int | None]) -> int | None:
    known = [energy for energy in energies if energy is not None]
    return sum(known) if known else None


def _little(steps: Iterable[tuple[str, float, float, float]]) -> bool:
    return all(forward + backward <= LITTLE for _, forward, backward, _ in steps)


def _is_known(quarter: QuarterHour) -> bool:
    return any(energy is not None for energy in (quarter.offtake, quarter.injection, quarter.production))
