"""Tables of several access points of one site, and rows that name none."""

import pytest

from custom_components.energy_neighbours.core.history import Problem, ProblemKind

from .test_readings import EAN, OTHER, read, read_generic

THIRD = "541448900000000032"


def test_sum_is_not_known_where_one_access_point_is_silent() -> None:
    history = read_generic(
        f"2026-05-03T10:00Z,{EAN},100,,",
        f"2026-05-03T10:00Z,{OTHER},200,,",
        f"2026-05-03T10:15Z,{EAN},100,,",
        f"2026-05-03T10:15Z,{OTHER},,,",
        f"2026-05-03T10:30Z,{EAN},100,,",
        ean=[EAN, OTHER],
    )
    assert [q.offtake for q in history.quarter_hours] == [300]
    assert history.problems == [Problem(ProblemKind.PART_MISSING, f"EAN {OTHER}", "2")]


def test_access_point_is_only_asked_for_what_it_told_elsewhere() -> None:
    history = read_generic(
        f"2026-05-03T10:00Z,{EAN},100,,",
        f"2026-05-03T10:00Z,{OTHER},200,30,",
        f"2026-05-03T10:15Z,{EAN},100,,",
        f"2026-05-03T10:15Z,{OTHER},,40,",
        ean=[EAN, OTHER],
    )
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(300, 30), (None, 40)]


def test_access_points_are_checked_one_by_one() -> None:
    """Hours of one would hide behind the quarter-hours of the other."""
    lines = [f"2026-05-03T{10 + n // 4}:{15 * (n % 4):02d}Z,{EAN},100,," for n in range(12)]
    lines += [f"2026-05-03T{hour}:00Z,{OTHER},,400," for hour in (10, 11, 12)]
    history = read_generic(*lines, ean=[EAN, OTHER])
    assert list(history.quarter_hours) == []  # what the other would have told is not known
    assert [(p.kind, p.found) for p in history.problems] == [
        (ProblemKind.NOT_A_QUARTER_HOUR, "60 min"),
        (ProblemKind.PART_MISSING, "12"),
    ]


def test_chosen_access_point_that_is_not_there_takes_nothing_away() -> None:
    history = read_generic(f"2026-05-03T10:00Z,{EAN},100,,", f"2026-05-03T10:00Z,{OTHER},200,,", ean=[EAN, THIRD])
    assert [q.offtake for q in history.quarter_hours] == [100]


def test_rows_without_an_access_point_belong_to_nobody_where_others_name_theirs() -> None:
    history = read_generic(
        f"2026-05-03T10:00Z,{EAN},100,,", "2026-05-03T10:00Z,,150,,", "2026-05-03T10:15Z,,150,,", "Source: meter,,,,"
    )
    assert [q.offtake for q in history.quarter_hours] == [100]
    assert history.problems == [Problem(ProblemKind.NO_ACCESS_POINT, "3", "2")]


def test_column_of_access_points_may_be_empty_altogether() -> None:
    history = read_generic("2026-05-03T10:00Z,,100,,", "2026-05-03T10:15Z,,150,,")
    assert [q.offtake for q in history.quarter_hours] == [100, 150]
    assert (history.eans, history.problems) == ((), [])


@pytest.mark.parametrize(("chosen", "offtake"), [(EAN, [100]), (OTHER, [200]), ([EAN, OTHER], [300])])
def test_units_beneath_the_heading_are_those_of_every_access_point(chosen: str, offtake: list[int]) -> None:
    history = read(f"Date;EAN;Prélèvement\n;;kWh\n03/05/2026 12:00;{EAN};0,1\n03/05/2026 12:00;{OTHER};0,2", ean=chosen)
    assert [q.offtake for q in history.quarter_hours] == offtake
    assert history.problems == []
