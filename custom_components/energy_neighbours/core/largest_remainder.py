"""Rounding to whole Wh that neither loses nor invents any: the largest remainders get what is left over.

Amounts are fractions with one denominator a row. Numerators and denominators are whole numbers, carried in float64,
where they are exact below 2^53 and vectors are quick, or as Python's integers, where there is no limit.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

EXACT: Final = 1 << 50
"""Whole numbers up to this, and a few times this, are exact in float64, and so is their quotient, rounded down.

For a quotient that is no whole number is further from the next one than float64 can round, as long as numerator and
denominator together stay below 2^53.
"""

_SMALL: Final = 1 << 31


def carrier(bound: int) -> np.dtype:
    """Return what carries whole numbers up to a bound exactly: float64, or Python's integers."""
    return np.dtype(np.float64 if bound < EXACT else np.object_)


def whole_part(numerators: np.ndarray, denominators: np.ndarray | int) -> np.ndarray:
    """Return the quotients of whole numbers, rounded down, in the same carrier."""
    if numerators.dtype == np.object_:
        wholes: np.ndarray = numerators // denominators
        return wholes
    quotients: np.ndarray = numerators / denominators
    np.floor(quotients, out=quotients)
    return quotients


def round_rows(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    """Round each row to whole numbers whose sum is that of the row, rounded down.

    Parameters
    ----------
    numerators
        Amounts, not negative, row by member, whole numbers in a `carrier`, which must hold a denominator times the
        number of members, too. Of equal remainders the first counts as the larger.
    denominators
        One above zero a row.

    Returns
    -------
    np.ndarray
        Whole numbers in the same carrier; each is its amount rounded down, or up if it was none.
    """
    below = denominators[:, None]
    rounded = whole_part(numerators, below)
    remainders = rounded * below
    np.subtract(numerators, remainders, out=remainders)
    left = whole_part(remainders.sum(axis=1), denominators).astype(np.intp)
    rows = np.flatnonzero(left)
    if rows.size:
        members = numerators.shape[1]
        order = remainders if rows.size == left.size else remainders[rows]
        if int(denominators.max()) * members < _SMALL:
            order = order.astype(np.int32)  # half the bytes are sorted twice as fast
        # With the place behind the remainder no two are equal, and one threshold a row tells who gets one more.
        order *= members
        order += np.arange(members - 1, -1, -1).astype(order.dtype)
        thresholds = np.sort(order, axis=1)[np.arange(rows.size), members - left[rows]]
        more = order >= thresholds[:, None]
        if rows.size == left.size:
            rounded += more
        else:
            rounded[rows] += more
    return rounded


def round_fractions(amounts: Sequence[Fraction]) -> list[int]:
    """Round one row of fractions as `round_rows` does."""
    rounded = [int(amount) for amount in amounts]
    left = int(sum(amounts)) - sum(rounded)
    for place in sorted(range(len(rounded)), key=lambda place: rounded[place] - amounts[place])[:left]:
        rounded[place] += 1
    return rounded
