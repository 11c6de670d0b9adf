"""Running totals: how much a counter rose since the last reading, through wraps, resets and late messages."""

from enum import StrEnum
from typing import NamedTuple

WRAP = 2**32
"""The meters count in 32 bits (whole Wh, L, g, …) and then start again at zero."""

MAX_WRAP_RISE = 2**20
"""A fall is taken for a wrap only if it means a rise of less than this (1 MWh, or a thousand m³)."""

MAX_RESET_GAP = 900
"""Up to this long after the last reading [s] what a counter shows after a reset may still be booked."""

MAX_RESET_POWER = 50_000
"""The largest mean power [W] that is believed of such a value."""

MAX_NET_POWER = 100_000
"""A net meter whose balance moved by more than this mean power [W], over an hour at least, was replaced."""

MAX_LATENESS = 120
"""A message older than the last one by up to this much [s] came late; older yet, the meter's clock was set back."""

_SECONDS_PER_HOUR = 3600


class StepKind(StrEnum):
    """What happened between two readings of a counter."""

    FIRST = "first"  # nothing to compare with
    NORMAL = "normal"
    RESET = "reset"  # a new run began: the meter lost power or was replaced
    WRAP = "wrap"  # it passed the end of its 32 bits


class CounterStep(NamedTuple):
    """A rise of a counter, in the counter's unit; below zero only for a net meter that fed into the grid."""

    delta: float
    kind: StepKind


class CounterState(NamedTuple):
    """What is to be remembered of a counter: its last value, and the time of it [s, Unix]."""

    value: float
    time: float


class CounterTrack:
    """Follows one counter.

    Parameters
    ----------
    state
        What an earlier track remembered, to go on from there.
    signed
        True for a net meter (P1), whose total falls while it feeds into the grid.

    """

    __slots__ = ("_run_began", "_signed", "_state")

    def __init__(self, state: CounterState | None = None, *, signed: bool = False) -> None:
        self._state = state
        self._signed = signed
        self._run_began = 0.0

    @property
    def state(self) -> CounterState | None:
        """The last value and its time, to be stored; None before the first reading."""
        return self._state

    def advance(self, value: float, time: float) -> CounterStep:
        """Take the next reading and tell what it adds.

        Energy is neither lost nor invented: over one run the steps add up to last minus first value. After a reset
        the new value itself counts, provided that the last reading is at most `MAX_RESET_GAP` old and the mean power
        would not exceed `MAX_RESET_POWER`; otherwise nothing does.
        """
        last = self._state
        if last is None:
            self._state = CounterState(value, time)
            return CounterStep(0.0, StepKind.FIRST)
        rise = value - last.value
        if self._signed and abs(rise) * _SECONDS_PER_HOUR > MAX_NET_POWER * max(time - last.time, _SECONDS_PER_HOUR):
            self._state = CounterState(value, time)
            return CounterStep(0.0, StepKind.RESET)
        gap = time - last.time
        late = -MAX_LATENESS <= gap < 0 and not self._signed
        if late and (rise < 0 or time < self._run_began):
            # What it tells has been booked: a later message told more, or it is from before a wrap or a reset.
            return CounterStep(0.0, StepKind.NORMAL)
        if rise >= 0 or self._signed:
            self._state = CounterState(value, max(time, last.time) if rise == 0 else time)
            return CounterStep(rise, StepKind.NORMAL)
        self._state, self._run_began = CounterState(value, time), time
        if value >= 0 and 0 < rise + WRAP <= MAX_WRAP_RISE:
            return CounterStep(rise + WRAP, StepKind.WRAP)
        believed = 0 < gap <= MAX_RESET_GAP and 0 < value * _SECONDS_PER_HOUR <= MAX_RESET_POWER * gap
        return CounterStep(value if believed else 0.0, StepKind.RESET)
