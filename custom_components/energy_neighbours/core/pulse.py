"""Power and flow behind a pulse input, which says nothing while nothing happens."""

from math import inf

NEGLIGIBLE = 10.0
"""A rate below this, per hour [Wh/h = W, L/h], is shown as none where no pulse was ever seen."""


def pulse_rate_now(last: float | None, amount: float, elapsed: float) -> float | None:
    """Return the rate that a pulse meter can still have; None while that cannot be told.

    A pulse meter never reports 0: its pulses just stop. If the rate had stayed at `last`, the next pulse would have
    come by now; that it has not bounds the rate by one pulse since the last one.

    Parameters
    ----------
    last
        Rate at the last pulse, per hour [Wh/h = W, L/h]; None if none was seen yet.
    amount
        What one pulse stands for [Wh, L].
    elapsed
        Time since the last pulse, or since we listen [s].
    """
    most = amount * 3600 / elapsed if elapsed > 0 else inf
    if last is None:
        return 0.0 if most < NEGLIGIBLE else None
    return min(last, most)
