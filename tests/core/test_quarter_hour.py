"""The time grid: quarter-hours in UTC, days, weeks and months in the zone of the delivery point."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from custom_components.energy_neighbours.core.quarter_hour import (
    QUARTER,
    QuarterHour,
    Span,
    day_of,
    iso,
    local_day,
    local_month,
    local_week,
    next_month,
    quarter_start,
)

BRUSSELS = ZoneInfo("Europe/Brussels")
NOON = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("day", "quarters"), [(date(2026, 11, 22), 96), (date(2026, 3, 29), 92), (date(2026, 10, 25), 100)]
)
def test_a_local_day_has_as_many_quarter_hours_as_its_clock_lets_pass(day: date, quarters: int) -> None:
    assert len(local_day(day, BRUSSELS).quarter_hours) == quarters


@pytest.mark.parametrize(
    ("day", "quarters"), [(date(2026, 11, 22), 672), (date(2026, 3, 25), 668), (date(2026, 10, 19), 676)]
)
def test_a_local_week_begins_on_monday(day: date, quarters: int) -> None:
    week = local_week(day, BRUSSELS)
    assert len(week.quarter_hours) == quarters
    assert datetime.fromtimestamp(week.start, BRUSSELS).strftime("%a %H:%M") == "Mon 00:00"


def test_a_local_month_begins_at_the_midnight_of_its_first_day() -> None:
    assert local_month(date(2026, 10, 31), BRUSSELS) == Span(
        int(datetime(2026, 9, 30, 22, tzinfo=UTC).timestamp()), int(datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp())
    )
    assert next_month(date(2026, 12, 31)) == date(2027, 1, 1)


def test_a_day_is_the_households_not_the_computers() -> None:
    late = datetime(2026, 7, 14, 22, 30, tzinfo=UTC).timestamp()
    assert day_of(late, BRUSSELS) == date(2026, 7, 15)


def test_quarter_hours_are_aligned_to_utc() -> None:
    assert quarter_start(NOON + 899.9) == NOON
    assert quarter_start(NOON + 900) == NOON + QUARTER
    assert list(Span(NOON + 1, NOON + 1801).quarter_hours) == [NOON + 900, NOON + 1800]


def test_a_quarter_hour_knows_its_end_and_its_power() -> None:
    quarter = QuarterHour(NOON, 250, 0, None)
    assert quarter.end == NOON + 900
    assert quarter.offtake_power == 1000
    assert QuarterHour(NOON, None, None, 3).offtake_power is None
    assert iso(NOON) == "2026-11-22T12:00:00Z"


@pytest.mark.parametrize("values", [(NOON + 1, 0, 0, 0), (NOON, -1, 0, 0), (NOON, 0, -1, 0), (NOON, 0, 0, -1)])
def test_what_cannot_be_is_refused(values: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"begins at|never negative"):
        QuarterHour(*values)
