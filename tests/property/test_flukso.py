"""What holds for any bytes on any topic, and for any run of a counter."""

from contextlib import suppress

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.energy_neighbours.core.counter import WRAP, CounterTrack, StepKind
from custom_components.energy_neighbours.flukso.config import DeviceConfig
from custom_components.energy_neighbours.flukso.dispatch import Dispatcher
from custom_components.energy_neighbours.flukso.exceptions import NotAFluksoError
from custom_components.energy_neighbours.flukso.messages import ConfigKind, DropReason, Feed, parse_reading, parse_topic
from custom_components.energy_neighbours.flukso.models import Device, MessageKind, Reading
from custom_components.energy_neighbours.flukso.rest import parse_window

SID = "5" * 32
DID = "d" * 32
NOW = 1_700_000_010
TOPICS = [
    f"/sensor/{SID}/gauge",
    f"/sensor/{SID}/counter",
    f"/device/{DID}/config/sensor",
    f"/device/{DID}/config/flx",
    f"/device/{DID}/config/kube",
    f"/device/{DID}/test/tap",
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
OPTIONS = [
    "id",
    "enable",
    "type",
    "class",
    "subtype",
    "port",
    "function",
    "kid",
    "rid",
    "tmpo",
    "data_type",
    "constant",
]
PORT_OPTIONS = ["name", "shift", "phase", "math", "hw_type", "current", "enable_wan_branch", "enable_lan_branch"]
KEYS = st.sampled_from([*OPTIONS, *PORT_OPTIONS])
WORDS = st.sampled_from(
    [SID, "electricity", "water", "kube", "analog", "pulse", "cosem", "uart", "ct", "pplus", "3p+n", "p2+p1", "gauge"]
)
ENTRIES = st.dictionaries(KEYS, JSON | WORDS | st.just([1]) | st.just(1), max_size=10)
SECTIONS = st.sampled_from(["1", "2", "13", "40", "99", "main", "daemon", "²", "٣", "-1", "007", "9" * 5000])
CONFIGS = st.dictionaries(SECTIONS, ENTRIES | JSON, max_size=6).map(orjson.dumps)
PAYLOADS = st.binary(max_size=200) | JSON.map(orjson.dumps) | CONFIGS | st.text(max_size=80).map(str.encode)


@given(st.lists(st.tuples(st.sampled_from(TOPICS) | st.text(max_size=60), PAYLOADS, st.booleans()), max_size=12))
def test_no_bytes_on_any_topic_raise(messages: list[tuple[str, bytes, bool]]) -> None:
    readings: list[Reading] = []
    dispatcher = Dispatcher(on_reading=readings.append, on_config=lambda: None, clock=lambda: float(NOW))
    for topic, payload, retained in messages:
        dispatcher.receive(topic, payload, retained)
        dispatcher.announce()
    dispatcher.release()
    for reading in readings:
        assert dispatcher.device is not None
        assert isinstance(reading.value, float)
        assert isinstance(reading.time, int)


@given(CONFIGS, CONFIGS, CONFIGS)
def test_any_configuration_gives_a_device_whose_channels_fit_its_sensors(
    sensor: bytes, flx: bytes, kube: bytes
) -> None:
    config = DeviceConfig(DID)
    config.take(ConfigKind.SENSOR, sensor)
    config.take(ConfigKind.FLX, flx)
    config.take(ConfigKind.KUBE, kube)
    device = config.device()
    assert device is None or isinstance(device, Device)
    for channel in device.channels if device else ():
        assert channel.name
        assert set(channel.sensors.values()) <= set(device.sensors if device else ())
        assert channel.phase_hint in (None, 0, 1, 2)


@given(
    st.integers(-(2**40), 2**40) | st.floats(-1e12, 1e12),
    st.floats(-1e9, 1e9),
    st.sampled_from(MessageKind),
    st.booleans(),
    st.booleans(),
)
def test_reading_never_lies_far_from_our_time_unless_it_was_kept(
    stamp: float, value: float, kind: MessageKind, signed: bool, retained: bool
) -> None:
    feed = Feed(SID, kind, signed=signed)
    reading = parse_reading(orjson.dumps([stamp, value, "W"]), feed, NOW, retained=retained)
    if isinstance(reading, DropReason):
        return
    assert reading.retained is retained
    assert reading.time <= NOW + 300
    if not retained:
        assert reading.time >= NOW - 3600
    if kind is MessageKind.COUNTER and not signed:
        assert reading.value >= 0


@given(st.text(max_size=80) | st.sampled_from(TOPICS))
def test_topic_is_ours_or_foreign(topic: str) -> None:
    assert (parse_topic(topic) is DropReason.FOREIGN_TOPIC) is (topic not in TOPICS)


@given(PAYLOADS)
def test_rest_answer_is_a_window_or_refused(body: bytes) -> None:
    with suppress(NotAFluksoError):
        window = parse_window(body)
        assert len(window.values) + window.gaps == len(orjson.loads(body))


STAMPED = st.lists(st.tuples(st.integers(0, WRAP - 1), st.integers(0, 2000)), min_size=1, max_size=30)


@given(STAMPED)
def test_counter_never_adds_less_than_nothing_or_more_than_can_be(values: list[tuple[int, int]]) -> None:
    track = CounterTrack()
    now = 1_700_000_000
    last = None
    for value, gap in values:
        now += gap
        step = track.advance(value, now)
        assert step.delta >= 0
        if last is not None and value >= last:
            assert step == (value - last, StepKind.NORMAL)
        if step.kind is StepKind.RESET:
            assert step.delta * 3600 <= 50_000 * gap
        last = value


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50), st.integers(0, WRAP - 1))
def test_sum_of_steps_is_what_was_counted_even_through_a_wrap(rises: list[int], start: int) -> None:
    track = CounterTrack()
    total = start
    added = track.advance(total, 0).delta
    for second, rise in enumerate(rises, start=1):
        total += rise
        added += track.advance(total % WRAP, second).delta
    assert added == total - start


@given(st.lists(st.tuples(st.integers(-40_000, 40_000), st.integers(-100, 1000)), min_size=1, max_size=30))
def test_sum_of_a_net_meters_steps_is_last_minus_first(values: list[tuple[int, int]]) -> None:
    track = CounterTrack(signed=True)
    now = 0
    added = 0.0
    for value, gap in values:
        now += gap
        added += track.advance(value, now).delta
    assert added == pytest.approx(values[-1][0] - values[0][0])


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=20))
def test_restored_track_adds_as_the_one_that_went_on(values: list[float]) -> None:
    whole, restored = CounterTrack(), CounterTrack()
    for second, value in enumerate(values):
        restored = CounterTrack(restored.state)
        assert restored.advance(value, second) == whole.advance(value, second)
