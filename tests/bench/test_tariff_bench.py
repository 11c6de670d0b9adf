"""The benchmark of the tariff compares sides that come to the same figures, and refuses sides that do not."""

from decimal import Decimal

import pytest

from custom_components.energy_neighbours.core.costs import BandCost, Costs
from tools.bench import tariff


def test_every_comparison_is_measured_and_the_targets_are_the_projects() -> None:
    said: list[str] = []
    results, notes = tariff.run(1, quick=True, say=said.append)
    assert {result.name for result in results} == {"tariff"}
    assert len({result.case for result in results}) == len(results) == 8
    assert all(result.ours.middle > 0 and result.peer.middle > 0 for result in results)
    assert sorted({result.target for result in results if result.target}) == [0.2, 100]
    assert notes[0].startswith("35 040 quarter-hours")
    assert said[0] == "round 1 of 1: loop"


def test_sides_that_disagree_are_not_compared() -> None:
    ours = Costs.none()
    with pytest.raises(RuntimeError, match="disagree"):
        tariff._check({"eco": (1000, 200)}, ours)
    band = BandCost(offtake=1000, unpriced=0, cost=Decimal("0.000000200"))
    fields = dict.fromkeys(Costs.__slots__) | {"bands": {"eco": band}}
    tariff._check({"eco": (1000, 200)}, Costs(**fields))
