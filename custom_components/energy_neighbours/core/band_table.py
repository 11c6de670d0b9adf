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
    first, last = ((int(time) - origin) // QUARTER for time in (starts[0], starts[-1]))
    if last - first == starts.size - 1 and not np.any(starts[1:] - starts[:-1] != QUARTER):
        if first >= 0 and last < table.size:
            return table[first : last + 1].copy()
    else:
        places = (starts - origin) // QUARTER
        # What lies before the table is a huge number without a sign: one comparison finds it on both sides.
        if places.view(np.uint64).max() < table.size:
            return table.take(places)
    raise ValueError("a quarter-hour lies outside the span of the table")


@lru_cache(maxsize=16)
def _years_table(grid: BandGrid, span: Span, zone: ZoneInfo, holidays: Holidays) -> np.ndarray:
    return band_table(grid, span, zone, holidays)


def band_table(grid: BandGrid, span: Span, zone: ZoneInfo, holidays: Holidays) -> np.ndarray:
    """Return the band of every quarter-hour that begins in a span, which begins on the grid: int8, in order."""
    table = np.empty(len(span.quarter_hours), np.int8)
    filled = 0
    for start, end, ahead in steady_times(span, zone):
        first, last = -(-start // QUARTER), -(-end // QUARTER)
        days, since = divmod(first * QUARTER + ahead, _DAY)
        skipped, phase = divmod(since, QUARTER)
        count = -(-(skipped + last - first) // _PER_DAY)
        wall = _days(grid, days, count, phase, holidays).reshape(-1)
        table[filled : filled + last - first] = wall[skipped : skipped + last - first]
        filled += last - first
    return table


def _days(grid: BandGrid, first: int, count: int, phase: int, holidays: Holidays) -> np.ndarray:
    """Return the bands of local days, a row of 96 each, as they are `phase` seconds after each quarter of the clock."""
    kinds = list(grid.days)
    of_kind = np.array([_day(grid, kind, phase) for kind in kinds])
    week = np.array([kinds.index(kind) for kind in (*(DayType.WEEKDAY,) * 5, DayType.SATURDAY, DayType.SUNDAY)])
    # The first of January 1970 was a Thursday.
    rows = week[(np.arange(first, first + count) + 3) % 7]
    if DayType.HOLIDAY in kinds:
        free = [place for day in holidays if 0 <= (place := day.toordinal() - _UNIX_EPOCH - first) < count]
        rows[free] = kinds.index(DayType.HOLIDAY)
    days: np.ndarray = of_kind[rows]
    return days


def _day(grid: BandGrid, kind: DayType, phase: int) -> np.ndarray:
    minutes: np.ndarray = np.concatenate(
        [np.full(part.end - part.start, grid.bands.index(part.band), np.int8) for part in grid.days[kind]]
    )
    quarters: np.ndarray = minutes[(np.arange(_PER_DAY) * QUARTER + phase) // 60]
    return quarters
