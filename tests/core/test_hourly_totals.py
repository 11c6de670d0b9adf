"""Hours of quarter-hours, and running totals that only rise and change from the first changed hour on."""

from hypothesis import given, strategies as st

from custom_components.energy_neighbours.core.hourly_totals import (
    HOUR,
    HourlyTotal,
    hour_start,
    hourly_energies,
    running_totals,
)
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour

HOURS = st.dictionaries(st.integers(0, 50).map(lambda hour: hour * HOUR), st.integers(0, 9000))


def quarters(*energies: int | None, quality: Quality = Quality.MEASURED) -> list[QuarterHour]:
    return [QuarterHour(QUARTER * i, energy, None, 1, quality) for i, energy in enumerate(energies)]


def test_hour_is_the_sum_of_its_quarter_hours():
    assert hourly_energies(quarters(1, 2, 3, 4, 0, 0, 0, 0), "offtake") == {0: 10, HOUR: 0}


def test_hour_of_which_a_part_is_not_known_is_not_there():
    assert hourly_energies(quarters(1, 2, 3, 4, 5, 6, None, 8), "offtake") == {0: 10}
    assert hourly_energies(quarters(1, 2, 3), "offtake") == {}
    assert hourly_energies(quarters(1, 2, 3, 4, quality=Quality.MISSING), "offtake") == {}
    assert hourly_energies(quarters(1, 2, 3, 4), "injection") == {}


def test_hour_holds_its_beginning_but_not_its_end():
    assert [hour_start(time) for time in (HOUR, 2 * HOUR - 0.5, 2 * HOUR)] == [HOUR, HOUR, 2 * HOUR]


def test_what_is_shown_rises_after_older_hours_came():
    shown = {5 * HOUR: 100, 6 * HOUR: 150}
    assert running_totals(0, 0, shown, {2 * HOUR: 30}) == [
        HourlyTotal(2 * HOUR, 30, 30),
        HourlyTotal(5 * HOUR, 100, 130),
        HourlyTotal(6 * HOUR, 50, 180),
    ]


def test_changed_hour_replaces_what_is_shown():
    assert running_totals(10, 10, {HOUR: 30, 2 * HOUR: 50}, {HOUR: 5}) == [
        HourlyTotal(HOUR, 5, 15),
        HourlyTotal(2 * HOUR, 20, 35),
    ]


def test_rises_stay_after_earlier_hours_were_corrected():
    assert running_totals(40, 100, {HOUR: 130, 2 * HOUR: 150}, {3 * HOUR: 7}) == [
        HourlyTotal(HOUR, 30, 70),
        HourlyTotal(2 * HOUR, 20, 90),
        HourlyTotal(3 * HOUR, 7, 97),
    ]


@given(st.integers(0, 10**7), HOURS, HOURS)
def test_totals_never_fall_and_a_second_time_changes_nothing(before: int, old: dict[int, int], new: dict[int, int]):
    shown = {hour.start: hour.total for hour in running_totals(before, before, {}, old)}
    once = running_totals(before, before, shown, new)
    totals = [before, *(hour.total for hour in once)]
    assert totals == sorted(totals)
    assert {hour.start: hour.energy for hour in once} == old | new
    assert running_totals(before, before, {hour.start: hour.total for hour in once}, new) == once
