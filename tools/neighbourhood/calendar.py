"""Which moment of the measured year stands for a moment of now: the same weekday and time of day, near the season."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, quarter_start

from .homes import QUARTERS, YEAR_START

ZONE: Final = ZoneInfo("Europe/Brussels")
_YEAR: Final = datetime.fromtimestamp(YEAR_START, ZONE).year
_WEEK: Final = 7 * 86_400 // QUARTER


def place_of(start: int) -> int:
    """Return the quarter-hour of the measured year that stands for one of now.

    Parameters
    ----------
    start
        Its beginning [s, Unix].
    """
    # By the wall clock: people get up by it.
    wall = datetime.fromtimestamp(start, ZONE).replace(tzinfo=None)
    then = wall.replace(year=_YEAR)  # a leap year: it has every day
    then += timedelta(days=(wall.weekday() - then.weekday() + 3) % 7 - 3)
    place = (int(then.replace(tzinfo=ZONE).timestamp()) - YEAR_START) // QUARTER
    if place < 0:
        return place + _WEEK
    return place if place < QUARTERS else place - _WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A play that begins at another moment than now, and before which there is a past.

    What comes after the beginning is what came after the other moment. What lies before it has the weekdays and times
    of day of the real past, in the season of the other moment.

    Parameters
    ----------
    begun
        When it began [s, Unix].
    at
        The moment that the beginning stands for [s, Unix]; None if it stands for itself.
    """

    begun: int
    at: int | None

    def place_of(self, start: int) -> int:
        """Return the quarter-hour of the measured year that stands for one of now [s, Unix]."""
        if self.at is None:
            return place_of(start)
        shift = self.at - self.begun
        if start >= quarter_start(self.begun):
            return place_of(start + round(shift / QUARTER) * QUARTER)
        wall = datetime.fromtimestamp(start, ZONE).replace(tzinfo=None) + timedelta(weeks=round(shift / (7 * 86_400)))
        return place_of(int(wall.replace(tzinfo=ZONE).timestamp()))
