"""Turns energy that was counted over any stretch of time into quarter-hours that lose nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
import math
from typing import Any, Final

from .channel import Role
from .quarter_hour import QUARTER, Quality, QuarterHour, quarter_start

LISTENING: Final = 120
"""Two signs of life this close together [s] leave nothing unheard between them."""
LATENESS: Final = 120
"""What comes later than this [s] did not come late: the clock was set back."""
ROOF_PATIENCE: Final = 7200
"""The grid's quarter-hours wait so long [s] for the roof: a cloud tells once an hour, an inverter sleeps at night."""
REMEMBERED: Final = 7 * 86_400
"""So much time [s] that comes again is marked as such; a clock that was years wrong is another matter."""
MEASURED_SHARE: Final = 0.8
ESTIMATED_SHARE: Final = 0.4
"""Shares of a quarter-hour that must be covered for it to be measured, or at least estimated."""

_ALMOST: Final = 1e-6
"""Sums of tenths miss a whole Wh by less than this [Wh]."""
# Series are numbered: offtake, injection, production.
_SERIES: Final = {Role.GRID: (0, 1), Role.PRODUCTION: (2,)}


@dataclass(slots=True)
class _Cell:
    """What is gathered of one quarter-hour: energy by series [Wh], and seconds by side."""

    energy: dict[int, float] = field(default_factory=dict)
    covered: dict[str, float] = field(default_factory=dict)
    unknown: dict[str, float] = field(default_factory=dict)
    again: bool = False

    def known(self, side: Role) -> float:
        """Return for how long a side was heard, and told what it had to tell [s]."""
        return min(self.covered.get(side, 0.0), QUARTER - self.unknown.get(side, 0.0))


@dataclass(frozen=True, slots=True)
class OpenQuarterHour:
    """The quarter-hour that is running, so far [Wh]; None if nobody measures it."""

    start: int
    offtake: float | None
    injection: float | None
    production: float | None


class QuarterHourMeter:
    """Gathers energy by quarter-hour, each side of the site (grid, production) for itself.

    Energy that was counted over some time is spread over it evenly. A quarter-hour is closed when its sides have been
    heard beyond its end; while nothing is heard all stay open, so that what the counters rose by meanwhile is spread
    over the time in which it flowed. The parts of a Wh that remain go into the next quarter-hour: over any number of
    them, whole Wh and counted energy differ by less than one.

    Parameters
    ----------
    counted
        Sides that counters measure: all their energy becomes known sooner or later.
    integrated
        Sides whose power alone is known: a quarter-hour's energy is its mean power while that was known.
    settle
        A quarter-hour is closed so long after its end [s], for counters that are not heard every second.
    """

    def __init__(
        self, counted: frozenset[Role], integrated: frozenset[Role] = frozenset(), *, settle: int = 15
    ) -> None:
        self._sides = counted | integrated
        self._integrated = integrated
        self._settle = settle
        self._cells: dict[int, _Cell] = {}
        self._late: dict[int, dict[int, float]] = {}
        self._next: int | None = None
        self._known: dict[str, float] = {}
        self._remainder = [0.0, 0.0, 0.0]

    @property
    def open_since(self) -> int | None:
        """Start of the first quarter-hour that is not closed; None before the first sign of life."""
        return self._next

    def known(self, side: Role) -> float | None:
        """Return the time up to which a side has been heard [s]; None before it was."""
        return self._known.get(side)

    def book(self, side: Role, energies: tuple[float, ...], since: float, until: float) -> None:
        """Book energy that was counted from `since` to `until` [s].

        Parameters
        ----------
        side
            `Role.GRID` with offtake and injection [Wh], or `Role.PRODUCTION` with production [Wh].
        energies
            None of them negative.
        since, until
            A stretch that ends before it begins, as when a clock is set back, counts as the moment of its end.
        """
        if any(energy < 0 for energy in energies):
            raise ValueError(f"energy must not be negative: {side} {energies}")
        since = min(since, until)
        if self._next is None:
            self._next = quarter_start(since)
        first = self._next
        for start, share in _shares(since, until):
            if start >= first or since >= first - LATENESS:
                told = self._cell(max(start, first)).energy
            else:
                told = self._late.setdefault(start, {})
            for series, energy in zip(_SERIES[side], energies, strict=True):
                told[series] = told.get(series, 0.0) + share * energy

    def hear(self, side: Role, time: float) -> None:
        """Take note that a side was heard: all that it counted until then has been booked, or will be."""
        first = self._begin(time)
        before = self._known.get(side)
        if before is None:
            self._note_unknown(side, first, time)
        elif time <= before - LATENESS:
            pass  # the clock was set back: what was heard until now is another time's
        elif time <= before:
            return
        elif time - before <= LISTENING:
            for start, share in _shares(max(before, first), time):
                covered = self._cell(start).covered
                covered[side] = covered.get(side, 0.0) + share * (time - max(before, first))
        elif side in self._integrated:
            self._note_unknown(side, max(before, first), time)
        self._known[side] = time

    def miss(self, side: Role, since: float, until: float) -> None:
        """Take note that a counter began anew, or was not heard: what it counted in between is not known."""
        if self._next is not None:
            self._note_unknown(side, max(since, self._next), until)

    def _note_unknown(self, side: Role, since: float, until: float) -> None:
        if since < until:
            for start, share in _shares(since, until):
                unknown = self._cell(start).unknown
                unknown[side] = min(unknown.get(side, 0.0) + share * (until - since), QUARTER)

    def close(self, unbooked_since: float | None = None) -> list[QuarterHour]:
        """Return the quarter-hours that are over, in order; each is returned once.

        From `unbooked_since` on [s] something is still to be booked.
        A quarter-hour that comes again adds to what was returned of it before: a counter told late what it had counted
        in a gap, or the clock was set back.
        """
        closed = [quarter for start in sorted(self._late) if (quarter := self._supplement(start))]
        if self._next is None:
            return closed
        known = self._known_of_all()
        booked = known if unbooked_since is None else unbooked_since
        while known >= self._next + QUARTER + self._settle and booked >= self._next + QUARTER:
            for side in self._sides:
                self._note_unknown(side, max(self._known.get(side, 0.0), self._next), self._next + QUARTER)
            cell = self._cells.pop(self._next, _Cell())
            if not cell.again or any(cell.energy.values()):
                closed.append(self._finish(self._next, cell))
            self._next += QUARTER
        return closed

    def _known_of_all(self) -> float:
        """Return the time up to which all sides have been heard that are waited for [s]."""
        times = {side: self._known.get(side, -math.inf) for side in self._sides}
        if self._sides == {Role.GRID, Role.PRODUCTION}:
            times[Role.PRODUCTION] = max(times[Role.PRODUCTION], times[Role.GRID] - ROOF_PATIENCE)
        return min(times.values(), default=-math.inf)

    def running(self, start: int) -> OpenQuarterHour:
        """Return what is gathered of a quarter-hour."""
        energy = self._cells.get(start, _Cell()).energy
        measured = [series for side in self._sides for series in _SERIES[side]]
        offtake, injection, production = (energy.get(n, 0.0) if n in measured else None for n in range(3))
        return OpenQuarterHour(start, offtake, injection, production)

    def waiting(self) -> list[OpenQuarterHour]:
        """Return all that is gathered and not closed yet, and what was told late, in order."""
        late = [OpenQuarterHour(start, told.get(0), told.get(1), told.get(2)) for start, told in self._late.items()]
        return sorted([*late, *map(self.running, self._cells)], key=lambda quarter: quarter.start)

    def _begin(self, time: float) -> int:
        """Let the first open quarter-hour be that of the first sign of life, or of a clock that was set back."""
        if self._next is None:
            self._next = quarter_start(time)
        elif time < self._next - LATENESS:
            end, self._next = self._next, quarter_start(time)
            for start in range(self._next, min(end, self._next + REMEMBERED), QUARTER):
                self._cell(start).again = True
        return self._next

    def _cell(self, start: int) -> _Cell:
        return self._cells.setdefault(start, _Cell())

    def _supplement(self, start: int) -> QuarterHour | None:
        """Return what was told late of a quarter-hour; None if it is no whole Wh."""
        told = self._late.pop(start)
        whole = [self._whole(series, told[series]) if series in told else None for series in range(3)]
        offtake, injection, production = whole
        return QuarterHour(start, offtake, injection, production, Quality.ESTIMATED) if any(whole) else None

    def _whole(self, series: int, energy: float) -> int:
        """Return the whole Wh of some energy and of what was left before, and keep what is left now."""
        energy += self._remainder[series]
        whole = math.floor(energy + _ALMOST)
        self._remainder[series] = max(energy - whole, 0.0)
        return whole

    def _finish(self, start: int, cell: _Cell) -> QuarterHour:
        silent = {side for side in self._sides if cell.unknown.get(side, 0.0) >= QUARTER - _ALMOST}
        # An inverter that sleeps takes nothing from what the grid's meter told: of the roof nothing is known, and said.
        judged = self._sides - (silent & {Role.PRODUCTION}) or self._sides
        quality = max((self._judge(side, cell) for side in judged), key=list(Quality).index)
        for side in self._integrated:
            covered = cell.known(side)
            if ESTIMATED_SHARE * QUARTER <= covered < QUARTER:
                for series in _SERIES[side]:
                    cell.energy[series] = cell.energy.get(series, 0.0) * QUARTER / covered
        whole: list[int | None] = [None, None, None]
        for side in self._sides:
            for series in _SERIES[side]:
                if side not in silent or cell.energy.get(series):
                    whole[series] = self._whole(series, cell.energy.get(series, 0.0))
        offtake, injection, production = whole
        return QuarterHour(start, offtake, injection, production, quality)

    def _judge(self, side: Role, cell: _Cell) -> Quality:
        if cell.known(side) >= MEASURED_SHARE * QUARTER and not cell.again:
            return Quality.MEASURED
        known = QUARTER - cell.unknown.get(side, 0.0)
        return Quality.ESTIMATED if known >= ESTIMATED_SHARE * QUARTER else Quality.MISSING

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "next": self._next,
            "known": dict(self._known),
            "remainder": list(self._remainder),
            "late": {str(start): _numbered(told) for start, told in self._late.items()},
            "cells": {
                str(start): [_numbered(cell.energy), cell.covered, cell.unknown, cell.again]
                for start, cell in self._cells.items()
            },
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take back what `as_dict` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is something else.
        """
        cells = {
            int(start): _Cell(_numbers(energy), dict(covered), dict(unknown), bool(again))
            for start, (energy, covered, unknown, again) in data["cells"].items()
        }
        self._late = {int(start): _numbers(told) for start, told in data["late"].items()}
        self._remainder = [float(part) for part in data["remainder"]]
        self._known = {side: time for side, time in data["known"].items() if Role(side) in self._sides}
        self._next, self._cells = data["next"], cells


def _shares(since: float, until: float) -> Iterator[tuple[int, float]]:
    """Yield the quarter-hours of a stretch with the share of it that falls into each."""
    if since == until:
        yield quarter_start(until), 1.0
    begin = since
    while begin < until:
        start = quarter_start(begin)
        end = min(until, start + QUARTER)
        yield start, (end - begin) / (until - since)
        begin = end


def _numbered(energy: Mapping[int, float]) -> dict[str, float]:
    """JSON knows no numbers as keys."""
    return {str(series): wh for series, wh in energy.items()}


def _numbers(energy: Mapping[str, float]) -> dict[int, float]:
    return {int(series): float(wh) for series, wh in energy.items()}
