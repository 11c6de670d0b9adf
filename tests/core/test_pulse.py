"""A pulse meter that falls silent still has a rate, and it can only sink."""

from hypothesis import assume, given, strategies as st
import pytest

from custom_components.energy_neighbours.core.pulse import NEGLIGIBLE, pulse_rate_now

AMOUNT = st.floats(0.001, 100)
RATE = st.floats(0, 100_000)
TIME = st.floats(0, 1e6)


def test_rate_stands_until_the_next_pulse_is_overdue():
    # 1800 W and 1 Wh a pulse: one pulse every two seconds.
    assert pulse_rate_now(1800, 1, 0) == 1800
    assert pulse_rate_now(1800, 1, 2) == 1800
    assert pulse_rate_now(1800, 1, 4) == 900
    assert pulse_rate_now(1800, 1, 3600) == 1


def test_before_the_first_pulse_the_rate_is_unknown_until_it_can_only_be_small():
    assert pulse_rate_now(None, 1, 0) is None
    assert pulse_rate_now(None, 1, 60) is None
    assert pulse_rate_now(None, 1, 3600 / NEGLIGIBLE + 1) == 0


@given(RATE, AMOUNT, TIME, TIME)
def test_rate_never_rises_without_a_pulse(last, amount, one, other):
    earlier, later = sorted((one, other))
    assert pulse_rate_now(last, amount, later) <= pulse_rate_now(last, amount, earlier) <= last


@given(RATE, AMOUNT, TIME)
def test_rate_means_at_most_one_pulse_since_the_last_one(last, amount, elapsed):
    assume(elapsed > 0)
    assert pulse_rate_now(last, amount, elapsed) * elapsed / 3600 <= amount * (1 + 1e-9)


@given(AMOUNT)
def test_clock_set_back_changes_nothing(amount):
    assert pulse_rate_now(500, amount, -30) == 500
    assert pulse_rate_now(None, amount, -30) is None


@pytest.mark.parametrize("elapsed", [0, 1, 1e9])
def test_rate_of_zero_stays_zero(elapsed):
    assert pulse_rate_now(0, 1, elapsed) == 0
