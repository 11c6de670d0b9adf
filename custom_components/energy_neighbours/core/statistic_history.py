"""Quarter-hours from running totals that were noted every hour or every five minutes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from .history import History, Problem, ProblemKind
from .quarter_hour import QUARTER, Quality, QuarterHour, iso, quarter_start

REPLACED_WITHIN: Final = 86400
"""Two counters of which one begins when the other ends, give or take this [s], are one after the other."""

_SERIES: Final = ("offtake", "injection", "production")


@dataclass(frozen=True, slots=True)
class RunningTotal:
    """What one counter showed at some moments.

    Parameters
    ----------
    name
        How the user knows it.
    totals
        Running total [Wh] by moment [s, Unix]. It begins anywhere: only differences mean something, so what was counted
        before the first moment is not known.
    fine
        Moments that were noted as they came, every five minutes. Any other is the end of an hour of which only the
        last total is known.
    """

    name: str
    totals: Mapping[int, float]
    fine: frozenset[int] = frozenset()


def history_of_totals(series: Mapping[str, Sequence[RunningTotal]], until: int) -> History:
    """Turn running totals into quarter-hours.

    A rise between two moments is spread over the time between them evenly; whole Wh are cut from the running total, so
    that their sum is the total's rise over any span, to the Wh. A quarter-hour is measured where the totals were noted
    at its beginning and its end, else estimated. Several counters of one series are added up, except where one replaced
    the other. A total that falls is a problem, and what flowed meanwhile is not known.

    Parameters
    ----------
    series
        Counters by `offtake`, `injection` and `production`; a series without any is not known.
    until
        No quarter-hour ends after this [s, Unix].
    """
    readers = {key: [_Reader(total) for total in series.get(key, ()) if total.totals] for key in _SERIES}
    present = [reader for group in readers.values() for reader in group]
    problems = [problem for reader in present for problem in reader.problems()]
    quarters: list[QuarterHour] = []
    if present:
        first = quarter_start(min(reader.first for reader in present) + QUARTER - 1)
        last = min(until, max(reader.last for reader in present))
        for start in range(first, last - QUARTER + 1, QUARTER):
            found = {key: _rise(group, start) for key, group in readers.items()}
            known = [rise for rise in found.values() if rise]
            if known:
                exact = all(rise.exact for rise in known)
                energies = {key: rise.energy if rise else None for key, rise in found.items()}
                quality = Quality.MEASURED if exact else Quality.ESTIMATED
                quarters.append(QuarterHour(start=start, quality=quality, **energies))
    return History(
        quarter_hours=quarters,
        rows=sum(len(reader.total.totals) for reader in present),
        problems=problems,
        format="statistics",
    )


@dataclass(frozen=True, slots=True)
class _Rise:
    """What a series rose by in one quarter-hour [Wh]."""

    energy: int
    exact: bool


class _Reader:
    """Reads a running total from its beginning to its end."""

    def __init__(self, total: RunningTotal) -> None:
        self.total = total
        self._times = sorted(total.totals)
        self._values = [total.totals[time] for time in self._times]
        self._falls = {i for i, (before, after) in enumerate(pairwise(self._values)) if after < before}
        self._at = 0
        self.first, self.last = self._times[0], self._times[-1]

    def problems(self) -> Iterable[Problem]:
        for fall in sorted(self._falls):
            change = (self._values[fall + 1] - self._values[fall]) / 1000
            found = f"{change:.3f} kWh, {iso(self._times[fall])}/{iso(self._times[fall + 1])}"
            yield Problem(ProblemKind.NEGATIVE, self.total.name, found)

    def between(self, start: int) -> tuple[float, float] | None:
        """Return the total at the beginning and the end of a quarter-hour [Wh]; starts must not fall."""
        end = start + QUARTER
        if not self.first <= start < end <= self.last:
            return None
        while self._times[self._at + 1] <= start:
            self._at += 1
        step = self._at
        low = self._value(step, start)
        while self._times[step + 1] < end:
            if step in self._falls:
                return None
            step += 1
        return None if step in self._falls else (low, self._value(step, end))

    def _value(self, step: int, time: int) -> float:
        since, until = self._times[step], self._times[step + 1]
        share = (time - since) / (until - since)
        before, after = self._values[step], self._values[step + 1]
        return min(before + share * (after - before), after)

    def is_exact(self, start: int) -> bool:
        return {start, start + QUARTER} <= self.total.fine

    def exists(self, start: int) -> bool:
        return self.first <= start and start + QUARTER <= self.last

    def replaced(self, other: _Reader) -> bool:
        """Whether one of the two ended where the other began."""
        return self.last <= other.first + REPLACED_WITHIN or other.last <= self.first + REPLACED_WITHIN


def _rise(readers: Sequence[_Reader], start: int) -> _Rise | None:
    """Return what some counters rose by together; None if that of one that counts with them is not known."""
    running = [reader for reader in readers if reader.exists(start)]
    found = [reader.between(start) for reader in running]
    known = [pair for pair in found if pair]
    if not running or len(known) < len(running):
        return None
    if not all(any(absent.replaced(here) for here in running) for absent in readers if absent not in running):
        return None
    low, high = (round(sum(values)) for values in zip(*known, strict=True))
    # Rounding of the last bit must not make a quarter-hour negative.
    return _Rise(max(high - low, 0), all(reader.is_exact(start) for reader in running))
