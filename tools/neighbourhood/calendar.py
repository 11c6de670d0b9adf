"""Which moment of the measured year stands for a moment of now: the same weekday and time of day, near the season."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from custom_components.energy_neighbours.core.quarter_hour import QUARTER

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
