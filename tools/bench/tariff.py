"""What it costs to cut a year into tariff bands and price it: ours beside a loop over local times and a bare gather."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median

import numpy as np

from custom_components.energy_neighbours.core import band_table, wall_clock
from custom_components.energy_neighbours.core.contract import (
    ComponentKind,
    Contract,
    ContractTerms,
    PriceComponent,
    PriceSensor,
    Region,
    SensorReplaces,
)
from custom_components.energy_neighbours.core.cost_table import CostTable
from custom_components.energy_neighbours.core.costs import Costs, costs
from custom_components.energy_neighbours.core.quarter_hour import QuarterHour, Span, midnight
from custom_components.energy_neighbours.core.tariff import DayType, classify
from custom_components.energy_neighbours.tariff_library import shipped_grids, shipped_price_sheets

from .result import Result, compare
from .timing import times

NAME = "tariff"
LOOP = 100
GATHER = 0.2
"""At most five times the time of a gather."""
NO_HOLIDAYS: frozenset[date] = frozenset()
ZONE = Region.WALLONIA.zone
YEAR = Span(midnight(date(2026, 1, 1), ZONE), midnight(date(2027, 1, 1), ZONE))
FAST, SLOW = 300, 3
"""Calls a round of what takes well under a millisecond, and of what takes longer."""
SEED = 20260101

type Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Year:
    """A year of one household, as arrays and as lists, in time and shuffled."""

    starts: np.ndarray
    offtake: np.ndarray
    shuffled_starts: np.ndarray
    shuffled_offtake: np.ndarray
    records: list[QuarterHour]
    told: dict[int, Decimal]

    @classmethod
    def make(cls) -> Year:
        """Make up a year; its figures cost the same time as any others."""
        chance = np.random.default_rng(SEED)
        starts = np.array(YEAR.quarter_hours)
        offtake = chance.integers(0, 1500, starts.size)
        order = chance.permutation(starts.size)
        pairs = list(zip(starts.tolist(), offtake.tolist(), strict=True))
        return cls(
            starts,
            offtake,
            starts[order],
            offtake[order],
            [QuarterHour(start, energy, None, None) for start, energy in pairs],
            {start: Decimal(energy - 200).scaleb(-4) for start, energy in pairs},
        )


def contract(*, dynamic: bool = False) -> Contract:
    """Return Impact on the network of ORES, with one price of the supplier or one a quarter-hour."""
    network = shipped_grids()["impact_2026"]
    sensor = PriceSensor(entity_id="sensor.price", replaces=SensorReplaces.COMMODITY) if dynamic else None
    commodity = PriceComponent(kind=ComponentKind.COMMODITY, prices={"": Decimal("0.14")})
    terms = ContractTerms(
        valid_from=date(2026, 1, 1),
        region=Region.WALLONIA,
        network_grid=network,
        commodity_grid=shipped_grids()["mono"],
        components=(*shipped_price_sheets()["ores_2026"].components(network.id), commodity),
        vat_rate=Decimal("0.06"),
        price_sensor=sensor,
    )
    return Contract((terms,))


def loop(year: Year) -> Callable[[], dict[str, tuple[int, int]]]:
    """Return what a program does that asks the zone for each row, with all that can be prepared before."""
    terms = contract().versions[0]
    parts = terms.network_grid.days[DayType.WEEKDAY]
    begins, bands = [part.start for part in parts], [part.band for part in parts]
    prices = {band: int((terms.price(date(2026, 1, 1), band, "single") or 0) * 1_000_000) for band in set(bands)}
    rows = list(zip(year.starts.tolist(), year.offtake.tolist(), strict=True))

    def run() -> dict[str, tuple[int, int]]:
        energy, cost = dict.fromkeys(prices, 0), dict.fromkeys(prices, 0)
        for start, offtake in rows:
            local = datetime.fromtimestamp(start, UTC).astimezone(ZONE)
            band = bands[bisect_right(begins, 60 * local.hour + local.minute) - 1]
            energy[band] += offtake
            cost[band] += offtake * prices[band]
        return {band: (energy[band], cost[band]) for band in energy}

    return run


def run(rounds: int, *, quick: bool, say: Callable[[str], None]) -> tuple[list[Result], list[str]]:
    """Measure; return the comparisons and the notes.

    Raises
    ------
    RuntimeError
        If the sides do not come to the same figures.
    """
    year = Year.make()
    fixed, dynamic = contract(), contract(dynamic=True)
    table, dynamic_table = (CostTable.of(each, YEAR, NO_HOLIDAYS, year.told) for each in (fixed, dynamic))
    network = shipped_grids()["impact_2026"]
    gather_from = np.random.default_rng(SEED).integers(0, 1_000_000, year.starts.size)
    gather_at = np.arange(year.starts.size)

    def cold(each: Contract) -> Costs:
        wall_clock.forget()
        band_table.forget()
        return CostTable.of(each, YEAR, NO_HOLIDAYS, year.told).costs(year.starts, year.offtake)

    by_row = loop(year)
    _check(by_row(), table.costs(year.starts, year.offtake), cold(fixed), costs(year.records, fixed, NO_HOLIDAYS))
    calls: dict[str, tuple[Call, int]] = {
        "loop": (by_row, SLOW),
        "gather": (lambda: gather_from.take(gather_at), FAST),
        "warm": (lambda: table.costs(year.starts, year.offtake), FAST),
        "cold": (lambda: cold(fixed), FAST // 5),
        "classify": (lambda: classify(network, year.starts, ZONE, NO_HOLIDAYS), FAST),
        "shuffled": (lambda: table.costs(year.shuffled_starts, year.shuffled_offtake), FAST),
        "records": (lambda: costs(year.records, fixed, NO_HOLIDAYS), SLOW),
        "dynamic": (lambda: dynamic_table.costs(year.starts, year.offtake), FAST),
        "dynamic cold": (lambda: cold(dynamic), SLOW),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name, (call, often) in calls.items():
            say(f"round {number + 1} of {rounds}: {name}")
            times[name].append(_time(call, 3 if quick else often))

    def case(ours: str, what: str, peer: str, target: float | None = None) -> Result:
        return compare(NAME, what, "us", ours=times[ours], peer=times[peer], target=target)

    results = [
        case("warm", "a year with costs, astimezone loop", "loop", LOOP),
        case("cold", "... and the table made anew, astimezone loop", "loop"),
        case("warm", "a year with costs, numpy gather", "gather", GATHER),
        case("classify", "bands alone, numpy gather", "gather", GATHER),
        case("shuffled", "rows in no order, numpy gather", "gather"),
        case("dynamic", "a price each quarter-hour, astimezone loop", "loop"),
        case("dynamic cold", "... and the table made anew, one fixed price's loop", "loop"),
        case("records", "from records instead of arrays, astimezone loop", "loop"),
    ]
    rows = f"{year.starts.size:,}".replace(",", " ")
    fixed_memory, dynamic_memory = (f"{each.memory / 1000:.0f} kB" for each in (table, dynamic_table))
    return results, [
        f"{rows} quarter-hours of 2026, Impact on the network, exact costs by band.",
        f"Median of the calls, then of the {rounds} rounds, with least and most; ratio is peer / ours of a round.",
        f"A table takes {fixed_memory} a year, with a price each quarter-hour {dynamic_memory}.",
    ]


def _check(by_row: dict[str, tuple[int, int]], *ours: Costs) -> None:
    """Refuse to compare sides that do different things."""
    for each in ours:
        found = {name: (band.offtake, int((band.cost or 0) * 10**9)) for name, band in each.bands.items()}
        if found != by_row:
            raise RuntimeError(f"the sides disagree: {by_row} by the loop, {found} by ours")


def _time(call: Call, often: int) -> float:
    """Return the median time of a call [us]."""
    call()
    return 1e6 * median(times(call, often))
