"""The messages of a Fluksometer: its MQTT topics and what their payloads mean.

Topic names live only here. Nothing in this module raises on any topic or payload: a message is either understood, or
it comes back as the `DropReason` why it was not.
"""

from enum import StrEnum
from math import inf, modf
from typing import NamedTuple

import orjson

from .models import MessageKind, Reading

FILTERS = ("/device/+/config/+", "/device/+/test/tap", "/sensor/+/gauge", "/sensor/+/counter")
"""What to subscribe to. Anything wider also brings wave forms, binary blocks and text that only looks like JSON."""

EARLIEST_TIME = 1_234_567_890
"""A stamp up to this one [s, Unix] tells that the meter's clock was not set yet; the FLM02's firmware says so too."""

MAX_AHEAD = 300
"""How far a stamp may be ahead of our clock [s] before it is taken for nonsense."""

MAX_BEHIND = 3600
"""How old a message may be that was sent just now [s]: a stalled network delivers late, a wrong clock stays late."""

MAX_RETAINED_GAUGE_AGE = 300
"""How old a kept momentary value may be [s]; room sensors send every 64 s, everything else more often."""

MAX_READING_BYTES = 512
MAX_CONFIG_BYTES = 262_144

_ID_LENGTH = 32
_HEX = frozenset("0123456789abcdef")
_SENSOR_PREFIX = "/sensor/"
_DEVICE_PREFIX = "/device/"
_ID_END = len(_SENSOR_PREFIX) + _ID_LENGTH
_KINDS = {f"/{kind}": kind for kind in MessageKind}
_LEAST_ELEMENTS = 2
_MAX_RETAINED_AGE = {MessageKind.GAUGE: MAX_RETAINED_GAUGE_AGE, MessageKind.COUNTER: inf}
_NUMBERS = frozenset({int, float})
_NO_VALUES = ("nan", "-nan", "inf", "-inf")


class DropReason(StrEnum):
    """Why a message was not used."""

    FOREIGN_TOPIC = "foreign_topic"  # none of a Fluksometer's topics, or one of no use here
    OTHER_DEVICE = "other_device"  # another meter on the same broker
    UNKNOWN_SENSOR = "unknown_sensor"  # not in the configuration, or switched off in it
    CLEARED = "cleared"  # empty: the broker was told to forget the retained message
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"  # cut off, not UTF-8, or with a bare nan
    SHAPE = "shape"  # JSON, but not what this topic carries
    NO_VALUE = "no_value"  # the meter says that it has no value ("nan")
    NEGATIVE_COUNTER = "negative_counter"  # only a net meter counts below zero
    STALE = "stale"  # retained for too long to be shown, or without a usable time
    CONSUMER = "consumer"  # understood, but whoever received it failed


class ConfigKind(StrEnum):
    """The messages that describe a device."""

    SENSOR = "sensor"
    FLX = "flx"
    KUBE = "kube"
    TAP = "tap"  # the report of a self-test: the only source of serial number and firmware


class SensorTopic(NamedTuple):
    """A topic that carries readings."""

    sid: str
    kind: MessageKind


class DeviceTopic(NamedTuple):
    """A topic that carries a part of a device's description."""

    did: str
    kind: ConfigKind


class Feed(NamedTuple):
    """One topic of one known sensor, and how to read it.

    `signed` allows a counter below zero; `misprint` asks for the FLM03's negative gauges to be corrected
    (`corrected_gauge`).
    """

    sid: str
    kind: MessageKind
    signed: bool = False
    misprint: bool = False


_CONFIG_KINDS = {
    "/config/sensor": ConfigKind.SENSOR,
    "/config/flx": ConfigKind.FLX,
    "/config/kube": ConfigKind.KUBE,
    "/test/tap": ConfigKind.TAP,
}


def is_id(text: str) -> bool:
    """Whether this is a sensor or device id: 32 hex digits in lower case."""
    return len(text) == _ID_LENGTH and _HEX.issuperset(text)


def sensor_topic(sid: str, kind: MessageKind) -> str:
    """Name the topic on which a sensor sends its gauges or its counters."""
    return f"{_SENSOR_PREFIX}{sid}/{kind}"


def parse_topic(topic: str) -> SensorTopic | DeviceTopic | DropReason:
    """Tell what a topic is about. Case, length and every slash must fit: a broker may carry much else."""
    ident = topic[len(_SENSOR_PREFIX) : _ID_END]
    if topic.startswith(_SENSOR_PREFIX):
        kind = _KINDS.get(topic[_ID_END:])
        if kind is not None and is_id(ident):
            return SensorTopic(ident, kind)
    elif topic.startswith(_DEVICE_PREFIX):
        config_kind = _CONFIG_KINDS.get(topic[_ID_END:])
        if config_kind is not None and is_id(ident):
            return DeviceTopic(ident, config_kind)
    return DropReason.FOREIGN_TOPIC


def corrected_gauge(value: float) -> float:
    """Undo a misprint of the FLM03: below zero it floors the whole part but counts the fraction upwards.

    So it prints -0.5 as `-1.500`; the true value is -1 + 0.5. Source: flukso/flxd, `decode.h`.
    """
    fraction, whole = modf(value)
    return round(whole - fraction, 3) if value < 0 else value


def parse_reading(payload: bytes, feed: Feed, now: float, *, retained: bool = False) -> Reading | DropReason:
    """Read `[time, value, "unit"]`, the payload of every gauge and counter.

    Parameters
    ----------
    payload
        What arrived.
    feed
        The sensor and topic that it arrived on.
    now
        Our own time [s, Unix, UTC]. It replaces a live message's stamp that cannot be right.
    retained
        Whether the broker had kept the message. An old gauge is then dropped; a counter stays true at any age.

    """
    decoded = _decode(payload)
    if isinstance(decoded, DropReason):
        return decoded
    stamp, value, unit = decoded
    kind = feed.kind
    if value < 0:
        if kind is MessageKind.COUNTER and not feed.signed:
            return DropReason.NEGATIVE_COUNTER
        if feed.misprint:
            value = corrected_gauge(value)
    age = now - stamp
    if stamp > EARLIEST_TIME and -MAX_AHEAD <= age <= (MAX_BEHIND if not retained else _MAX_RETAINED_AGE[kind]):
        return Reading(feed.sid, kind, float(value), unit, int(stamp), retained=retained)
    if retained:
        return DropReason.STALE
    return Reading(feed.sid, kind, float(value), unit, int(now), clock_ok=False, stamp=stamp)


def _decode(payload: bytes) -> tuple[float, float, str | None] | DropReason:
    """Take a payload apart: time, value and unit."""
    if len(payload) > MAX_READING_BYTES:
        return DropReason.TOO_LARGE
    try:
        data = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return DropReason.NOT_JSON if payload else DropReason.CLEARED
    if type(data) is not list or len(data) < _LEAST_ELEMENTS:
        return DropReason.SHAPE
    stamp, value = data[0], data[1]
    unit = data[2] if len(data) > _LEAST_ELEMENTS else None
    # The exact types, for a bool is an int to isinstance; orjson gives no other numbers, and never inf or nan.
    if type(stamp) not in _NUMBERS or not (unit is None or type(unit) is str):
        return DropReason.SHAPE
    if type(value) not in _NUMBERS:
        return DropReason.NO_VALUE if value is None or value in _NO_VALUES else DropReason.SHAPE
    return stamp, value, unit
