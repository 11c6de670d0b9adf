"""What repartition keys make of needs and production, as exact fractions with one denominator a row.

All arrays here hold whole numbers in a `largest_remainder.carrier`; rows are quarter-hours, columns members. A member's
*need* is what it took from the grid, but not more than what all others injected: nobody receives its own injection.
"""

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import numpy as np

from .largest_remainder import whole_part


class Shares(NamedTuple):
    """Amounts of a block of quarter-hours.

    Parameters
    ----------
    given
        What each member gets, as numerators [1/`unit` Wh].
    unit
        The rows' denominators.
    offered
        What it was offered before its need capped it, with the same denominators.
    """

    given: np.ndarray
    unit: np.ndarray
    offered: np.ndarray


class StageRule(NamedTuple):
    """One round: its part of the production, and the members' weights; None for prorata of what they need."""

    part: int
    weights: np.ndarray | None
    whole: int


def columns_of(places: np.ndarray) -> slice | np.ndarray:
    """Return places of columns as a slice if they follow each other: numpy then looks at them where they are."""
    if places.size and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def divide_once(need: np.ndarray, weights: np.ndarray, available: np.ndarray, whole: int) -> Shares:
    """Divide what is available to each member once, by weights.

    Parameters
    ----------
    need
        Needs [Wh], row by member.
    weights
        Parts by member, or row by member.
    available
        What is divided [Wh]: by row, or by row and member where a member cannot receive all of it.
    whole
        What the weights are parts of.
    """
    offered = weights * available
    unit = np.full(len(need), whole, need.dtype)
    return Shares(np.minimum(offered, need * whole), unit, offered)


def prorata(need: np.ndarray, took: np.ndarray, budget: np.ndarray, taken: np.ndarray | None = None) -> Shares:
    """Divide a budget in proportion to what members took, by row; arguments as for `serve_in_order`.

    What they took together (`taken`) may be known already.
    """
    whole = np.maximum(took.sum(axis=1) if taken is None else taken.astype(took.dtype), 1)
    below = whole[:, None]
    offered = took * budget[:, None]
    if need is took and (budget <= whole).all():  # nobody can be offered more than it needs
        return Shares(offered, whole, offered)
    most = need * below
    shares = Shares(np.minimum(offered, most), whole, offered)
    # Someone who injects itself may need less than its part, though there is not enough for all: then others get more.
    again = np.flatnonzero(((offered > most) & (need < took)).any(axis=1) & (budget > 0))
    if again.size:
        _replace(shares, again, fill(need[again], took[again], budget[again], whole[again], None))
    return shares


def _replace(shares: Shares, rows: np.ndarray, others: Shares) -> None:
    """Put other amounts into some rows, in place."""
    for mine, other in zip(shares, others, strict=True):
        mine[rows] = other


def serve_in_order(need: np.ndarray, took: np.ndarray, budget: np.ndarray, groups: Sequence[np.ndarray]) -> Shares:
    """Serve groups of members one after the other, each fully before the next and prorata inside.

    Parameters
    ----------
    need, took
        What members need, and what they took from the grid, to which shares are in proportion [Wh], row by member.
    budget
        What is divided [Wh], by row.
    groups
        Columns of each group.
    """
    given, offered, unit = np.zeros_like(need), np.zeros_like(need), np.ones_like(budget)
    left = budget.copy()
    for columns in groups:
        rows = np.flatnonzero(left > 0)
        cells = np.ix_(rows, columns)
        if not rows.size or not columns.size:
            continue
        wanted = need[cells].sum(axis=1)
        shares = prorata(need[cells], took[cells], left[rows])
        enough = left[rows] >= wanted
        # One group in a row at most is served in part; its denominator becomes the row's.
        scale = np.where(enough, 1, shares.unit)
        unit[rows] = scale
        given[rows] *= scale[:, None]
        offered[rows] *= scale[:, None]
        whole = whole_part(shares.offered, shares.unit[:, None])
        given[cells] = np.where(enough[:, None], need[cells], shares.given)
        offered[cells] = np.where(enough[:, None], whole, shares.offered)
        left[rows] = np.where(enough, left[rows] - wanted, 0)
    return Shares(given, unit, offered)


def fill(
    need: np.ndarray,
    weights: np.ndarray,
    budget: np.ndarray,
    whole: np.ndarray,
    rounds: int | None,
    *,
    with_offered: bool = False,
) -> Shares:
    """Divide a budget by weights, and what is left again among those whose need is not met.

    After each round those who still need have all got the same for each part of weight. This level is ``(budget - what
    the others needed) / (the weights of those)``, so that rounds need not be added up.

    Parameters
    ----------
    need, weights
        Row by member; weights may be one row for all.
    budget, whole
        What is divided [Wh], and what the weights are parts of in the first round; by row.
    rounds
        How often; None is until nothing is left or needed.
    with_offered
        Whether to tell what was offered to those whose need was met, in the round that met it and rounded to Wh.
        Otherwise it is what they were given.
    """
    level, unit = budget.copy(), whole.copy()
    offered = np.zeros_like(need) if with_offered else None
    rows = np.arange(len(need))
    part, wanted, left = weights, need, budget
    for number in count(1):
        below = unit[rows, None]
        offers = part * level[rows, None]
        met = wanted * below <= offers
        if offered is not None:
            # Of two offers the first counts: who met its need takes part in no later round.
            told = offered[rows]
            offered[rows] = np.where(met & (told == 0), whole_part(2 * offers + below, 2 * below), told)
        if number == rounds:
            break
        rest = (part * ~met).sum(axis=1)
        free = left - (wanted * met).sum(axis=1)
        goes_on = (rest > 0) & (free * unit[rows] > level[rows] * rest)
        if not goes_on.any():
            break
        rows = rows[goes_on]
        level[rows], unit[rows] = free[goes_on], rest[goes_on]
        wanted, left = wanted[goes_on], left[goes_on]
        part = part if part.ndim == 1 else part[goes_on]
    below = unit[:, None]
    given = np.minimum(weights * level[:, None], need * below)
    return Shares(given, unit, given if offered is None else np.maximum(offered * below, given))


def divide_in_stages(
    need: np.ndarray, took: np.ndarray, production: np.ndarray, parts: int, stages: Sequence[StageRule]
) -> Shares:
    """Divide parts of the production one after the other, each with what the one before left.

    Parameters
    ----------
    need, took
        As for `serve_in_order`; prorata is what a member took and was not yet given.
    production
        What is divided [Wh], by row.
    parts
        What the stages' parts are parts of.
    stages
        The rounds.
    """
    unit = np.full(len(need), parts, need.dtype)
    given, offered, left = np.zeros_like(need), np.zeros_like(need), np.zeros_like(unit)
    for stage in stages:
        budget = production * stage.part * whole_part(unit, parts) + left
        if stage.weights is None:
            wanted = took * unit[:, None] - given
            total = wanted.sum(axis=1)
            divides = (budget > 0) & (total > 0)
            scale = np.where(divides, total, 1)
            offers = wanted * np.where(divides, budget, 0)[:, None]
        else:
            scale = np.full_like(unit, stage.whole)
            offers = stage.weights.astype(need.dtype) * budget[:, None]
        below = scale[:, None]
        taken = np.minimum(offers, (need * unit[:, None] - given) * below)
        given, offered = given * below + taken, offered * below + offers
        left, unit = budget * scale - taken.sum(axis=1), unit * scale
    return Shares(given, unit, offered)


def stage_bound(greatest: int, parts: int, stages: Sequence[StageRule]) -> int:
    """Return a number that nothing in `divide_in_stages` exceeds; `greatest` is no less than any row's sum [Wh]."""
    unit, bound = parts, greatest * parts
    for stage in stages:
        scale = greatest * unit if stage.weights is None else stage.whole
        bound = max(bound, greatest * unit * scale)
        unit *= scale
    return max(bound, greatest * unit)
