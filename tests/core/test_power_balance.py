"""What a site takes, makes and uses at one moment; what is not known is never taken for zero."""

from hypothesis import given, strategies as st
import pytest

from custom_components.energy_neighbours.core.channel import Assignment, Phase, Role, SiteLayout
from custom_components.energy_neighbours.core.power_balance import phase_imbalance, power_balance, sum_or_none

PHASES = {phase.value: Assignment(Role.GRID, phase) for phase in Phase}
ROOF = {"roof": Assignment(Role.PRODUCTION)}
CAR = {"car": Assignment(Role.LOAD, Phase.L1)}
WATTS = st.floats(-50_000, 50_000, allow_nan=False)
MAYBE_WATTS = st.none() | WATTS


def test_three_phases_with_a_roof():
    balance = power_balance(
        SiteLayout(PHASES | ROOF | CAR), {"L1": 500.0, "L2": -1200.0, "L3": 100.0, "roof": 2000.0, "car": 450.0}
    )
    assert balance.grid == -600
    assert balance.production == 2000
    assert balance.consumption == 1400
    assert balance.phases == {Phase.L1: 500, Phase.L2: -1200, Phase.L3: 100}
    assert balance.imbalance == 1700


def test_appliance_is_already_contained_in_the_grid():
    with_car = power_balance(SiteLayout(PHASES | CAR), {"L1": 500.0, "L2": 0.0, "L3": 0.0, "car": 450.0})
    without = power_balance(SiteLayout(PHASES), {"L1": 500.0, "L2": 0.0, "L3": 0.0})
    assert with_car == without


def test_one_missing_phase_makes_the_total_unknown_but_not_the_other_phases():
    balance = power_balance(SiteLayout(PHASES), {"L1": 500.0, "L2": None, "L3": 100.0})
    assert balance.grid is None
    assert balance.consumption is None
    assert balance.imbalance is None
    assert balance.phases == {Phase.L1: 500, Phase.L2: None, Phase.L3: 100}


def test_nothing_heard_yet_is_unknown():
    balance = power_balance(SiteLayout(PHASES | ROOF), {})
    assert (balance.grid, balance.production, balance.consumption, balance.imbalance) == (None,) * 4


def test_consumption_needs_the_roof_where_there_is_one():
    layout = SiteLayout(PHASES | ROOF)
    assert power_balance(layout, {"L1": 1.0, "L2": 1.0, "L3": 1.0, "roof": None}).consumption is None


def test_consumption_behind_an_unmeasured_roof_is_hidden_while_it_feeds_in():
    layout = SiteLayout({"p1": Assignment(Role.GRID)})
    assert power_balance(layout, {"p1": 300.0}).consumption == 300
    assert power_balance(layout, {"p1": 0.0}).consumption == 0
    assert power_balance(layout, {"p1": -300.0}).consumption is None


def test_readings_some_moments_apart_make_no_negative_consumption():
    layout = SiteLayout({"p1": Assignment(Role.GRID)} | ROOF)
    assert power_balance(layout, {"p1": -2010.0, "roof": 2000.0}).consumption == 0


def test_roof_alone_knows_no_grid():
    balance = power_balance(SiteLayout(ROOF), {"roof": 2000.0})
    assert (balance.grid, balance.production, balance.consumption, balance.phases) == (None, 2000, None, {})


def test_two_roofs_add_up():
    layout = SiteLayout(ROOF | {"shed": Assignment(Role.PRODUCTION)})
    assert power_balance(layout, {"roof": 2000.0, "shed": 500.0}).production == 2500


def test_imbalance_needs_three_phases():
    assert phase_imbalance({Phase.L1: 5.0}) is None
    assert phase_imbalance({}) is None
    assert phase_imbalance({Phase.L1: 5.0, Phase.L2: 5.0, Phase.L3: -5.0}) == 10


def test_sum_of_nothing_is_unknown():
    assert sum_or_none([]) is None
    assert sum_or_none([1.0, None]) is None
    assert sum_or_none([1.0, 2.0]) == 3


@given(st.fixed_dictionaries({"L1": MAYBE_WATTS, "L2": MAYBE_WATTS, "L3": MAYBE_WATTS, "roof": MAYBE_WATTS}))
def test_total_is_known_exactly_when_every_part_is_and_is_their_sum(powers):
    balance = power_balance(SiteLayout(PHASES | ROOF), powers)
    parts = [powers[phase] for phase in ("L1", "L2", "L3")]
    assert (balance.grid is None) == (None in parts)
    if balance.grid is not None:
        assert balance.grid == pytest.approx(sum(parts), abs=1e-6)
        assert balance.imbalance == max(parts) - min(parts)
    assert (balance.consumption is None) == (None in powers.values())
    assert balance.consumption is None or balance.consumption >= 0
    assert list(balance.phases.values()) == parts
