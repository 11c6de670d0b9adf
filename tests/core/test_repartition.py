"""The worked examples of the repartition keys, and what is done with what is not known."""

import numpy as np
import pytest

from custom_components.energy_neighbours.core.repartition import UNKNOWN, Coefficients, Flows, allocate
from custom_components.energy_neighbours.core.repartition_key import (
    Cascade,
    DynamicCustom,
    Equal,
    Hybrid,
    Peer,
    Prorata,
    Relative,
    Static,
    StaticMulti,
    Weights,
)

NEEDS = {"a": 1000, "b": 250, "c": 750}
AGREED = Weights.of({"a": 60, "b": 30, "c": 10})


def one(key, took, gave, coefficients=None):
    """Divide one quarter-hour; return what members get, what is left in all, and what they were offered."""
    flows = Flows(list(took), np.array([list(took.values())]), list(gave), np.array([list(gave.values())]))
    result = allocate(key, flows, coefficients, with_offered=True)
    return tuple(result.allocated[0].tolist()), int(result.surplus.sum()), tuple(result.offered[0].tolist())


@pytest.mark.parametrize(
    ("key", "production", "allocated", "surplus"),
    [
        (Prorata(), 1200, (600, 150, 450), 0),
        (Prorata(), 2400, (1000, 250, 750), 400),
        (Equal(), 1200, (400, 250, 400), 150),
        (Static(AGREED), 1200, (720, 250, 120), 110),
        (StaticMulti(None), 1200, (475, 250, 475), 0),
        (StaticMulti(AGREED), 1200, (814, 250, 136), 0),
        (StaticMulti(AGREED), 1800, (1000, 250, 550), 0),
        (Hybrid(None), 1200, (495, 250, 455), 0),
        (Hybrid(AGREED), 1200, (754, 250, 196), 0),
        (Cascade((("b",), ("a",), ("c",))), 1200, (950, 250, 0), 0),
    ],
)
def test_the_worked_examples(key, production, allocated, surplus):
    """DOMAIN 3.9."""
    assert one(key, NEEDS, {"roof": production})[:2] == (allocated, surplus)


def test_what_is_left_of_a_watt_hour_goes_to_the_first_member_code():
    assert one(Prorata(), {"a": 333, "b": 333, "c": 333}, {"roof": 100})[0] == (34, 33, 33)
    assert one(Prorata(), {"c": 333, "a": 333, "b": 333}, {"roof": 100})[0] == (33, 34, 33)


def test_what_members_were_offered_before_their_need_capped_it():
    assert one(Prorata(), NEEDS, {"roof": 2400})[2] == (1200, 300, 900)
    assert one(Static(AGREED), NEEDS, {"roof": 1200})[2] == (720, 360, 120)
    # In the second round B was offered nothing more, for it needed nothing more.
    assert one(StaticMulti(AGREED), NEEDS, {"roof": 1200})[2] == (814, 360, 136)
    assert one(Cascade((("b",), ("a",), ("c",))), NEEDS, {"roof": 1200})[2] == (950, 1200, 0)
    assert one(Peer("roof", "b"), NEEDS, {"roof": 1200})[2] == (0, 1200, 0)


TWO_ROOFS = {"S": 800, "T": 400}
TWO_FLATS = {"A": 300, "B": 1000}
FOUR = Weights.of({"S": 10, "T": 10, "A": 40, "B": 40})


@pytest.mark.parametrize(
    ("key", "allocated", "kept"),
    [
        (Static(FOUR), (300, 480), (280, 140)),
        # 533.33, and of the two producers 244.44 and 122.22: what rounding takes from B is theirs.
        (Relative(FOUR), (300, 533), (245, 122)),
        (StaticMulti(FOUR), (300, 900), (0, 0)),
    ],
)
def test_two_producers_that_have_weights_themselves(key, allocated, kept):
    """DOMAIN 3.9, the second example."""
    flows = Flows(["A", "B", "S", "T"], np.array([[300, 1000, 0, 0]]), ["S", "T"], np.array([[800, 400]]))
    result = allocate(key, flows)
    assert tuple(result.allocated[0].tolist()) == (*allocated, 0, 0)
    assert tuple(result.surplus[0].tolist()) == kept


def test_prorata_is_the_rule_that_an_austrian_grid_operator_applies():
    """DOMAIN 3.10: P x C / D is offered, the lesser of that and C is covered; on a month of random energies."""
    chance = np.random.default_rng(2023)
    took = chance.integers(0, 400, (2976, 5))
    gave = chance.integers(0, 3000, (2976, 4)) * (chance.random((2976, 1)) < 0.5)
    result = allocate(Prorata(), Flows(list("abcde"), took, list("wxyz"), gave), with_offered=True)
    production, offtake = gave.sum(axis=1)[:, None], took.sum(axis=1)[:, None]
    offered = production * took / offtake
    assert np.abs(result.offered - offered).max() < 1
    assert np.abs(result.allocated - np.minimum(offered, took)).max() < 1
    # P.01 = G.01 - sum(G.03) x G.01 / sum(G.01)
    kept = gave - result.allocated.sum(axis=1)[:, None] * gave / np.maximum(production, 1)
    assert np.abs(result.surplus - kept).max() < 1


def test_nobody_is_given_its_own_injection():
    # A took 500 and injected 900 in the same quarter-hour; only the 100 of the roof can be allocated to it.
    allocated, surplus, _ = one(Prorata(), {"a": 500, "b": 0}, {"a": 900, "roof": 100})
    assert (allocated, surplus) == ((100, 0), 900)
    # With B beside it, B gets A's 900, as far as B needs them.
    flows = Flows(["a", "b"], np.array([[500, 600]]), ["a", "roof"], np.array([[900, 100]]))
    result = allocate(Prorata(), flows)
    assert result.allocated.tolist() == [[100, 600]]
    assert result.surplus.tolist() == [[300, 0]]


def test_a_static_key_leaves_with_a_producer_its_part_of_its_own_injection():
    """As EnergyID's library does."""
    allocated, surplus, _ = one(Static(Weights.of({"a": 50, "b": 50})), {"a": 500, "b": 500}, {"a": 400})
    assert (allocated, surplus) == ((0, 200), 200)


def test_weights_that_are_less_than_the_whole_leave_the_rest_to_the_grid():
    weights = Weights.of({"a": 25, "b": 25}, rest_to_grid=True)
    assert one(Static(weights), NEEDS, {"roof": 400})[:2] == ((100, 100, 0), 200)


def test_a_member_without_a_weight_gets_nothing():
    assert one(Static(Weights.of({"a": 100})), NEEDS, {"roof": 400})[0] == (400, 0, 0)
    assert one(StaticMulti(Weights.of({"a": 100})), NEEDS, {"roof": 1400})[:2] == ((1000, 0, 0), 400)


def test_fixed_with_one_redistribution_round():
    """What OptimCE calls "relative" is a static key with two rounds."""
    needs = {"a": 10, "b": 100, "c": 1000}
    weights = Weights.of({"a": 40, "b": 40, "c": 20})
    # 120, 120 and 60 are offered; 130 are left over, for C alone: it gets them all in the second round.
    assert one(StaticMulti(weights, 2), needs, {"roof": 300})[:2] == ((10, 100, 190), 0)
    # 400, 400, 200: 890 left for C, which needs 800.
    assert one(StaticMulti(weights, 2), needs, {"roof": 1000})[:2] == ((10, 100, 890), 0)
    # 74 are left over by A; B needs 16 of its 49.33, C gets 24.67. What B leaves is not divided a third time.
    assert one(StaticMulti(weights, 2), needs, {"roof": 210})[:2] == ((10, 100, 66), 34)
    assert one(StaticMulti(weights), needs, {"roof": 210})[:2] == ((10, 100, 100), 0)


def test_coefficients_of_the_organiser_by_consumer():
    coefficients = Coefficients(np.array([[500, 300, 100]]), 1000)
    assert one(DynamicCustom(), NEEDS, {"roof": 1200}, coefficients)[:2] == ((600, 250, 120), 230)


def test_coefficients_of_the_organiser_by_producer_and_consumer():
    flows = Flows(["a", "b"], np.array([[100, 600]]), ["east", "west"], np.array([[400, 200]]))
    result = allocate(DynamicCustom(), flows, Coefficients(np.array([[[500, 500], [0, 1000]]]), 1000))
    assert result.allocated.tolist() == [[100, 400]]
    # East offered A 200, of which A needed half; West gave all to B.
    assert result.surplus.tolist() == [[100, 0]]


def test_rounding_lets_nobody_give_to_itself():
    # Each of the two gives the other 1.5 Wh. A gets the third of 3 Wh; it is B, then, who gave two.
    flows = Flows(["a", "b"], np.array([[100, 100]]), ["a", "b"], np.array([[3, 3]]))
    result = allocate(DynamicCustom(), flows, Coefficients(np.array([[[0, 1], [1, 0]]]), 2))
    assert result.allocated.tolist() == [[2, 1]]
    assert result.surplus.tolist() == [[2, 1]]


def test_without_coefficients_a_quarter_hour_is_not_divided_and_says_so():
    flows = Flows(["a", "b"], np.array([[100, 600]] * 2), ["east"], np.array([[400]] * 2))
    result = allocate(DynamicCustom(), flows, Coefficients(np.array([[500, 500], [UNKNOWN, UNKNOWN]]), 1000))
    assert result.allocated.tolist() == [[100, 200], [0, 0]]
    assert result.surplus.tolist() == [[100], [400]]
    assert result.complete.tolist() == [True, False]


def test_what_nobody_measured_counts_as_nothing_and_says_so():
    took = np.array([[1000, 250], [1000, UNKNOWN], [1000, 250]])
    result = allocate(Prorata(), Flows(["a", "b"], took, ["roof"], np.array([[125], [125], [UNKNOWN]])))
    assert result.allocated.tolist() == [[100, 25], [125, 0], [0, 0]]
    assert result.surplus.tolist() == [[0], [0], [0]]
    assert result.complete.tolist() == [True, False, False]


def test_a_peer_key_needs_both_to_be_there():
    assert one(Peer("roof", "b"), NEEDS, {"roof": 1200})[:2] == ((0, 250, 0), 950)
    assert one(Peer("roof", "z"), NEEDS, {"roof": 1200})[:2] == ((0, 0, 0), 1200)
    assert one(Peer("attic", "b"), NEEDS, {"roof": 1200})[:2] == ((0, 0, 0), 1200)


def test_energies_of_a_whole_country_are_exact_too():
    took = {"a": 3_000_000_000_001, "b": 5_000_000_000_003, "c": 7_000_000_000_007}
    production = 11_000_000_000_013
    total = sum(took.values())
    allocated, surplus, _ = one(Prorata(), took, {"roof": production})
    assert sum(allocated) == production
    assert surplus == 0
    for code, share in zip(took, allocated, strict=True):
        assert abs(share * total - took[code] * production) < total


def test_a_community_without_members_or_quarter_hours():
    nobody = Flows([], np.zeros((2, 0), np.int64), ["roof"], np.array([[5], [0]]))
    for key in (Prorata(), Equal(), Cascade(()), Hybrid(None), Relative(AGREED)):
        assert allocate(key, nobody).surplus.tolist() == [[5], [0]]
    assert allocate(DynamicCustom(), nobody, Coefficients(np.zeros((2, 0), np.int64), 1)).surplus.tolist() == [[5], [0]]
    never = Flows(["a"], np.zeros((0, 1), np.int64), ["roof"], np.zeros((0, 1), np.int64))
    assert allocate(Prorata(), never).allocated.shape == (0, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Flows(["a"], np.zeros((2, 2), np.int64), [], np.zeros((2, 0), np.int64)),
        lambda: Flows(["a"], np.zeros((2, 1), np.int64), ["r"], np.zeros((1, 1), np.int64)),
        lambda: Flows(["a", "a"], np.zeros((2, 2), np.int64), [], np.zeros((2, 0), np.int64)),
        lambda: Coefficients(np.array([[600, 500]]), 1000),
        lambda: Coefficients(np.array([[-2, 500]]), 1000),
        lambda: Coefficients(np.array([[UNKNOWN, 500]]), 1000),
    ],
)
def test_tables_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=r"."):
        wrong()


def test_coefficients_belong_to_the_custom_key_and_to_the_energies():
    flows = Flows(["a", "b"], np.array([[100, 600]]), ["roof"], np.array([[400]]))
    with pytest.raises(ValueError, match="only for it"):
        allocate(DynamicCustom(), flows)
    with pytest.raises(ValueError, match="only for it"):
        allocate(Prorata(), flows, Coefficients(np.array([[500, 500]]), 1000))
    with pytest.raises(ValueError, match="not those"):
        allocate(DynamicCustom(), flows, Coefficients(np.array([[500]]), 1000))
