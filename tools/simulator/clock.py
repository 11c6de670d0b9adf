"""The meter's own clock, right or not."""

import time

WRONG_BY = 7200  # a wrong clock is ahead by so much [s]
CLOCK_SET = 1_234_567_890  # an FLM02 sends nothing while its clock is before this


class DeviceClock:
    """Stamps readings with the wall clock's seconds, or with what a meter without network time takes for them."""

    def __init__(self) -> None:
        """Begin with a right clock."""
        self._unset_at: float | None = None
        self.unset = False
        self.wrong = False

    def begin_unset(self) -> None:
        """Lose the time: the clock counts from zero."""
        self._unset_at = time.monotonic()

    def stamp(self) -> int:
        """Tell the time [s, Unix]."""
        if self.unset and self._unset_at is not None:
            return int(time.monotonic() - self._unset_at)
        return int(time.time()) + (WRONG_BY if self.wrong else 0)
