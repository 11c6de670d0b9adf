"""A year of eighteen real homes by the quarter-hour, and communities of any size made of them.

The homes were measured by the hour. Their quarter-hours, further members and all roofs are derived, not measured.
"""

from functools import cache
import gzip
from pathlib import Path
from typing import Final

import numpy as np

from custom_components.energy_neighbours.core.repartition import Flows

DATA: Final = Path(__file__).parent / "data"
IRRADIANCE: Final = Path(__file__).parents[1] / "simulator" / "data" / "irradiance_year_2016.csv.gz"
MINUTES: Final = Path(__file__).parents[1] / "simulator" / "data" / "household_minute_2017.csv.gz"
YEAR_START: Final = 1_451_602_800
"""2016-01-01 00:00 in Belgium [s, Unix]."""
QUARTERS: Final = 366 * 96
WEEK: Final = 7 * 96
PERFORMANCE: Final = 0.85
"""What a roof makes of 1000 W/m² for each kWp [kW]."""
_SEED: Final = 2016


def _column(path: Path, dtype: type = float) -> tuple[np.ndarray, np.ndarray]:
    """Return the times [s, Unix] and the values of a file, hour by hour or minute by minute."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip().split(",") for line in file][1:]
    times = np.array([row[0].removesuffix("Z") for row in rows], "datetime64[s]").astype(np.int64)
    return times, np.array([row[1:] for row in rows], dtype)


@cache
def home_names() -> tuple[str, ...]:
    """Return the pseudonyms of the homes."""
    with gzip.open(DATA / "homes_hourly_2016.csv.gz", "rt", encoding="utf-8") as file:
        return tuple(file.readline().rstrip().split(",")[1:])


@cache
def homes() -> np.ndarray:
    """Return what the homes used in each quarter-hour of 2016 [Wh], int64, quarter-hour by home."""
    times, power = _column(DATA / "homes_hourly_2016.csv.gz")
    power = power[(times >= YEAR_START) & (times < YEAR_START + QUARTERS * 900)]
    chance = np.random.default_rng(_SEED)
    patterns = _hour_patterns()
    parts = patterns[chance.integers(0, len(patterns), power.shape)]
    # Differences of a running total: nothing is lost by rounding.
    quarters = (power[:, :, None] * parts).transpose(0, 2, 1).reshape(-1, power.shape[1])
    return np.diff(np.rint(np.cumsum(quarters, axis=0)).astype(np.int64), axis=0, prepend=0)


def _hour_patterns() -> np.ndarray:
    """Return how the hours of a household that was recorded by the minute fall into quarters."""
    _, watts = _column(MINUTES)
    quarters = watts.reshape(-1, 4, 15).sum(axis=2)
    patterns: np.ndarray = quarters / quarters.sum(axis=1, keepdims=True)
    return patterns


@cache
def sunshine() -> np.ndarray:
    """Return what a roof of 1 kWp gives in each quarter-hour of 2016 [Wh], derived from the irradiance."""
    times, irradiance = _column(IRRADIANCE)
    quarters = YEAR_START + 900 * np.arange(QUARTERS)
    # A recorded hour's mean stands at its middle.
    power: np.ndarray = np.interp(quarters + 450, times + 1800, irradiance[:, 0])
    return power * (PERFORMANCE / 4)


def community(members: int, quarters: int = QUARTERS, *, prosumers: int = 0, first: int = 0) -> Flows:
    """Return the energies of a community, the homes first and then more of their kind.

    Parameters
    ----------
    members
        How many.
    quarters, first
        How many quarter-hours, and which of the year is the first.
    prosumers
        How many of the members have a roof of their own: each then either takes or injects in a quarter-hour. Without
        any, one shared roof injects. Roofs make 40 % of what is used.
    """
    real = homes()
    chance = np.random.default_rng(_SEED + members)
    scale = chance.lognormal(0, 0.35, members)
    used = np.empty((quarters, members), np.int64)
    for member in range(members):
        again, home = divmod(member, real.shape[1])
        year = np.roll(real[:, home], WEEK * again)[first : first + quarters]
        used[:, member] = year if not again else np.rint(year * scale[member])
    codes = [f"m{member:04}" for member in range(members)]
    sun = sunshine()[first : first + quarters]
    power = 0.4 * used.sum() / sun.sum()
    if not prosumers:
        return Flows(codes, used, ["roof"], np.rint(sun * power).astype(np.int64)[:, None])
    sizes = chance.dirichlet(np.full(prosumers, 5.0)) * power
    net = used[:, :prosumers] - np.rint(sun[:, None] * sizes).astype(np.int64)
    used[:, :prosumers] = np.maximum(net, 0)
    return Flows(codes, used, codes[:prosumers], np.maximum(-net, 0))
