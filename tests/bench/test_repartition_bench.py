"""The benchmark of the repartition keys compares sides that come to the same shares, and refuses sides that do not."""

import numpy as np
import pytest

from tools.bench.repartition import results


def test_every_comparison_is_measured() -> None:
    said: list[str] = []
    found, notes = results.run(1, quick=True, say=said.append)
    assert {result.name for result in found} == {"repartition"}
    assert len({result.case for result in found}) == len(found) == 7
    assert all(result.peer.middle > 0 for result in found)
    assert any("openenergyid" in line for line in said)
    assert any("power" in note for note in notes)


def test_the_targets_are_the_projects() -> None:
    assert (results.ENERGYID, results.PANDAS, results.COPY, results.MEMORY) == (40, 12, 0.05, 6)


def test_sides_that_disagree_are_not_compared() -> None:
    results._check("the same", np.array([[3]]), np.array([[3.9]]))
    with pytest.raises(RuntimeError, match="differ by 2 Wh"):
        results._check("not the same", np.array([[3]]), np.array([[5.0]]))
