"""The comparisons: ours beside EnergyID's library, a long table, and a plain copy; and how it grows."""

from collections.abc import Callable, Sequence
from math import log
from typing import Final, NamedTuple, override

import numpy as np
from openenergyid.energysharing import CalculationMethod

from custom_components.energy_neighbours.core.repartition import Flows, allocate
from custom_components.energy_neighbours.core.repartition_key import Hybrid, Prorata, RepartitionKey
from tools.bench.result import Result, compare
from tools.neighbourhood.homes import QUARTERS, community

from .peers import Shares, energyid, long_table, peak_memory, seconds, with_sums

NAME: Final = "repartition"
MONTH: Final = 30 * 96
JUNE: Final = 152 * 96
ENERGYID, PANDAS, COPY, MEMORY = 40, 12, 1 / 20, 6
"""Targets: peer over ours."""
TOLERANCE: Final = 1 + 1e-6
"""What the floats of a peer may differ from whole Wh [Wh]."""

type Say = Callable[[str], None]


class Size(NamedTuple):
    """A community and a time."""

    members: int
    quarters: int
    prosumers: int = 0

    @property
    def flows(self) -> Flows:
        """Its energies; a month is June."""
        first = JUNE if self.quarters <= MONTH else 0
        return community(self.members, self.quarters, prosumers=self.prosumers, first=first)

    @override
    def __str__(self) -> str:
        kind = "prosumers" if self.prosumers else "members"
        time = {MONTH: "a month", QUARTERS: "a year"}.get(self.quarters, f"{self.quarters // 96} days")
        return f"{self.members} {kind}, {time}"


class _Bench:
    """Measures the cases of all rounds."""

    def __init__(self, rounds: int, *, quick: bool, say: Say) -> None:
        self._rounds = rounds
        self._quick = quick
        self._say = say
        self.results: list[Result] = []

    def against(
        self, what: str, key: RepartitionKey, flows: Flows, peer: Shares, target: float | None, *, often: int = 5
    ) -> None:
        """Compare ours with a peer that must come to the same."""
        _check(what, allocate(key, flows).allocated, peer())
        self.time(what, lambda: allocate(key, flows), peer, target, often=often)

    def time(
        self, what: str, ours: Callable[[], object], peer: Callable[[], object], target: float | None, *, often: int
    ) -> None:
        """Compare two times [ms]."""
        mine, theirs = [], []
        for number in range(self._rounds):
            self._say(f"round {number + 1} of {self._rounds}: {what}")
            mine.append(1e3 * seconds(ours, 1 if self._quick else often))
            theirs.append(1e3 * seconds(peer, 1))
        self.results.append(compare(NAME, what, "ms", mine, theirs, target))

    def memory(self, size: Size, target: float) -> None:
        """Compare what both sides need beside the energies [MB]."""
        self._say(f"memory: {size}")
        ours, peer = (peak_memory(side, size.members, size.quarters) for side in ("ours", "pandas"))
        self.results.append(compare(NAME, f"memory: {size}, long table", "MB", [ours], [peer], target))


def run(rounds: int, *, quick: bool, say: Say) -> tuple[list[Result], list[str]]:
    """Measure; return the comparisons and the notes.

    Raises
    ------
    RuntimeError
        If the sides do not come to the same shares.
    """
    bench = _Bench(rounds, quick=quick, say=say)
    month = MONTH if not quick else 96
    for size in _sizes((10, 50), (month, QUARTERS), prosumers=True, quick=quick) + (
        [] if quick else [Size(200, MONTH, 200)]
    ):
        flows = size.flows
        for method in CalculationMethod:
            key, peer = energyid(flows, method)
            target = ENERGYID if (size.members, size.quarters) == (50, MONTH) else None
            bench.against(f"{key.kind.value}: {size}, openenergyid", key, flows, peer, target)
    for size in _sizes((18, 50, 200, 1000), (month, QUARTERS), quick=quick):
        flows = size.flows
        target = PANDAS if (size.members, size.quarters) == (1000, MONTH) else None
        peer, what = long_table(flows), f"prorata and sums: {size}, long table"
        _check(what, allocate(Prorata(), flows).allocated, peer())
        bench.time(what, with_sums(flows), peer, target, often=5)
        copied = COPY if size.members == 1000 else None  # noqa: PLR2004 - the largest
        bench.time(f"prorata: {size}, a copy", lambda: allocate(Prorata(), flows), flows.offtake.copy, copied, often=5)  # noqa: B023 - called at once
    biggest = Size(1000, month)
    bench.memory(biggest, MEMORY)
    flows = biggest.flows
    bench.time(
        f"hybrid: {biggest}, prorata",
        lambda: allocate(Hybrid(None), flows),
        lambda: allocate(Prorata(), flows),
        None,
        often=1,
    )
    return bench.results, _notes(quick=quick, rounds=rounds)


def _sizes(
    members: Sequence[int], quarters: Sequence[int], *, prosumers: bool = False, quick: bool = False
) -> list[Size]:
    if quick:
        members, quarters = members[:1], quarters[:1]
    return [Size(count, time, count if prosumers else 0) for count in members for time in quarters]


def _notes(*, quick: bool, rounds: int) -> list[str]:
    time = MONTH // 15 if quick else MONTH
    by_members = _slope([(n, _time(Size(n, time).flows)) for n in (50, 100, 200, 400, 800)])
    month = Size(200, time).flows
    by_quarters = _slope([(n, _time(_again(month, n))) for n in (1, 2, 4, 8)])
    return [
        "Homes of 2016 by the quarter-hour, further ones derived; roofs make 40 % of what is used.",
        f"Least of the calls, then median of the {rounds} rounds with least and most; ratio is peer / ours of a round.",
        f"Time grows with the power {by_members:.2f} of the members and {by_quarters:.2f} of the quarter-hours.",
    ]


def _again(flows: Flows, times: int) -> Flows:
    """Return the same time again and again, so that only its length differs."""
    tables = (np.tile(table, (times, 1)) for table in (flows.offtake, flows.injection))
    offtake, injection = tables
    return Flows(flows.members, offtake, flows.producers, injection)


def _time(flows: Flows) -> float:
    return seconds(lambda: allocate(Prorata(), flows), 5)


def _slope(points: Sequence[tuple[int, float]]) -> float:
    """Return the power with which times grow."""
    x, y = np.array([[log(each) for each in point] for point in points]).T
    return float(np.polyfit(x, y, 1)[0])


def _check(what: str, ours: np.ndarray, peer: np.ndarray) -> None:
    """Refuse to compare sides that do different things."""
    off = float(np.abs(ours - peer).max())
    if off > TOLERANCE:
        raise RuntimeError(f"{what}: the sides differ by {off:.3g} Wh")
