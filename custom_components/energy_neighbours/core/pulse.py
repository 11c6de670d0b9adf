"""Power and flow behind a pulse input, which says nothing while nothing happens."""


def pulse_rate_now(last: float, amount: float, elapsed: float) -> float:
    """Return the rate that a pulse meter can still have.

    A pulse meter never reports 0: its pulses just stop. If the rate had stayed at `last`, the next pulse would have
    come by now; that it has not bounds the rate by one pulse since the last one.

    Parameters
    ----------
    last
        Rate at the last pulse, per hour [Wh/h = W, L/h].
    amount
        What one pulse stands for [Wh, L].
    elapsed
        Time since the last pulse [s].
    """
    if elapsed <= 0:
        return last
    return min(last, amount * 3600 / elapsed)
