"""Tables of a grid operator: a row for each quarter-hour and access point, or for each of its registers."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from .history import History, Problem, ProblemKind
from .quarter_hour import QUARTER, Quality
from .readings_cells import Cell, NumberedRow, Stamp, is_empty, plain, read_stamp, shorten, text
from .readings_header import Header, Layout
from .readings_numbers import NumberColumn, NumberError
from .readings_series import UNKNOWN, Clock, Energies, Entry, Series
from .readings_words import ENERGIES, FACTORS, SUMS, TIMES, UNITS, Kind, quality_of, unit_of

_HOUR: Final = 3600
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

    def read(self, rows: Sequence[NumberedRow], eans: Sequence[str]) -> History:
        """Return the history that the rows hold."""
        header, layout = self._header, self._header.layout
        kinds = [kind for kind in self._columns if kind in ENERGIES or kind is Kind.VOLUME]
        rows = self._take_units(rows, kinds)
        for kind in kinds:
            unit = self._units.get(kind) or header.unit(kind)
            self._units[kind] = unit
            column = self._columns[kind]
            cells = [row[column] for _, row in rows if column < len(row)]
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
        for time, entry in clock.read(entries):
            if entry.energies == UNKNOWN:
                series.note(time - late, entry.line)
            else:
                series.add(time - late, entry)
        if self._unread:
            notes["unread"] = ", ".join(f"{name} ({count})" for name, count in self._unread.items())
        return series.finish(
            rows=len(rows),
            layout=str(layout),
            problems=[*self._problems, *clock.problems],
            unsure=clock.unsure,
            eans=eans,
            notes=notes,
        )

    def _take_units(self, rows: Sequence[NumberedRow], kinds: Iterable[Kind]) -> Sequence[NumberedRow]:
        """Take the units from the row beneath the heading, if that is what it holds."""
        if not rows:
            return rows
        _, first = rows[0]
        units = {k: unit_of(first[c]) for k in kinds if (c := self._columns[k]) < len(first)}
        # A unit alone in its cell: a number beside it would be a reading.
        if not any(units.values()) or any(read_stamp(cell) for cell in first):
            return rows
        self._units = units
        return rows[1:]

    def _is_small(self, unit: str | None, rows: Sequence[NumberedRow]) -> bool:
        column = self._columns.get(Kind.UNIT)
        if column is not None and rows:
            unit = unit_of(self._cell(rows[0][1], column))
        return unit in ("wh", "w")

    def _entry(self, line: int, row: Sequence[Cell], energies: Callable[[Sequence[Cell]], Energies]) -> Entry | None:
        used = (kind for kind in self._columns if kind in TIMES or kind in ENERGIES or kind is Kind.VOLUME)
        if len(row) <= max(self._columns[kind] for kind in used):
            self._problem(ProblemKind.TOO_FEW_CELLS, line, str(len(row)), str(len(self._header.cells)))
            return None
        kind = Kind.START if Kind.START in self._columns else Kind.END
        stamp = self._stamp(row, kind)
        if stamp is None:
            self._problem(ProblemKind.NOT_A_TIME, line, row[self._columns[kind]], _STAMPS)
            return None
        if kind is Kind.START and Kind.END in self._columns and not self._is_quarter_hour(row, stamp, line):
            return None
        entry = Entry(line, self._part(row), stamp, UNKNOWN)
        try:
            entry = replace(entry, energies=energies(row))
        except _CellError as error:
            # The line stands for its quarter-hour all the same: it is wrong, but not absent.
            self._problem(error.kind, line, error.found, error.accepted)
            return entry
        if entry.energies == UNKNOWN:
            return entry
        return replace(entry, quality=self._quality(row, line))

    def _stamp(self, row: Sequence[Cell], kind: Kind) -> Stamp | None:
        clock = self._columns.get(Kind.START_TIME if kind is Kind.START else Kind.END_TIME)
        stamp = read_stamp(row[self._columns[kind]], None if clock is None else self._cell(row, clock))
        if stamp and stamp.offset is None and self._header.is_utc:
            return Stamp(stamp.clock, 0)
        return stamp

    def _is_quarter_hour(self, row: Sequence[Cell], stamp: Stamp, line: int) -> bool:
        end = self._stamp(row, Kind.END)
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
        column = self._columns.get(kind)
        if column is None or is_empty(row[column]):
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


def _is_sum(row: Sequence[Cell]) -> bool:
    first = plain(next(text(cell) for cell in row if not is_empty(cell)))
    return first.startswith(SUMS) and not any(read_stamp(cell) for cell in row)
