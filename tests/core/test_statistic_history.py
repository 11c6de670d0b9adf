"""Quarter-hours from hourly and five-minute totals: whole Wh whose sum is the rise, and nothing that is not known."""

from hypothesis import given, strategies as st
import pytest

from custom_components.energy_neighbours.core.history import ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality
from custom_components.energy_neighbours.core.statistic_history import RunningTotal, history_of_totals

HOUR, DAY = 3600, 86400
BEGIN = 1_700_000_000 // HOUR * HOUR
FOREVER = BEGIN + 1000 * DAY


def hourly(*totals: float, begin: int = BEGIN, name: str = "sensor.grid") -> RunningTotal:
    return RunningTotal(name, {begin + HOUR * i: total for i, total in enumerate(totals)})


def offtake(*totals: RunningTotal, until: int = FOREVER) -> list[tuple[int, int | None]]:
    history = history_of_totals({"offtake": totals}, until)
    return [(quarter.start, quarter.offtake) for quarter in history.quarter_hours]


def test_hour_is_spread_over_its_four_quarter_hours_with_its_sum_kept():
    history = history_of_totals({"offtake": [hourly(5000, 5010, 5010)]}, FOREVER)
    energies = [quarter.offtake for quarter in history.quarter_hours]
    assert sum(energies[:4]) == 10
    assert set(energies[:4]) <= {2, 3}
    assert energies[4:] == [0, 0, 0, 0]
    assert {quarter.quality for quarter in history.quarter_hours} == {Quality.ESTIMATED}
    assert {(quarter.injection, quarter.production) for quarter in history.quarter_hours} == {(None, None)}
    assert history.rows == 3


def test_what_was_counted_before_the_first_total_is_not_known():
    assert offtake(hourly(9_000_000)) == []


def test_hours_without_a_total_share_the_rise_over_them():
    total = RunningTotal("sensor.grid", {BEGIN: 0, BEGIN + 3 * HOUR: 1200})
    assert [energy for _, energy in offtake(total)] == [100] * 12


def test_five_minute_totals_are_measured():
    fine = {BEGIN + 300 * i: 10.0 * i for i in range(13)}
    total = RunningTotal("sensor.grid", {BEGIN - HOUR: -70.0, **fine}, frozenset(fine))
    history = history_of_totals({"offtake": [total]}, FOREVER)
    assert [(q.offtake, q.quality) for q in history.quarter_hours[4:]] == [(30, Quality.MEASURED)] * 4
    assert [q.quality for q in history.quarter_hours[:4]] == [Quality.ESTIMATED] * 4


def test_quarter_hour_is_estimated_when_its_boundary_was_not_noted():
    fine = {BEGIN + 300 * i: 10.0 * i for i in range(7) if i != 3}
    history = history_of_totals({"offtake": [RunningTotal("sensor.grid", fine, frozenset(fine))]}, FOREVER)
    assert [(q.offtake, q.quality) for q in history.quarter_hours] == [(30, Quality.ESTIMATED)] * 2


def test_running_hour_is_left_out():
    assert offtake(hourly(0, 400, 800), until=BEGIN + HOUR) == [(BEGIN + QUARTER * i, 100) for i in range(4)]


def test_fall_is_a_problem_and_not_zero():
    history = history_of_totals({"offtake": [hourly(0, 400, 100, 500)]}, FOREVER)
    starts = [quarter.start for quarter in history.quarter_hours]
    assert starts == [BEGIN + QUARTER * i for i in (0, 1, 2, 3, 8, 9, 10, 11)]
    (problem,) = history.problems
    assert (problem.kind, problem.where) == (ProblemKind.NEGATIVE, "sensor.grid")
    assert problem.found.startswith("-0.300 kWh")


def test_day_and_night_counters_are_added_up():
    pair = offtake(hourly(0, 400, 400, name="sensor.day"), hourly(7, 7, 207, name="sensor.night"))
    assert [energy for _, energy in pair] == [100] * 4 + [50] * 4


def test_nothing_is_known_before_the_second_of_two_counters_begins():
    day, night = hourly(*range(0, 40000, 400)), hourly(*range(50), begin=BEGIN + 40 * HOUR)
    starts = [start for start, _ in offtake(day, night)]
    assert starts[0] == BEGIN + 40 * HOUR
    assert starts[-1] == BEGIN + 89 * HOUR - QUARTER


def test_counter_that_replaced_another_takes_its_place():
    old, new = hourly(0, 400, 800), hourly(90000, 90400, begin=BEGIN + 5 * HOUR)
    assert offtake(old, new) == [(BEGIN + QUARTER * i, 100) for i in (*range(8), *range(20, 24))]


def test_series_are_known_each_for_its_time():
    history = history_of_totals(
        {"offtake": [hourly(0, 400)], "production": [hourly(0, 40, begin=BEGIN + HOUR)]}, FOREVER
    )
    assert [(q.offtake, q.production) for q in history.quarter_hours] == [(100, None)] * 4 + [(None, 10)] * 4


def test_nothing_gives_nothing():
    assert history_of_totals({"offtake": [RunningTotal("sensor.grid", {})]}, FOREVER).quarter_hours == []


@given(st.lists(st.floats(0, 40_000, allow_subnormal=False), min_size=2, max_size=60), st.floats(0, 1e8))
def test_sum_is_the_rise_over_any_span_to_the_wh(changes: list[float], begin: float):
    totals = [begin]
    for change in changes:
        totals.append(totals[-1] + change)
    energies = [energy for _, energy in offtake(hourly(*totals))]
    assert all(energy >= 0 for energy in energies)
    for hour in range(len(changes) + 1):
        assert sum(energies[: 4 * hour]) == pytest.approx(totals[hour] - begin, abs=1.0001)
