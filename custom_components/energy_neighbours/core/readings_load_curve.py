"""The French grid operator's load curve: mean power over steps of 5 to 60 minutes, stamped at their end.

The household's export has a few lines about the meter (PRM), then `Horodate;Valeur`: ISO times with their offset and
the mean power [W]; another has one table with columns for the step ("Pas": PT30M), the unit and the direction. A step
may change amid a file, and a value or a whole line may be absent. Source: files that their users published.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
import re
from typing import Final
from zoneinfo import ZoneInfo

from .history import History, Problem, ProblemKind
from .quarter_hour import QUARTER, Quality, Span, midnight, quarter_start
from .readings_cells import Cell, NumberedRow, Stamp, is_empty, plain, read_stamp, shorten, text
from .readings_header import Header, Layout
from .readings_numbers import NumberColumn, NumberError
from .readings_series import UNKNOWN, Clock, Entry, Series
from .readings_words import UNITS, Kind, quality_of, unit_of

STEPS: Final = (300, 600, 900, 1800, 3600)
"""Lengths of a step [s] that meters are set to."""
GRID: Final = 300
"""Every step begins at a multiple of this [s]."""
_HOUR: Final = 3600
_STEP: Final = re.compile(r"^(?:PT)?(\d{1,2})\s*(H?)", re.IGNORECASE)
_KILO: Final = {"w": 1, "kw": 1000, "wh": 1, "kwh": 1000}
_ACTIVE: Final = ("pa", "ea", "active", "puissance active", "energie active")
_INJECTION: Final = ("prod", "injecti")


@dataclass(slots=True)
class _Part:
    """What is known of one quarter-hour: the energy [Ws] of so many seconds, and whether a step was split for it."""

    line: int
    stamp: Stamp
    energy: Decimal = Decimal(0)
    covered: int = 0
    is_estimated: bool = False


class LoadCurveReader:
    """Reads the rows below a heading; steps longer than a quarter-hour are split evenly, and marked as estimated."""

    def __init__(self, header: Header, *, zone: ZoneInfo, now: float) -> None:
        self._header = header
        self._zone = zone
        self._now = now
        self._series = Series(zone, now)
        self._problems: list[Problem] = []
        self._step_of_line: dict[int, int] = {}

    def read(self, rows: Sequence[NumberedRow], eans: Sequence[str]) -> History:
        """Return the history that the rows hold."""
        curves: dict[bool, list[Entry]] = defaultdict(list)
        unit = unit_of(self._header.above("unite") or self._header.name(Kind.VOLUME))
        column = self._header.columns[Kind.VOLUME]
        numbers = NumberColumn([row[column] for _, row in rows if column < len(row)], whole=unit in ("w", "wh"))
        for line, row in rows:
            if entry := self._entry(line, row, numbers, unit):
                curves[self._is_injection(row)].append(entry)
        clock = Clock(self._zone)
        stamps = "end"
        for is_injection, entries in curves.items():
            points = self._points(clock.read(entries))
            if self._stamped_at_start(points, rows):
                stamps = "start"
            self._take(points, stamps, is_injection=is_injection)
        return self._series.finish(
            rows=len(rows),
            layout=Layout.LOAD_CURVE,
            problems=[*self._problems, *clock.problems],
            unsure=clock.unsure,
            eans=eans,
            notes={"stamps": stamps},
        )

    def _entry(self, line: int, row: Sequence[Cell], numbers: NumberColumn, unit: str | None) -> Entry | None:
        columns = self._header.columns
        if len(row) <= max(columns[Kind.START], columns[Kind.VOLUME]):
            self._problem(ProblemKind.TOO_FEW_CELLS, line, str(len(row)), str(len(self._header.cells)))
            return None
        physical = plain(text(self._cell(row, Kind.PHYSICAL))) or plain(self._header.above("grandeur physique") or "")
        if physical and not physical.endswith(_ACTIVE):
            return None  # reactive power, voltage
        stamp = read_stamp(row[columns[Kind.START]])
        if stamp is None:
            self._problem(ProblemKind.NOT_A_TIME, line, row[columns[Kind.START]], "2026-12-31T23:30:00+01:00")
            return None
        unit = unit_of(self._cell(row, Kind.UNIT)) or unit
        if unit not in _KILO:
            found = self._cell(row, Kind.UNIT) or self._header.name(Kind.VOLUME)
            self._problem(ProblemKind.UNKNOWN_UNIT, line, found, UNITS)
            return None
        if step := _step(self._cell(row, Kind.STEP)):
            self._step_of_line[line] = step
        try:
            value = numbers.read(row[columns[Kind.VOLUME]])
        except NumberError as error:
            self._problem(error.kind, line, row[columns[Kind.VOLUME]])
            value = None
        if value is not None and value < 0:
            self._problem(ProblemKind.NEGATIVE, line, row[columns[Kind.VOLUME]], "≥ 0")
            value = None
        # The unit decides whether the step's length still matters.
        quality = quality_of(self._cell(row, Kind.QUALITY)) or Quality.ESTIMATED
        value = None if value is None else abs(value) * _KILO[unit]
        return Entry(line, unit[-1], stamp, (value, None, None), quality)

    def _points(self, read: Iterable[tuple[int, Entry]]) -> dict[int, Entry]:
        """Return the entries by time, in order, each once."""
        points: dict[int, Entry] = {}
        wrong: set[int] = set()
        for time, entry in sorted(read, key=lambda point: point[0]):
            before = points.setdefault(time, entry)
            if before is entry:
                continue
            if before.energies == entry.energies:
                self._series.duplicates += 1
            else:
                wrong.add(time)
                self._problem(
                    ProblemKind.CONTRADICTION,
                    entry.line,
                    f"{entry.energies[0]}",
                    f"{before.energies[0]} ({before.line})",
                )
        return {time: replace(entry, energies=UNKNOWN) if time in wrong else entry for time, entry in points.items()}

    def _take(self, points: Mapping[int, Entry], stamps: str, *, is_injection: bool) -> None:
        """Cut the steps into quarter-hours, and keep those that are known from beginning to end."""
        parts: dict[int, _Part] = {}
        for (time, entry), length in zip(points.items(), self._lengths(points, stamps), strict=True):
            if length is None:
                self._problem(ProblemKind.NOT_A_QUARTER_HOUR, entry.line, _shown(entry), "5, 10, 15, 30, 60 min")
                continue
            step = Span(time - length, time) if stamps == "end" else Span(time, time + length)
            if step.start % GRID:
                self._problem(ProblemKind.NOT_ON_GRID, entry.line, _shown(entry), ":00, :05, :10 …")
            elif step.end > self._now:
                self._problem(ProblemKind.IN_FUTURE, entry.line, _shown(entry))
            else:
                self._cut(parts, step, entry)
        for start, part in parts.items():
            if part.covered != QUARTER:
                self._series.note(start, part.line)
                continue
            energy = part.energy / _HOUR
            energies = (None, energy, None) if is_injection else (energy, None, None)
            quality = Quality.ESTIMATED if part.is_estimated else Quality.MEASURED
            of_step = Entry(part.line, "injection" if is_injection else "offtake", part.stamp, energies, quality)
            self._series.add(start, of_step)

    def _cut(self, parts: dict[int, _Part], step: Span, entry: Entry) -> None:
        length, value = step.end - step.start, entry.energies[0]
        for start in range(quarter_start(step.start), step.end, QUARTER):
            part = parts.setdefault(start, _Part(entry.line, entry.stamp))
            if value is None:
                continue
            seconds = min(step.end, start + QUARTER) - max(step.start, start)
            power = value if entry.part == "w" else value * _HOUR / length
            part.energy += power * seconds
            part.covered += seconds
            part.is_estimated |= seconds != length or entry.quality is not Quality.MEASURED

    def _lengths(self, points: Mapping[int, Entry], stamps: str) -> list[int | None]:
        """Return the length of each step [s], as the file tells it or as its times do."""
        told = _step(self._header.above("pas en minutes", "pas"))
        guessed = _guess_lengths(list(points), stamps)
        return [
            self._step_of_line.get(entry.line) or told or guess
            for entry, guess in zip(points.values(), guessed, strict=True)
        ]

    def _stamped_at_start(self, points: Mapping[int, Entry], rows: Sequence[NumberedRow]) -> bool:
        """Whether steps are stamped with their beginning: the first as the period that was asked for, the last before.

        Where the last is stamped with the period's end, the first is only the end of a step before the period.
        """
        if not points or "fin de pas" in plain(self._header.name(Kind.START)):
            return False
        begin, end = self._asked("date de debut", rows), self._asked("date de fin", rows)
        first, last = min(points), max(points)
        # The last day is asked for with its own date, or with that of the day after.
        ends = {midnight(end + timedelta(days=days), self._zone) for days in (0, 1)} if end else set()
        return begin is not None and midnight(begin, self._zone) == first and last not in ends

    def _asked(self, name: str, rows: Sequence[NumberedRow]) -> date | None:
        """Return the day with which the period begins or ends that was asked for, if the file tells it."""
        column = next((i for i, c in enumerate(self._header.cells) if plain(text(c)) == name), None)
        cell: Cell = self._header.above(name)
        if column is not None and rows and column < len(rows[0][1]):
            cell = rows[0][1][column]
        day = read_stamp(cell, "00:00") or read_stamp(cell)
        return day.clock.date() if day else None

    def _is_injection(self, row: Sequence[Cell]) -> bool:
        told = plain(text(self._cell(row, Kind.DIRECTION)) or self._header.above("grandeur metier") or "")
        return any(stem in told for stem in _INJECTION)

    def _cell(self, row: Sequence[Cell], kind: Kind) -> Cell:
        column = self._header.columns.get(kind)
        return row[column] if column is not None and column < len(row) else None

    def _problem(self, kind: ProblemKind, line: int, found: Cell, accepted: str = "") -> None:
        self._problems.append(Problem(kind, str(line), shorten(found), accepted))


def _guess_lengths(times: Sequence[int], stamps: str) -> list[int | None]:
    """Tell the steps from the distance of their stamps; one distance unlike its neighbours is a hole, not a step."""
    between: list[int | None] = [b - a for a, b in pairwise(times)]
    own = [None, *between] if stamps == "end" else [*between, None]
    lengths: list[int | None] = []
    for place, length in enumerate(own[: len(times)]):
        beside = [*own[max(place - 1, 0) : place], *own[place + 1 : place + 2]]
        if length in STEPS and length in beside:
            lengths.append(length)
        else:
            lengths.append(min((step for step in (*beside, length) if step in STEPS), default=None))
    return lengths


def _step(written: Cell) -> int | None:
    found = None if is_empty(written) else _STEP.match(text(written))
    if not found:
        return None
    seconds = int(found[1]) * (_HOUR if found[2] else 60)
    return seconds if seconds in STEPS else None


def _shown(entry: Entry) -> str:
    return f"{entry.stamp.clock:%Y-%m-%d %H:%M:%S}"
