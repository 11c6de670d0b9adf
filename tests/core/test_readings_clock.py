"""Reading local times: changes of the clocks, and days that are not whole."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest

from custom_components.energy_neighbours.core.history import Problem, ProblemKind, preview
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, iso, local_day

from .test_readings import BRUSSELS, DSO, EAN, read


def day_of_rows(day: date, *, skip: Sequence[int] = ()) -> list[str]:
    """Write a day as a grid operator does: local time, kWh with a decimal comma, no offset."""
    lines = []
    for number, start in enumerate(local_day(day, BRUSSELS).quarter_hours):
        if number not in skip:
            local = datetime.fromtimestamp(start, BRUSSELS)
            lines.append(f"{local:%d/%m/%Y;%H:%M};{EAN};0,{number:03d};0,000;0,{number:03d};0,000;0,000")
    return lines


@pytest.mark.parametrize(("day", "quarter_hours"), [(date(2026, 10, 25), 100), (date(2026, 3, 29), 92)])
@pytest.mark.parametrize("newest_first", [False, True])
def test_days_on_which_the_clocks_change(day: date, quarter_hours: int, *, newest_first: bool) -> None:
    lines = day_of_rows(day)
    history = read("\n".join([DSO, *(lines[::-1] if newest_first else lines)]))
    starts = local_day(day, BRUSSELS).quarter_hours
    assert [q.start for q in history.quarter_hours] == list(starts)
    assert [q.offtake for q in history.quarter_hours] == list(range(quarter_hours))
    assert history.problems == []
    assert [(c.expected, c.found) for c in preview(history, BRUSSELS).clock_changes] == [(quarter_hours,) * 2]


def test_day_is_the_same_in_a_longer_file() -> None:
    def quarters(first: date) -> list[QuarterHour]:
        starts = local_day(first, BRUSSELS).quarter_hours.start, local_day(date(2026, 5, 5), BRUSSELS).end
        lines = [f"{iso(start)},{start % 7}.{start % 997}" for start in range(*starts, QUARTER)]
        return list(read("\n".join(["timestamp_utc,offtake_wh", *lines]), delimiter=",").quarter_hours)

    longer, shorter = quarters(date(2026, 5, 2)), quarters(date(2026, 5, 4))
    assert longer[-192:] == shorter


def test_hour_that_comes_twice_but_is_there_once_is_told_and_left_out() -> None:
    lines = [*day_of_rows(date(2026, 10, 24)), *day_of_rows(date(2026, 10, 25), skip=range(12, 16))]
    history = read("\n".join([DSO, *lines, *day_of_rows(date(2026, 10, 26))]))
    assert [(p.kind, p.found) for p in history.problems] == [(ProblemKind.AMBIGUOUS_HOUR, "2026-10-25 02:00")]
    assert history.problems[0].accepted.endswith("100")
    assert len(history.quarter_hours) == 96 + 92 + 96


def test_one_quarter_hour_of_the_hour_that_comes_twice_is_missing() -> None:
    history = read("\n".join([DSO, *day_of_rows(date(2026, 10, 25), skip=[13])]))
    assert [p.kind for p in history.problems] == [ProblemKind.AMBIGUOUS_HOUR]
    assert len(history.quarter_hours) == 98


def test_hour_that_comes_twice_twice_over_is_counted_as_duplicates() -> None:
    lines = day_of_rows(date(2026, 10, 25))
    history = read("\n".join([DSO, *lines, *lines]))
    assert (len(history.quarter_hours), history.duplicates, history.problems) == (100, 100, [])


def test_hour_that_does_not_exist() -> None:
    lines = [*day_of_rows(date(2026, 3, 29)), f"29/03/2026;02:15;{EAN};1,0;;;;"]
    history = read("\n".join([DSO, *lines]))
    assert [(p.kind, p.where, p.found) for p in history.problems] == [
        (ProblemKind.NO_SUCH_HOUR, "94", "2026-03-29 02:15")
    ]


def test_ordinary_day_of_95_rows_is_told_with_its_date() -> None:
    lines = [*day_of_rows(date(2026, 5, 2)), *day_of_rows(date(2026, 5, 3), skip=[50]), *day_of_rows(date(2026, 5, 4))]
    history = read("\n".join([DSO, *lines]))
    assert history.problems == [Problem(ProblemKind.WRONG_DAY_LENGTH, "98", "2026-05-03: 95", "96")]


def test_first_and_last_day_may_be_cut_off_and_a_whole_day_may_be_absent() -> None:
    lines = [
        *day_of_rows(date(2026, 5, 1), skip=range(40)),
        *day_of_rows(date(2026, 5, 3)),
        *day_of_rows(date(2026, 5, 4), skip=range(9, 96)),
    ]
    history = read("\n".join([DSO, *lines]))
    assert history.problems == []
    assert len(preview(history, BRUSSELS).gaps) == 1
