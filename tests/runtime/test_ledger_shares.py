"""Readings of members and their shares in the ledger: whatever comes twice, late or in disorder, nothing is lost."""

from pathlib import Path

import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour, Span
from custom_components.energy_neighbours.ledger import Ledger
from custom_components.energy_neighbours.ledger_readings import Reading
from custom_components.energy_neighbours.ledger_shares import Share, Sums, Total

from .ledger_samples import ALL, T, at

STREET, HOUSE, ROOF = "street", "street/ash", "street/roof"


@pytest.fixture
def ledger(tmp_path: Path):
    ledger = Ledger.open(tmp_path / "energy_neighbours.db")
    yield ledger
    ledger.close()


def readings(*numbers, revision=1, offtake=100):
    return [Reading(at(number, offtake), revision) for number in numbers]


def share(number, allocated=40, **values):
    fields = {"offered": 50, "surplus": None, "version": 1, "provisional": False} | values
    return Share(T + number * QUARTER, allocated=allocated, **fields)


def starts(*numbers):
    return [T + number * QUARTER for number in numbers]


def test_a_reading_is_kept_and_its_quarter_hour_is_due(ledger) -> None:
    assert ledger.shares.take(STREET, HOUSE, readings(0, 1)) == starts(0, 1)
    assert ledger.read(HOUSE, ALL) == [at(0), at(1)]
    assert ledger.shares.due(STREET, 10) == starts(0, 1)
    assert ledger.shares.due(STREET, 1) == starts(0)


def test_a_message_that_comes_twice_or_late_changes_nothing(ledger) -> None:
    ledger.shares.take(STREET, HOUSE, readings(0, revision=3, offtake=120))
    ledger.shares.write(STREET, {}, done=starts(0))
    assert ledger.shares.take(STREET, HOUSE, readings(0, revision=3, offtake=120)) == []
    assert ledger.shares.take(STREET, HOUSE, readings(0, revision=2, offtake=90)) == []
    assert ledger.read(HOUSE, ALL) == [at(0, 120)]
    assert ledger.shares.due(STREET, 10) == []


def test_what_comes_while_its_quarter_hour_is_divided_is_divided_again(ledger) -> None:
    ledger.shares.take(STREET, HOUSE, readings(0, 1, 2))
    assert ledger.shares.due(STREET, 10) == starts(0, 1, 2)
    ledger.shares.take(STREET, ROOF, readings(0))
    ledger.shares.note_due(STREET, iter(starts(1)))
    ledger.shares.write(STREET, {HOUSE: [share(0), share(1), share(2)]}, done=starts(0, 1, 2))
    assert ledger.shares.due(STREET, 10) == starts(0, 1)
    ledger.shares.write(STREET, {HOUSE: [share(0), share(1)]}, done=starts(0, 1))
    assert ledger.shares.due(STREET, 10) == []


def test_a_corrected_reading_takes_the_place_of_the_earlier_one_which_is_kept(ledger) -> None:
    ledger.shares.take(STREET, HOUSE, readings(0, revision=1))
    ledger.shares.take(STREET, HOUSE, [*readings(0, revision=3, offtake=70), *readings(0, revision=2, offtake=90)])
    assert ledger.read(HOUSE, ALL) == [at(0, 70)]
    assert [(each.revision, each.quarter_hour.offtake) for each in ledger.history_of(HOUSE, T)] == [(1, 100), (3, 70)]


def test_readings_of_many_members_are_found_at_once(ledger) -> None:
    for number in range(3):
        ledger.shares.take(STREET, f"street/{number}", readings(0, 1, 2, revision=number + 1, offtake=number))
    found = ledger.shares.readings(["street/0", "street/2", "street/9"], Span(*starts(1, 3)))
    assert found == {
        "street/0": {each.quarter.start: each for each in readings(1, 2, offtake=0)},
        "street/2": {each.quarter.start: each for each in readings(1, 2, revision=3, offtake=2)},
        "street/9": {},
    }


def test_what_many_members_sent_is_kept_at_once_with_what_is_known_of_them(ledger) -> None:
    ledger.shares.take(STREET, HOUSE, readings(0, 1))
    sent = {HOUSE: readings(1, 2, revision=2, offtake=7), ROOF: readings(5), "street/new": []}
    states = {HOUSE: {"seen": 3}, "street/new": {"seen": 0}}
    assert ledger.shares.take_all(STREET, sent, states) == starts(1, 2, 5)
    assert ledger.read(HOUSE, ALL) == [at(0), at(1, 7), at(2, 7)]
    assert ledger.read(ROOF, ALL) == [at(5)]
    assert [each.revision for each in ledger.history_of(HOUSE, T + QUARTER)] == [1, 2]
    assert {site: ledger.shares.load_member(STREET, site) for site in sent} == {**states, ROOF: {}}
    assert ledger.shares.due(STREET, 10) == starts(0, 1, 2, 5)


def test_what_is_known_of_the_grid_is_not_lacking(ledger) -> None:
    nothing = QuarterHour(T + QUARTER, None, None, None, Quality.MISSING)
    ledger.shares.take(STREET, HOUSE, [*readings(0, 2), Reading(nothing, 1)])
    assert ledger.shares.known_starts(HOUSE, ALL) == set(starts(0, 2))
    assert ledger.shares.count_known([HOUSE, ROOF], ALL) == {HOUSE: 2}


def test_shares_have_the_revision_of_the_community_and_only_new_ones_rise_it(ledger) -> None:
    write = ledger.shares.write
    assert ledger.shares.revision(STREET) == 0
    first = write(STREET, {HOUSE: [share(0), share(1)], ROOF: [share(0, None, offered=None, surplus=7)]})
    assert {site: [each.revision for each in found] for site, found in first.items()} == {HOUSE: [1, 1], ROOF: [1]}
    assert write(STREET, {HOUSE: [share(0), share(1)]}) == {}
    again = write(STREET, {HOUSE: [share(0, 44), share(1)]})
    assert again == {HOUSE: [share(0, 44, revision=2)]}
    assert ledger.shares.shares(STREET, HOUSE, ALL) == [share(0, 44, revision=2), share(1, revision=1)]
    assert ledger.shares.shares(STREET, HOUSE, Span(*starts(1, 2))) == [share(1, revision=1)]
    assert ledger.shares.shares("another", HOUSE, ALL) == []


def test_revisions_go_on_after_one_that_was_lost_with_a_backup(ledger) -> None:
    ledger.shares.write(STREET, {HOUSE: [share(0), share(1), share(2)]})
    assert not ledger.shares.go_on_after(STREET, 1, T)
    assert ledger.shares.go_on_after(STREET, 70, T + QUARTER)
    assert [each.revision for each in ledger.shares.shares(STREET, HOUSE, ALL)] == [1, 71, 71]
    ledger.shares.write(STREET, {HOUSE: [share(0, 10)]})
    assert [each.revision for each in ledger.shares.shares(STREET, HOUSE, ALL)] == [72, 71, 71]


def test_shares_and_what_was_due_for_them_are_one_transaction(ledger) -> None:
    ledger.shares.take(STREET, HOUSE, readings(0, 1, 2))
    ledger.shares.write(STREET, {HOUSE: [share(0), share(1)]}, done=starts(0, 1))
    assert ledger.shares.due(STREET, 10) == starts(2)


def test_a_share_of_another_revision_of_the_reading_is_stale(ledger) -> None:
    ledger.book("site", [at(0), at(1), at(2)], {})
    ledger.shares.write(STREET, {"site": [share(0, reading=1), share(1, reading=1)]})
    assert ledger.shares.stale(STREET, "site", ALL) == starts(2)
    ledger.replace("site", [at(1, 90)], "a file")
    assert ledger.shares.stale(STREET, "site", ALL) == starts(1, 2)
    assert ledger.shares.stale(STREET, "site", Span(*starts(2, 3))) == starts(2)
    assert ledger.shares.stale("another", "site", ALL) == starts(0, 1, 2)


def test_a_member_that_was_away_gets_whole_revisions(ledger) -> None:
    for number in range(4):
        ledger.shares.write(STREET, {HOUSE: [share(2 * number), share(2 * number + 1)]})
    after = ledger.shares.shares_after
    assert [each.revision for each in after(STREET, HOUSE, 0, 100)] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert [each.revision for each in after(STREET, HOUSE, 1, 5)] == [2, 2, 3, 3]
    # One revision may be more than a message holds: then it is told nevertheless, and cut by who sends it.
    assert [each.revision for each in after(STREET, HOUSE, 2, 1)] == [3, 3]
    assert after(STREET, HOUSE, 4, 5) == []


def test_a_member_keeps_the_newest_of_the_shares_it_is_sent(ledger) -> None:
    accept = ledger.shares.accept
    assert accept("membership", "site", [share(0, revision=5), share(1, revision=6)], 6) == [
        share(0, revision=5),
        share(1, revision=6),
    ]
    assert accept("membership", "site", [share(0, 11, revision=4), share(1, revision=7)], 6) == []
    # Something between was missed: it is not forgotten that revision 7 is not all.
    assert ledger.shares.revision("membership") == 6
    assert accept("membership", "site", [], 7) == []
    assert ledger.shares.shares("membership", "site", ALL) == [share(0, revision=5), share(1, revision=7)]
    assert ledger.shares.revision("membership") == 7


def test_what_is_acknowledged_is_not_sent_again_until_it_changes(ledger) -> None:
    def left():
        found = ledger.shares.unacknowledged("membership", "site", ALL, 10)
        return [((each.quarter.start - T) // QUARTER, each.revision) for each in found]

    ledger.book("site", [at(0), at(1), at(2)], {})
    assert left() == [(0, 1), (1, 1), (2, 1)]
    ledger.shares.acknowledge("membership", "site", [(T, 1)])
    ledger.shares.acknowledge("membership", "site", [(T + QUARTER, 1)], "absurd")
    assert left() == [(2, 1)]
    assert ledger.shares.count_refused("membership", "site") == {"absurd": 1}
    ledger.book("site", [at(0, 5)], {})  # the meter supplements it
    assert left() == [(0, 2), (2, 1)]
    ledger.shares.acknowledge("membership", "site", [(T, 2)])
    ledger.shares.acknowledge("membership", "site", [(T, 1)])  # late
    ledger.shares.acknowledge("membership", "site", [])
    assert left() == [(2, 1)]
    ledger.shares.forget_acknowledged("membership", "site", Span(*starts(0, 1)))
    assert left() == [(0, 2), (2, 1)]
    assert len(ledger.shares.unacknowledged("membership", "site", ALL, 1)) == 1


def test_settled_quarter_hours_are_known(ledger) -> None:
    assert ledger.shares.closed_until(STREET) is None
    ledger.shares.close_until(STREET, T)
    assert ledger.shares.closed_until(STREET) == T


def test_what_is_known_of_a_member_is_kept(ledger) -> None:
    assert ledger.shares.load_member(STREET, HOUSE) == {}
    ledger.shares.save_member(STREET, HOUSE, {"device": "abc"})
    ledger.shares.save_member(STREET, HOUSE, {"device": "def", "seen": 4})
    assert ledger.shares.load_member(STREET, HOUSE) == {"device": "def", "seen": 4}


def fill(ledger) -> None:
    for site in (HOUSE, ROOF):
        ledger.shares.take(STREET, site, readings(0, 1))
        ledger.shares.write(STREET, {site: [share(0)]})
        ledger.shares.save_member(STREET, site, {"device": site})
        ledger.shares.acknowledge(STREET, site, [(T, 1)], "absurd")


def knows(ledger, site) -> list[bool]:
    shares = ledger.shares
    found = shares.shares(STREET, site, ALL), shares.load_member(STREET, site), shares.count_refused(STREET, site)
    return [bool(each) for each in (*found, ledger.read(site, ALL))]


def test_a_member_that_leaves_is_forgotten_but_not_the_others(ledger) -> None:
    fill(ledger)
    ledger.shares.forget_member(STREET, HOUSE)
    assert knows(ledger, HOUSE) == [False, False, False, True]
    assert knows(ledger, ROOF) == [True] * 4


def test_an_erased_site_is_forgotten_in_its_communities_too(ledger) -> None:
    fill(ledger)
    ledger.erase(HOUSE)
    assert knows(ledger, HOUSE) == [False] * 4
    assert knows(ledger, ROOF) == [True] * 4
    assert b"street/ash" not in ledger.path.read_bytes()


def test_a_community_that_is_given_up_is_forgotten(ledger) -> None:
    fill(ledger)
    ledger.shares.forget_community(STREET)
    assert knows(ledger, ROOF) == [False, False, False, True]
    assert ledger.shares.due(STREET, 10) == []
    assert ledger.shares.revision(STREET) == 0


def total(number, profile="", **values):
    fields = {"production": 90, "offtake": 200, "allocated": 80, "surplus": 10, "known": 2, "expected": 3}
    return Total(profile, T + number * QUARTER, **fields, provisional=False)._replace(**values)


def test_sums_of_all_and_of_groups_are_kept_beside_the_shares(ledger) -> None:
    assert ledger.shares.last_total(STREET) is None
    assert ledger.shares.sums(STREET, "", ALL) == Sums()
    totals = [total(0, provisional=True), total(1), total(2), total(1, "flats", offtake=50)]
    ledger.shares.write(STREET, {}, totals=totals)
    ledger.shares.write(STREET, {}, totals=[total(1, allocated=85)])
    assert ledger.shares.totals(STREET, "", Span(*starts(0, 2))) == [total(0, provisional=True), total(1, allocated=85)]
    assert ledger.shares.sums(STREET, "", ALL) == Sums(270, 600, 245, 30, 6, 9, 1)
    assert ledger.shares.sums(STREET, "flats", ALL).offtake == 50
    assert ledger.shares.last_total(STREET) == starts(2)[0]


def test_rules_are_kept_with_what_has_to_be_divided_because_of_them(ledger) -> None:
    assert ledger.shares.load_rules(STREET) is None
    ledger.shares.save_rules(STREET, {"members": ["ash"]}, starts(3, 4))
    assert ledger.shares.load_rules(STREET) == {"members": ["ash"]}
    assert ledger.shares.due(STREET, 9) == starts(3, 4)


def test_what_a_site_was_allocated_and_took_where_both_are_known(ledger) -> None:
    ledger.book("site", [at(0, 100), at(1, 200), at(2, None), at(3, 400)], {})
    ledger.shares.write(STREET, {"site": [share(0, 40), share(1, 50), share(2, 30), share(4, 20)]})
    assert ledger.shares.site_sums(STREET, "site", ALL) == (90, 300)
    assert ledger.shares.site_sums(STREET, "nowhere", ALL) == (0, 0)
