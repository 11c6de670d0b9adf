"""Bands of many quarter-hours at once: a table of one byte each, made once for the years that are asked for."""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from .band_grid import BandGrid, DayType, Holidays
from .quarter_hour import QUARTER, Span
from .wall_clock import steady_times, year_start

_DAY: Final = 86_400
_UNIX_EPOCH: Final = date(1970, 1, 1).toordinal()
_PER_DAY: Final = _DAY // QUARTER


def classify_quarters(grid: BandGrid, starts: np.ndarray, zone: ZoneInfo, holidays: Holidays) -> np.ndarray:
    """Return the band of each quarter-hour, as its place in `grid.bands`; see `tariff.classify`."""
    if not starts.size:
        return np.empty(starts.shape, np.int8)
    starts = np.asarray(starts, np.int64)
    first, last = (datetime.fromtimestamp(int(time), UTC).year for time in (starts.min(), starts.max()))
    years = Span(year_start(first), year_start(last + 1))
    bands = look_up(_years_table(grid, years, zone, holidays), years.start, starts.reshape(-1))
    return bands.reshape(starts.shape)


def look_up(table: np.ndarray, origin: int, starts: np.ndarray) -> np.ndarray:
    """Return what a table says of quarter-hours.

    Parameters
    ----------
    table
        One entry for each quarter-hour since `origin`, itself the start of one [s, Unix].
    starts
        Beginnings [s, Unix], int64, in any order; without a hole and in the order of time it is fastest.

    Raises
    ------
    ValueError
        If one lies outside the table.
    """
    first = unbroken(starts, origin)
    if first is not None:
        if first >= 0 and first + starts.size <= table.size:
            return table[first : first + starts.size].copy()
    else:
        places = (starts - origin) // QUARTER
        # What lies before the table is a huge number without a sign: one comparison finds it on both sides.
        if places.view(np.uint64).max() < table.size:
            return table.take(places)
    raise ValueError("a quarter-hour lies outside the span of the table")


def unbroken(starts: np.ndarray, origin: int) -> int | None:
    """Return how many quarter-hours after an origin the first is, if they follow each other without a hole."""
    first, last = ((int(time) - origin) // QUARTER for time in (starts[0], starts[-1]))
    if last - first == starts.size - 1 and not np.count_nonzero(starts[1:] - starts[:-1] != QUARTER):
        return first
    return None


@lru_cache(maxsize=16)
def _years_table(grid: BandGrid, span: Span, zone: ZoneInfo, holidays: Holidays) -> np.ndarray:
    return band_table(grid, span, zone, holidays)


def forget() -> None:
    """Forget what was worked out before: for measuring."""
    _years_table.cache_clear()


def band_table(grid: BandGrid, span: Span, zone: ZoneInfo, holidays: Holidays) -> np.ndarray:
    """Return the band of every quarter-hour that begins in a span, which begins on the grid: int8, in order."""
    if len(grid.bands) == 1:
        return np.zeros(len(span.quarter_hours), np.int8)
    table = np.empty(len(span.quarter_hours), np.int8)
    filled, rows = 0, _KindRows(grid)
    for start, end, ahead in steady_times(span, zone):
        first, last = -(-start // QUARTER), -(-end // QUARTER)
        day, since = divmod(first * QUARTER + ahead, _DAY)
        skipped, phase = divmod(since, QUARTER)
        count = -(-(skipped + last - first) // _PER_DAY)
        wall = rows.of_days(day, count, phase, holidays).reshape(-1)
        table[filled : filled + last - first] = wall[skipped : skipped + last - first]
        filled += last - first
    return table


class _KindRows:
    """Bands of the kinds of days, a row of 96 each, looked up some seconds after each quarter of the clock."""

    def __init__(self, grid: BandGrid) -> None:
        self._grid = grid
        self._kinds = list(grid.days)
        week = (*(DayType.WEEKDAY,) * 5, DayType.SATURDAY, DayType.SUNDAY)
        self._week = np.array([self._kinds.index(kind) for kind in week])
        self._rows: dict[int, np.ndarray] = {}

    def of_days(self, first: int, count: int, phase: int, holidays: Holidays) -> np.ndarray:
        """Return the rows of local days; the first is so many days after 1 January 1970."""
        if phase not in self._rows:
            self._rows[phase] = np.array([self._row(kind, phase) for kind in self._kinds])
        # The first of January 1970 was a Thursday.
        kinds = self._week[(np.arange(first, first + count) + 3) % 7]
        if DayType.HOLIDAY in self._kinds:
            free = [place for day in holidays if 0 <= (place := day.toordinal() - _UNIX_EPOCH - first) < count]
            kinds[free] = self._kinds.index(DayType.HOLIDAY)
        days: np.ndarray = self._rows[phase].take(kinds, axis=0)
        return days

    def _row(self, kind: DayType, phase: int) -> np.ndarray:
        parts, bands = self._grid.days[kind], self._grid.bands
        lengths = [part.end - part.start for part in parts]
        minutes: np.ndarray = np.repeat(np.array([bands.index(part.band) for part in parts], np.int8), lengths)
        quarters: np.ndarray = minutes.take((np.arange(_PER_DAY) * QUARTER + phase) // 60)
        return quarters
