"""How energy falls into quarter-hours: coverage, gaps, power alone, clocks that are set back."""

import json

import pytest

from custom_components.energy_neighbours.core.channel import Assignment, Phase, Role, SiteLayout
from custom_components.energy_neighbours.core.quarter_hour import Quality, QuarterHour
from custom_components.energy_neighbours.core.quarter_hour_meter import OpenQuarterHour, QuarterHourMeter
from custom_components.energy_neighbours.core.site_energy import SiteEnergy

T = 1_790_000_100  # on the grid
GRID = frozenset({Role.GRID})
ROOF = frozenset({Role.PRODUCTION})


def listen(meter: QuarterHourMeter, since: int, until: int, side: Role = Role.GRID) -> None:
    for time in range(since, until + 1, 60):
        meter.hear(side, time)


def test_a_quarter_hour_is_closed_soon_after_its_end() -> None:
    meter = QuarterHourMeter(GRID, settle=15)
    listen(meter, T, T + 900)
    meter.book(Role.GRID, (250.5, 3), T, T + 900)
    meter.hear(Role.GRID, T + 914)
    assert meter.close() == []
    meter.hear(Role.GRID, T + 915)
    assert meter.close() == [QuarterHour(T, 250, 3, None, Quality.MEASURED)]
    assert meter.close() == []


def test_what_is_left_of_a_watt_hour_goes_into_the_next() -> None:
    meter = QuarterHourMeter(GRID)
    listen(meter, T, T + 1800)
    meter.book(Role.GRID, (250.5, 0), T, T + 900)
    meter.book(Role.GRID, (250.5, 0), T + 900, T + 1800)
    meter.hear(Role.GRID, T + 1815)
    assert [quarter.offtake for quarter in meter.close()] == [250, 251]


def test_tenths_that_add_up_to_a_whole_are_a_whole() -> None:
    meter = QuarterHourMeter(GRID)
    listen(meter, T, T + 900)
    for _ in range(10):
        meter.book(Role.GRID, (0.1, 0), T, T + 1)
    meter.hear(Role.GRID, T + 915)
    assert meter.close()[0].offtake == 1


@pytest.mark.parametrize(
    ("begin", "quality"), [(0, "measured"), (180, "measured"), (240, "estimated"), (540, "estimated"), (600, "missing")]
)
def test_the_first_quarter_hour_is_as_good_as_it_is_covered(begin: int, quality: str) -> None:
    meter = QuarterHourMeter(GRID)
    listen(meter, T + begin, T + 900)
    meter.hear(Role.GRID, T + 960)
    assert meter.close()[0].quality == quality


def test_nothing_is_closed_while_nothing_is_heard() -> None:
    meter = QuarterHourMeter(GRID)
    listen(meter, T, T + 840)
    assert meter.close() == []
    meter.book(Role.GRID, (800, 0), T + 840, T + 840 + 2400)
    meter.hear(Role.GRID, T + 840 + 2400)
    assert [(q.offtake, q.quality) for q in meter.close()] == [
        (20, "measured"),
        (300, "estimated"),
        (300, "estimated"),
    ]
    assert meter.running(T + 2700) == OpenQuarterHour(T + 2700, pytest.approx(180), 0, None)


def test_power_alone_counts_for_the_time_in_which_it_was_known() -> None:
    meter = QuarterHourMeter(frozenset(), ROOF)
    for minute in range(6, 16):  # nothing in the first 6 minutes
        meter.hear(Role.PRODUCTION, T + 60 * minute)
        if minute > 6:
            meter.book(Role.PRODUCTION, (20,), T + 60 * (minute - 1), T + 60 * minute)
    meter.hear(Role.PRODUCTION, T + 960)
    assert meter.close() == [QuarterHour(T, None, None, 300, Quality.ESTIMATED)]  # 1200 W


def test_power_that_was_hardly_known_is_missing_not_zero() -> None:
    meter = QuarterHourMeter(frozenset(), ROOF)
    listen(meter, T, T + 240, Role.PRODUCTION)
    meter.book(Role.PRODUCTION, (80,), T, T + 240)
    listen(meter, T + 3600, T + 3660, Role.PRODUCTION)
    assert meter.close() == [
        QuarterHour(T, None, None, 80, Quality.MISSING),
        QuarterHour(T + 900, None, None, None, Quality.MISSING),
        QuarterHour(T + 1800, None, None, None, Quality.MISSING),
        QuarterHour(T + 2700, None, None, None, Quality.MISSING),
    ]


def test_a_counter_that_began_anew_over_a_gap_leaves_it_missing() -> None:
    meter = QuarterHourMeter(GRID)
    listen(meter, T, T + 900)
    meter.miss(Role.GRID, T + 900, T + 2700)
    meter.hear(Role.GRID, T + 2700)
    listen(meter, T + 2700, T + 3660)
    assert [(q.offtake, q.quality) for q in meter.close()] == [
        (0, "measured"),
        (None, "missing"),
        (None, "missing"),
        (0, "measured"),
    ]


def test_an_inverter_that_sleeps_takes_nothing_from_what_the_grid_meter_measured() -> None:
    meter = QuarterHourMeter(GRID, ROOF)
    listen(meter, T, T + 2760)
    listen(meter, T, T + 840, Role.PRODUCTION)
    meter.book(Role.GRID, (300, 0), T, T + 2700)
    meter.hear(Role.PRODUCTION, T + 2760)
    assert meter.close() == [
        QuarterHour(T, 100, 0, 0, Quality.MEASURED),
        QuarterHour(T + 900, 100, 0, None, Quality.MEASURED),
        QuarterHour(T + 1800, 100, 0, None, Quality.MEASURED),
    ]


def test_a_site_waits_for_both_its_sides() -> None:
    meter = QuarterHourMeter(GRID | ROOF)
    listen(meter, T, T + 1800)
    assert meter.close() == []
    listen(meter, T, T + 1800, Role.PRODUCTION)
    assert [q.start for q in meter.close()] == [T]


def test_time_that_comes_again_adds_to_its_quarter_hours() -> None:
    meter = QuarterHourMeter(GRID)
    listen(meter, T, T + 3600)
    meter.book(Role.GRID, (400, 0), T, T + 3600)
    assert len(meter.close()) == 3
    meter.book(Role.GRID, (7, 0), T + 990, T + 1000)  # the clock was set back by some 45 minutes
    listen(meter, T + 1000, T + 3660)
    again = meter.close()
    assert [(q.start, q.offtake, q.quality) for q in again[:1]] == [(T + 900, 7, "estimated")]
    assert sum(q.offtake or 0 for q in again) == 7 + 100, "and the last quarter-hour, which was still open"


def test_the_grid_waits_two_hours_for_a_roof_and_not_all_night() -> None:
    meter = QuarterHourMeter(GRID | ROOF)
    listen(meter, T, T + 840, Role.PRODUCTION)
    listen(meter, T, T + 36_000)
    meter.book(Role.GRID, (4000, 0), T, T + 36_000)
    closed = meter.close()
    assert [(q.offtake, q.production, q.quality) for q in closed[:2]] == [(100, 0, "measured"), (100, None, "measured")]
    assert closed[-1].end <= T + 36_000 - 7200 < closed[-1].end + 915
    meter.book(Role.PRODUCTION, (400,), T + 840, T + 36_000)
    meter.hear(Role.PRODUCTION, T + 36_060)
    meter.hear(Role.GRID, T + 36_060)
    later = meter.close()
    assert [q.start for q in later] == [T + 900 * n for n in range(40) if n], "supplements, and what was open"
    assert sum(q.production or 0 for q in later) == 400
    assert sum(q.offtake or 0 for q in [*closed, *later]) == 4000


def test_a_roof_that_was_never_heard_is_not_waited_for_either() -> None:
    meter = QuarterHourMeter(GRID, ROOF)
    listen(meter, T, T + 9000)
    assert meter.close() == [QuarterHour(T, 0, 0, None, Quality.MEASURED)]


def test_negative_energy_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        QuarterHourMeter(GRID).book(Role.GRID, (1, -1), T, T + 1)


def test_state_survives_a_restart_as_json() -> None:
    meter = QuarterHourMeter(GRID)
    listen(meter, T, T + 600)
    meter.book(Role.GRID, (100.25, 0), T, T + 600)
    again = QuarterHourMeter(GRID)
    again.restore(json.loads(json.dumps(meter.as_dict())))
    assert again.as_dict() == meter.as_dict()
    assert again.waiting() == meter.waiting()


def test_a_side_that_is_new_after_a_restart_was_missing_before() -> None:
    meter = QuarterHourMeter(GRID)
    listen(meter, T, T + 600)
    again = QuarterHourMeter(GRID | ROOF)
    again.restore(meter.as_dict())
    listen(again, T + 660, T + 1800)
    listen(again, T + 660, T + 1800, Role.PRODUCTION)
    assert again.close() == [QuarterHour(T, 0, 0, 0, Quality.MISSING)]


ONE_PHASE = SiteLayout({"grid": Assignment(Role.GRID), "roof": Assignment(Role.PRODUCTION)})


def resumed(silent: int) -> SiteEnergy:
    """A site that was last heard at T + 600 and then again after a silence."""
    energy = SiteEnergy(ONE_PHASE)
    for time in (*range(T, T + 601, 60), T + 600 + silent):
        for key, side in (("grid", Role.GRID), ("roof", Role.PRODUCTION)):
            if time <= T + 600:
                energy.add_energy(key, 0, 0, time, 60)
            energy.hear(side, time)
    return energy


def test_a_counter_that_speaks_late_after_a_gap_is_waited_for() -> None:
    energy = resumed(silent=2400)
    assert energy.close_quarter_hours() == []
    energy.add_energy("roof", 0, 0, T + 3000, 2400)
    assert energy.close_quarter_hours() == []
    energy.add_energy("grid", 240, 0, T + 3000, 2400)
    energy.hear(Role.GRID, T + 3030)
    energy.hear(Role.PRODUCTION, T + 3030)
    assert [q.offtake for q in energy.close_quarter_hours()] == [30, 90, 90]


def test_a_counter_that_stays_silent_after_a_gap_is_not_waited_for_for_ever() -> None:
    energy = resumed(silent=2400)
    energy.add_energy("grid", 240, 0, T + 3000, 2400)
    for time in range(T + 3000, T + 3961, 60):
        energy.hear(Role.GRID, time)
        energy.hear(Role.PRODUCTION, time)
    closed = energy.close_quarter_hours()
    assert [(q.offtake, q.production, q.quality) for q in closed] == [
        (30, 0, "estimated"),
        (90, None, "estimated"),
        (90, None, "estimated"),
        (30, 0, "estimated"),
    ]


def test_what_a_counter_tells_long_after_a_gap_supplements_the_quarter_hours_of_the_gap() -> None:
    energy = resumed(silent=2400)
    energy.add_energy("grid", 240, 0, T + 3000, 2400)
    for time in range(T + 3000, T + 7200, 60):
        energy.hear(Role.GRID, time)
        energy.hear(Role.PRODUCTION, time)
    assert [q.production for q in energy.close_quarter_hours()][:4] == [0, None, None, 0]
    energy.add_energy("roof", 2400, 0, T + 3000, 2400)  # it rose in the gap and has only now risen again
    assert [(q.start - T, q.offtake, q.production, q.quality) for q in energy.close_quarter_hours()] == [
        (0, None, 300, "estimated"),
        (900, None, 900, "estimated"),
        (1800, None, 900, "estimated"),
        (2700, None, 300, "estimated"),
    ]


def test_phases_that_begin_anew_together_leave_that_time_unknown_once() -> None:
    energy = SiteEnergy(SiteLayout({phase.value: Assignment(Role.GRID, phase) for phase in Phase}))
    for time in (T, T + 60, T + 120, T + 480, *range(T + 540, T + 961, 60)):
        if time == T + 480:
            for phase in Phase:
                energy.miss_energy(phase.value, time, 360)
        else:
            for phase in Phase:
                energy.add_energy(phase.value, 0, 0, time, 60)
        energy.hear(Role.GRID, time)
    assert energy.close_quarter_hours() == [QuarterHour(T, 0, 0, None, Quality.ESTIMATED)], "9 of 15 minutes were heard"
