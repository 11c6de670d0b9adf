"""Tables of a grid operator: a row for each quarter-hour and access point, or for each of its registers."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import pairwise
import re
from typing import Final
from zoneinfo import ZoneInfo

from .history import History, Problem, ProblemKind
from .quarter_hour import QUARTER, Quality
from .readings_cells import Cell, NumberedRow, Stamp, is_empty, plain, read_stamp, shorten, text
from .readings_header import Header, Layout
from .readings_numbers import NumberColumn, NumberError
from .readings_series import UNKNOWN, Clock, Energies, Entry, Series, commonest_step
from .readings_words import ENERGIES, FACTORS, SUMS, TIMES, UNITS, Kind, quality_of, unit_of

_HOUR: Final = 3600
_LAST: Final = timedelta(hours=23, minutes=45)
_ANY_DAY: Final = date(2000, 1, 1)
_MIDNIGHT: Final = re.compile(r"(?:^|[T\s])(24|00?)[:hu]00")
_SAMPLE: Final = 10
"""So many rows tell whether a column holds times or only days."""
_STAMPS: Final = "2026-12-31 23:45"
_OFFTAKE: Final = ("afname", "prelev", "soutir", "consomm", "offtake", "bezug", "verbruik")
_INJECTION: Final = ("injecti", "einspeis", "teruglever")
_REACTIVE: Final = ("reacti", "inducti", "capaciti", "blind")


class TableReader:
    """Reads the rows below a heading.

    Parameters
    ----------
    header
        The heading.
    zone
        Of times that say nothing of it.
    now
        Nothing later than this [s, Unix] can have been measured.
    """

    def __init__(self, header: Header, *, zone: ZoneInfo, now: float) -> None:
        self._header = header
        self._columns = header.columns
        self._zone = zone
        self._now = now
        self._problems: list[Problem] = []
        self._states: set[str] = set()
        self._numbers: dict[Kind, NumberColumn] = {}
        self._units: dict[Kind, str | None] = {}
        self._unread: Counter[str] = Counter()
        self._ends_day = False

    def read(self, rows: Sequence[NumberedRow], eans: Sequence[str]) -> History:
        """Return the history that the rows hold."""
        header, layout = self._header, self._header.layout
        self._take_ends(rows)
        kinds = [kind for kind in self._columns if kind in ENERGIES or kind is Kind.VOLUME]
        rows = self._take_units(rows, kinds)
        for kind in kinds:
            unit = self._units.get(kind) or header.unit(kind)
            self._units[kind] = unit
            columns = header.columns_of(kind)
            cells = [row[column] for _, row in rows for column in columns if column < len(row)]
            self._numbers[kind] = NumberColumn(cells, whole=self._is_small(unit, rows))
        energies = self._energies_of_register if layout is Layout.REGISTERS else self._energies_of_row
        notes = {str(kind): header.name(kind) for kind in kinds}
        if Kind.UNIT not in self._columns and (unknown := [k for k in kinds if not self._units[k]]):
            self._problem(ProblemKind.UNKNOWN_UNIT, header.line, header.name(unknown[0]), UNITS)
            return Series(self._zone, self._now).finish(
                rows=len(rows), layout=str(layout), problems=self._problems, eans=eans, notes=notes
            )
        entries = [entry for line, row in rows if (entry := self._entry(line, row, energies))]
        clock, series = Clock(self._zone), Series(self._zone, self._now)
        late = 0 if Kind.START in self._columns else QUARTER
        points = [(stamp - late, entry) for stamp, entry in clock.read(entries)]
        if (step := commonest_step(start for start, _ in points if start + QUARTER <= self._now)) != QUARTER:
            found = f"{step // 60} min" if step <= _HOUR else f"{step // _HOUR} h"
            self._problem(ProblemKind.NOT_A_QUARTER_HOUR, points[0][1].line, found, "15 min")
            points = []
        # Where registers are added, the others are too little without one that cannot be used.
        is_sum = bool({Kind.REGISTER, Kind.METER} & self._columns.keys())
        for start, entry in points:
            if entry.energies != UNKNOWN:
                series.add(start, entry)
            elif entry.quality is Quality.MISSING and is_sum:
                series.spoil(start, entry.line)
            else:
                series.note(start, entry.line)
        if unread := [*header.unread, *(f"{name} ({count})" for name, count in self._unread.items())]:
            notes["unread"] = ", ".join(unread)
        return series.finish(
            rows=len(rows),
            layout=str(layout),
            problems=[*self._problems, *clock.problems],
            unsure=clock.unsure,
            eans=eans,
            notes=notes,
        )

    def _take_ends(self, rows: Sequence[NumberedRow]) -> None:
        """Take times that are not called so for the ends of their quarter-hours, where only these are written so."""
        columns = dict(self._columns)
        day, clock = columns.get(Kind.START), columns.get(Kind.START_TIME)
        if day is None or Kind.END in columns or not rows:
            return
        if clock is None and Kind.END_TIME in columns:
            # A day beside the time at which its quarter-hours end; a time of its own would be their beginning.
            if any(read_stamp(self._cell(row, day)) for _, row in rows[:_SAMPLE]):
                return
            self._ends_day = any(self._is_midnight_of_day(*two) for two in pairwise(rows))
        elif clock is not None and Kind.END_TIME in columns:
            return
        else:
            told = {_midnight(self._cell(row, day if clock is None else clock)) for _, row in rows}
            if told & {"24", "0"} != {"24"}:
                return
        columns[Kind.END] = columns.pop(Kind.START)
        if clock is not None:
            columns[Kind.END_TIME] = columns.pop(Kind.START_TIME)
        self._columns = columns

    def _is_midnight_of_day(self, one: NumberedRow, other: NumberedRow) -> bool:
        """Whether 00:00 stands beside 23:45 of the same day, so that it is the end of that day."""
        day, clock = self._columns[Kind.START], self._columns[Kind.END_TIME]
        stamps = [read_stamp(self._cell(row, day), self._cell(row, clock)) for _, row in (one, other)]
        times = sorted(stamp.clock for stamp in stamps if stamp)
        return len(times) == len(stamps) and times[0].time() == time.min and times[1] - times[0] == _LAST

    def _take_units(self, rows: Sequence[NumberedRow], kinds: Iterable[Kind]) -> Sequence[NumberedRow]:
        """Take the units from the row beneath the heading, if that is what it holds."""
        if not rows:
            return rows
        _, first = rows[0]
        cells = {k: first[c] for k in kinds if (c := self._columns[k]) < len(first)}
        # A unit alone in its cell: a number beside it would be a reading, and a word another heading.
        if not any(map(unit_of, cells.values())) or any(len(plain(text(cell)).split()) > 1 for cell in cells.values()):
            return rows
        units = {kind: unit_of(cell) for kind, cell in cells.items()}
        self._units = units
        return rows[1:]

    def _is_small(self, unit: str | None, rows: Sequence[NumberedRow]) -> bool:
        column = self._columns.get(Kind.UNIT)
        if column is not None and rows:
            unit = unit_of(self._cell(rows[0][1], column))
        return unit in ("wh", "w")

    def _entry(self, line: int, row: Sequence[Cell], energies: Callable[[Sequence[Cell]], Energies]) -> Entry | None:
        used = (kind for kind in self._columns if kind in TIMES or kind in ENERGIES or kind is Kind.VOLUME)
        if len(row) <= max(max(self._header.parts.get(kind, ()), default=self._columns[kind]) for kind in used):
            self._problem(ProblemKind.TOO_FEW_CELLS, line, str(len(row)), str(len(self._header.cells)))
            return None
        kind = Kind.START if Kind.START in self._columns else Kind.END
        stamp = self._stamp(row, kind)
        if stamp is None:
            self._problem(ProblemKind.NOT_A_TIME, line, row[self._columns[kind]], _STAMPS)
            return None
        if kind is Kind.START and not self._is_quarter_hour(row, stamp, line):
            return None
        without = Entry(line, self._part(row), stamp, UNKNOWN, Quality.MISSING)
        try:
            entry = replace(without, energies=energies(row))
        except _CellError as error:
            # The line stands for its quarter-hour all the same: it is wrong, but not absent.
            self._problem(error.kind, line, error.found, error.accepted)
            return without
        if entry.energies == UNKNOWN:
            return replace(entry, quality=Quality.MEASURED)
        quality = self._quality(row, line)
        # A value of which its own table says that it is missing is none: mostly it is a zero.
        return without if quality is Quality.MISSING else replace(entry, quality=quality)

    def _stamp(self, row: Sequence[Cell], kind: Kind) -> Stamp | None:
        clock = self._columns.get(Kind.START_TIME if kind is Kind.START else Kind.END_TIME)
        stamp = read_stamp(row[self._columns[kind]], None if clock is None else self._cell(row, clock))
        if stamp and self._ends_day and stamp.clock.time() == time.min:
            stamp = Stamp(stamp.clock + timedelta(days=1), stamp.offset)
        if stamp and stamp.offset is None:
            return Stamp(stamp.clock, self._header.offset)
        return stamp

    def _end(self, row: Sequence[Cell], start: Stamp) -> Stamp | None:
        if Kind.END in self._columns:
            return self._stamp(row, Kind.END)
        clock = self._columns.get(Kind.END_TIME)
        end = None if clock is None else read_stamp(start.clock.date(), self._cell(row, clock))
        if end is None:
            return None
        midnight = end.clock.time() == time.min and end.clock <= start.clock
        return Stamp(end.clock + timedelta(days=midnight), start.offset if end.offset is None else end.offset)

    def _is_quarter_hour(self, row: Sequence[Cell], stamp: Stamp, line: int) -> bool:
        end = self._end(row, stamp)
        if end is None:
            return True
        seconds = (end.clock - stamp.clock).total_seconds() - (end.offset or 0) + (stamp.offset or 0)
        # Over a change of the clocks local times are an hour further apart, or nearer.
        if seconds == QUARTER or (stamp.offset is None and seconds in (QUARTER + _HOUR, QUARTER - _HOUR)):
            return True
        found = f"{stamp.clock:%Y-%m-%d %H:%M} - {end.clock:%Y-%m-%d %H:%M}"
        self._problem(ProblemKind.NOT_A_QUARTER_HOUR, line, found, "15 min")
        return False

    def _part(self, row: Sequence[Cell]) -> str:
        kinds = (Kind.EAN, Kind.REGISTER, Kind.METER)
        return "|".join(text(self._cell(row, self._columns[kind])) for kind in kinds if kind in self._columns)

    def _energies_of_row(self, row: Sequence[Cell]) -> Energies:
        offtake = self._sum(row, Kind.OFFTAKE, (Kind.SHARED, Kind.RESIDUAL))
        injection = self._sum(row, Kind.INJECTION, (Kind.SHARED_INJECTION, Kind.RESIDUAL_INJECTION))
        return offtake, injection, self._energy(row, Kind.PRODUCTION)

    def _sum(self, row: Sequence[Cell], whole: Kind, parts: tuple[Kind, Kind]) -> Decimal | None:
        """Return an energy, or the sum of its parts if only these are known."""
        energy = self._energy(row, whole)
        if energy is not None:
            return energy
        first, second = (self._energy(row, part) for part in parts)
        return None if first is None or second is None else first + second

    def _energies_of_register(self, row: Sequence[Cell]) -> Energies:
        name = text(row[self._columns[Kind.REGISTER]])
        register = plain(name)
        if any(stem in register for stem in _REACTIVE):
            self._unread[name] += 1
            return UNKNOWN
        if any(stem in register for stem in _OFFTAKE):
            return self._energy(row, Kind.VOLUME), None, None
        if any(stem in register for stem in _INJECTION):
            return None, self._energy(row, Kind.VOLUME), None
        self._unread[name] += 1
        return UNKNOWN

    def _energy(self, row: Sequence[Cell], kind: Kind) -> Decimal | None:
        if kind not in self._columns:
            return None
        parts = [self._part_of(kind, row, column) for column in self._header.columns_of(kind)]
        known = [part for part in parts if part is not None]
        return sum(known, Decimal(0)) if len(known) == len(parts) else None

    def _part_of(self, kind: Kind, row: Sequence[Cell], column: int) -> Decimal | None:
        if is_empty(row[column]):
            return None
        unit = self._units[kind]
        if unit is None:
            of_row = self._cell(row, self._columns[Kind.UNIT])
            unit = unit_of(of_row)
            if unit is None:
                raise _CellError(ProblemKind.UNKNOWN_UNIT, of_row, UNITS)
        try:
            number = self._numbers[kind].read(row[column])
        except NumberError as error:
            raise _CellError(error.kind, row[column]) from error
        if number is not None and number < 0:
            raise _CellError(ProblemKind.NEGATIVE, row[column], "≥ 0")
        return None if number is None else abs(number) * FACTORS[unit]

    def _quality(self, row: Sequence[Cell], line: int) -> Quality:
        column = self._columns.get(Kind.QUALITY)
        state = None if column is None else self._cell(row, column)
        quality = quality_of(state)
        if quality is None:
            if (word := text(state)) not in self._states:
                self._states.add(word)
                self._problem(ProblemKind.UNKNOWN_QUALITY, line, word, ", ".join(Quality))
            return Quality.ESTIMATED
        return quality

    def _cell(self, row: Sequence[Cell], column: int) -> Cell:
        return row[column] if column < len(row) else None

    def _problem(self, kind: ProblemKind, line: int, found: Cell, accepted: str = "") -> None:
        self._problems.append(Problem(kind, str(line), shorten(found), accepted))


class _CellError(Exception):
    """A cell of a row that cannot be used."""

    def __init__(self, kind: ProblemKind, found: Cell, accepted: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.found = found
        self.accepted = accepted


def eans_of(header: Header, rows: Iterable[NumberedRow]) -> Mapping[str, list[NumberedRow]]:
    """Return the rows by access point, in the order in which these appear; under "" where no column tells it."""
    column = header.columns.get(Kind.EAN)
    found: dict[str, list[NumberedRow]] = {}
    for line, row in rows:
        if all(is_empty(cell) for cell in row) or _is_sum(row):
            continue
        ean = text(row[column]) if column is not None and column < len(row) else ""
        found.setdefault("".join(ean.split()), []).append((line, row))
    return found


def _midnight(cell: Cell) -> str | None:
    """Return whether a cell says 0 or 24 o'clock; None if it says another time, or none."""
    if isinstance(cell, str):
        found = _MIDNIGHT.search(cell)
        return None if found is None else found[1].lstrip("0") or "0"
    told = read_stamp(_ANY_DAY, cell)
    if told is None or told.clock.time() != time.min:
        return None
    return "24" if told.clock.date() != _ANY_DAY else "0"


def _is_sum(row: Sequence[Cell]) -> bool:
    first = plain(next(text(cell) for cell in row if not is_empty(cell)))
    return first.startswith(SUMS) and not any(read_stamp(cell) for cell in row)
