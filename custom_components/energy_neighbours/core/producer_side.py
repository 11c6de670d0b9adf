"""What producers keep of their injection when members were allocated some of it, in whole Wh.

Nobody gives to itself: what a producer gave away and what it received as a member are never more together than all that
was allocated, for both are parts of it that do not overlap.
"""

from fractions import Fraction

import numpy as np

from .largest_remainder import carrier, round_fractions, round_rows


def surplus_in_proportion(gave: np.ndarray, allocated: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return what producers keep when all give in proportion to what they injected.

    Parameters
    ----------
    gave
        Injection [Wh], int64, row by producer; something in every row.
    allocated
        Allocated energy [Wh], int64, row by member.
    own
        For each producer the place of the member that is the same access point, or -1.
    """
    total, given = gave.sum(axis=1), allocated.sum(axis=1)
    if own.size == 1 and own[0] < 0:  # there is nothing to round
        rest: np.ndarray = gave - given[:, None]
        return rest
    most = int(total.max())
    kind = carrier(most * max(most, own.size))
    kept = gave.astype(kind) * (total - given).astype(kind)[:, None]
    surplus = round_rows(kept, total.astype(kind)).astype(np.int64)
    received = _received(allocated, own)
    if received is not None:
        # This binds for one producer in a row at most: of two that gave and received nearly all, each is the other's
        # partner.
        for row, place in np.argwhere(gave - surplus > given[:, None] - received):
            surplus[row] = _others_give(gave[row], int(place), int(received[row, place]))
            surplus[row, place] += gave[row, place] - (given[row] - received[row, place])
    return surplus


def _others_give(gave: np.ndarray, place: int, received: int) -> list[int]:
    """Return what the others keep if they gave together what the producer at a place received, and 0 for it."""
    energies = [0 if number == place else int(energy) for number, energy in enumerate(gave)]
    whole = sum(energies)
    return round_fractions([Fraction(energy * (whole - received), whole or 1) for energy in energies])


def surplus_by_coefficients(
    gave: np.ndarray, flows: np.ndarray, wanted: np.ndarray, whole: int, allocated: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """Return what producers keep when the organiser said how much of each goes to whom.

    Where a member needs less than it was offered, each producer keeps the same part of its offer to that member.

    Parameters
    ----------
    gave, allocated, own
        As for `surplus_in_proportion`.
    flows
        What each producer offers each member [1/`whole` Wh], row by producer by member, in a `carrier`.
    wanted
        What each member needs at most, in the same unit, row by member.
    whole
        The unit.
    """
    offers = flows.sum(axis=1)
    given = round_rows(flows.sum(axis=2), np.full(len(gave), whole, flows.dtype)).astype(np.int64)
    for row in np.flatnonzero((offers > wanted).any(axis=1)):
        parts = [
            min(Fraction(1), Fraction(int(need), int(offer) or 1))
            for need, offer in zip(wanted[row], offers[row], strict=True)
        ]
        amounts = (
            sum((int(flow) * part for flow, part in zip(source, parts, strict=True)), Fraction(0)) / whole
            for source in flows[row]
        )
        given[row] = round_fractions(list(amounts))
    surplus = gave - given
    received = _received(allocated, own)
    if received is not None:
        _move_roundings(surplus, given, received)
    return surplus


def _received(allocated: np.ndarray, own: np.ndarray) -> np.ndarray | None:
    """Return what each producer received as a member; None if no producer is one."""
    at_home = np.flatnonzero(own >= 0)
    if not at_home.size:
        return None
    received = np.zeros((len(allocated), own.size), np.int64)
    received[:, at_home] = allocated[:, own[at_home]]
    return received


def _move_roundings(surplus: np.ndarray, given: np.ndarray, received: np.ndarray) -> None:
    """Let others give, in place, the Wh that only rounding had a producer give to itself."""
    excess = given + received - given.sum(axis=1)[:, None]
    for row, place in np.argwhere(excess > 0):
        rest = int(excess[row, place])
        surplus[row, place] += rest
        for other in range(len(surplus[row])):
            moved = 0 if other == place else min(rest, int(surplus[row, other]))
            surplus[row, other] -= moved
            rest -= moved
