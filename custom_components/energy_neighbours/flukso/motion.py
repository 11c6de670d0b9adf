"""Movement and vibration, from the counters of wireless sensors."""

from .models import Reading


class MotionTrack:
    """Tells movement from the movement or vibration counter of a wireless sensor."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: float | None = None

    def advance(self, reading: Reading) -> bool:
        """Take the next reading; True if something moved since the last one.

        A retained message tells where the counter stands, not that something moves now.
        """
        last, self._last = self._last, reading.value
        return last is not None and reading.value > last and not reading.retained
