"""Which of two clocks to believe: the meter's, which stamps its readings, or the computer's that hears them."""

from typing import Final

TOLERANCE: Final = 300
"""Clocks that differ by less than this [s] agree."""


class ClockReferee:
    """Follows two clocks, with a third that tells no time but never jumps, as a witness.

    A small computer without a battery wakes up with the time of its last breath and jumps when it finds the internet; a
    meter may do the same. The one that jumps is not believed, unless both agree afterwards. Only a meter that was right
    until then can say that the computer jumped.
    """

    __slots__ = ("_believed", "_meter_right", "_witness")

    def __init__(self) -> None:
        self._believed = 0.0
        self._meter_right = False
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
        if abs(stamp - now) <= TOLERANCE:
            time = stamp
        elif not self._meter_right:
            time = now
        else:
            expected = self._believed + witness - self._witness
            time = next((clock for clock in (stamp, now) if abs(clock - expected) <= TOLERANCE), expected)
        self._believed, self._witness = time, witness
        self._meter_right = abs(stamp - time) <= TOLERANCE
        return time
