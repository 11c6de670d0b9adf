"""How much a counter adds, through resets, wraps and late messages."""

import pytest

from custom_components.energy_neighbours.core.counter import CounterState, CounterTrack, StepKind

T = 1_700_000_000


def test_first_value_adds_nothing() -> None:
    track = CounterTrack()
    assert track.state is None
    assert track.advance(1000, T) == (0, StepKind.FIRST)
    assert track.state == (1000, T)


def test_rise_is_added() -> None:
    track = CounterTrack(CounterState(1000, T))
    assert track.advance(1004.5, T + 10) == (4.5, StepKind.NORMAL)


def test_repeated_value_adds_nothing() -> None:
    track = CounterTrack(CounterState(1000, T))
    assert track.advance(1000, T + 1) == (0, StepKind.NORMAL)
    assert track.state == (1000, T + 1)


@pytest.mark.parametrize(
    ("value", "gap", "booked"),
    [
        (3, 10, 3),  # 1080 W
        (12_500, 900, 12_500),  # 50 kW for a quarter of an hour
        (12_501, 900, 0),  # more than 50 kW
        (3, 901, 0),  # too long ago
        (500_000, 10, 0),  # an older value came back from memory
        (3, 0, 0),
        (0, 10, 0),
        (3, -3600, 0),  # and the meter's clock was set back
    ],
)
def test_what_a_fallen_counter_shows_is_booked_if_it_can_be_true(value: float, gap: int, booked: float) -> None:
    track = CounterTrack(CounterState(2_597_418, T))
    assert track.advance(value, T + gap) == (booked, StepKind.RESET)
    assert track.state == (value, T + gap)


def test_message_that_comes_late_is_no_reset() -> None:
    track = CounterTrack(CounterState(1000, T))
    assert track.advance(998, T - 2) == (0, StepKind.NORMAL)
    assert track.advance(1001, T + 1) == (1, StepKind.NORMAL)


@pytest.mark.parametrize("before", [2**32 - 6, 500_000])
def test_message_from_before_a_wrap_or_a_reset_that_comes_late_adds_nothing(before: int) -> None:
    track = CounterTrack(CounterState(before, T))
    track.advance(2, T + 10)
    assert track.advance(before, T + 9) == (0, StepKind.NORMAL)
    assert track.advance(3, T + 11) == (1, StepKind.NORMAL)


def test_clock_that_is_set_back_by_a_minute_delays_what_is_booked_and_loses_nothing() -> None:
    track = CounterTrack(CounterState(1000, T))
    steps = [track.advance(1000 + n, T - 60 + 10 * n).delta for n in range(1, 10)]
    assert sum(steps) == 9


@pytest.mark.parametrize(("before", "after", "rise"), [(2**32 - 6, 2, 8), (2**32 - 1, 0, 1), (2**32 - 2**19, 0, 2**19)])
def test_wrap_adds_what_was_counted(before: int, after: int, rise: int) -> None:
    track = CounterTrack(CounterState(before, T))
    assert track.advance(after, T + 1) == (rise, StepKind.WRAP)


def test_fall_far_from_the_end_of_32_bits_is_no_wrap() -> None:
    track = CounterTrack(CounterState(2**32 - 2**21, T))
    assert track.advance(0, T + 1).kind is StepKind.RESET


def test_net_meter_falls_while_feeding_in() -> None:
    track = CounterTrack(CounterState(5, T), signed=True)
    assert track.advance(-3, T + 10) == (-8, StepKind.NORMAL)
    assert track.advance(-1, T + 20) == (2, StepKind.NORMAL)


def test_track_goes_on_from_a_stored_state() -> None:
    first = CounterTrack()
    first.advance(1000, T)
    second = CounterTrack(first.state)
    assert second.advance(1007, T + 3600).delta == 7


def test_a_replaced_net_meter_books_nothing() -> None:
    track = CounterTrack(CounterState(-154_325, T), signed=True)
    assert track.advance(0, T + 30) == (0, StepKind.RESET)
    assert track.advance(-2, T + 60) == (-2, StepKind.NORMAL)


def test_a_net_meter_catches_up_after_a_long_outage() -> None:
    track = CounterTrack(CounterState(-154_325, T), signed=True)
    assert track.advance(-400_000, T + 30 * 86_400) == (-245_675, StepKind.NORMAL)
