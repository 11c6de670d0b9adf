"""The time grid of settlement, and what a site used and produced in one quarter-hour of it.

Everything is keyed by UTC, as Unix time [s]. Local time only cuts days, weeks and months; its zone is always given, for
a household's delivery point lies in Belgium or France wherever its computer believes to be.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
import math
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

QUARTER: Final = 900
"""Length of a quarter-hour [s]."""
QUARTERS_PER_HOUR: Final = 4


class Quality(StrEnum):
    """How far the energy of a quarter-hour can be trusted."""

    MEASURED = "measured"
    ESTIMATED = "estimated"  # the energy is real, but how it fell into quarter-hours is partly guessed
    MISSING = "missing"  # not known: what is counted is the least it was
    LATE = "late"  # measured, but arrived after it was settled


@dataclass(frozen=True, slots=True)
class QuarterHour:
    """Energy of one site in one quarter-hour.

    Parameters
    ----------
    start
        Beginning, UTC-aligned [s, Unix].
    offtake, injection, production
        Energy, never negative [Wh]; None if nobody measures it, which is not zero.
    quality
        How far it can be trusted.

    Raises
    ------
    ValueError
        When the start is not on the grid, or an energy is negative.
    """

    start: int
    offtake: int | None
    injection: int | None
    production: int | None
    quality: Quality = Quality.MEASURED

    def __post_init__(self) -> None:
        if self.start % QUARTER:
            raise ValueError(f"a quarter-hour begins at :00, :15, :30 or :45, not at {self.start}")
        for energy in (self.offtake, self.injection, self.production):
            if energy is not None and energy < 0:
                raise ValueError(f"the energy of a quarter-hour is never negative, but {energy} Wh was given")

    @property
    def end(self) -> int:
        """Where the next one begins [s, Unix]."""
        return self.start + QUARTER

    @property
    def offtake_power(self) -> int | None:
        """Mean power taken from the grid [W]."""
        return None if self.offtake is None else QUARTERS_PER_HOUR * self.offtake


class Span(NamedTuple):
    """Time from `start` up to, but not including, `end` [s, Unix]."""

    start: int
    end: int

    @property
    def quarter_hours(self) -> range:
        """The starts of its quarter-hours [s, Unix]."""
        return range(quarter_start(self.start + QUARTER - 1), self.end, QUARTER)


def quarter_start(time: float) -> int:
    """Return the start of the quarter-hour that holds a time [s, Unix]."""
    return math.floor(time / QUARTER) * QUARTER


def midnight(day: date, zone: ZoneInfo) -> int:
    """Return the beginning of a local day [s, Unix]."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def day_of(time: float, zone: ZoneInfo) -> date:
    """Return the local day that holds a time."""
    return datetime.fromtimestamp(time, zone).date()


def local_day(day: date, zone: ZoneInfo) -> Span:
    """Return a local day: 96 quarter-hours, 92 or 100 when the clocks change."""
    return Span(midnight(day, zone), midnight(day + timedelta(days=1), zone))


def local_week(day: date, zone: ZoneInfo) -> Span:
    """Return the local ISO week, Monday to Sunday, that holds a day: 672 quarter-hours, or 668 or 676."""
    monday = day - timedelta(days=day.weekday())
    return Span(midnight(monday, zone), midnight(monday + timedelta(days=7), zone))


def local_month(day: date, zone: ZoneInfo) -> Span:
    """Return the local calendar month that holds a day."""
    first = day.replace(day=1)
    return Span(midnight(first, zone), midnight(next_month(first), zone))


def next_month(day: date) -> date:
    """Return the first day of the month after the one that holds a day."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def iso(time: float) -> str:
    """Write a time as people and programs read it, in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
