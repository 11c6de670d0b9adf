"""Reads the tables in which grid operators and programs hand out past quarter-hours.

Four layouts are told apart by their heading, in French, Dutch, English or German: our own (`timestamp_utc, ean,
offtake_wh, injection_wh, quality`, and `production_wh` if there is one), a grid operator's table with a row for each
quarter-hour and access point, one with a row for each register, and the French load curve.
"""

from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

from .history import History, HistoryError, Problem, ProblemKind
from .readings_cells import NumberedRow, shorten
from .readings_header import Layout, find_header
from .readings_load_curve import LoadCurveReader
from .readings_table import TableReader, eans_of


def read_rows(
    rows: Iterable[NumberedRow], *, zone: ZoneInfo, now: float, ean: str | Collection[str] | None = None
) -> History:
    """Read a table.

    Parameters
    ----------
    rows
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
    numbered = list(rows)
    header = find_header(numbered)
    if header is None:
        raise HistoryError("no_readings")
    below = [(line, row) for line, row in numbered if line > header.line]
    if not header.is_complete:
        missing = "timestamp" if header.layout else "kWh"
        found = " ".join(shorten(cell) for cell in header.cells)
        problem = Problem(ProblemKind.MISSING_COLUMN, str(header.line), shorten(found), missing)
        return History(quarter_hours=[], rows=len(below), problems=[problem])
    if not below:
        raise HistoryError("no_rows")
    by_ean = eans_of(header, below)
    eans = [name for name in by_ean if name]
    if ean is None and len(eans) > 1:
        rows_in_all = sum(map(len, by_ean.values()))
        return History(quarter_hours=[], rows=rows_in_all, eans=tuple(eans), format=header.layout or "")
    wanted = set(by_ean) if ean is None or not eans else {ean} if isinstance(ean, str) else set(ean)
    chosen = sorted((row for name in by_ean if name in wanted for row in by_ean[name]), key=lambda row: row[0])
    reader = LoadCurveReader if header.layout is Layout.LOAD_CURVE else TableReader
    return reader(header, zone=zone, now=now).read(chosen, eans)
