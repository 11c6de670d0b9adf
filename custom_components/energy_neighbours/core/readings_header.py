"""Finds the heading of a table of readings, below whatever a grid operator writes above it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .history import HistoryError
from .readings_cells import Cell, NumberedRow, is_empty, plain, shorten, text
from .readings_words import ENERGIES, TIMES, Kind, has_unit, is_part, kind_of, offset_of, rank_of, unit_of

PREAMBLE: Final = 60
"""The heading stands within so many lines that are not empty."""

HORODATE: Final = "horodate"
"""What only the French grid operator calls a time."""


class Layout(StrEnum):
    """The ways in which past readings come; each is a translation key."""

    GENERIC = "generic_csv"  # our own
    TABLE = "dso_table"  # a row for each quarter-hour and access point
    REGISTERS = "dso_registers"  # a row for each quarter-hour and register
    LOAD_CURVE = "load_curve"  # a row for each step of any length, with its mean power


@dataclass(frozen=True, slots=True)
class Header:
    """The heading of a table: in which column what is found, and what stood above it."""

    line: int
    cells: Sequence[Cell]
    columns: Mapping[Kind, int]
    preamble: Sequence[Sequence[Cell]]
    parts: Mapping[Kind, Sequence[int]] = field(default_factory=dict)
    """All columns of an energy that comes in parts, as by day and by night."""

    @property
    def is_complete(self) -> bool:
        """Whether it tells when and how much."""
        columns = self.columns.keys()
        return bool(columns & TIMES) and self.layout is not None

    @property
    def layout(self) -> Layout | None:
        """How its rows are to be read; None if it names no energy."""
        columns = self.columns.keys()
        if Kind.VOLUME in columns and Kind.REGISTER in columns:
            return Layout.REGISTERS
        if Kind.VOLUME in columns and any(HORODATE in plain(text(cell)) for cell in self.cells):
            return Layout.LOAD_CURVE
        if columns & (ENERGIES - {Kind.SHARED, Kind.RESIDUAL}) or {Kind.SHARED, Kind.RESIDUAL} <= columns:
            return Layout.TABLE if self.offset is None else Layout.GENERIC
        return None

    @property
    def offset(self) -> int | None:
        """How far [s] its times are ahead of UTC unless they say otherwise; None if it says nothing of it."""
        kinds = [kind for kind in (Kind.START, Kind.START_TIME, Kind.END) if kind in self.columns]
        return next((offset for kind in kinds if (offset := offset_of(self.name(kind))) is not None), None)

    @property
    def unread(self) -> Sequence[str]:
        """The headings of columns that hold an energy or a power, and are not read: gas, prices, a total of others."""
        tables = (Layout.TABLE, Layout.GENERIC)
        kinds = self.columns.keys() - ({Kind.VOLUME} if self.layout in tables else set())
        read = {column for kind in kinds for column in self.columns_of(kind)}
        names = (text(cell) for column, cell in enumerate(self.cells) if column not in read and has_unit(cell))
        return list(dict.fromkeys(names))

    def columns_of(self, kind: Kind) -> Sequence[int]:
        """Return the columns of an energy; more than one where it comes in parts."""
        return self.parts.get(kind) or [self.columns[kind]]

    def name(self, kind: Kind) -> str:
        """Return the heading of a column as it is written; of several, all."""
        return " + ".join(text(self.cells[column]) for column in self.columns_of(kind))

    def unit(self, kind: Kind) -> str | None:
        """Return the unit that the heading of a column names, in small letters."""
        return unit_of(self.cells[self.columns[kind]])

    def above(self, *names: str) -> str | None:
        """Return what the lines above the heading tell of something: beside its name, or beneath it."""
        for row, beneath in zip(self.preamble, [*self.preamble[1:], ()], strict=False):
            # A row of names over a row of values, or names and values by turns: names have no digits.
            is_head = not any(sign.isdigit() for cell in row for sign in text(cell))
            for column, cell in enumerate(row):
                if plain(text(cell)) in names:
                    values, place = (beneath, column) if is_head else (row, column + 1)
                    value = values[place] if place < len(values) else None
                    return None if is_empty(value) else text(value)
        return None


def find_header(rows: Iterable[NumberedRow]) -> Header | None:
    """Return the heading; None if none of the first rows looks like one.

    A row that names a time, but no energy, is returned if there is no better one: it lacks a column.
    """
    preamble: list[Sequence[Cell]] = []
    nearest: Header | None = None
    for line, cells in rows:
        if all(is_empty(cell) for cell in cells):
            continue
        columns = _columns(cells)
        header = Header(line, cells, columns, tuple(preamble), _parts(cells, columns))
        if header.is_complete:
            return header
        if nearest is None and len(header.columns) > 1 and (header.columns.keys() & (TIMES | ENERGIES)):
            nearest = header
        preamble.append(cells)
        if len(preamble) >= PREAMBLE:
            break
    return nearest


def _columns(cells: Sequence[Cell]) -> dict[Kind, int]:
    columns: dict[Kind, int] = {}
    for column, cell in enumerate(cells):
        if isinstance(cell, str) and (kind := kind_of(cell)) and not _is_told(cells, column):
            if kind not in columns or (kind in ENERGIES and rank_of(cell) > rank_of(cells[columns[kind]])):
                columns[kind] = column
            if HORODATE in plain(cell):
                columns[Kind.START] = column  # beside the days between which the curve was asked for
    if Kind.START_TIME in columns and Kind.START not in columns and Kind.END not in columns:
        columns[Kind.START] = columns.pop(Kind.START_TIME)  # day and time in one column called "time"
    return columns


def _is_told(cells: Sequence[Cell], column: int) -> bool:
    """Whether a value stands beside a name, as above the heading."""
    beside = cells[column + 1] if column + 1 < len(cells) else None
    return not is_empty(beside) and (not isinstance(beside, str) or not any(sign.isalpha() for sign in beside))


def _parts(cells: Sequence[Cell], columns: Mapping[Kind, int]) -> dict[Kind, Sequence[int]]:
    """Return the columns of energies that are to be added.

    Raises
    ------
    HistoryError
        When several columns hold the same energy, and nothing tells which is meant or that they are its parts.
    """
    found: dict[Kind, Sequence[int]] = {}
    for kind in ENERGIES & columns.keys():
        best = rank_of(cells[columns[kind]])
        alike = [
            n
            for n, cell in enumerate(cells)
            if isinstance(cell, str) and (kind_of(cell), rank_of(cell)) == (kind, best)
        ]
        if len(alike) > 1:
            names = [text(cells[column]) for column in alike]
            units = {unit_of(name) for name in names}
            if len(set(names)) < len(names) or len(units) > 1 or not all(map(is_part, names)):
                raise HistoryError("columns_twice", columns=" · ".join(map(shorten, names)))
            found[kind] = alike
    return found
