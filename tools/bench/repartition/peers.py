"""The peers: EnergyID's library, and the long table of pandas that people write first."""

from collections.abc import Callable, Mapping, Sequence
import subprocess
import sys
from typing import Final

import numpy as np
from openenergyid.energysharing import CalculationMethod, calculate
from openenergyid.energysharing.const import SHARED_ENERGY
from openenergyid.energysharing.data_formatting import create_multi_index_input_frame
import pandas as pd

from custom_components.energy_neighbours.core.repartition import Flows, allocate
from custom_components.energy_neighbours.core.repartition_key import (
    Prorata,
    Relative,
    RepartitionKey,
    Static,
    StaticMulti,
    Weights,
)
from tools.bench.timing import times

METHODS: Final[Mapping[CalculationMethod, Callable[[Weights], RepartitionKey]]] = {
    CalculationMethod.FIXED: Static,
    CalculationMethod.RELATIVE: Relative,
    CalculationMethod.OPTIMAL: StaticMulti,
}

type Call = Callable[[], object]
type Shares = Callable[[], np.ndarray]


def weights(members: Sequence[str]) -> Weights:
    """Return weights that are no round numbers, as agreed ones are."""
    parts = np.random.default_rng(len(members)).integers(50, 500, len(members)).tolist()
    return Weights(tuple(zip(members, parts, strict=True)), sum(parts))


def energyid(flows: Flows, method: CalculationMethod) -> tuple[RepartitionKey, Shares]:
    """Return the key, and a call of EnergyID's library that divides by it; its table is made before."""
    agreed = weights(flows.members)
    index = pd.RangeIndex(len(flows.offtake))
    parts = np.array([part for _, part in agreed.parts]) / agreed.whole
    frame = create_multi_index_input_frame(
        pd.DataFrame(flows.injection.astype(float), index, list(flows.producers)),
        pd.DataFrame(flows.offtake.astype(float), index, list(flows.members)),
        pd.DataFrame(np.tile(parts, (len(index), 1)), index, list(flows.members)),
    )

    def run() -> np.ndarray:
        shares: np.ndarray = calculate(frame, method)[SHARED_ENERGY].to_numpy()
        return shares

    return METHODS[method](agreed), run


def long_table(flows: Flows) -> Shares:
    """Return a call that divides prorata with a long table of pandas and sums up; its tables are made before.

    As people write it who have a file of readings: one row for each time and member, one for each time and producer.
    """
    quarters, members = flows.offtake.shape
    times = pd.date_range("2016-01-01", periods=quarters, freq="15min", tz="UTC")
    long = pd.DataFrame(
        {
            "time": np.repeat(times, members),
            "member": np.tile(np.array(flows.members, object), quarters),
            "offtake": flows.offtake.reshape(-1).astype(float),
        }
    )
    injected = pd.DataFrame(
        {
            "time": np.repeat(times, len(flows.producers)),
            "producer": np.tile(np.array(flows.producers, object), quarters),
            "injection": flows.injection.reshape(-1).astype(float),
        }
    )

    def run() -> np.ndarray:
        production = injected.groupby("time", as_index=False)["injection"].sum()
        table = long.merge(production, on="time")
        total = table.groupby("time")["offtake"].transform("sum")
        offered = (table["injection"] * table["offtake"] / total).fillna(0)
        table["allocated"] = np.minimum(offered, table["offtake"])
        table.groupby("member")[["offtake", "allocated"]].sum()
        shares: np.ndarray = table["allocated"].to_numpy().reshape(quarters, members)
        return shares

    return run


def with_sums(flows: Flows) -> Call:
    """Return a call that does with our engine what `long_table` does."""

    def run() -> object:
        result = allocate(Prorata(), flows)
        return result, flows.offtake.sum(axis=0), result.allocated.sum(axis=0)

    return run


def seconds(call: Call, often: int) -> float:
    """Return the least time of a call [s]."""
    return min(times(call, often))


def peak_memory(side: str, members: int, quarters: int) -> float:
    """Return what a side needs beside the energies themselves, at most, in a process of its own [MB]."""
    command = [sys.executable, "-m", "tools.bench.repartition.memory", side, str(members), str(quarters)]
    needed = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return max(needed, 0.01)  # it may find room that it has already
