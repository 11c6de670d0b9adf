"""Which sums of a community all its members may see: only numbers behind which enough of them stand."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .messages import BucketTotals


class Bucket(NamedTuple):
    """Sums over some members in one quarter-hour [Wh], and how many of them are known."""

    start: int
    members: int
    production: int
    offtake: int
    allocated: int
    surplus: int


class PublicTotals(NamedTuple):
    """What all may see: sums of the community and of its profile groups, in order of time."""

    whole: tuple[BucketTotals, ...]
    groups: Mapping[str, tuple[BucketTotals, ...]]


def public_totals(whole: Iterable[Bucket], groups: Mapping[str, Iterable[Bucket]], k: int) -> PublicTotals:
    """Return what may be seen of sums.

    A sum is shown if at least `k` members stand behind it. Groups are shown only as far as those who are in none of
    them are none, or at least `k`, too: else the difference between the whole and the groups would tell of too few.
    Production may always be shown, but not what would tell of a hidden sum.

    Parameters
    ----------
    whole
        Sums over all members who agreed to that, each of another quarter-hour.
    groups
        Sums over those of each profile group, by its name.
    k
        The privacy threshold.
    """
    by_start: dict[int, dict[str, Bucket]] = {}
    for name, buckets in groups.items():
        for bucket in buckets:
            by_start.setdefault(bucket.start, {})[name] = bucket
    shown_whole: list[BucketTotals] = []
    shown_groups: dict[str, list[BucketTotals]] = {}
    for bucket in sorted(whole):
        shown_whole.append(_shown(bucket) if bucket.members >= k else _hidden(bucket))
        for name, group in _showable(bucket, by_start.get(bucket.start, {}), k).items():
            shown_groups.setdefault(name, []).append(_shown(group))
    return PublicTotals(tuple(shown_whole), {name: tuple(found) for name, found in sorted(shown_groups.items())})


def _showable(whole: Bucket, groups: Mapping[str, Bucket], k: int) -> dict[str, Bucket]:
    """Return the groups of a quarter-hour that may be shown beside the whole."""
    if whole.members < k:
        return {}
    shown = {name: group for name, group in groups.items() if group.members >= k}
    # The smallest ones join the rest until that is large enough to hide in.
    for name in sorted(shown, key=lambda name: (shown[name].members, name)):
        rest = whole.members - sum(group.members for group in shown.values())
        if rest == 0 or rest >= k:
            break
        del shown[name]
    return shown


def _shown(bucket: Bucket) -> BucketTotals:
    return BucketTotals(
        bucket.start, bucket.members, bucket.production, bucket.offtake, bucket.allocated, bucket.surplus
    )


def _hidden(bucket: Bucket) -> BucketTotals:
    # Production less surplus is what was allocated: one of them would tell.
    return BucketTotals(bucket.start, bucket.members, bucket.production, None, None, None)
