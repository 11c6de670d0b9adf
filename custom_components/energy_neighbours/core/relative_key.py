"""The relative key: each producer's injection is divided among all others, whose weights then make up the whole.

Every producer that has a weight itself brings a denominator of its own (the weights of the others). The common one of
many has hundreds of digits. Then sums are worked out in float64 with a bound on its error; only where a rounding hangs
on less than that bound, a quarter-hour is worked out again with fractions. The result is exact in every case.
"""

from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np

from .largest_remainder import carrier, round_fractions, round_rows
from .repartition_rounds import columns_of


class RelativeShares(NamedTuple):
    """Whole Wh by row and member."""

    allocated: np.ndarray
    offered: np.ndarray


class _Offers(NamedTuple):
    """What is offered to members [Wh], for each part of weight and in all, and how far that can be off, by row."""

    level: np.ndarray
    energy: np.ndarray
    slack: np.ndarray


def divide_among_others(
    need: np.ndarray, injection: np.ndarray, weights: np.ndarray, own: np.ndarray
) -> RelativeShares:
    """Divide each producer's injection among all others, once.

    Parameters
    ----------
    need
        Needs [Wh], row by member, in the order of their codes.
    injection
        What producers gave [Wh], row by producer, in the order of their codes.
    weights
        Parts by member, whole numbers.
    own
        For each producer the place of the member that is the same access point, or -1.
    """
    others = weights.sum() - np.where(own >= 0, weights[own], 0)
    shared = others > 0  # where all weight is the producer's own, nothing can be shared
    injection, own, others = injection[:, shared], own[shared], others[shared]
    unit = lcm(*map(int, set(others.tolist())))
    greatest = max(int(injection.sum(axis=1).max(initial=0)), int(need.max(initial=0)), weights.size)
    if carrier(greatest * unit * int(weights.max())) == np.float64:
        return _divide_exactly(need, injection, weights, own, others, unit)
    offers = _offers(injection, weights, own, others, need.shape)
    slack = offers.slack[:, None]
    capped = offers.energy >= need
    amounts = np.where(capped, need, offers.energy)
    rounded = np.floor(amounts)
    remainders = amounts - rounded
    # What is offered is either nothing at all, or more than the error: `_offers` has made it exactly zero.
    open_ = ~capped & (offers.energy > 0)
    doubtful = (open_ & (np.minimum(remainders, 1 - remainders) <= slack)).any(axis=1)
    doubtful |= ((offers.energy > 0) & (np.abs(offers.energy - need) <= slack)).any(axis=1)
    # While no need caps an offer, all that can be shared is shared, to the Wh.
    uncapped = ~(capped & (offers.energy > 0)).any(axis=1)
    spread = remainders.sum(axis=1)
    left = np.where(uncapped, injection.sum(axis=1) - rounded.sum(axis=1), np.floor(spread)).astype(np.intp)
    doubtful |= ~uncapped & open_.any(axis=1) & (np.abs(spread - np.rint(spread)) <= offers.slack * need.shape[1])
    doubtful |= ~_give_left(rounded, remainders, left, offers, weights)
    allocated = rounded.astype(np.int64)
    for row in np.flatnonzero(doubtful):
        allocated[row] = round_fractions(_exact(need[row], injection[row], weights, own, others))
    return RelativeShares(allocated, (offers.energy + slack).astype(np.int64))


def _divide_exactly(
    need: np.ndarray, injection: np.ndarray, weights: np.ndarray, own: np.ndarray, others: np.ndarray, unit: int
) -> RelativeShares:
    """Divide where one denominator serves all producers."""
    per_weight = injection * (unit // others)
    offers = _level(per_weight, own, need.shape) * weights.astype(float)
    units = np.full(len(need), float(unit))
    allocated = round_rows(np.minimum(offers, need * float(unit)), units)
    return RelativeShares(allocated.astype(np.int64), round_rows(offers, units).astype(np.int64))


def _level(per_weight: np.ndarray, own: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return what is offered for a part of weight, by row and member: everything but one's own."""
    level = np.repeat(per_weight.sum(axis=1)[:, None], shape[1], axis=1)
    at_home = np.flatnonzero(own >= 0)
    level[:, columns_of(own[at_home])] -= per_weight[:, columns_of(at_home)]
    return level


def _offers(
    injection: np.ndarray, weights: np.ndarray, own: np.ndarray, others: np.ndarray, shape: tuple[int, ...]
) -> _Offers:
    level = _level(injection / others, own, shape)
    # Each term of the sum, and each of the few further steps, is off by at most one rounding of the largest level.
    most = level.max(axis=1, initial=0) * int(weights.max())
    slack = (injection.shape[1] + 4) * np.finfo(float).eps * most
    energy = level * weights
    energy[energy <= slack[:, None]] = 0
    return _Offers(level, energy, slack)


def _give_left(
    rounded: np.ndarray, remainders: np.ndarray, left: np.ndarray, offers: _Offers, weights: np.ndarray
) -> np.ndarray:
    """Give one more to the largest remainders, in place; return for each row whether it is certain who they are."""
    certain = np.ones(len(rounded), bool)
    rows = np.flatnonzero(left)
    if not rows.size:
        return certain
    found, count = remainders[rows], left[rows]
    near = 2 * offers.slack[rows, None]
    last = np.sort(found, axis=1)[np.arange(rows.size), found.shape[1] - count][:, None]
    above = found > last + near
    tied = ~above & (found >= last - near)
    # The first of those that float64 cannot tell apart get what is left after the others. That is right if they are
    # equal because the same was given to them, or if there is enough for all.
    places = count - above.sum(axis=1)
    rounded[rows] += above | (tied & (np.cumsum(tied, axis=1) <= places[:, None]))
    some = np.flatnonzero(tied.sum(axis=1) != places)
    if some.size:
        tied, rows = tied[some], rows[some]
        certain[rows] = _all_same(np.broadcast_to(weights, tied.shape), tied) & _all_same(offers.level[rows], tied)
    return certain


def _all_same(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return for each row whether the chosen values are the same."""
    same: np.ndarray = np.where(chosen, values, np.inf).min(axis=1) == np.where(chosen, values, -np.inf).max(axis=1)
    return same


def _exact(
    need: np.ndarray, injection: np.ndarray, weights: np.ndarray, own: np.ndarray, others: np.ndarray
) -> list[Fraction]:
    """Return the exact amounts of one quarter-hour."""
    per_weight = [Fraction(int(energy), int(rest)) for energy, rest in zip(injection, others, strict=True)]
    level = sum(per_weight, Fraction(0))
    at_home = {int(place): part for place, part in zip(own, per_weight, strict=True) if place >= 0}
    return [
        min(Fraction(int(wanted)), int(weight) * (level - at_home.get(place, 0)))
        for place, (wanted, weight) in enumerate(zip(need, weights, strict=True))
    ]
