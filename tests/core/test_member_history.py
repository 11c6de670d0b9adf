"""What of a file an organiser keeps for a member: its own time, what is not settled, what its connection can carry."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from custom_components.energy_neighbours.core.community import Member
from custom_components.energy_neighbours.core.history import History, HistoryError, Problem, ProblemKind
from custom_components.energy_neighbours.core.member_history import of_member
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, midnight

BRUSSELS = ZoneInfo("Europe/Brussels")
JOINED, LEFT = date(2026, 3, 29), date(2026, 3, 30)
"""The day on which the clocks went forward: 92 quarter-hours."""
BEGIN, END = midnight(JOINED, BRUSSELS), midnight(LEFT, BRUSSELS)


def history(starts: range, offtake: int | None = 100, injection: int | None = 0, **values) -> History:
    quarters = [QuarterHour(start, offtake, injection, None) for start in starts]
    return History(quarter_hours=quarters, rows=len(quarters), **values)


def kept(told: History, **changes) -> History:
    member = Member("aaaa", JOINED, LEFT, produces=changes.pop("produces", False))
    terms = {"connection_power": 10, "closed_until": 0, "now": END + 86_400, "zone": BRUSSELS} | changes
    return of_member(told, member, **terms)


def test_local_days_bound_a_membership_also_when_the_clocks_change():
    found = kept(history(range(BEGIN - 8 * QUARTER, END + 4 * QUARTER, QUARTER)))
    assert [each.start for each in found.quarter_hours] == list(range(BEGIN, END, QUARTER))
    assert len(found.quarter_hours) == 92
    assert found.notes == {"not_member": "12"}


def test_what_is_settled_is_left_out_and_counted():
    found = kept(history(range(BEGIN, END, QUARTER)), closed_until=BEGIN + 10 * QUARTER)
    assert len(found.quarter_hours) == 82
    assert found.notes == {"settled": "10"}


def test_when_nothing_is_left_the_reason_is_told():
    with pytest.raises(HistoryError) as caught:
        kept(history(range(BEGIN - QUARTER, BEGIN + QUARTER, QUARTER)), closed_until=BEGIN + QUARTER)
    assert caught.value.key == "import_all_left_out"
    assert caught.value.placeholders == {"outside": "0", "settled": "2"}


def test_absurd_and_future_values_are_problems_beside_those_of_the_file():
    bad_row = Problem(ProblemKind.NOT_A_NUMBER, "7", "x")
    found = kept(history(range(BEGIN, BEGIN + 2 * QUARTER, QUARTER), 2501, problems=[bad_row]), now=BEGIN + QUARTER)
    assert [(each.kind, each.where, each.found) for each in found.problems] == [
        (ProblemKind.NOT_A_NUMBER, "7", "x"),
        (ProblemKind.TOO_MUCH, "2026-03-28T23:00:00Z", "2501 Wh"),
        (ProblemKind.IN_FUTURE, "2026-03-28T23:15:00Z", "2026-03-28T23:15:00Z"),
    ]
    assert found.quarter_hours == []


@pytest.mark.parametrize(
    ("offtake", "injection", "produces", "lacks"),
    [(100, None, False, None), (100, None, True, "injection"), (None, 5, True, "offtake"), (100, 0, True, None)],
)
def test_energy_that_a_member_needs_and_the_file_does_not_tell_is_named(offtake, injection, produces, lacks):
    found = kept(history(range(BEGIN, END, QUARTER), offtake, injection), produces=produces)
    assert found.notes.get("lacks") == lacks


def test_a_file_of_several_access_points_is_still_asked_which_one():
    told = History(quarter_hours=[], rows=8, eans=["1", "2"])
    assert kept(told) == told
