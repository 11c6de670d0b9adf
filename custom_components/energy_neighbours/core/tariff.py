"""Tariff bands: named ranges of the local clock in which a kWh has its own price, and which of them holds a moment.

A grid says for each kind of day which band each minute belongs to. What counts is the wall clock: the hour that comes
twice when the clocks go back gets the same bands twice, the hour that is left out in March gets none.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from math import floor
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from .band_grid import (
    EVERY_DAY,
    MINUTES_PER_DAY,
    BandGrid,
    DayType,
    GridError,
    GridProblem,
    Holidays,
    Interval,
    clock,
    minute_of,
)
from .quarter_hour import Span
from .wall_clock import steady_times

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "EVERY_DAY",
    "MINUTES_PER_DAY",
    "BandGrid",
    "BandPeriod",
    "DayType",
    "GridError",
    "GridProblem",
    "Holidays",
    "Interval",
    "band_at",
    "band_periods",
    "classify",
    "clock",
    "interval_at",
    "minute_of",
    "next_change",
    "next_solar_change",
    "solar_periods",
]

_DAY: Final = 86_400
_UNIX_EPOCH: Final = date(1970, 1, 1).toordinal()
_YEAR_AND_MORE: Final = 367 * _DAY


class BandPeriod(NamedTuple):
    """Time from `start` up to, but not including, `end` [s, Unix] in one band."""

    start: int
    end: int
    band: str


def interval_at(grid: BandGrid, time: float, zone: ZoneInfo, holidays: Holidays) -> Interval:
    """Return the interval that the wall clock shows at a time [s, Unix]."""
    local = datetime.fromtimestamp(time, zone)
    minute = 60 * local.hour + local.minute
    return next(part for part in grid.intervals_on(local.date(), holidays) if minute < part.end)


def band_at(grid: BandGrid, time: float, zone: ZoneInfo, holidays: Holidays) -> str:
    """Return the band that a time [s, Unix] is in."""
    return interval_at(grid, time, zone, holidays).band


def band_periods(grid: BandGrid, span: Span, zone: ZoneInfo, holidays: Holidays) -> list[BandPeriod]:
    """Cut a span where the band changes; every second of it is in one period, in order."""
    return [BandPeriod(*period) for period in _merged(_runs(grid, span, zone, holidays), _band)]


def next_change(grid: BandGrid, time: float, zone: ZoneInfo, holidays: Holidays) -> int | None:
    """Return when another band begins [s, Unix]; None if none does within a year."""
    return _end_of_first(grid, time, zone, holidays, _band)


def solar_periods(grid: BandGrid, span: Span, zone: ZoneInfo, holidays: Holidays) -> list[Span]:
    """Return when, within a span, it is the time made for the sun."""
    return [Span(start, end) for start, end, solar in _merged(_runs(grid, span, zone, holidays), _solar) if solar]


def next_solar_change(grid: BandGrid, time: float, zone: ZoneInfo, holidays: Holidays) -> int | None:
    """Return when the time made for the sun next begins or ends [s, Unix]; None if it does not within a year."""
    return _end_of_first(grid, time, zone, holidays, _solar)


def classify(grid: BandGrid, starts: np.ndarray, zone: ZoneInfo, holidays: Holidays) -> np.ndarray:
    """Return the bands of many quarter-hours, as places in `grid.bands`.

    Parameters
    ----------
    starts
        Beginnings [s, Unix], integers in any order. A time within a quarter-hour counts as its beginning.

    Returns
    -------
    np.ndarray
        int8, in the shape of `starts`.
    """
    from .band_table import classify_quarters  # noqa: PLC0415 - numpy is not loaded before it is needed

    return classify_quarters(grid, starts, zone, holidays)


def _runs(grid: BandGrid, span: Span, zone: ZoneInfo, holidays: Holidays) -> Iterator[tuple[int, int, Interval]]:
    """Cut a span wherever an interval begins or the clocks change."""
    for start, end, ahead in steady_times(span, zone):
        for day in range((start + ahead) // _DAY, (end + ahead - 1) // _DAY + 1):
            midnight = day * _DAY - ahead
            for part in grid.intervals_on(date.fromordinal(_UNIX_EPOCH + day), holidays):
                first, last = max(start, midnight + 60 * part.start), min(end, midnight + 60 * part.end)
                if first < last:
                    yield first, last, part


def _merged[T](runs: Iterable[tuple[int, int, Interval]], key: Callable[[Interval], T]) -> Iterator[tuple[int, int, T]]:
    """Join neighbours that are alike."""
    for value, alike in groupby(runs, lambda run: key(run[2])):
        joined = list(alike)
        yield joined[0][0], joined[-1][1], value


def _end_of_first[T](
    grid: BandGrid, time: float, zone: ZoneInfo, holidays: Holidays, key: Callable[[Interval], T]
) -> int | None:
    if len({key(part) for parts in grid.days.values() for part in parts}) == 1:
        return None
    now = floor(time)
    periods = _merged(_runs(grid, Span(now, now + _YEAR_AND_MORE), zone, holidays), key)
    next(periods)
    following = next(periods, None)
    return None if following is None else following[0]


def _band(part: Interval) -> str:
    return part.band


def _solar(part: Interval) -> bool:
    return part.solar
