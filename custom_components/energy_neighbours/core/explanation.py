"""Why a member was allocated what it was, in one quarter-hour: the numbers behind a share, round by round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from .community import Rules
from .quarter_hour import QUARTER, Quality, Span
from .repartition import UNKNOWN, Allocation, Coefficients, Flows, allocate
from .repartition_key import (
    Cascade,
    DynamicCustom,
    Equal,
    Hybrid,
    KeyKind,
    Prorata,
    Relative,
    RepartitionKey,
    Stage,
    Static,
    StaticMulti,
    TwoStage,
    Weights,
)
from .span_shares import coefficients_of, stretch_flows

_MOST_ROUNDS = 50


class Limit(StrEnum):
    """What kept a share from being larger; each is a translation key."""

    NEED = "need"  # it covers all that the member took
    OTHERS_INJECTION = "others_injection"  # all that others injected; nobody is given its own
    KEY = "key"  # what the key assigned
    NO_PRODUCTION = "no_production"
    NO_READING = "no_reading"  # it is not known what the member took
    NO_KEY = "no_key"
    NOT_A_MEMBER = "not_a_member"


class Round(NamedTuple):
    """One round: what was there to be divided, what all got of it, and what the member got [Wh]."""

    available: int
    allocated_to_all: int
    allocated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A member's share of one quarter-hour.

    Parameters
    ----------
    start
        Beginning of the quarter-hour [s, Unix].
    code
        The member's.
    offtake
        What it took from the grid, as far as that takes part [Wh]; None if that is not known.
    community_offtake
        What all took of whom it is known [Wh].
    production
        What all injected of whom it is known [Wh].
    own_injection
        What it injected itself, which it cannot be given [Wh].
    weight
        Its agreed part, where the key has any.
    offered, allocated
        What the key assigned to it before its need capped it, and what it got [Wh].
    limit
        What kept its share from being larger.
    rounds
        How the key came there; one for keys that divide once, none where nothing was divided.
    kind, version
        The key and the number of its version; None where none held.
    quality
        How far the member's own reading can be trusted.
    provisional
        Whether readings of others, or its own, are still missing.
    """

    start: int
    code: str
    offtake: int | None
    community_offtake: int
    production: int
    own_injection: int
    weight: Fraction | None
    offered: int
    allocated: int
    limit: Limit
    rounds: tuple[Round, ...]
    kind: KeyKind | None
    version: int | None
    quality: Quality
    provisional: bool


def explain(
    rules: Rules,
    start: int,
    code: str,
    offtake: Sequence[int],
    injection: Sequence[int],
    quality: Quality = Quality.MEASURED,
    coefficients: Coefficients | None = None,
) -> Explanation:
    """Explain a member's share of one quarter-hour.

    Parameters
    ----------
    rules
        The community's.
    start
        Beginning of the quarter-hour [s, Unix].
    code
        The member's.
    offtake, injection
        As rows of `span_shares.allocate_span`.
    quality
        That of the member's reading.
    coefficients
        As for `span_shares.allocate_span`, of this quarter-hour.

    Raises
    ------
    ValueError
        If the code is none of those that are allocated energy.
    """
    if code not in rules.consumers:
        raise ValueError(f"{code} is no member that is allocated energy")
    took, gave = np.array([offtake], np.int64), np.array([injection], np.int64)
    stretch = next(rules.stretches(Span(start, start + QUARTER)))
    flows = stretch_flows(rules, stretch, took, gave)
    version = stretch.version
    own = flows.injection[0, flows.producers.index(code)] if code in flows.producers else 0
    bare = Explanation(
        start=start,
        code=code,
        offtake=None,
        community_offtake=int(np.maximum(flows.offtake, 0).sum()),
        production=int(np.maximum(flows.injection, 0).sum()),
        own_injection=max(0, int(own)),
        weight=None,
        offered=0,
        allocated=0,
        limit=Limit.NOT_A_MEMBER,
        rounds=(),
        kind=version.key.kind if version else None,
        version=version.number if version else None,
        quality=quality,
        provisional=False,
    )
    if code not in flows.members:
        return bare
    place = flows.members.index(code)
    taken = int(flows.offtake[0, place])
    told = replace(bare, offtake=None if taken == UNKNOWN else taken)
    if version is None:
        return replace(told, limit=Limit.NO_KEY)
    parts = None
    if isinstance(version.key, DynamicCustom):
        parts = coefficients_of(coefficients, slice(0, 1), rules, flows)
    shares = allocate(version.key, flows, parts, with_offered=True)
    allocated = int(shares.allocated[0, place])
    offered = int(shares.offered[0, place]) if shares.offered is not None else 0
    told = replace(
        told,
        weight=_weight(version.key, code, len(flows.members)),
        offered=offered,
        allocated=allocated,
        rounds=tuple(_rounds(version.key, flows, shares, place)) if told.production else (),
        provisional=not bool(shares.complete[0]),
    )
    return replace(told, limit=_limit(told))


def _limit(told: Explanation) -> Limit:
    if told.offtake is None:
        return Limit.NO_READING
    if not told.production:
        return Limit.NO_PRODUCTION
    if told.allocated == told.offtake:
        return Limit.NEED
    if told.own_injection and told.allocated == told.production - told.own_injection:
        return Limit.OTHERS_INJECTION
    return Limit.KEY


def _weight(key: RepartitionKey, code: str, members: int) -> Fraction | None:
    """Return the part that was agreed for a member, in the first round that knows parts."""
    match key:
        case Equal() | StaticMulti(None, _) | Hybrid(None):
            return Fraction(1, members)
        case Static(weights) | Relative(weights) | StaticMulti(Weights() as weights, _) | Hybrid(Weights() as weights):
            return Fraction(dict(weights.parts).get(code, 0), weights.whole)
        case TwoStage(stages):
            return next((_weight(stage.key, code, members) for stage in stages if stage.key != Prorata()), None)
        case _:
            return None


def _rounds(key: RepartitionKey, flows: Flows, shares: Allocation, place: int) -> Iterator[Round]:
    """Tell the rounds: what the key makes of its first one, of its first two, and so on, each less the one before."""
    production = int(np.maximum(flows.injection, 0).sum())
    if isinstance(key, Cascade):
        yield from _groups(key, flows, shares, place, production)
        return
    to_all = to_member = 0
    for shortened in (*_beginnings(key), None):
        result = shares if shortened is None else allocate(shortened, flows)
        all_now, member_now = int(result.allocated.sum()), int(result.allocated[0, place])
        if all_now > to_all or not to_all:
            yield Round(production - to_all, all_now - to_all, member_now - to_member)
        to_all, to_member = all_now, member_now
        if all_now == shares.allocated.sum() and member_now == shares.allocated[0, place]:
            return


def _groups(key: Cascade, flows: Flows, shares: Allocation, place: int, left: int) -> Iterator[Round]:
    named = {code for group in key.groups for code in group}
    for group in (*key.groups, [code for code in flows.members if code not in named]):
        places = [flows.members.index(code) for code in group if code in flows.members]
        served = int(shares.allocated[0, places].sum())
        if places and left:
            yield Round(left, served, int(shares.allocated[0, place]) if place in places else 0)
        left -= served


def _beginnings(key: RepartitionKey) -> Iterator[RepartitionKey]:
    """Return keys that do what a key does in its first round, in its first two, and so on."""
    match key:
        case StaticMulti(weights, rounds):
            yield TwoStage((Stage(Fraction(1), Equal() if weights is None else Static(weights)),))
            for number in range(2, _MOST_ROUNDS if rounds is None else rounds):
                yield StaticMulti(weights, number)
        case Hybrid(weights):
            yield TwoStage((Stage(Fraction(1), Equal() if weights is None else Static(weights)),))
        case TwoStage(stages):
            for number in range(1, len(stages)):
                yield TwoStage(stages[:number])
        case _:
            return
