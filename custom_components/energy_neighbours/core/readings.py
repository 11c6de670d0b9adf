"""Reads the tables in which grid operators and programs hand out past quarter-hours.

Four layouts are told apart by their heading, in French, Dutch, English or German: our own (`timestamp_utc, ean,
offtake_wh, injection_wh, quality`, and `production_wh` if there is one), a grid operator's table with a row for each
quarter-hour and access point, one with a row for each register, and the French load curve.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .histories import add_access_points, join_tables
from .history import History, HistoryError, Problem, ProblemKind
from .readings_cells import NumberedRow, read_stamp, shorten
from .readings_header import Header, Layout, find_header
from .readings_load_curve import LoadCurveReader
from .readings_table import TableReader, eans_of
from .readings_words import Kind


class Table(NamedTuple):
    """A sheet of a spreadsheet with its name, or all of another file."""

    name: str
    rows: Sequence[NumberedRow]


def read_rows(
    rows: Iterable[NumberedRow], *, zone: ZoneInfo, now: float, ean: str | Collection[str] | None = None
) -> History:
    """Read the only table of a file; see `read_tables`."""
    return read_tables([Table("", list(rows))], zone=zone, now=now, ean=ean)


def read_tables(
    tables: Iterable[Table], *, zone: ZoneInfo, now: float, ean: str | Collection[str] | None = None
) -> History:
    """Read all tables of a file that have a heading, as those of several months, or of offtake and injection.

    Parameters
    ----------
    tables
        Lines with their number and cells.
    zone
        Of times that are not said to be in UTC or another offset.
    now
        Time of reading [s, Unix]: nothing later can have been measured.
    ean
        The access point whose quarter-hours are wanted, or several whose energies are added, as where offtake and
        injection have a number each. None: the only one that there is; of several none, they are only named.

    Returns
    -------
    History
        The quarter-hours in order, and what is wrong with the rest of the rows.

    Raises
    ------
    HistoryError
        When no heading tells what the columns hold.
    """
    found, incomplete = _with_heading(tables)
    if not found:
        return incomplete[0].lacking()
    eans = list(dict.fromkeys(name for table in found for name in table.rows if name))
    if ean is None and len(eans) > 1:
        rows = sum(len(of_one) for table in found for of_one in table.rows.values())
        return History(quarter_hours=[], rows=rows, eans=tuple(eans), format=found[0].header.layout or "")
    wanted = [""] if not eans else eans if ean is None else [ean] if isinstance(ean, str) else list(dict.fromkeys(ean))
    problems = [problem for table in found for problem in table.settle(eans)]
    by_ean: dict[str, History] = {}
    for name in wanted:
        by_table: dict[str, History] = {}
        for table in [table for table in found if table.rows.get(name)] or found[:1]:
            reader = LoadCurveReader if table.header.layout is Layout.LOAD_CURVE else TableReader
            history = reader(table.header, zone=zone, now=now).read(table.rows.get(name, []), eans)
            where = table.name if len(found) > 1 else ""
            by_table[table.name] = replace(history, problems=[_placed(problem, where) for problem in history.problems])
        by_ean[name] = join_tables(by_table)
    history = add_access_points(by_ean) if len(by_ean) > 1 else by_ean[wanted[0]]
    notes = dict(history.notes)
    if incomplete:
        notes["unread"] = ", ".join([*filter(None, [notes.get("unread")]), *(table.name for table in incomplete)])
    return replace(history, problems=[*problems, *history.problems], notes=notes)


@dataclass(slots=True)
class _Found:
    """A table with a heading, and its rows by access point; under "" those that name none."""

    name: str
    header: Header
    rows: dict[str, list[NumberedRow]]
    below: int

    def lacking(self) -> History:
        """Return what is to be said of a heading that does not tell when or how much."""
        missing = "timestamp" if self.header.layout else "kWh"
        found = " ".join(shorten(cell) for cell in self.header.cells)
        problem = Problem(ProblemKind.MISSING_COLUMN, str(self.header.line), shorten(found), missing)
        return History(quarter_hours=[], rows=self.below, problems=[problem])

    def settle(self, eans: Sequence[str]) -> Iterable[Problem]:
        """Decide to whom the rows belong that name no access point, if others of the file do."""
        nameless = self.rows.pop("", [])
        if not self.rows and len(eans) <= 1:
            self.rows[eans[0] if eans else ""] = nameless
            return
        if nameless and nameless[0][0] == self.header.line + 1 and not self._has_time(nameless[0]):
            for rows in self.rows.values():  # the units beneath the heading are everybody's
                rows.insert(0, nameless[0])
        if lost := [row for row in nameless if self._has_time(row)]:
            where = f"{self.name} {lost[0][0]}".strip()
            yield Problem(ProblemKind.NO_ACCESS_POINT, where, str(len(lost)))

    def _has_time(self, numbered: NumberedRow) -> bool:
        row = numbered[1]
        columns = [self.header.columns[kind] for kind in (Kind.START, Kind.END) if kind in self.header.columns]
        cells = [row[column] for column in columns if column < len(row)]
        return any(read_stamp(cell) or read_stamp(cell, "00:00") for cell in cells)


def _with_heading(tables: Iterable[Table]) -> tuple[list[_Found], list[_Found]]:
    """Return the tables that can be read, and those whose heading lacks a column.

    Raises
    ------
    HistoryError
        When there are neither.
    """
    complete: list[_Found] = []
    incomplete: list[_Found] = []
    refused = "no_readings"
    for name, rows in tables:
        header = find_header(rows)
        if header is None:
            continue
        below = [(line, row) for line, row in rows if line > header.line]
        if not header.is_complete:
            incomplete.append(_Found(name, header, {}, len(below)))
        elif not below:
            refused = "no_rows"
        else:
            complete.append(_Found(name, header, dict(eans_of(header, below)), len(below)))
    if not complete and (refused == "no_rows" or not incomplete):
        raise HistoryError(refused)
    return complete, incomplete


def _placed(problem: Problem, table: str) -> Problem:
    return replace(problem, where=f"{table} {problem.where}") if table else problem
