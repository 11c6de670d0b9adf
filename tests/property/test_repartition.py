"""What always holds of every repartition key, and that the quick engine is the slow one to the Wh."""

from fractions import Fraction

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.energy_neighbours.core.repartition import Coefficients, Flows, allocate
from custom_components.energy_neighbours.core.repartition_key import (
    Cascade,
    DynamicCustom,
    Equal,
    Hybrid,
    KeyKind,
    Peer,
    Prorata,
    Relative,
    Stage,
    Static,
    StaticMulti,
    TwoStage,
    Weights,
)
from tests.core.repartition_reference import allocate_by_hand

CODES = ("ash", "beech", "cedar", "elm", "fir", "oak")
ROOFS = ("roof1", "roof2")
WHOLE = 1000


def energies():
    # Small ones, for many to be equal, and such as a building can have.
    return st.integers(0, 12) | st.integers(0, 2_000_000)


@st.composite
def weights(draw, members):
    parts = draw(st.lists(st.integers(0, 40), min_size=len(members), max_size=len(members)).filter(any))
    rest = draw(st.sampled_from([0, 0, 7]))
    fine = draw(st.booleans())  # then the parts are of a whole with many digits
    total = sum(parts) + rest
    if fine:
        parts = [10_000_019 * part + place for place, part in enumerate(parts)]
        total = sum(parts) + rest
    return Weights(tuple(zip(sorted(members), parts, strict=True)), total)


@st.composite
def stages(draw, members):
    parts = draw(st.lists(st.integers(0, 100), min_size=1, max_size=3))
    whole = max(100, sum(parts))
    rule = st.sampled_from([Prorata(), Equal()]) | weights(members).map(Static)
    return tuple(Stage(Fraction(part, whole), draw(rule)) for part in parts)


def cascades(members):
    def grouped(places):
        inside = list(zip(members, places, strict=True))
        return Cascade(tuple(tuple(code for code, place in inside if place == group) for group in range(3)))

    return st.lists(st.integers(0, 3), min_size=len(members), max_size=len(members)).map(grouped)


def keys(kind, members, producers):
    perhaps_weights = st.none() | weights(members)
    pairs = [(source, sink) for source in [*producers, "nobody"] for sink in members if source != sink]
    return {
        KeyKind.PRORATA: st.just(Prorata()),
        KeyKind.EQUAL: st.just(Equal()),
        KeyKind.STATIC: weights(members).map(Static),
        KeyKind.STATIC_MULTI: st.builds(StaticMulti, perhaps_weights, st.none() | st.integers(2, 5)),
        KeyKind.RELATIVE: weights(members).map(Relative),
        KeyKind.HYBRID: perhaps_weights.map(Hybrid),
        KeyKind.CASCADE: cascades(members),
        KeyKind.DYNAMIC_CUSTOM: st.just(DynamicCustom()),
        KeyKind.TWO_STAGE: stages(members).map(TwoStage),
        KeyKind.PEER: st.sampled_from(pairs).map(lambda pair: Peer(*pair)),
    }[kind]


@st.composite
def cases(draw, kind):
    """A key, the energies of some quarter-hours, and coefficients if the key wants them."""
    members = draw(st.permutations(CODES).map(lambda codes: codes[: draw(st.integers(1, 6))]))
    producers = draw(st.permutations([*members, *ROOFS]).map(lambda codes: codes[: draw(st.integers(0, 4))]))
    rows = draw(st.integers(1, 4))
    took = np.array([[draw(energies()) for _ in members] for _ in range(rows)], np.int64).reshape(rows, len(members))
    gave = np.array([[draw(energies()) for _ in producers] for _ in range(rows)], np.int64)
    flows = Flows(members, took, producers, gave.reshape(rows, len(producers)))
    coefficients = None
    if kind is KeyKind.DYNAMIC_CUSTOM:
        shape = (rows, len(producers), len(members)) if producers and draw(st.booleans()) else (rows, len(members))
        parts = np.array([draw(st.integers(0, WHOLE // len(members))) for _ in range(int(np.prod(shape)))], np.int64)
        coefficients = Coefficients(parts.reshape(shape), WHOLE)
    return draw(keys(kind, members, producers)), flows, coefficients


def by_hand(key, flows, coefficients):
    allocated, surplus = np.zeros_like(flows.offtake), np.zeros_like(flows.injection)
    for row in range(len(flows.offtake)):
        took = dict(zip(flows.members, map(int, flows.offtake[row]), strict=True))
        gave = dict(zip(flows.producers, map(int, flows.injection[row]), strict=True))
        parts = None
        if coefficients:
            parts = coefficients.parts[row]
            if parts.ndim == 1:
                parts = {code: Fraction(int(part), WHOLE) for code, part in zip(flows.members, parts, strict=True)}
            else:
                parts = {
                    source: {code: Fraction(int(part), WHOLE) for code, part in zip(flows.members, of, strict=True)}
                    for source, of in zip(flows.producers, parts, strict=True)
                }
        got, kept = allocate_by_hand(key, took, gave, parts)
        allocated[row] = [got[code] for code in flows.members]
        surplus[row] = [kept[code] for code in flows.producers]
    return allocated, surplus


@pytest.mark.parametrize("kind", KeyKind)
@settings(deadline=None)
@given(data=st.data())
def test_the_engine_agrees_with_the_slow_way_to_the_watt_hour(kind, data):
    key, flows, coefficients = data.draw(cases(kind))
    result = allocate(key, flows, coefficients)
    allocated, surplus = by_hand(key, flows, coefficients)
    np.testing.assert_array_equal(result.allocated, allocated)
    np.testing.assert_array_equal(result.surplus, surplus)


@pytest.mark.parametrize("kind", KeyKind)
@settings(deadline=None)
@given(data=st.data())
def test_what_holds_of_every_key(kind, data):
    key, flows, coefficients = data.draw(cases(kind))
    result = allocate(key, flows, coefficients, with_offered=True)
    took, gave = flows.offtake, flows.injection
    total, given_ = gave.sum(axis=1), result.allocated.sum(axis=1)
    assert (result.allocated >= 0).all()
    assert (result.allocated <= took).all()  # I1
    assert (given_ + result.surplus.sum(axis=1) == total).all()  # I2
    assert (given_ <= np.minimum(total, took.sum(axis=1))).all()  # I3
    assert (result.surplus >= 0).all()
    assert (result.surplus <= gave).all()
    for place, code in enumerate(flows.producers):  # I5: what it gave and what it got are different energy
        if code in flows.members:
            received = result.allocated[:, flows.members.index(code)]
            assert (gave[:, place] - result.surplus[:, place] + received <= given_).all()
            assert (received <= total - gave[:, place]).all()
    assert (result.offered >= result.allocated).all()
    assert result.complete.all()


@pytest.mark.parametrize("kind", KeyKind)
@settings(deadline=None)
@given(data=st.data())
def test_the_order_of_members_and_producers_changes_nothing(kind, data):
    key, flows, coefficients = data.draw(cases(kind))
    columns = data.draw(st.permutations(range(len(flows.members))))
    sources = data.draw(st.permutations(range(len(flows.producers))))
    other = Flows(
        [flows.members[place] for place in columns],
        flows.offtake[:, columns],
        [flows.producers[place] for place in sources],
        flows.injection[:, sources],
    )
    if coefficients:
        parts = coefficients.parts[..., columns]
        coefficients_of_other = Coefficients(parts if parts.ndim == 2 else parts[:, sources], WHOLE)
    else:
        coefficients_of_other = None
    one = allocate(key, flows, coefficients, with_offered=True)
    two = allocate(key, other, coefficients_of_other, with_offered=True)
    np.testing.assert_array_equal(one.allocated[:, columns], two.allocated)
    np.testing.assert_array_equal(one.offered[:, columns], two.offered)
    np.testing.assert_array_equal(one.surplus[:, sources], two.surplus)


@settings(deadline=None)
@given(data=st.data())
def test_a_member_that_takes_nothing_changes_nobodys_prorata_share(data):
    key, flows, _ = data.draw(cases(KeyKind.PRORATA))
    idle = np.zeros((len(flows.offtake), 1), np.int64)
    more = Flows([*flows.members, "aaa"], np.hstack([flows.offtake, idle]), flows.producers, flows.injection)
    alone, together = allocate(key, flows), allocate(key, more)
    np.testing.assert_array_equal(alone.allocated, together.allocated[:, :-1])
    assert not together.allocated[:, -1].any()


@pytest.mark.parametrize("kind", KeyKind)
@settings(deadline=None)
@given(data=st.data())
def test_with_nothing_produced_or_nothing_needed_nothing_is_allocated(kind, data):
    key, flows, coefficients = data.draw(cases(kind))
    dark = Flows(flows.members, flows.offtake, flows.producers, np.zeros_like(flows.injection))
    idle = Flows(flows.members, np.zeros_like(flows.offtake), flows.producers, flows.injection)
    assert not allocate(key, dark, coefficients).allocated.any()
    result = allocate(key, idle, coefficients)
    assert not result.allocated.any()
    np.testing.assert_array_equal(result.surplus, flows.injection)


@settings(deadline=None)
@given(data=st.data())
def test_under_prorata_all_get_the_same_part_of_what_they_took(data):
    """DOMAIN 4.3, to the Wh that is rounded."""
    _, flows, _ = data.draw(cases(KeyKind.PRORATA))
    roofs = Flows(flows.members, flows.offtake, [f"{code}-roof" for code in flows.producers], flows.injection)
    allocated = allocate(Prorata(), roofs).allocated
    for took, got, given_ in zip(flows.offtake, allocated, flows.injection.sum(axis=1), strict=True):
        part = min(Fraction(1), Fraction(int(given_), int(took.sum()) or 1))
        assert all(abs(int(energy) * part - int(share)) < 1 for energy, share in zip(took, got, strict=True))
