"""Sums that all members see never tell of too few of them."""

from collections.abc import Mapping

from hypothesis import given, strategies as st

from custom_components.energy_neighbours.core.aggregates import Bucket, public_totals

QUARTER = 900


def bucket(members: int, start: int = 0, offtake: int = 100) -> Bucket:
    return Bucket(start, members, 50 * members, offtake * members, 40 * members, 10 * members)


def whole_of(groups: Mapping[str, Bucket], others: int = 0) -> Bucket:
    return bucket(sum(group.members for group in groups.values()) + others)


def test_a_sum_is_shown_from_the_threshold_on() -> None:
    (shown,) = public_totals([bucket(5)], {}, 5).whole
    assert (shown.members, shown.production, shown.offtake, shown.allocated, shown.surplus) == (5, 250, 500, 200, 50)
    (hidden,) = public_totals([bucket(4)], {}, 5).whole
    # Production may always be shown; surplus would tell what was allocated.
    assert (hidden.members, hidden.production, hidden.offtake, hidden.allocated, hidden.surplus) == (
        4,
        200,
        None,
        None,
        None,
    )


def test_a_group_is_shown_from_the_threshold_on() -> None:
    groups = {"flats": bucket(6), "workshops": bucket(5), "houses": bucket(3)}
    found = public_totals([whole_of(groups, others=4)], {name: [one] for name, one in groups.items()}, 5)
    assert list(found.groups) == ["flats", "workshops"]
    assert found.groups["flats"][0].offtake == 600


def test_the_rest_beside_the_groups_must_not_tell_of_too_few() -> None:
    # The whole less the flats would be the two houses.
    groups = {"flats": bucket(6), "houses": bucket(2)}
    assert public_totals([whole_of(groups)], {name: [one] for name, one in groups.items()}, 5).groups == {}
    # With another group held back, they hide among its members.
    groups = {"flats": bucket(6), "houses": bucket(2), "shops": bucket(5)}
    found = public_totals([whole_of(groups)], {name: [one] for name, one in groups.items()}, 5)
    assert list(found.groups) == ["flats"]


def test_groups_that_are_all_large_enough_are_all_shown() -> None:
    groups = {"flats": bucket(6), "houses": bucket(7)}
    found = public_totals([whole_of(groups)], {name: [one] for name, one in groups.items()}, 5)
    assert list(found.groups) == ["flats", "houses"]


def test_each_quarter_hour_is_judged_by_itself() -> None:
    flats = [bucket(6), bucket(4, QUARTER), bucket(6, 2 * QUARTER)]
    whole = [bucket(12, 2 * QUARTER), bucket(12), bucket(12, QUARTER)]
    found = public_totals(whole, {"flats": flats}, 5)
    assert [each.start for each in found.whole] == [0, QUARTER, 2 * QUARTER]
    assert [each.start for each in found.groups["flats"]] == [0, 2 * QUARTER]


def test_no_group_is_shown_where_the_whole_is_not() -> None:
    assert public_totals([bucket(4)], {"flats": [bucket(4)]}, 5).groups == {}


@given(
    st.lists(st.integers(1, 12), max_size=6),
    st.integers(0, 12),
    st.integers(3, 10),
)
def test_nothing_can_be_worked_out_of_fewer_than_the_threshold(sizes: list[int], others: int, k: int) -> None:
    groups = {f"group {number}": bucket(size) for number, size in enumerate(sizes)}
    whole = whole_of(groups, others)
    found = public_totals([whole], {name: [one] for name, one in groups.items()}, k)
    shown = {name: groups[name].members for name in found.groups}
    assert all(size >= k for size in shown.values())
    if shown:
        assert found.whole[0].offtake is not None
    # Whatever is added and taken away of what is shown: the finest pieces are the groups, and the rest.
    rest = whole.members - sum(shown.values())
    if found.whole[0].offtake is not None:
        assert rest == 0 or rest >= k
