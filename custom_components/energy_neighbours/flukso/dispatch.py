"""From arriving messages to readings and devices, without any network: what is heard, and what is let through."""

from collections import deque
from collections.abc import Callable
import logging
from typing import NamedTuple

from .config import DeviceConfig, feeds
from .messages import ConfigKind, DeviceTopic, DropReason, Feed, parse_reading, parse_topic
from .models import Device, MessageKind, Reading
from .statistics import DropLog, Statistics

MAX_HELD = 512
"""Messages kept until the configuration tells whose they are; on connecting all retained ones come in a burst."""

MAX_DEVICES = 32
"""More devices than these on one broker are not looked at."""

_LOGGER = logging.getLogger(__name__)


class _Held(NamedTuple):
    topic: str
    payload: bytes
    retained: bool


class Dispatcher:
    """Sorts the messages of one device and hands on its readings.

    Without `did` the first device whose sensors become known is taken, and from then on only that one. Configuration
    comes in several messages: `on_config` tells that something of it arrived, and `announce` puts it into force when
    the caller finds it complete. Readings are handed on from then, for enabled sensors only.
    """

    def __init__(
        self,
        *,
        did: str | None = None,
        on_reading: Callable[[Reading], None],
        on_config: Callable[[], None],
        on_live: Callable[[], None] | None = None,
        clock: Callable[[], float],
        statistics: Statistics | None = None,
    ) -> None:
        self.did = did
        self.device: Device | None = None
        self.dids: set[str] = set()
        self.statistics = statistics if statistics is not None else Statistics()
        self.live = 0
        self._on_reading = on_reading
        self._on_config = on_config
        self._on_live = on_live
        self._watches_life = False
        self._clock = clock
        self._log = DropLog(_LOGGER, clock)
        self._feeds: dict[str, Feed] = {}
        self._configs: dict[str, DeviceConfig] = {}
        self._held: deque[_Held] = deque(maxlen=MAX_HELD)

    def receive(self, topic: str, payload: bytes, retained: bool) -> None:
        """Take one message. `live` counts the readings that were sent just now: the meter's pulse."""
        feed = self._feeds.get(topic)
        if feed is None:
            self._receive_other(topic, payload, retained)
            return
        now = self._clock()
        reading = parse_reading(payload, feed, now, retained=retained)
        if isinstance(reading, DropReason):
            self._drop(reading, topic, payload)
            return
        statistics = self.statistics
        if feed.kind is MessageKind.GAUGE:
            statistics.gauges += 1
        else:
            statistics.counters += 1
        statistics.last_message = now
        if not retained:
            self.live += 1
            if self._watches_life and self._on_live is not None:
                self._on_live()
        try:
            self._on_reading(reading)
        except Exception as error:  # noqa: BLE001 - whatever fails behind us must not end the link
            self._drop(DropReason.CONSUMER, topic, payload, error)

    def pass_on(self, reading: Reading) -> None:
        """Hand on a reading that came another way than as a message."""
        try:
            self._on_reading(reading)
        except Exception as error:  # noqa: BLE001 - as above
            self._drop(DropReason.CONSUMER, reading.sid, b"", error)

    def watch_life(self, *, on: bool) -> None:
        """Ask for `on_live` with the next live readings, or for no more of it."""
        self._watches_life = on

    @property
    def heard(self) -> bool:
        """Whether anything at all came on a topic of a Fluksometer, good or bad."""
        return bool(self._held or self.dids or self.device)

    def announce(self) -> Device | None:
        """Put the configuration into force; the device if it differs from before (or is the first), else None."""
        config = self._configs.get(self.did) if self.did is not None else None
        device = config.device() if config is not None else None
        if device is None or device == self.device:
            return None
        self.device = device
        self._feeds = feeds(device)
        return device

    def release(self) -> None:
        """Hand on what was held until the configuration came."""
        held, self._held = self._held, deque(maxlen=MAX_HELD)
        for message in held:
            self.receive(*message)

    def _receive_other(self, topic: str, payload: bytes, retained: bool) -> None:
        parsed = parse_topic(topic)
        if isinstance(parsed, DropReason):
            self._drop(parsed, topic, payload)
        elif isinstance(parsed, DeviceTopic):
            self._receive_config(parsed, topic, payload)
        elif self.device is not None:
            self._drop(DropReason.UNKNOWN_SENSOR, topic, payload)
        else:
            self._held.append(_Held(topic, payload, retained))

    def _receive_config(self, parsed: DeviceTopic, topic: str, payload: bytes) -> None:
        did, kind = parsed
        if len(self.dids) < MAX_DEVICES:
            self.dids.add(did)
        if did != self.did if self.did is not None else did not in self.dids:
            self._drop(DropReason.OTHER_DEVICE, topic, payload)
            return
        config = self._configs.setdefault(did, DeviceConfig(did))
        reason = config.take(kind, payload)
        if reason is not None:
            self._drop(reason, topic, payload)
            return
        self.statistics.configs += 1
        if self.did is None and kind is ConfigKind.SENSOR:
            self.did = did
            self._configs = {did: config}
        if self.did is not None and ConfigKind.SENSOR in config.kinds:
            self._on_config()

    def _drop(self, reason: DropReason, topic: str, payload: bytes, error: Exception | None = None) -> None:
        dropped = self.statistics.dropped
        dropped[reason] = dropped.get(reason, 0) + 1
        self._log.note(reason, topic, len(payload), error=error)
