"""Which clock is believed when meter and computer disagree."""

from custom_components.energy_neighbours.core.clock_referee import ClockReferee

T = 1_790_000_000
HOUR = 3600


def test_the_meter_is_believed_while_both_agree() -> None:
    assert ClockReferee().judge(T - 1, T, 0) == T - 1


def test_a_meter_that_has_no_time_yet_is_not_believed() -> None:
    assert ClockReferee().judge(1, T, 0) == T


def test_a_meter_that_jumps_is_not_believed() -> None:
    referee = ClockReferee()
    referee.judge(T, T, 50)
    assert referee.judge(T + HOUR, T + 10, 60) == T + 10


def test_a_computer_that_jumps_is_not_believed() -> None:
    referee = ClockReferee()
    referee.judge(T, T, 50)
    assert referee.judge(T + 10, T + 10 + 4 * 365 * 24 * HOUR, 60) == T + 10
    assert referee.judge(T + 20, T + 20, 70) == T + 20


def test_when_both_jump_apart_time_goes_on_as_it_did() -> None:
    referee = ClockReferee()
    referee.judge(T, T, 50)
    assert referee.judge(T + HOUR, T - HOUR, 55) == T + 5


def test_a_computer_that_woke_up_in_the_past_is_corrected_when_both_agree() -> None:
    referee = ClockReferee()
    assert referee.judge(T, T - 9 * HOUR, 0) == T - 9 * HOUR
    assert referee.judge(T + 60, T + 60, 60) == T + 60


def test_a_meter_without_a_right_clock_is_no_witness_against_the_computer() -> None:
    referee = ClockReferee()
    referee.judge(1, T, 0)
    assert referee.judge(61, T + HOUR, 60) == T + HOUR, "it woke up in the past, or was asleep"
    assert referee.judge(121, T + HOUR + 60, 120) == T + HOUR + 60
