"""Which of two clocks to believe: the meter's, which stamps its readings, or the computer's that hears them."""

from typing import Final

TOLERANCE: Final = 300
"""Clocks that differ by less than this [s] agree."""


class ClockReferee:
    """Follows two clocks, with a third that tells no time but never jumps, as a witness.

    A small computer without a battery wakes up with the time of its last breath and jumps when it finds the internet; a
    meter may do the same. The one that jumps is not believed, unless both agree afterwards.
    """

    __slots__ = ("_believed", "_witness")

    def __init__(self) -> None:
        self._believed: float | None = None
        self._witness = 0.0

    def judge(self, stamp: float, now: float, witness: float) -> float:
        """Return the time of a reading that was heard this moment [s, Unix].

        Parameters
        ----------
        stamp
            The meter's own time of it [s, Unix].
        now
            The computer's time [s, Unix].
        witness
            Monotonic time [s], from any beginning.
        """
        if abs(stamp - now) <= TOLERANCE or self._believed is None:
            time = stamp if abs(stamp - now) <= TOLERANCE else now
        else:
            expected = self._believed + witness - self._witness
            time = next((clock for clock in (stamp, now) if abs(clock - expected) <= TOLERANCE), expected)
        self._believed, self._witness = time, witness
        return time
