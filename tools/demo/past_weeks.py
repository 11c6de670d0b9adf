"""Sixteen weeks before the demo, by the quarter-hour: the household of its meter under the sun of a recorded year."""

from collections.abc import Iterator
import csv
from datetime import UTC, datetime, timedelta
import gzip
import io
from typing import NamedTuple

from tools.simulator.household import DATA, PERFORMANCE, Household, scene_of

from .past_days import DAYS

WEEKS = 16
QUARTER = timedelta(minutes=15)
MINUTES = 15
EAN = "541400000000000000"
"""An access point that no grid operator has given out."""
_RECORDED_YEAR = 2016


class QuarterHour(NamedTuple):
    """Energy of one quarter-hour [Wh]."""

    start: datetime
    offtake: int
    injection: int
    production: int


class YearOfSun:
    """Global irradiance of a recorded year, for the same day and hour of any other."""

    def __init__(self) -> None:
        with gzip.open(DATA / "irradiance_year_2016.csv.gz", "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
        self._first = datetime.fromisoformat(rows[0][0])
        self._hours = [float(irradiance) for _, irradiance in rows]

    def at(self, moment: datetime) -> float:
        """Return the irradiance [W/m²], between the middles of the recorded hours."""
        recorded = moment.astimezone(UTC).replace(year=_RECORDED_YEAR)
        hours = (recorded - self._first) / timedelta(hours=1) - 0.5
        before = int(hours)
        rest = hours - before
        return self._hours[before] * (1 - rest) + self._hours[min(before + 1, len(self._hours) - 1)] * rest


def quarter_hours(now: datetime, household: Household) -> Iterator[QuarterHour]:
    """Yield the quarter-hours of the past weeks, up to the last full one before `now`.

    Consumption is the recorded fortnight over and over. Production is derived: the household's own in the last week,
    as in the Energy dashboard, and before it what the sun of the same days of another year would have given.
    """
    sun = YearOfSun()
    end = now.astimezone(UTC).replace(minute=now.minute - now.minute % MINUTES, second=0, microsecond=0)
    start, own_sun = end - timedelta(weeks=WEEKS), end - timedelta(days=DAYS)
    left = [0.0, 0.0, 0.0]
    while start < end:
        energy = [0.0, 0.0, 0.0]
        for minute in range(MINUTES):
            moment = start + timedelta(minutes=minute, seconds=30)
            flow = household.at(scene_of(moment))
            solar = flow.solar if start >= own_sun else household.kwp * PERFORMANCE * sun.at(moment)
            for series, watts in enumerate((max(flow.load - solar, 0), max(solar - flow.load, 0), solar)):
                energy[series] += watts / 60
        whole = []
        for series in range(3):
            exact = energy[series] + left[series]
            whole.append(int(exact))
            left[series] = exact - whole[series]
        yield QuarterHour(start, *whole)
        start += QUARTER


def as_csv(rows: Iterator[QuarterHour]) -> str:
    """Write them as a file of past readings; they are derived, so none is called measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["timestamp_utc", "ean", "offtake_wh", "injection_wh", "production_wh", "quality"])
    for row in rows:
        writer.writerow(
            [f"{row.start:%Y-%m-%dT%H:%M:%SZ}", EAN, row.offtake, row.injection, row.production, "estimated"]
        )
    return text.getvalue()
