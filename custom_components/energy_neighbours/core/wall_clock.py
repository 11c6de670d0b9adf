"""Where a zone's wall clock is put forward or back, so that long spans need not ask it hour by hour."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from .quarter_hour import Span

# No zone changes its clocks and changes them back within a week.
_STRIDE: Final = 7 * 86_400


class Steady(NamedTuple):
    """Time from `start` up to, but not including, `end` [s, Unix] in which the wall clock is `ahead` of UTC [s]."""

    start: int
    end: int
    ahead: int


def steady_times(span: Span, zone: ZoneInfo) -> Iterator[Steady]:
    """Cut a span where the clocks change."""
    if span.start >= span.end:
        return
    start, ahead = span.start, _ahead(span.start, zone)
    for year in range(_year(span.start), _year(span.end) + 1):
        for change, then in _clock_changes(zone, year):
            if start < change < span.end:
                yield Steady(start, change, ahead)
                start, ahead = change, then
    yield Steady(start, span.end, ahead)


@lru_cache(maxsize=256)
def _clock_changes(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """Return the clock changes of a UTC year: when [s, Unix], and what the wall clock is ahead from then on [s]."""
    last = year_start(year + 1)
    changes = []
    time, ahead = year_start(year), _ahead(year_start(year) - 1, zone)
    while True:
        if (now := _ahead(time, zone)) != ahead:
            changes.append((_first_time(time - _STRIDE, time, now, zone), now))
            ahead = now
        if time == last - 1:
            return tuple(changes)
        time = min(time + _STRIDE, last - 1)


def _first_time(before: int, after: int, ahead: int, zone: ZoneInfo) -> int:
    """Return from when on the wall clock is ahead by so much: later than one time, not later than the other."""
    while after - before > 1:
        middle = (before + after) // 2
        if _ahead(middle, zone) == ahead:
            after = middle
        else:
            before = middle
    return after


def _ahead(time: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(time, zone).utcoffset()
    assert offset is not None  # noqa: S101 - a zone always knows
    return int(offset.total_seconds())


def year_start(year: int) -> int:
    """Return the beginning of a UTC year [s, Unix]."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def _year(time: int) -> int:
    return datetime.fromtimestamp(time, UTC).year
