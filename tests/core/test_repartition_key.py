"""A key is kept and sent as JSON, and cannot be made of what is none."""

from fractions import Fraction
import json

import pytest

from custom_components.energy_neighbours.core.repartition_key import (
    Cascade,
    DynamicCustom,
    Equal,
    Hybrid,
    KeyFault,
    KeyKind,
    Peer,
    Prorata,
    Relative,
    RepartitionKeyError,
    Stage,
    Static,
    StaticMulti,
    TwoStage,
    Weights,
    key_from_dict,
    key_to_dict,
    named_members,
)

AGREED = Weights.of({"b": "33.34", "a": "66,66"})
EVERY = [
    (Prorata(), []),
    (Equal(), []),
    (Static(AGREED), ["a", "b"]),
    (StaticMulti(AGREED, 2), ["a", "b"]),
    (StaticMulti(None), []),
    (Relative(AGREED), ["a", "b"]),
    (Hybrid(AGREED), ["a", "b"]),
    (Hybrid(None), []),
    (Cascade((("b", "c"), ("a",))), ["a", "b", "c"]),
    (DynamicCustom(), []),
    (TwoStage((Stage(Fraction(1, 3), Static(AGREED)), Stage(Fraction(2, 3), Prorata()))), ["a", "b"]),
    (Peer("roof", "a"), ["a", "roof"]),
]


@pytest.mark.parametrize(("key", "members"), EVERY, ids=lambda value: getattr(value, "kind", ""))
def test_a_key_survives_being_stored_and_names_its_members(key, members):
    assert key_from_dict(json.loads(json.dumps(key_to_dict(key)))) == key
    assert named_members(key) == members


def test_every_kind_of_key_is_among_these():
    assert {key.kind for key, _ in EVERY} == set(KeyKind)


def test_weights_are_exact_percents_in_the_order_of_codes():
    assert AGREED.parts == (("a", 3333), ("b", 1667))
    assert AGREED.whole == 5000
    assert AGREED.shares == {"a": "66.66", "b": "33.34"}
    assert AGREED.complete
    thirds = Weights.of({"a": "100/3", "b": "200/3"})
    assert thirds.parts == (("a", 1), ("b", 2))
    assert Weights.of(thirds.shares) == thirds
    assert not Weights.of({"a": 40}, rest_to_grid=True).complete


@pytest.mark.parametrize(
    ("shares", "fault", "placeholders"),
    [
        ({"a": 60, "b": 39.99}, KeyFault.WEIGHTS_NOT_WHOLE, {"sum": "99.99"}),
        ({"a": 60, "b": 40.5}, KeyFault.WEIGHTS_NOT_WHOLE, {"sum": "100.5"}),
        ({}, KeyFault.WEIGHTS_NOT_WHOLE, {"sum": "0"}),
        ({"a": 110, "b": -10}, KeyFault.NOT_A_WEIGHT, {"member": "b", "weight": "-10"}),
        ({"a": "half"}, KeyFault.NOT_A_WEIGHT, {"member": "a", "weight": "half"}),
        ({"a": float("nan")}, KeyFault.NOT_A_WEIGHT, {"member": "a", "weight": "nan"}),
        ({"a": "1/0"}, KeyFault.NOT_A_WEIGHT, {"member": "a", "weight": "1/0"}),
    ],
)
def test_weights_that_are_not_the_whole_are_refused(shares, fault, placeholders):
    with pytest.raises(RepartitionKeyError) as caught:
        Weights.of(shares)
    assert (caught.value.fault, caught.value.placeholders) == (fault, placeholders)


def test_less_than_the_whole_is_accepted_where_the_rest_may_go_to_the_grid_but_more_never():
    assert Weights.of({"a": 60, "b": 39}, rest_to_grid=True).shares == {"a": "60", "b": "39"}
    with pytest.raises(RepartitionKeyError):
        Weights.of({"a": 60, "b": 41}, rest_to_grid=True)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: StaticMulti(None, 1), KeyFault.TOO_FEW_ROUNDS),
        (lambda: TwoStage(()), KeyFault.TOO_FEW_ROUNDS),
        (lambda: TwoStage((Stage(Fraction(2, 3), Equal()),) * 2), KeyFault.STAGES_OVER_WHOLE),
        (lambda: TwoStage((Stage(Fraction(-1, 3), Equal()),)), KeyFault.STAGES_OVER_WHOLE),
        (lambda: Cascade((("a", "b"), ("b",))), KeyFault.IN_TWO_GROUPS),
        (lambda: Peer("a", "a"), KeyFault.SAME_MEMBER),
        (lambda: key_from_dict({"kind": "auction"}), KeyFault.NOT_A_KEY),
        (lambda: key_from_dict({"kind": "static"}), KeyFault.NOT_A_KEY),
        (lambda: key_from_dict({"kind": "static", "weights": {"a": 120}}), KeyFault.WEIGHTS_NOT_WHOLE),
        (lambda: key_from_dict({"kind": "static_multi", "max_rounds": "many"}), KeyFault.NOT_A_KEY),
        (
            lambda: key_from_dict({"kind": "two_stage", "stages": [{"part": 50, "key": {"kind": "hybrid"}}]}),
            KeyFault.NOT_A_STAGE,
        ),
        (lambda: key_from_dict({"kind": "cascade", "groups": 5}), KeyFault.NOT_A_KEY),
        (lambda: key_from_dict("prorata"), KeyFault.NOT_A_KEY),
        (lambda: key_from_dict(None), KeyFault.NOT_A_KEY),
    ],
)
def test_what_is_no_key(make, fault):
    with pytest.raises(RepartitionKeyError) as caught:
        make()
    assert caught.value.fault is fault
    assert str(caught.value).startswith(fault.value)
