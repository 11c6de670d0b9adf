"""Why a member was allocated what it was."""

from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from custom_components.energy_neighbours.core.community import KeyVersion, Member, Rules
from custom_components.energy_neighbours.core.explanation import Limit, Round, explain
from custom_components.energy_neighbours.core.quarter_hour import Quality, midnight
from custom_components.energy_neighbours.core.repartition import UNKNOWN, Coefficients
from custom_components.energy_neighbours.core.repartition_key import (
    Cascade,
    DynamicCustom,
    Hybrid,
    KeyKind,
    Prorata,
    Stage,
    Static,
    StaticMulti,
    TwoStage,
    Weights,
)

BRUSSELS = ZoneInfo("Europe/Brussels")
NOON = midnight(date(2026, 3, 1), BRUSSELS) + 12 * 3600
AGREED = Weights.of({"a": 60, "b": 30, "c": 10})
NEEDS = [1000, 250, 750]


def why(key, code, *, took=None, production=1200, **more):
    members = tuple(Member(each, date(2026, 1, 1)) for each in "abc")
    roof = Member("roof", date(2026, 1, 1), consumes=False, produces=True)
    rules = Rules(BRUSSELS, (KeyVersion(3, date(2026, 1, 1), key),), (*members, roof))
    return explain(rules, NOON, code, took or NEEDS, [production], **more)


def test_a_prorata_share_tells_the_numbers_that_made_it():
    told = why(Prorata(), "a", quality=Quality.ESTIMATED)
    assert (told.offtake, told.community_offtake, told.production) == (1000, 2000, 1200)
    assert (told.offered, told.allocated, told.limit) == (600, 600, Limit.KEY)
    assert told.rounds == (Round(1200, 1200, 600),)
    assert (told.kind, told.version, told.quality, told.weight) == (KeyKind.PRORATA, 3, Quality.ESTIMATED, None)
    assert not told.provisional


def test_a_need_that_is_met_is_the_limit():
    told = why(Prorata(), "b", production=2400)
    assert (told.offered, told.allocated, told.limit) == (300, 250, Limit.NEED)


def test_rounds_of_a_static_key_that_divides_again():
    told = why(StaticMulti(AGREED), "a")
    assert told.weight == Fraction(3, 5)
    assert told.rounds == (Round(1200, 1090, 720), Round(110, 110, 94))
    assert told.allocated == 814


def test_rounds_of_a_hybrid_key():
    assert why(Hybrid(AGREED), "c").rounds == (Round(1200, 1090, 120), Round(110, 110, 76))
    assert why(Hybrid(None), "c").weight == Fraction(1, 3)


def test_rounds_that_were_agreed_one_by_one():
    stages = TwoStage((Stage(Fraction(1, 2), Prorata()), Stage(Fraction(1, 2), Static(AGREED))))
    told = why(stages, "a")
    # Half of 1200 by offtake: 300, 75, 225. The other half: 360, 175 (of 180) and 60.
    assert told.rounds == (Round(1200, 600, 300), Round(600, 595, 360))
    assert told.weight == Fraction(3, 5)
    assert told.allocated == 660


def test_groups_of_a_cascade_are_its_rounds():
    told = why(Cascade((("b",), ("a",))), "a")
    assert told.rounds == (Round(1200, 250, 0), Round(950, 950, 950))
    assert why(Cascade((("b",), ("a",))), "c").allocated == 0


def test_coefficients_of_the_organiser():
    told = why(DynamicCustom(), "a", coefficients=Coefficients(np.array([[50, 30, 20]]), 100))
    assert (told.allocated, told.limit, told.rounds) == (600, Limit.KEY, (Round(1200, 1090, 600),))
    unknown = why(DynamicCustom(), "a")
    assert (unknown.allocated, unknown.provisional) == (0, True)


def test_a_reading_that_is_missing_is_told_as_such():
    mine, others_share = why(Prorata(), "a", took=[UNKNOWN, 250, 750]), why(Prorata(), "b", took=[UNKNOWN, 250, 750])
    assert (mine.offtake, mine.allocated, mine.limit, mine.provisional) == (None, 0, Limit.NO_READING, True)
    assert (others_share.allocated, others_share.community_offtake, others_share.provisional) == (250, 1000, True)


def test_without_production_there_is_nothing_to_explain():
    told = why(Prorata(), "a", production=0)
    assert (told.limit, told.rounds) == (Limit.NO_PRODUCTION, ())


def test_what_a_member_injects_itself_it_is_not_given():
    members = (Member("a", date(2026, 1, 1), produces=True), Member("b", date(2026, 1, 1), produces=True))
    rules = Rules(BRUSSELS, (KeyVersion(1, date(2026, 1, 1), Prorata()),), members)
    told = explain(rules, NOON, "a", [500, 0], [900, 100])
    assert (told.own_injection, told.production, told.allocated) == (900, 1000, 100)
    assert told.limit is Limit.OTHERS_INJECTION


def test_before_a_key_or_a_membership_there_is_no_share():
    members = (Member("a", date(2026, 1, 1)), Member("b", date(2026, 6, 1)))
    roof = Member("roof", date(2026, 1, 1), consumes=False, produces=True)
    rules = Rules(BRUSSELS, (KeyVersion(1, date(2026, 4, 1), Prorata()),), (*members, roof))
    assert explain(rules, NOON, "a", [5, 5], [7]).limit is Limit.NO_KEY
    told = explain(rules, NOON, "b", [5, 5], [7])
    assert (told.limit, told.kind, told.offtake) == (Limit.NOT_A_MEMBER, None, None)
    with pytest.raises(ValueError, match="roof"):
        explain(rules, NOON, "roof", [5, 5], [7])
