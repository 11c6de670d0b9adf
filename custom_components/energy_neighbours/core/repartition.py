"""Divides the production of every quarter-hour among members by a repartition key, in whole Wh.

For every key, in every quarter-hour: nobody is allocated more than it took from the grid, nor more than the others
injected; what is allocated and what is left as surplus is together what was injected; and the order in which members
are given changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .repartition_block import Divider
from .repartition_key import DynamicCustom, RepartitionKey

UNKNOWN: Final = -1
"""Stands in an array of energies for what nobody measured."""
_BLOCK: Final = 1 << 17
"""Cells that are worked on at once: few steps for many of them, while all that is needed for them stays in a cache."""
_BY_CONSUMER: Final = 2
"""Dimensions of coefficients that are given by consumer alone."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What members took and producers gave, quarter-hour by quarter-hour.

    Parameters
    ----------
    members
        Codes of those who can be allocated something, in any order.
    offtake
        What they took from the grid [Wh], int64, quarter-hour by member; `UNKNOWN` where nobody measured.
    producers
        Codes of those who inject, in any order; one that is also a member is the same access point.
    injection
        What they gave [Wh], int64, quarter-hour by producer; `UNKNOWN` where nobody measured.

    Raises
    ------
    ValueError
        When shapes do not fit, or a code stands twice.
    """

    members: Sequence[str]
    offtake: np.ndarray
    producers: Sequence[str]
    injection: np.ndarray

    def __post_init__(self) -> None:
        rows = len(self.offtake)
        if self.offtake.shape != (rows, len(self.members)) or self.injection.shape != (rows, len(self.producers)):
            raise ValueError("energies are tables of quarter-hours by members, and of the same by producers")
        for codes in (self.members, self.producers):
            if len(set(codes)) != len(codes):
                raise ValueError("a code stands twice")


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Parts of each quarter-hour's production, given by the organiser for `DynamicCustom`.

    Parameters
    ----------
    parts
        int64, quarter-hour by member, or quarter-hour by producer by member, in the order of the `Flows`; `UNKNOWN` for
        all members where none were given: nothing is allocated then.
    whole
        What they are parts of.

    Raises
    ------
    ValueError
        When parts are negative, or more than the whole together.
    """

    parts: np.ndarray
    whole: int

    def __post_init__(self) -> None:
        if not self.parts.size:
            return
        given = self.parts != UNKNOWN
        if (self.parts < UNKNOWN).any() or (given.any(axis=-1) != given.all(axis=-1)).any():
            raise ValueError("coefficients are never negative, and given for all members of a quarter-hour or for none")
        if (np.where(given, self.parts, 0).sum(axis=-1) > self.whole).any():
            raise ValueError("the coefficients of a quarter-hour are more than the whole together")


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who got what.

    Parameters
    ----------
    allocated
        Energy that members got from the community [Wh], int64, quarter-hour by member.
    surplus
        Energy that producers injected and nobody was allocated [Wh], int64, quarter-hour by producer.
    offered
        What the key assigned to members before their need capped it [Wh]; None if it was not asked for.
    complete
        For each quarter-hour, whether all energies (and coefficients) were known. Where they were not, what is unknown
        was counted as nothing, and the result is provisional.
    """

    allocated: np.ndarray
    surplus: np.ndarray
    offered: np.ndarray | None
    complete: np.ndarray


def allocate(
    key: RepartitionKey, flows: Flows, coefficients: Coefficients | None = None, *, with_offered: bool = False
) -> Allocation:
    """Divide the production of every quarter-hour.

    Parameters
    ----------
    key
        The rule.
    flows
        The energies.
    coefficients
        For `DynamicCustom`, and only for it.
    with_offered
        Whether to work out, too, what members were offered.

    Raises
    ------
    ValueError
        When coefficients are missing, or not wanted, or do not fit the energies.

    Notes
    -----
    Exact shares are rounded down to whole Wh; what is left of their sum (rounded down, too) goes to the largest
    remainders, and of equal ones to the first member code.
    """
    rows, members = flows.offtake.shape
    if isinstance(key, DynamicCustom) is (coefficients is None):
        raise ValueError("coefficients are needed for a custom dynamic key, and only for it")
    if coefficients and coefficients.parts.shape not in {(rows, members), (rows, len(flows.producers), members)}:
        raise ValueError("the coefficients are not those of these energies")
    columns, sources = _order(flows.members), _order(flows.producers)
    divider = Divider(key, sorted(flows.members), sorted(flows.producers), coefficients.whole if coefficients else 1)
    allocated = np.zeros((rows, members), np.int64)
    offered = np.zeros((rows, members), np.int64) if with_offered else None
    surplus = np.zeros(flows.injection.shape, np.int64)
    complete = np.empty(rows, bool)
    step = max(1, _BLOCK // max(1, members + len(flows.producers)))
    for first in range(0, rows, step):
        block = slice(first, first + step)
        took, gave = flows.offtake[block], flows.injection[block]
        parts = coefficients.parts[block] if coefficients else None
        known = (took.min(axis=1, initial=0) >= 0) & (gave.min(axis=1, initial=0) >= 0)
        if not known.all():
            took, gave = np.maximum(took, 0), np.maximum(gave, 0)
        if parts is not None:
            given = parts.reshape(len(parts), -1).min(axis=1, initial=0) >= 0
            known &= given
            parts = np.maximum(parts, 0)
        complete[block] = known
        live = np.flatnonzero(gave.sum(axis=1))
        if not members:
            surplus[block] = gave
        if not live.size or not members:
            continue
        divided = divider.divide(
            _taken(took, live, columns),
            _taken(gave, live, sources),
            None if parts is None else _taken_parts(parts, live, columns, sources),
            with_offered=with_offered,
        )
        live += first
        _put(allocated, live, columns, divided.allocated)
        _put(surplus, live, sources, divided.surplus)
        if offered is not None and divided.offered is not None:
            _put(offered, live, columns, divided.offered)
    return Allocation(allocated, surplus, offered, complete)


def _order(codes: Sequence[str]) -> np.ndarray | None:
    """Return where the codes stand, in their order; None if they are in order."""
    order = sorted(range(len(codes)), key=codes.__getitem__)
    return None if order == list(range(len(codes))) else np.array(order, np.intp)


def _taken(table: np.ndarray, rows: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
    """Return some rows of a table, with its columns in the order of codes."""
    if rows.size < len(table):
        table = table[rows]
    return table if columns is None else table[:, columns]


def _taken_parts(
    parts: np.ndarray, rows: np.ndarray, columns: np.ndarray | None, sources: np.ndarray | None
) -> np.ndarray:
    """Return coefficients of some rows, in the order of codes."""
    parts = parts[rows] if columns is None else parts[rows][..., columns]
    return parts if sources is None or parts.ndim == _BY_CONSUMER else parts[:, sources]


def _put(table: np.ndarray, rows: np.ndarray, columns: np.ndarray | None, values: np.ndarray) -> None:
    table[rows if columns is None else np.ix_(rows, columns)] = values
