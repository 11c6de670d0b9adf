"""Offtake, injection and production over any history: nothing is lost, nothing invented, nothing falls."""

from hypothesis import given, strategies as st
import pytest

from custom_components.energy_neighbours.core.channel import Assignment, Phase, Role, SiteLayout
from custom_components.energy_neighbours.core.energy_registers import GAP, EnergyRegisters

LAYOUT = SiteLayout(
    {phase.value: Assignment(Role.GRID, phase) for phase in Phase}
    | {"roof": Assignment(Role.PRODUCTION), "car": Assignment(Role.LOAD)}
)
ENERGY = st.integers(0, 50_000).map(lambda thousandths: thousandths / 1000)
STEPS = st.dictionaries(st.sampled_from(["L1", "L2", "L3", "roof", "car", "gas"]), st.tuples(ENERGY, ENERGY))
SECONDS = st.one_of(st.just(1.0), st.floats(0, GAP), st.floats(GAP, 1e7))
HISTORY = st.lists(st.tuples(STEPS, SECONDS), max_size=40)


def total(history, keys, direction: int) -> float:
    return sum(step[key][direction] for step, _ in history for key in keys if key in step)


def booked(history) -> EnergyRegisters:
    registers = EnergyRegisters()
    for step, seconds in history:
        registers.book(LAYOUT, step, seconds)
    return registers


@given(HISTORY)
def test_net_energy_is_exact_over_any_history_with_gaps(history):
    registers = booked(history)
    net = total(history, Phase, 0) - total(history, Phase, 1)
    assert registers.offtake - registers.injection == pytest.approx(net, abs=1e-6)


@given(HISTORY)
def test_no_register_ever_falls(history):
    registers = EnergyRegisters()
    before = (0.0, 0.0, 0.0)
    for step, seconds in history:
        registers.book(LAYOUT, step, seconds)
        now = (registers.offtake, registers.injection, registers.production)
        assert all(new >= old for new, old in zip(now, before, strict=True))
        before = now


@given(HISTORY)
def test_netting_only_takes_away(history):
    registers = booked(history)
    assert registers.offtake <= total(history, Phase, 0) + 1e-6
    assert registers.injection <= total(history, Phase, 1) + 1e-6


@given(HISTORY)
def test_channels_count_what_they_were_told(history):
    registers = booked(history)
    for key in ("L1", "roof", "car", "gas"):
        energy = registers.channels.get(key)
        if energy is None:
            assert all(key not in step for step, _ in history)
        else:
            assert energy.forward == pytest.approx(total(history, [key], 0), abs=1e-6)
            assert energy.backward == pytest.approx(total(history, [key], 1), abs=1e-6)
    assert registers.production == pytest.approx(total(history, ["roof"], 0), abs=1e-6)


@given(HISTORY, HISTORY)
def test_a_restart_in_between_changes_nothing(before, after):
    restarted = EnergyRegisters.from_dict(booked(before).as_dict())
    for step, seconds in after:
        restarted.book(LAYOUT, step, seconds)
    assert restarted == booked(before + after)


def test_phases_are_netted_within_a_step():
    registers = booked([({"L1": (3.0, 0.0), "L2": (0.0, 1.0), "L3": (0.0, 1.0)}, 1)])
    assert (registers.offtake, registers.injection) == (1, 0)


def test_steps_are_not_netted_with_each_other():
    registers = booked([({"L1": (3.0, 0.0)}, 1), ({"L1": (0.0, 2.0)}, 1)])
    assert (registers.offtake, registers.injection) == (3, 2)


def test_gap_is_split_as_the_complete_steps_before_it():
    # Half of what the phases import is covered by what the others export.
    complete = [({"L1": (2.0, 0.0), "L2": (0.0, 1.0)}, 1.0)] * 10
    registers = booked([*complete, ({"L1": (100.0, 0.0), "L2": (0.0, 90.0)}, 3600.0)])
    assert registers.offtake - 10 == 50
    assert registers.injection == 40


def test_gap_before_any_experience_is_not_netted():
    registers = booked([({"L1": (100.0, 0.0), "L2": (0.0, 90.0)}, 3600.0)])
    assert (registers.offtake, registers.injection) == (100, 90)


def test_gap_of_pure_injection_takes_nothing():
    registers = booked([({"L1": (0.0, 100.0)}, 3600.0)])
    assert (registers.offtake, registers.injection) == (0, 100)


def test_share_is_learnt_from_complete_steps_only():
    registers = booked([({"L1": (100.0, 0.0), "L2": (0.0, 90.0)}, 3600.0)])
    assert (registers.counted, registers.netted) == (0, 0)


@pytest.mark.parametrize("step", [(-0.001, 0.0), (0.0, -0.001)])
def test_negative_energy_is_refused(step):
    with pytest.raises(ValueError, match="L1"):
        EnergyRegisters().book(LAYOUT, {"L1": step}, 1)
