"""Reads the tables in which an organiser gives the coefficients of each quarter-hour.

Two layouts are told apart by their heading: long, with a row for each quarter-hour and member (`timestamp_utc, member,
coefficient`), and wide, with a row for each quarter-hour and a column for each member, under its code. Either may have
a column `producer`. Coefficients are percent of the production.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from .coefficients import ALL_PRODUCERS, WHOLE, is_by_producer, percent
from .community import Member, Rules
from .history import HistoryError, Problem, ProblemKind, gaps
from .quarter_hour import QUARTER, Span, day_of
from .readings_cells import Cell, NumberedRow, is_empty, plain, read_stamp, shorten, text
from .readings_header import PREAMBLE
from .readings_numbers import NumberColumn, NumberError
from .readings_words import Kind, kind_of, offset_of

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a cell's clock, of which the offset stands beside it
_MEMBER: Final = frozenset(
    {
        "member", "membre", "lid", "mitglied", "consumer", "consommateur", "verbruiker", "verbraucher", "participant",
        "deelnemer", "teilnehmer", "code",
    }
)  # fmt: skip
_PRODUCER: Final = frozenset(
    {"producer", "producteur", "producent", "erzeuger", "produzent", "injector", "injecteur", "einspeiser"}
)
_COEFFICIENT: Final = frozenset({"coefficient", "coefficients", "coefficienten", "koeffizient", "koeffizienten"})
_STAMPS: Final = "2026-12-31T23:45:00Z"
_GRID: Final = ":00, :15, :30, :45"
_PARTS_OF_A_PERCENT: Final = WHOLE // 100


@dataclass(frozen=True, slots=True)
class CoefficientFile:
    """What a file holds, and what is wrong with it; where anything is wrong nothing of it is to be kept.

    Parameters
    ----------
    given
        Parts of `coefficients.WHOLE` by quarter-hour, producer and member.
    rows
        How many rows stand below the heading.
    problems
        What is wrong, and where.
    unlisted
        Codes of the members who have no coefficient in some quarter-hour in which they belong: they get nothing then.
    """

    given: Mapping[int, Mapping[str, Mapping[str, int]]]
    rows: int
    problems: Sequence[Problem] = ()
    unlisted: Sequence[str] = ()


class CoefficientSummary(NamedTuple):
    """What is to be known of a file of coefficients before it is taken.

    Parameters
    ----------
    quarter_hours
        For how many it has coefficients.
    span
        From the first of them to the last.
    gaps
        Where it says nothing in between.
    least, most
        The smallest and the largest sum of a quarter-hour (of a producer), parts of `coefficients.WHOLE`.
    by_producer
        Whether some are given for each producer apart.
    """

    quarter_hours: int
    span: Span | None
    gaps: Sequence[Span]
    least: int
    most: int
    by_producer: bool


def sum_up(file: CoefficientFile) -> CoefficientSummary:
    """Sum up what a file of coefficients holds."""
    starts = sorted(file.given)
    sums = [sum(parts.values()) for of_quarter in file.given.values() for parts in of_quarter.values()]
    return CoefficientSummary(
        len(starts),
        Span(starts[0], starts[-1] + QUARTER) if starts else None,
        list(gaps(starts)),
        min(sums, default=0),
        max(sums, default=0),
        any(is_by_producer(of_quarter) for of_quarter in file.given.values()),
    )


@dataclass(frozen=True, slots=True)
class _Heading:
    """In which column what is found; in a wide table `members` holds the codes by column."""

    line: int
    cells: Sequence[Cell]
    time: int
    producer: int | None
    member: int | None
    coefficient: int | None
    members: Mapping[int, str]

    @property
    def offset(self) -> int | None:
        """How far [s] its times are ahead of UTC unless they say otherwise; None if it says nothing of it."""
        return offset_of(self.cells[self.time])

    @property
    def lacking(self) -> str | None:
        """The name of a column without which nothing can be read; None if there are all."""
        if self.coefficient is None:
            return None if self.members else "coefficient"
        return "member" if self.member is None else None


def read_coefficients(rows: Sequence[NumberedRow], rules: Rules) -> CoefficientFile:
    """Read a table of coefficients.

    Parameters
    ----------
    rows
        Its lines with their number and cells.
    rules
        Who belongs to the community when.

    Raises
    ------
    HistoryError
        When it has no heading that tells a time and members, or no row below it.
    """
    heading = _find_heading(rows, rules)
    below = [row for row in rows if row[0] > heading.line and any(not is_empty(cell) for cell in row[1])]
    if not below:
        raise HistoryError("no_rows")
    return _Reader(heading, rules).read(below)


def _find_heading(rows: Sequence[NumberedRow], rules: Rules) -> _Heading:
    """Return the heading; one that has a time and names no member if there is no better one."""
    nearest: _Heading | None = None
    for line, cells in rows[:PREAMBLE]:
        heading = _heading_of(line, cells, rules)
        if heading is None:
            continue
        if heading.coefficient is not None or heading.members.keys() & _known(heading, rules):
            return heading
        nearest = nearest or heading
    if nearest is None:
        raise HistoryError("no_coefficients")
    return nearest


def _known(heading: _Heading, rules: Rules) -> set[int]:
    return {column for column, code in heading.members.items() if code in rules.consumers}


def _heading_of(line: int, cells: Sequence[Cell], rules: Rules) -> _Heading | None:
    codes = {*rules.consumers, *rules.producers}
    times: list[int] = []
    named: dict[str, int] = {}
    members: dict[int, str] = {}
    for column, cell in enumerate(cells):
        shown = text(cell)
        words = {*plain(shown).split()}
        if shown in codes:
            members[column] = shown
        elif not times and kind_of(cell) in (Kind.START, Kind.START_TIME):
            times.append(column)
        elif words & _COEFFICIENT:
            named.setdefault("coefficient", column)
        elif words & _PRODUCER:
            named.setdefault("producer", column)
        elif words & _MEMBER:
            named.setdefault("member", column)
        elif not is_empty(cell):
            members[column] = shown
    if not times or not (named or members):
        return None
    coefficient, producer, member = (named.get(name) for name in ("coefficient", "producer", "member"))
    return _Heading(line, cells, times[0], producer, member, coefficient, {} if coefficient is not None else members)


@dataclass
class _Reader:
    """Reads the rows below a heading."""

    heading: _Heading
    rules: Rules
    given: dict[int, dict[str, dict[str, int]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._consumers: dict[str, Member] = {each.code: each for each in self.rules.members if each.consumes}
        self._starts: dict[Cell, int | Problem] = {}
        self._lines: dict[tuple[int, str], int] = {}
        self._unknown: set[tuple[ProblemKind, str]] = set()

    def read(self, rows: Sequence[NumberedRow]) -> CoefficientFile:
        """Return what the rows hold."""
        heading = self.heading
        if lacking := heading.lacking:
            found = " · ".join(shorten(cell) for cell in heading.cells)
            self.problems.append(Problem(ProblemKind.MISSING_COLUMN, str(heading.line), found, lacking))
            return CoefficientFile({}, len(rows), self.problems)
        for column, code in heading.members.items():
            if code not in self._consumers:
                self._report(ProblemKind.UNKNOWN_MEMBER, heading.line, column, code, self._codes)
        columns = list(heading.members) if heading.coefficient is None else [heading.coefficient]
        numbers = NumberColumn(_bare(row[column]) for _, row in rows for column in columns if column < len(row))
        for line, row in rows:
            self._read_row(line, row, numbers)
        self._check_quarters()
        return CoefficientFile(self.given, len(rows), self.problems, self._unlisted())

    @property
    def _codes(self) -> str:
        return ", ".join(sorted(self._consumers))

    def _read_row(self, line: int, row: Sequence[Cell], numbers: NumberColumn) -> None:
        heading = self.heading
        fields = (heading.time, heading.producer, heading.member, heading.coefficient)
        needed = max([column for column in fields if column is not None] + list(heading.members), default=0)
        if len(row) <= needed:
            self._report(ProblemKind.TOO_FEW_CELLS, line, None, str(len(row)), str(needed + 1))
            return
        start = self._start(line, row[heading.time])
        producer = ALL_PRODUCERS if heading.producer is None else text(row[heading.producer])
        if producer != ALL_PRODUCERS and producer not in self.rules.producers:
            known = ", ".join(sorted(self.rules.producers)) or "-"
            self._report_once(ProblemKind.UNKNOWN_PRODUCER, line, heading.producer, producer, known)
            return
        for column, code in self._members(row):
            part = self._part(line, column, row[column], code, numbers)
            if code not in self._consumers:
                if heading.coefficient is not None:
                    self._report_once(ProblemKind.UNKNOWN_MEMBER, line, heading.member, code, self._codes)
            elif start is not None and part is not None:
                self._take(line, column, start, producer, code, part)

    def _members(self, row: Sequence[Cell]) -> Iterator[tuple[int, str]]:
        """Yield the columns of a row's coefficients, and whose they are."""
        heading = self.heading
        if heading.coefficient is not None and heading.member is not None:
            yield heading.coefficient, text(row[heading.member])
        else:
            yield from heading.members.items()

    def _take(self, line: int, column: int, start: int, producer: str, code: str, part: int) -> None:
        if part and not self._consumers[code].belongs(day_of(start, self.rules.zone)):
            self._report(ProblemKind.NOT_MEMBER_THEN, line, column, code, "0 %")
            return
        parts = self.given.setdefault(start, {}).setdefault(producer, {})
        if code in parts:
            found = f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%MZ} {producer} {code}".replace("  ", " ")
            self._report(ProblemKind.TWICE, line, column, found)
            return
        parts[code] = part
        self._lines[start, producer] = line

    def _start(self, line: int, cell: Cell) -> int | None:
        """Return the quarter-hour of a row [s, Unix]; in a long table most cells are alike."""
        found = self._starts.get(cell)
        if found is None:
            found = self._starts[cell] = self._read_start(cell)
        if isinstance(found, int):
            return found
        self._report(found.kind, line, self.heading.time, found.found, found.accepted)
        return None

    def _read_start(self, cell: Cell) -> int | Problem:
        stamp = read_stamp(cell)
        if stamp is None:
            return Problem(ProblemKind.NOT_A_TIME, "", shorten(cell), _STAMPS)
        offset = self.heading.offset if stamp.offset is None else stamp.offset
        if offset is None:
            return Problem(ProblemKind.NO_OFFSET, "", shorten(cell), f"{_STAMPS}, 2027-01-01T00:45:00+01:00")
        start = int((stamp.clock - _EPOCH).total_seconds()) - offset
        return Problem(ProblemKind.NOT_ON_GRID, "", shorten(cell), _GRID) if start % QUARTER else start

    def _part(self, line: int, column: int, cell: Cell, code: str, numbers: NumberColumn) -> int | None:
        try:
            number = numbers.read(_bare(cell))
        except NumberError as error:
            self._report(error.kind, line, column, cell)
            return None
        if number is None:
            self._report(ProblemKind.EMPTY_CELL, line, column, code)
            return None
        part = number * _PARTS_OF_A_PERCENT
        if part < 0:
            self._report(ProblemKind.BELOW_ZERO, line, column, cell, "0 %")
        elif part != part.to_integral_value():
            self._report(ProblemKind.TOO_FINE, line, column, cell, percent(int(part.to_integral_value())))
        else:
            return int(part)
        return None

    def _check_quarters(self) -> None:
        """Report where more than all is given away, or nobody can say of whose production."""
        for start, of_quarter in self.given.items():
            if not is_by_producer(of_quarter) and len(of_quarter) > 1:
                line = max(self._lines[start, producer] for producer in of_quarter)
                self._report(ProblemKind.MIXED_FORMS, line, self.heading.producer, _shown(start))
            for producer, parts in of_quarter.items():
                if (total := sum(parts.values())) > WHOLE:
                    found = f"{_shown(start)} {producer}".strip()
                    line = self._lines[start, producer]
                    self._report(ProblemKind.OVER_WHOLE, line, None, f"{found}: {percent(total)}", "100 %")

    def _unlisted(self) -> list[str]:
        """Return who belongs in some quarter-hour and has no coefficient in it."""
        looked_at: set[tuple[object, frozenset[str]]] = set()
        found: set[str] = set()
        for start, of_quarter in self.given.items():
            day = day_of(start, self.rules.zone)
            for parts in of_quarter.values():
                listed = frozenset(parts)
                if (day, listed) in looked_at:
                    continue
                looked_at.add((day, listed))
                present = (each for each in self._consumers.values() if each.belongs(day) and not each.vacant)
                found.update(each.code for each in present if each.code not in listed)
        return sorted(found)

    def _report_once(self, kind: ProblemKind, line: int, column: int | None, found: str, accepted: str) -> None:
        """Report the same code only where it first stands."""
        if (kind, found) not in self._unknown:
            self._unknown.add((kind, found))
            self._report(kind, line, column, found, accepted)

    def _report(self, kind: ProblemKind, line: int, column: int | None, found: Cell, accepted: str = "") -> None:
        name = "" if column is None else shorten(self.heading.cells[column])
        self.problems.append(Problem(kind, str(line), shorten(found), accepted, name))


def _shown(start: int) -> str:
    return f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%MZ}"


def _bare(cell: Cell) -> Cell:
    """Return a coefficient without its percent sign."""
    return text(cell).removesuffix("%").rstrip() if isinstance(cell, str) else cell
