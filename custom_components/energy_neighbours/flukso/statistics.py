"""What a link counts, and how seldom it logs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
import logging

from .messages import DropReason

LOG_INTERVAL = 3600
"""At most one line per kind of drop in this many seconds: a meter sends 50 messages a second."""

_EXPECTED = frozenset(
    {
        DropReason.FOREIGN_TOPIC,
        DropReason.OTHER_DEVICE,
        DropReason.UNKNOWN_SENSOR,
        DropReason.CLEARED,
        DropReason.NO_VALUE,
        DropReason.STALE,
    }
)


@dataclass(slots=True)
class Statistics:
    """What happened on a link since it was made. `last_message` is our time [s, Unix] of the last accepted reading."""

    gauges: int = 0
    counters: int = 0
    configs: int = 0
    rest_values: int = 0
    dropped: dict[DropReason, int] = field(default_factory=dict)
    connects: int = 0
    failures: int = 0
    last_message: float | None = None


class DropLog:
    """Logs one line per kind of drop and hour, with the number of drops since the last line.

    Faults are warnings; what any sound meter causes is only for debugging. Payloads are never logged: they may hold
    a radio key.
    """

    def __init__(self, logger: logging.Logger, clock: Callable[[], float], interval: float = LOG_INTERVAL) -> None:
        self._logger = logger
        self._clock = clock
        self._interval = interval
        self._due: dict[DropReason, float] = {}
        self._unlogged: Counter[DropReason] = Counter()

    def note(self, reason: DropReason, topic: str, size: int, *, error: Exception | None = None) -> None:
        """Take note of one dropped message of `size` bytes."""
        self._unlogged[reason] += 1
        now = self._clock()
        # A clock that was set back must not keep us silent for longer than the interval.
        if -self._interval < now - self._due.get(reason, now) < 0:
            return
        self._due[reason] = now + self._interval
        level = logging.DEBUG if reason in _EXPECTED else logging.WARNING
        self._logger.log(
            level,
            "Dropped a message of %d bytes on %s: %s (%d since the last report)",
            size,
            topic,
            reason.value,
            self._unlogged.pop(reason),
            exc_info=error,
        )
