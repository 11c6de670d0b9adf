"""Members come and go and keys change: each quarter-hour is divided by what held in it."""

from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from custom_components.energy_neighbours.core.community import KeyVersion, Member, Rules
from custom_components.energy_neighbours.core.quarter_hour import Span, local_day, local_month
from custom_components.energy_neighbours.core.repartition import UNKNOWN, Coefficients
from custom_components.energy_neighbours.core.repartition_key import DynamicCustom, Equal, Prorata, Static, Weights
from custom_components.energy_neighbours.core.span_shares import allocate_span

BRUSSELS = ZoneInfo("Europe/Brussels")
ROOF = Member("roof", date(2026, 1, 1), consumes=False, produces=True)


def rules(*members, versions=None):
    versions = versions or (KeyVersion(1, date(2026, 1, 1), Equal()),)
    return Rules(BRUSSELS, versions, (*members, ROOF))


def shares(the_rules, span, *, each=1000, injected=600):
    rows = len(span.quarter_hours)
    offtake = np.full((rows, len(the_rules.consumers)), each, np.int64)
    return allocate_span(the_rules, span, offtake, np.full((rows, 1), injected, np.int64))


def test_who_joins_or_leaves_does_so_at_midnight_of_the_community():
    march = local_month(date(2026, 3, 1), BRUSSELS)
    the_rules = rules(
        Member("ash", date(2026, 1, 1)),
        Member("elm", date(2026, 1, 1), left=date(2026, 3, 29)),
        Member("oak", date(2026, 3, 30)),
    )
    result = shares(the_rules, march)
    # 28 days with two members, 29 March with one and without an hour, then two again.
    assert np.unique(result.allocated, axis=0).tolist() == [[300, 0, 300], [300, 300, 0], [600, 0, 0]]
    alone = (result.allocated == [600, 0, 0]).all(axis=1)
    assert np.flatnonzero(alone).tolist() == list(range(28 * 96, 28 * 96 + 92))
    assert len(result.allocated) == 31 * 96 - 4


def test_a_key_that_changes_within_a_month_holds_from_its_midnight_on():
    versions = (
        KeyVersion(1, date(2026, 1, 1), Equal()),
        KeyVersion(2, date(2026, 3, 10), Static(Weights.of({"ash": 75, "elm": 25})), "organiser", frozenset({"ash"})),
    )
    the_rules = rules(Member("ash", date(2026, 1, 1)), Member("elm", date(2026, 1, 1)), versions=versions)
    result = shares(the_rules, local_month(date(2026, 3, 1), BRUSSELS))
    assert result.allocated[: 9 * 96].tolist() == [[300, 300]] * 864
    assert result.allocated[9 * 96 :].tolist() == [[450, 150]] * (22 * 96 - 4)
    assert result.version.tolist() == [1] * 864 + [2] * (22 * 96 - 4)


def test_of_two_keys_of_one_day_the_later_agreed_one_holds():
    the_rules = rules(versions=(KeyVersion(2, date(2026, 3, 1), Equal()), KeyVersion(1, date(2026, 3, 1), Prorata())))
    assert the_rules.version_on(date(2026, 3, 1)).number == 2
    assert the_rules.version_on(date(2026, 2, 28)) is None


def test_before_the_first_key_everything_is_surplus():
    the_rules = rules(Member("ash", date(2026, 1, 1)), versions=(KeyVersion(1, date(2026, 3, 2), Prorata()),))
    result = shares(the_rules, Span(*local_day(date(2026, 3, 1), BRUSSELS)))
    assert not result.allocated.any()
    assert (result.surplus == 600).all()
    assert (result.version == 0).all()


def test_a_producer_that_is_not_there_yet_gives_nothing():
    late = Member("shed", date(2026, 3, 2), consumes=False, produces=True)
    the_rules = Rules(BRUSSELS, (KeyVersion(1, date(2026, 1, 1), Prorata()),), (Member("ash", date(2026, 1, 1)), late))
    span = Span(local_day(date(2026, 3, 1), BRUSSELS).start, local_day(date(2026, 3, 2), BRUSSELS).end)
    result = shares(the_rules, span)
    assert result.allocated[:, 0].tolist() == [0] * 96 + [600] * 96
    assert not result.surplus.any()


def test_a_vacant_flat_takes_nothing_and_nothing_of_it_is_missing():
    the_rules = rules(Member("ash", date(2026, 1, 1)), Member("elm", date(2026, 1, 1), vacant=True))
    span = local_day(date(2026, 3, 1), BRUSSELS)
    result = allocate_span(the_rules, span, np.array([[1000, UNKNOWN]] * 96), np.array([[600]] * 96))
    assert result.allocated.tolist() == [[600, 0]] * 96
    assert result.complete.all()


def test_a_part_of_the_energy_takes_part_in_whole_watt_hours():
    the_rules = rules(
        Member("ash", date(2026, 1, 1), offtake_part=Fraction(1, 2)),
        Member("elm", date(2026, 1, 1), produces=True, injection_part=Fraction(1, 3)),
        versions=(KeyVersion(1, date(2026, 1, 1), Prorata()),),
    )
    span = local_day(date(2026, 3, 1), BRUSSELS)
    offtake, injection = np.array([[333, 0]] * 96), np.array([[100, 1000]] * 96)
    offtake[5, 0] = UNKNOWN
    result = allocate_span(the_rules, span, offtake, injection)
    # Half of 333 are 166; of a third of 100 and 1000, 33 + 1000, they are given.
    assert result.allocated[0].tolist() == [166, 0]
    assert result.surplus[0].sum() == 33 + 1000 - 166
    assert result.complete.tolist() == [row != 5 for row in range(96)]


def test_coefficients_are_those_of_the_day_and_of_its_members():
    the_rules = rules(
        Member("ash", date(2026, 1, 1)),
        Member("elm", date(2026, 3, 2)),
        versions=(KeyVersion(1, date(2026, 1, 1), DynamicCustom()),),
    )
    span = Span(local_day(date(2026, 3, 1), BRUSSELS).start, local_day(date(2026, 3, 2), BRUSSELS).end)
    offtake, injection = np.full((192, 2), 1000), np.full((192, 1), 600)
    by_consumer = Coefficients(np.array([[50, 25]] * 192), 100)
    by_producer = Coefficients(np.array([[[50, 25]]] * 192), 100)
    for coefficients in (by_consumer, by_producer):
        result = allocate_span(the_rules, span, offtake, injection, coefficients)
        assert result.allocated.tolist() == [[300, 0]] * 96 + [[300, 150]] * 96
        assert result.complete.all()
    without = allocate_span(the_rules, span, offtake, injection)
    assert not without.allocated.any()
    assert not without.complete.any()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Member("ash", date(2026, 3, 1), left=date(2026, 2, 28)),
        lambda: Member("ash", date(2026, 3, 1), offtake_part=Fraction(3, 2)),
        lambda: Member("ash", date(2026, 3, 1), injection_part=Fraction(-1, 2)),
        lambda: rules(Member("ash", date(2026, 3, 1)), Member("ash", date(2026, 4, 1))),
    ],
)
def test_members_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=r"ash|twice"):
        wrong()
