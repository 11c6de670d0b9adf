"""Which band a moment is in: by the wall clock, to the minute, also when the clocks change."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from custom_components.energy_neighbours.core.quarter_hour import Span, local_day, midnight
from custom_components.energy_neighbours.core.tariff import (
    BandGrid,
    DayType,
    GridError,
    GridProblem,
    Interval,
    band_at,
    band_periods,
    classify,
    clock,
    interval_at,
    minute_of,
    next_change,
    next_solar_change,
    solar_periods,
)

from .tariffs import BRUSSELS, IMPACT, NATIONAL_DAY, NO_HOLIDAYS, ONE_RATE, TWO_RATES, WORKING_DAYS, grid

TO_SUMMER = date(2026, 3, 29)
TO_WINTER = date(2026, 10, 25)


def at(text: str, *, second_time: bool = False) -> int:
    """Return a local time [s, Unix]; `second_time` of an hour that comes twice."""
    return int(datetime.fromisoformat(text).replace(tzinfo=BRUSSELS, fold=int(second_time)).timestamp())


def written(*parts: tuple[str, str, str]) -> dict:
    days = [{"start": start, "end": end, "band": band} for start, end, band in parts]
    return {"id": "x", "bands": ["a", "b"], "days": {"every_day": days}}


@pytest.mark.parametrize(
    ("time", "impact", "two_rates"),
    [
        ("00:59:59", "medium", "off_peak"),
        ("01:00", "eco", "off_peak"),
        ("06:59:59", "eco", "off_peak"),
        ("07:00", "medium", "full"),
        ("11:00", "eco", "off_peak"),
        ("16:59:59", "eco", "off_peak"),
        ("17:00", "peak", "full"),
        ("21:59:59", "peak", "full"),
        ("22:00", "medium", "off_peak"),
    ],
)
def test_band_flips_on_the_boundary_itself_and_late_evening_differs_between_tariffs(time, impact, two_rates) -> None:
    moment = at(f"2026-05-04T{time}")
    assert band_at(IMPACT, moment, BRUSSELS, NO_HOLIDAYS) == impact
    assert band_at(TWO_RATES, moment, BRUSSELS, NO_HOLIDAYS) == two_rates


def test_fraction_of_a_second_before_the_boundary_is_still_before_it() -> None:
    assert band_at(IMPACT, at("2026-05-04T17:00") - 0.001, BRUSSELS, NO_HOLIDAYS) == "eco"


@pytest.mark.parametrize(("hour", "band"), [("01:45", "eco"), ("02:00", "eco"), ("02:45", "eco"), ("03:00", "eco")])
def test_hour_that_comes_twice_has_the_same_band_twice(hour, band) -> None:
    time = f"2026-10-25T{hour}"
    assert band_at(IMPACT, at(time), BRUSSELS, NO_HOLIDAYS) == band
    assert band_at(IMPACT, at(time, second_time=True), BRUSSELS, NO_HOLIDAYS) == band


def test_boundary_inside_the_hour_that_comes_twice_is_crossed_twice() -> None:
    night = grid("00:00-02:30 a", "02:30-24:00 b")
    first, again = at("2026-10-25T02:00"), at("2026-10-25T02:00", second_time=True)
    assert again - first == 3600
    assert band_periods(night, Span(first, again + 3600), BRUSSELS, NO_HOLIDAYS) == [
        (first, first + 1800, "a"),
        (first + 1800, again, "b"),
        (again, again + 1800, "a"),
        (again + 1800, again + 3600, "b"),
    ]


def test_band_of_the_hour_that_is_left_out_does_not_come() -> None:
    night = grid("00:00-02:00 a", "02:00-03:00 b", "03:00-24:00 c")
    bands = [period.band for period in band_periods(night, local_day(TO_SUMMER, BRUSSELS), BRUSSELS, NO_HOLIDAYS)]
    assert bands == ["a", "c"]


@pytest.mark.parametrize(
    ("day", "quarters", "eco", "peak", "medium", "off_peak"),
    [
        (date(2026, 5, 4), 96, 48, 20, 28, 60),
        (TO_SUMMER, 92, 44, 20, 28, 56),
        (TO_WINTER, 100, 52, 20, 28, 64),
    ],
)
def test_quarter_hours_of_a_day_by_band(day, quarters, eco, peak, medium, off_peak) -> None:
    starts = np.array(local_day(day, BRUSSELS).quarter_hours)
    assert starts.size == quarters
    by_band = np.bincount(classify(IMPACT, starts, BRUSSELS, NO_HOLIDAYS))
    assert dict(zip(IMPACT.bands, by_band.tolist(), strict=True)) == {"eco": eco, "medium": medium, "peak": peak}
    assert np.bincount(classify(TWO_RATES, starts, BRUSSELS, NO_HOLIDAYS))[0] == off_peak


def test_holiday_counts_as_sunday_only_where_the_grid_has_a_rule_for_it() -> None:
    noon = at("2026-07-21T12:00")
    holidays = frozenset({NATIONAL_DAY})
    without_rule = grid(weekday="00:00-24:00 full", saturday="00:00-24:00 off_peak", sunday="00:00-24:00 off_peak")
    assert band_at(WORKING_DAYS, noon, BRUSSELS, holidays) == "off_peak"
    assert band_at(WORKING_DAYS, noon, BRUSSELS, NO_HOLIDAYS) == "full"
    assert band_at(without_rule, noon, BRUSSELS, holidays) == "full"
    assert WORKING_DAYS.day_type(NATIONAL_DAY, holidays) is DayType.HOLIDAY
    assert without_rule.day_type(NATIONAL_DAY, holidays) is DayType.WEEKDAY


def test_periods_cover_the_span_and_neighbours_differ() -> None:
    friday_to_monday = Span(at("2026-05-08T12:00"), at("2026-05-11T12:00"))
    assert band_periods(WORKING_DAYS, friday_to_monday, BRUSSELS, NO_HOLIDAYS) == [
        (at("2026-05-08T12:00"), at("2026-05-08T22:00"), "full"),
        (at("2026-05-08T22:00"), at("2026-05-11T07:00"), "off_peak"),
        (at("2026-05-11T07:00"), at("2026-05-11T12:00"), "full"),
    ]
    assert band_periods(IMPACT, Span(0, 0), BRUSSELS, NO_HOLIDAYS) == []


def test_next_change_looks_over_a_long_weekend() -> None:
    easter_monday = frozenset({date(2026, 4, 6)})
    assert next_change(WORKING_DAYS, at("2026-04-03T22:00"), BRUSSELS, easter_monday) == at("2026-04-07T07:00")
    assert next_change(IMPACT, at("2026-05-04T22:00") + 0.5, BRUSSELS, NO_HOLIDAYS) == at("2026-05-05T01:00")
    assert next_change(IMPACT, at("2026-05-04T17:00"), BRUSSELS, NO_HOLIDAYS) == at("2026-05-04T22:00")


def test_band_that_never_ends_has_no_next_change() -> None:
    assert next_change(ONE_RATE, at("2026-05-04T17:00"), BRUSSELS, NO_HOLIDAYS) is None
    only_holidays = grid(
        weekday="00:00-24:00 a", saturday="00:00-24:00 a", sunday="00:00-24:00 a", holiday="00:00-24:00 b"
    )
    assert next_change(only_holidays, at("2026-05-04T17:00"), BRUSSELS, NO_HOLIDAYS) is None
    assert next_change(only_holidays, at("2026-05-04T17:00"), BRUSSELS, frozenset({NATIONAL_DAY})) == midnight(
        NATIONAL_DAY, BRUSSELS
    )


def test_time_made_for_the_sun_is_told_apart_from_the_same_band_at_night() -> None:
    assert IMPACT.has_solar_time
    assert not TWO_RATES.has_solar_time
    assert interval_at(IMPACT, at("2026-05-04T12:00"), BRUSSELS, NO_HOLIDAYS).solar
    assert not interval_at(IMPACT, at("2026-05-04T03:00"), BRUSSELS, NO_HOLIDAYS).solar
    days = Span(at("2026-05-04T12:00"), at("2026-05-05T12:00"))
    assert solar_periods(IMPACT, days, BRUSSELS, NO_HOLIDAYS) == [
        (at("2026-05-04T12:00"), at("2026-05-04T17:00")),
        (at("2026-05-05T11:00"), at("2026-05-05T12:00")),
    ]
    assert next_solar_change(IMPACT, days.start, BRUSSELS, NO_HOLIDAYS) == at("2026-05-04T17:00")
    assert next_solar_change(TWO_RATES, days.start, BRUSSELS, NO_HOLIDAYS) is None


def test_quarter_hour_has_the_band_of_its_start_and_a_band_may_begin_within_it() -> None:
    french = grid("22:52-06:52 off_peak", "06:52-22:52 full")
    quarter = at("2026-05-04T06:45")
    assert band_at(french, quarter + 6 * 60 + 59, BRUSSELS, NO_HOLIDAYS) == "off_peak"
    assert band_at(french, quarter + 7 * 60, BRUSSELS, NO_HOLIDAYS) == "full"
    assert next_change(french, quarter, BRUSSELS, NO_HOLIDAYS) == quarter + 7 * 60
    several = np.array([quarter, quarter + 899, quarter + 900])
    assert [french.bands[place] for place in classify(french, several, BRUSSELS, NO_HOLIDAYS)] == [
        "off_peak",
        "off_peak",
        "full",
    ]


def test_classify_takes_any_order_shape_and_age() -> None:
    times = np.array([[at("2026-05-04T18:00"), at("1999-05-04T12:00")], [0, at("2031-10-26T02:30")]])
    assert [[IMPACT.bands[place] for place in row] for row in classify(IMPACT, times, BRUSSELS, NO_HOLIDAYS)] == [
        ["peak", "eco"],
        ["eco", "eco"],
    ]
    assert classify(IMPACT, np.array([], np.int64), BRUSSELS, NO_HOLIDAYS).size == 0
    assert classify(IMPACT, times.astype(np.int32), BRUSSELS, NO_HOLIDAYS).shape == times.shape


def test_classify_works_where_the_clock_is_ahead_by_odd_minutes() -> None:
    # 44 minutes and a half behind, until 7 January 1972.
    monrovia = ZoneInfo("Africa/Monrovia")
    starts = np.array(Span(at("1971-12-30T00:00"), at("1972-01-14T00:00")).quarter_hours)
    assert [IMPACT.bands[place] for place in classify(IMPACT, starts, monrovia, NO_HOLIDAYS)] == [
        band_at(IMPACT, int(start), monrovia, NO_HOLIDAYS) for start in starts
    ]


@pytest.mark.parametrize(
    ("parts", "problem", "minute", "text"),
    [
        ([("00:00", "06:00", "a"), ("06:30", "24:00", "b")], GridProblem.HOLE, 360, "weekday 06:00: hole"),
        ([("00:00", "06:00", "a"), ("05:59", "24:00", "b")], GridProblem.OVERLAP, 359, "weekday 05:59: overlap"),
        ([("06:00", "24:00", "a")], GridProblem.HOLE, 0, "weekday 00:00: hole"),
        ([("00:00", "23:59", "a")], GridProblem.HOLE, 1439, "weekday 23:59: hole"),
        ([("22:00", "06:00", "a"), ("06:00", "22:01", "b")], GridProblem.OVERLAP, 1320, "weekday 22:00: overlap"),
        ([], GridProblem.HOLE, 0, "weekday 00:00: hole"),
        ([("06:00", "06:00", "a")], GridProblem.EMPTY_INTERVAL, 360, "weekday 06:00: empty interval: a"),
        ([("00:00", "24:00", "c")], GridProblem.UNKNOWN_BAND, 0, "weekday 00:00: unknown band: c"),
        ([("00:00", "25:00", "a")], GridProblem.NOT_A_TIME, None, "not a time: 25:00"),
        ([("00:00", "24:01", "a")], GridProblem.NOT_A_TIME, None, "not a time: 24:01"),
        ([("0", "24:00", "a")], GridProblem.NOT_A_TIME, None, "not a time: 0"),
    ],
)
def test_grid_that_is_no_partition_is_refused_with_the_minute_named(parts, problem, minute, text) -> None:
    with pytest.raises(GridError) as caught:
        BandGrid.from_dict(written(*parts))
    assert (caught.value.problem, caught.value.minute, str(caught.value)) == (problem, minute, text)


def test_hole_names_its_kind_of_day() -> None:
    with pytest.raises(GridError, match="sunday 21:00: hole") as caught:
        grid(weekday="00:00-24:00 a", saturday="00:00-24:00 a", sunday="00:00-21:00 a")
    assert caught.value.day_type is DayType.SUNDAY


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"days": {"weekday": [{"start": "00:00", "end": "24:00", "band": "a"}]}}, GridProblem.MISSING_DAY),
        ({"days": {"someday": []}}, GridProblem.MALFORMED),
        ({"days": None}, GridProblem.MALFORMED),
        ({"days": {"every_day": [{"start": "00:00"}]}}, GridProblem.MALFORMED),
        ({"bands": []}, GridProblem.MALFORMED),
        ({"bands": ["a", "a"]}, GridProblem.MALFORMED),
        ({"valid_from": "2026-13-01"}, GridProblem.NOT_A_DATE),
    ],
)
def test_grid_that_cannot_be_read_is_refused(change, problem) -> None:
    with pytest.raises(GridError) as caught:
        BandGrid.from_dict(written(("00:00", "24:00", "a")) | change)
    assert caught.value.problem is problem


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        (0, 1500, GridProblem.NOT_A_TIME),
        (-1, 1440, GridProblem.NOT_A_TIME),
        (60, 0, GridProblem.NOT_A_TIME),
        (0, 0, GridProblem.EMPTY_INTERVAL),
    ],
)
def test_interval_that_is_no_part_of_a_day_is_refused(start, end, problem) -> None:
    with pytest.raises(GridError) as caught:
        BandGrid(id="x", bands=("a",), days=dict.fromkeys(DayType, (Interval(start, end, "a"),)))
    assert caught.value.problem is problem


@pytest.mark.parametrize("each", [IMPACT, TWO_RATES, ONE_RATE, WORKING_DAYS], ids=lambda each: each.id)
def test_grid_survives_writing_and_reading(each) -> None:
    again = BandGrid.from_dict(each.as_dict())
    assert again == each
    assert hash(again) == hash(each)


def test_grid_is_written_as_it_was_thought_with_intervals_over_midnight() -> None:
    assert [part["start"] for part in IMPACT.as_dict()["days"]["every_day"]][-1] == "22:00"
    assert IMPACT.as_dict()["days"]["every_day"][-1] == {"start": "22:00", "end": "01:00", "band": "medium"}
    assert list(WORKING_DAYS.as_dict()["days"]) == ["weekday", "saturday", "sunday", "holiday"]


def test_whole_day_may_be_written_from_midnight_to_midnight() -> None:
    assert BandGrid.from_dict(written(("00:00", "00:00", "a"))).days[DayType.SUNDAY][0].end == 1440
    assert BandGrid.from_dict(written(("24:00", "06:00", "a"), ("06:00", "24:00", "b"))) == BandGrid.from_dict(
        written(("00:00", "06:00", "a"), ("06:00", "00:00", "b"))
    )


def test_validity_includes_both_days() -> None:
    pilot = BandGrid.from_dict(
        written(("00:00", "24:00", "a")) | {"valid_from": "2022-04-01", "valid_to": "2023-09-30"}
    )
    days = [date(2022, 3, 31), date(2022, 4, 1), date(2023, 9, 30), date(2023, 10, 1)]
    assert [pilot.in_force(day) for day in days] == [False, True, True, False]
    assert IMPACT.in_force(date.min)


def test_clock_reads_what_it_writes() -> None:
    assert all(minute_of(clock(minute)) == minute for minute in range(1441))
    assert minute_of("7:05") == minute_of("07:05:00") == 425
