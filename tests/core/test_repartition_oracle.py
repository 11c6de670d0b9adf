"""EnergyID's library implements three of the keys, with floats: ours must be the same, to the rounding of a Wh."""

import numpy as np
from openenergyid.energysharing import CalculationMethod, calculate
from openenergyid.energysharing.const import NET_INJECTION, SHARED_ENERGY
from openenergyid.energysharing.data_formatting import create_multi_index_input_frame
import pandas as pd
import pytest

from custom_components.energy_neighbours.core.repartition import Flows, allocate
from custom_components.energy_neighbours.core.repartition_key import Relative, Static, StaticMulti, Weights

CODES = [f"m{number:02}" for number in range(8)]
QUARTERS = 400
FLOAT_TOLERANCE = 1e-6
"""What the floats of the library may be off [Wh], on sums below 100 kWh."""


def their_frame(flows, parts):
    index = pd.RangeIndex(QUARTERS)
    return create_multi_index_input_frame(
        pd.DataFrame(flows.injection.astype(float), index, CODES),
        pd.DataFrame(flows.offtake.astype(float), index, CODES),
        pd.DataFrame(np.tile(np.array(parts) / sum(parts), (QUARTERS, 1)), index, CODES),
    )


def energies(seed, *, both_at_once):
    """Return members that take and inject; at the same time, or never in the same quarter-hour."""
    chance = np.random.default_rng(seed)
    flow = chance.integers(-3000, 3000, (QUARTERS, len(CODES))) * (chance.random((QUARTERS, len(CODES))) < 0.8)
    took, gave = np.maximum(flow, 0), np.maximum(-flow, 0)
    if both_at_once:
        gave += chance.integers(0, 500, gave.shape) * (chance.random(gave.shape) < 0.3)
    return Flows(CODES, took, CODES, gave)


@pytest.mark.parametrize(
    ("key", "method", "both_at_once"),
    [
        (Static, CalculationMethod.FIXED, True),
        (Relative, CalculationMethod.RELATIVE, True),
        # Where a member took and injected at once the library's rounds depend on how surplus goes back to producers
        # between them; ours fill up what members need. Else they are the same.
        (StaticMulti, CalculationMethod.OPTIMAL, False),
    ],
    ids=["static", "relative", "static_multi"],
)
@pytest.mark.parametrize("seed", range(5))
def test_energyids_library_comes_to_the_same(key, method, both_at_once, seed):
    flows = energies(seed, both_at_once=both_at_once)
    parts = np.random.default_rng(seed + 100).integers(0, 50, len(CODES)).tolist()
    weights = Weights(tuple(zip(CODES, parts, strict=True)), sum(parts))
    theirs = calculate(their_frame(flows, parts), method)
    result = allocate(key(weights), flows)
    # Rounding gives or takes less than one Wh.
    assert np.abs(result.allocated - theirs[SHARED_ENERGY].to_numpy()).max() < 1 + FLOAT_TOLERANCE
    left = theirs[NET_INJECTION].to_numpy().sum(axis=1)
    more = result.surplus.sum(axis=1) - left
    assert more.min() > -FLOAT_TOLERANCE
    assert more.max() < 1 + FLOAT_TOLERANCE
    assert abs(result.allocated.sum() - theirs[SHARED_ENERGY].to_numpy().sum()) < QUARTERS
