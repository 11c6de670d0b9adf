"""Where a zone's wall clock is put forward or back, so that long spans need not ask it hour by hour."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from .quarter_hour import QUARTER, Span

# No zone changes its clocks and changes them back within two weeks.
_STRIDE: Final = 14 * 86_400


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
        first, last = max(span.start, year_start(year)), min(span.end, year_start(year + 1))
        if last - first <= _STRIDE and _ahead(first, zone) == _ahead(last, zone):
            continue
        for change, then in _clock_changes(zone, year):
            if start < change < span.end:
                yield Steady(start, change, ahead)
                start, ahead = change, then
    yield Steady(start, span.end, ahead)


@lru_cache(maxsize=256)
def _clock_changes(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """Return the clock changes of a UTC year, the end included: when [s, Unix], and how far it is ahead then [s]."""
    first, last = year_start(year), year_start(year + 1)
    changes = []
    ahead = _ahead(first, zone)
    for before, after in pairwise([*range(first, last, _STRIDE), last]):
        if (then := _ahead(after, zone)) != ahead:
            changes.append((_first_time(before, after, then, zone), then))
            ahead = then
    return tuple(changes)


def forget() -> None:
    """Forget what was worked out before: for measuring."""
    _clock_changes.cache_clear()


def _first_time(before: int, after: int, ahead: int, zone: ZoneInfo) -> int:
    """Return from when on the wall clock is ahead by so much: later than one time, not later than the other."""
    # Today's changes are on the quarter-hour; those of a hundred years ago were on any second.
    for step in (QUARTER, 1):
        if step == 1 and _ahead(after - 1, zone) != ahead:
            break
        while after - before > step:
            middle = (before + after) // 2 // step * step
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
