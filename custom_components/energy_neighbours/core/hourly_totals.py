"""Hourly energies of quarter-hours, and the running totals that graphs of them are made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .quarter_hour import QUARTERS_PER_HOUR, Quality, QuarterHour

HOUR: Final = 3600
"""Length of an hour [s]."""


@dataclass(frozen=True, slots=True)
class HourlyTotal:
    """One hour of a running total: its beginning [s, Unix], its energy, and the total at its end [Wh]."""

    start: int
    energy: int
    total: int


def hour_start(time: float) -> int:
    """Return the beginning of the hour that holds a time [s, Unix]."""
    return int(time // HOUR) * HOUR


def hourly_energies(quarters: Iterable[QuarterHour], series: str) -> dict[int, int]:
    """Return the energy of `offtake`, `injection` or `production` by the beginning of the hour [Wh].

    An hour is only there if all four of its quarter-hours are known: what is missing is not zero.
    """
    found: dict[int, list[int]] = {}
    for quarter in quarters:
        energy: int | None = getattr(quarter, series)
        if energy is not None and quarter.quality is not Quality.MISSING:
            found.setdefault(hour_start(quarter.start), []).append(energy)
    return {start: sum(energies) for start, energies in found.items() if len(energies) == QUARTERS_PER_HOUR}


def running_totals(
    before: int, shown_before: int, shown: Mapping[int, int], energies: Mapping[int, int]
) -> list[HourlyTotal]:
    """Return the hours of a running total, in order.

    Parameters
    ----------
    before
        Running total before the first hour, as it is now [Wh].
    shown_before
        The same as it was when `shown` was made: other than now when earlier hours have just changed [Wh].
    shown
        Running totals that are shown until now, by hour [Wh]. Their rises stay where nothing newer is known, for the
        quarter-hours of long ago may have been thrown away.
    energies
        Energies by hour [Wh]; they replace what is shown.
    """
    rises: dict[int, int] = {}
    last = shown_before
    for start in sorted(shown):
        rises[start] = max(shown[start] - last, 0)
        last = shown[start]
    rises |= energies
    total = before
    totals = []
    for start in sorted(rises):
        total += rises[start]
        totals.append(HourlyTotal(start, rises[start], total))
    return totals
