"""How one key divides a block of quarter-hours: what everybody needs, the key's rule, rounding, the producers' side."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple, assert_never

import numpy as np

from .largest_remainder import carrier, round_rows
from .producer_side import surplus_by_coefficients, surplus_in_proportion
from .relative_key import divide_among_others
from .repartition_key import (
    Cascade,
    DynamicCustom,
    Equal,
    Hybrid,
    Peer,
    Prorata,
    Relative,
    RepartitionKey,
    Stage,
    Static,
    StaticMulti,
    TwoStage,
    Weights,
)
from .repartition_rounds import (
    Shares,
    StageRule,
    columns_of,
    divide_in_stages,
    divide_once,
    fill,
    prorata,
    serve_in_order,
    stage_bound,
)


class Divided(NamedTuple):
    """Whole Wh of a block: by row and member, by row and producer, and by row and member if it was asked for."""

    allocated: np.ndarray
    surplus: np.ndarray
    offered: np.ndarray | None


class _Energies(NamedTuple):
    """A block's energies [Wh]: what members took and need, what producers gave, and the sums of all three by row.

    `at_once` tells whether any member both took and gave in a quarter-hour.
    """

    took: np.ndarray
    need: np.ndarray
    gave: np.ndarray
    taken: np.ndarray
    needed: np.ndarray
    given: np.ndarray
    at_once: bool

    @property
    def greatest(self) -> int:
        """What no energy, no row's sum and no number of members exceeds."""
        return max(int(self.taken.max()), int(self.given.max()), len(self.took[0]))

    def whole(self, kind: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what is needed, was taken and given in a carrier."""
        took = self.took.astype(kind)
        return took if self.need is self.took else self.need.astype(kind), took, self.given.astype(kind)


class Divider:
    """Divides blocks of quarter-hours, in all of which somebody injected.

    Parameters
    ----------
    key
        The rule.
    members, producers
        Their codes, in order.
    whole
        What coefficients are parts of.
    """

    def __init__(self, key: RepartitionKey, members: Sequence[str], producers: Sequence[str], whole: int) -> None:
        self._key = key
        self._members = members
        self._producers = producers
        self._whole = whole
        places = {code: place for place, code in enumerate(members)}
        self._own = np.array([places.get(code, -1) for code in producers], np.intp)
        # Producers that are members, too, and their places among these.
        at_home = np.flatnonzero(self._own >= 0)
        self._at_home = columns_of(at_home)
        self._homes = columns_of(self._own[at_home])
        self._is_home = bool(at_home.size)
        self._nobody = np.full_like(self._own, -1)

    def divide(self, took: np.ndarray, gave: np.ndarray, parts: np.ndarray | None, *, with_offered: bool) -> Divided:
        """Divide what producers gave; arguments as for `repartition.allocate`, but nothing is unknown."""
        energies = self._energies(took, gave)
        match self._key:
            case Peer(producer, consumer):
                return self._from_one_to_one(energies, producer, consumer)
            case Relative(weights):
                return self._divided(
                    energies, *divide_among_others(energies.need, gave, self._vector(weights)[0], self._own)
                )
            case DynamicCustom() if parts is not None and parts.ndim > gave.ndim:
                return self._by_producer(energies, parts)
            case Prorata() | Cascade() if not with_offered:
                return self._divide_what_is_short(energies)
            case _:
                shares = self._shares(energies, parts, with_offered=with_offered)
                offered = _rounded(shares.offered, shares.unit) if with_offered else None
                return self._divided(energies, _rounded(shares.given, shares.unit), offered)

    def _energies(self, took: np.ndarray, gave: np.ndarray) -> _Energies:
        given, taken = gave.sum(axis=1), took.sum(axis=1)
        if not self._is_home:
            return _Energies(took, took, gave, taken, taken, given, at_once=False)
        mine, its_own = took[:, self._homes], gave[:, self._at_home]
        if not ((mine > 0) & (its_own > 0)).any():
            return _Energies(took, took, gave, taken, taken, given, at_once=False)
        need = took.copy()
        need[:, self._homes] = np.minimum(mine, given[:, None] - its_own)
        return _Energies(took, need, gave, taken, need.sum(axis=1), given, at_once=True)

    def _divided(self, energies: _Energies, allocated: np.ndarray, offered: np.ndarray | None) -> Divided:
        if offered is not None:  # rounded by itself it could be a Wh less than what was allocated
            offered = np.maximum(offered, allocated)
        own = self._own if energies.at_once else self._nobody
        return Divided(allocated, surplus_in_proportion(energies.gave, allocated, own), offered)

    def _divide_what_is_short(self, energies: _Energies) -> Divided:
        """Divide by a key that lets nobody go without while there is enough: only where it is short there is work."""
        allocated = energies.need
        short = np.flatnonzero(energies.given < energies.needed)
        if short.size == len(allocated):
            shares = self._shares(energies, None, with_offered=False)
            allocated = _rounded(shares.given, shares.unit)
        elif short.size:
            shares = self._shares(_some(energies, short), None, with_offered=False)
            allocated = allocated.copy()
            allocated[short] = _rounded(shares.given, shares.unit)
        return self._divided(energies, allocated, None)

    def _shares(self, energies: _Energies, parts: np.ndarray | None, *, with_offered: bool) -> Shares:
        match self._key:
            case Prorata():
                return prorata(*energies.whole(carrier(energies.greatest**2)), energies.taken)
            case Cascade(groups):
                return serve_in_order(*energies.whole(carrier(energies.greatest**2)), self._columns(groups))
            case Equal() | Static() | DynamicCustom():
                weights, whole = (parts, self._whole) if parts is not None else self._vector(_agreed(self._key))
                kind = carrier(energies.greatest * whole)
                need, _, given = energies.whole(kind)
                # Who gave and took nothing needs nothing, whatever it was offered.
                hampered = energies.at_once or with_offered
                reaching = self._reaching(energies.gave, given) if hampered else given[:, None]
                return divide_once(need, weights.astype(kind), reaching, whole)
            case StaticMulti(agreed, rounds):
                weights, whole = self._vector(agreed)
                kind = carrier(energies.greatest * whole)
                need, _, given = energies.whole(kind)
                wholes = np.full_like(given, whole)
                return fill(need, weights.astype(kind), given, wholes, rounds, with_offered=with_offered)
            case Hybrid(agreed):
                first = Stage(Fraction(1), Equal() if agreed is None else Static(agreed))
                return self._in_stages((first, Stage(Fraction(0), Prorata())), energies)
            case TwoStage(stages):
                return self._in_stages(stages, energies)
            case Relative() | Peer():  # pragma: no cover - they are no shares of one denominator
                raise AssertionError(self._key)
            case _:
                assert_never(self._key)

    def _in_stages(self, stages: Sequence[Stage], energies: _Energies) -> Shares:
        parts = lcm(*(stage.part.denominator for stage in stages))
        rules = [
            StageRule(int(stage.part * parts), None, 1)
            if isinstance(stage.key, Prorata)
            else StageRule(int(stage.part * parts), *self._vector(_agreed(stage.key)))
            for stage in stages
        ]
        kind = carrier(stage_bound(energies.greatest, parts, rules))
        return divide_in_stages(*energies.whole(kind), parts, rules)

    def _vector(self, weights: Weights | None) -> tuple[np.ndarray, int]:
        """Return the weights of the members, and what they are parts of; None are equal ones."""
        if weights is None:
            return np.ones(len(self._members), np.int64), max(1, len(self._members))
        parts = dict(weights.parts)
        return np.array([parts.get(code, 0) for code in self._members], np.int64), weights.whole

    def _columns(self, groups: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return the columns of each group, and of those that are in none."""
        group_of = {code: number for number, group in enumerate(groups) for code in group}
        numbers = np.array([group_of.get(code, len(groups)) for code in self._members], np.intp)
        return [np.flatnonzero(numbers == number) for number in range(len(groups) + 1)]

    def _reaching(self, gave: np.ndarray, given: np.ndarray) -> np.ndarray:
        """Return what can reach members at all, by row and member: what others gave."""
        reaching = np.repeat(given[:, None], len(self._members), axis=1)
        reaching[:, self._homes] -= gave[:, self._at_home]
        return reaching

    def _from_one_to_one(self, energies: _Energies, producer: str, consumer: str) -> Divided:
        surplus, allocated, offered = energies.gave.copy(), *np.zeros((2, *energies.took.shape), np.int64)
        if producer in self._producers and consumer in self._members:
            source, sink = self._producers.index(producer), self._members.index(consumer)
            offered[:, sink] = surplus[:, source]
            allocated[:, sink] = np.minimum(surplus[:, source], energies.took[:, sink])
            surplus[:, source] -= allocated[:, sink]
        return Divided(allocated, surplus, offered)

    def _by_producer(self, energies: _Energies, parts: np.ndarray) -> Divided:
        """Divide by coefficients of each producer and consumer."""
        need, gave = energies.need, energies.gave
        kind = carrier(energies.greatest * self._whole)
        flows = gave.astype(kind)[:, :, None] * parts.astype(kind)
        at_home = np.flatnonzero(self._own >= 0)
        flows[:, at_home, self._own[at_home]] = 0
        wanted, offers = need.astype(kind) * self._whole, flows.sum(axis=1)
        unit = np.full(len(need), self._whole, kind)
        allocated = _rounded(np.minimum(offers, wanted), unit)
        surplus = surplus_by_coefficients(gave, flows, wanted, self._whole, allocated, self._own)
        return Divided(allocated, surplus, np.maximum(_rounded(offers, unit), allocated))


def _rounded(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    return round_rows(numerators, denominators).astype(np.int64)


def _some(energies: _Energies, rows: np.ndarray) -> _Energies:
    took = energies.took[rows]
    return energies._replace(
        took=took,
        need=took if energies.need is energies.took else energies.need[rows],
        gave=energies.gave[rows],
        taken=energies.taken[rows],
        needed=energies.needed[rows],
        given=energies.given[rows],
    )


def _agreed(key: Equal | Static | DynamicCustom) -> Weights | None:
    return key.weights if isinstance(key, Static) else None
