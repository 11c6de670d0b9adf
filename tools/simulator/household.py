"""A real household to be metered: recorded consumption, solar production derived from recorded weather.

The record is a fortnight (Monday 2017-10-09 to Sunday 2017-10-22, Europe/Brussels) that repeats. A *scene second* is a
second of that fortnight, 0 being Monday 00:00.
"""

from collections.abc import Iterator
import csv
from datetime import datetime, timedelta
import gzip
from itertools import islice
from math import sin, tau
from pathlib import Path
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .phases import Phases, split_over_phases

DATA = Path(__file__).parent / "data"
ZONE = ZoneInfo("Europe/Brussels")
FIRST_MONDAY = datetime(2017, 10, 9)  # noqa: DTZ001 - local time of the record
MINUTES = 14 * 24 * 60
SECONDS = MINUTES * 60
KWP = 5.0  # size of the roof [kWp]
PERFORMANCE = 0.85  # what a roof makes of 1000 W/m² per kWp [kW]
WATER_FLOW = (0.06, 0.2)  # least and most of a tap [L/s]
GAS_FLOW = 0.45  # burner of a 18 kW boiler at full flame [L/s]
HEATING_LIMIT = 16.5  # outdoor temperature from which the house is not heated [°C]


class Flow(NamedTuple):
    """What goes on in the house during one second."""

    loads: Phases  # consumption of each phase [W]
    solar: float  # production of the inverter [W]
    voltage: float  # [V]
    water: float  # [L/s]
    gas: float  # [L/s]

    @property
    def load(self) -> float:
        """Consumption of the house [W]."""
        return sum(self.loads)


def scene_of(moment: datetime) -> int:
    """Scene second with the weekday and time of day of `moment` (an aware time); even and odd weeks alternate."""
    local = moment.astimezone(ZONE).replace(tzinfo=None)
    return int((local - FIRST_MONDAY).total_seconds()) % SECONDS


def _rows(name: str) -> Iterator[list[str]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as file:
        yield from islice(csv.reader(file), 1, None)


class Household:
    """The fortnight, second by second; the same seed gives the same seconds."""

    def __init__(self, seed: int = 0, kwp: float = KWP, days: int = 0) -> None:
        """Read the record (some 50 ms).

        `kwp` is the size of the roof [kWp]. With `days`, it consumes what was recorded so many days later, under the
        same sun: so that neighbours differ.
        """
        self._kwp = kwp
        minutes = split_over_phases([float(row[1]) for row in _rows("household_minute_2017.csv.gz")])
        begin = days * 1440 % MINUTES
        self._minutes = minutes[begin:] + minutes[:begin]
        weather = [(float(row[1]), float(row[2])) for row in _rows("weather_hourly_2016.csv.gz")]
        self._irradiance = [row[0] for row in weather]
        self._temperature = [row[1] for row in weather]
        self._seed = seed
        self._flicker = _zero_mean_noise(Random(seed))  # noqa: S311 - noise
        self._tap_minute = -1
        self._tap: tuple[int, int, float] = (0, 0, 0.0)

    @property
    def kwp(self) -> float:
        """Size of the roof [kWp]."""
        return self._kwp

    def at(self, scene: int) -> Flow:
        """Tell the state of the house at the scene second `scene` (any integer; the fortnight repeats)."""
        scene %= SECONDS
        minute, second = divmod(scene, 60)
        noise = self._flicker
        # Rotating one table of zero mean keeps every recorded minute's energy to the watt.
        loads = Phases(
            *(
                watts * (1 + noise[(second + 7 * minute + 17 * phase) % 60])
                for phase, watts in enumerate(self._minutes[minute])
            )
        )
        solar = self.solar(scene)
        voltage = 232 + 1.8 * sin(tau * scene / 5400) + 0.9 * sin(tau * scene / 611) + 12 * noise[(scene * 13) % 60]
        voltage += 0.0004 * solar - 0.0003 * sum(loads)
        return Flow(loads, solar, min(236.0, max(228.0, voltage)), self._water(scene), self._gas(scene))

    def solar(self, scene: int) -> float:
        """Production [W], derived: kWp x irradiance / 1000 x 0.85, between the middles of the recorded hours."""
        hours, rest = divmod(scene + 1800, 3600)  # the first row is the hour before the fortnight
        before, after = self._irradiance[hours], self._irradiance[hours + 1]
        clear = before + (after - before) * rest / 3600
        if clear <= 0:
            return 0.0
        clouds = 1 + 0.015 * sin(tau * scene / 47) + 0.01 * sin(tau * scene / 13.7)
        return self._kwp * clear * PERFORMANCE * clouds

    def _water(self, scene: int) -> float:
        """Flow of a tap or a shower [L/s]: invented, more in the morning and in the evening."""
        minute, second = divmod(scene, 60)
        if minute != self._tap_minute:
            draw = Random(self._seed * MINUTES + minute)  # noqa: S311 - noise
            hour = minute // 60 % 24
            chance = 0.02 if hour < 6 else 0.25 if hour in {7, 8, 18, 19, 20, 21} else 0.1  # noqa: PLR2004
            begin = draw.randrange(40)
            flow = draw.uniform(*WATER_FLOW) if draw.random() < chance else 0.0
            self._tap_minute, self._tap = minute, (begin, begin + draw.randrange(5, 20), flow)
        begin, end, flow = self._tap
        return flow if begin <= second < end else 0.0

    def _gas(self, scene: int) -> float:
        """Flow of the boiler [L/s], invented: it burns longer in each half-hour the colder it was outside."""
        hour, rest = divmod(scene + 3600, 3600)
        need = max(0.0, HEATING_LIMIT - self._temperature[hour]) / 60
        return GAS_FLOW if rest % 1800 < 1800 * need else 0.0


def _zero_mean_noise(random: Random) -> list[float]:
    """Sixty small factors (1 %) whose mean is zero."""
    drawn = [random.gauss(0, 0.01) for _ in range(60)]
    mean = sum(drawn) / 60
    return [factor - mean for factor in drawn]


def moment_of(scene: int) -> datetime:
    """Local time of the record at the scene second `scene`."""
    return FIRST_MONDAY + timedelta(seconds=scene % SECONDS)
