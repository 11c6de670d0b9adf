"""What every kind of message means: one row for each case that the meters' firmware or its users are known to cause."""

import json
from typing import Any, NamedTuple

import pytest

from custom_components.energy_neighbours.core.counter import CounterState, CounterTrack, StepKind
from custom_components.energy_neighbours.flukso.config import DeviceConfig
from custom_components.energy_neighbours.flukso.dispatch import Dispatcher
from custom_components.energy_neighbours.flukso.exceptions import NotAFluksoError
from custom_components.energy_neighbours.flukso.messages import ConfigKind, DropReason, parse_topic
from custom_components.energy_neighbours.flukso.models import Device, MessageKind, Reading
from custom_components.energy_neighbours.flukso.motion import MotionTrack
from custom_components.energy_neighbours.flukso.rest import parse_window
from custom_components.energy_neighbours.flukso.units import convert

NOW = 1_700_000_010
D = "faa6d3da97515b7e8203cb5f47268863"
SIDS = {
    name: f"{number:032x}"
    for number, name in enumerate(("clamp", "p1", "water", "kube", "flm03", "alpha", "unknown"), start=0xA)
}
GAUGE = f"/sensor/{SIDS['clamp']}/gauge"
COUNTER = f"/sensor/{SIDS['clamp']}/counter"

FLM02 = {
    "1": {"id": SIDS["clamp"], "type": "electricity", "class": "analog", "port": [1], "enable": 1},
    "5": {"id": SIDS["water"], "type": "water", "class": "pulse", "port": [5], "enable": 1},
    "7": {"id": SIDS["p1"], "type": "electricity", "class": "cosem", "port": "ttyS0", "enable": 1},
    "8": {"id": SIDS["kube"], "type": "temperature", "class": "kube", "kid": 1, "enable": 1},
}
FLM03 = {
    "1": {"id": SIDS["flm03"], "type": "electricity", "subtype": "pplus", "port": [1], "enable": 1},
    "12": {"id": SIDS["alpha"], "type": "electricity", "subtype": "alpha", "port": [1], "enable": 1},
    "38": {"id": SIDS["water"], "type": "water", "port": [5], "enable": 1},
    "40": {"id": SIDS["kube"], "type": "temperature", "class": "kube", "kid": 1, "enable": 1},
}


class Heard:
    """A device and everything that is let through of its messages."""

    def __init__(self, *configs: tuple[ConfigKind, object]) -> None:
        self.readings: list[Reading] = []
        self.device: Device | None = None
        self.dispatcher = Dispatcher(
            on_reading=self.readings.append, on_config=self._announce, clock=lambda: float(NOW)
        )
        for kind, content in configs:
            self.take(f"/device/{D}/config/{kind}", json.dumps(content))

    def _announce(self) -> None:
        self.device = self.dispatcher.announce() or self.device

    def take(self, topic: str, payload: str | bytes, *, retained: bool = False) -> Reading | DropReason | None:
        """Take one message; what became of it."""
        before = len(self.readings), dict(self.drops)
        self.dispatcher.receive(topic, payload if isinstance(payload, bytes) else payload.encode(), retained)
        if len(self.readings) > before[0]:
            return self.readings[-1]
        return next((reason for reason, count in self.drops.items() if count > before[1].get(reason, 0)), None)

    @property
    def drops(self) -> dict[DropReason, int]:
        """How often what was dropped."""
        return self.dispatcher.statistics.dropped


@pytest.fixture
def flm02() -> Heard:
    """An FLM02 whose configuration is known."""
    return Heard((ConfigKind.SENSOR, FLM02))


@pytest.fixture
def flm03() -> Heard:
    """An FLM03 whose configuration is known."""
    return Heard((ConfigKind.SENSOR, FLM03))


class Value(NamedTuple):
    """A message that is a reading."""

    number: int
    model: str
    sensor: str
    kind: str
    payload: str
    value: float
    unit: str | None
    shown: tuple[float, str] | None = None


VALUES = [
    Value(1, "flm02", "clamp", "gauge", '[1700000009,412,"W"]', 412, "W"),
    Value(2, "flm03", "flm03", "gauge", '[1700000009, 1304.296, "W"]', 1304.296, "W"),
    Value(3, "flm03", "flm03", "gauge", '[1700000009, 0, "VAR"]', 0, "VAR", (0, "var")),
    Value(4, "flm03", "flm03", "gauge", '[1700000009, 0.972, ""]', 0.972, "", (97.2, "%")),
    Value(5, "flm02", "p1", "gauge", '[1700000009,-788,"W"]', -788, "W"),
    Value(6, "flm02", "clamp", "counter", '[1700000009,8123457,"Wh"]', 8123457, "Wh", (8123.457, "kWh")),
    Value(7, "flm03", "flm03", "counter", '[1700000009, 2593805.400, "Wh"]', 2593805.4, "Wh"),
    Value(8, "flm02", "water", "counter", '[1700000009,912345.5,"L"]', 912345.5, "L", (912.3455, "m³")),
    Value(9, "flm02", "p1", "counter", '[1700000009,-154325,"Wh"]', -154325, "Wh"),
    Value(13, "flm02", "water", "gauge", '[1700000009,8640,"L/day"]', 8640, "L/day", (6, "L/min")),
    Value(14, "flm03", "water", "gauge", '[1700000009, 0.083, "L/s"]', 0.083, "L/s", (4.98, "L/min")),
    Value(15, "flm03", "alpha", "gauge", '[1700000009, -59.500, "°"]', -58.5, "°"),
    Value(16, "flm03", "kube", "gauge", '[1700000009,21.46,"°C"]', 21.46, "°C"),
    Value(17, "flm02", "kube", "gauge", '[1700000009,101325.25,"Pa"]', 101325.25, "Pa", (1013.2525, "hPa")),
    Value(18, "flm02", "kube", "gauge", '[1700000009,2.9,"V"]', 2.9, "V"),
    Value(20, "flm02", "kube", "gauge", "[1700000009,101325]", 101325, None),
]


@pytest.mark.parametrize("case", VALUES, ids=lambda case: f"{case.number}-{case.sensor}-{case.kind}")
def test_value_is_taken_in_the_unit_of_its_payload(case: Value, request: pytest.FixtureRequest) -> None:
    heard = request.getfixturevalue(case.model)
    reading = heard.take(f"/sensor/{SIDS[case.sensor]}/{case.kind}", case.payload)
    assert reading == Reading(SIDS[case.sensor], MessageKind(case.kind), case.value, case.unit, 1700000009)
    if case.shown is not None:
        value, unit = case.shown
        assert convert(reading.value, case.unit or "", unit) == pytest.approx(value)


DROPPED = [
    (24, '[1700000009,"nan","W"]', DropReason.NO_VALUE),
    (24, '[1700000009,null,"W"]', DropReason.NO_VALUE),
    (25, '[1700000009,nan,""]', DropReason.NOT_JSON),
    (26, '[1700000009,NaN,"W"]', DropReason.NOT_JSON),
    (26, '[1700000009,1e999,"W"]', DropReason.NOT_JSON),
    (27, "", DropReason.CLEARED),
    (28, "412", DropReason.SHAPE),
    (28, "[412]", DropReason.SHAPE),
    (28, '[412,"W"]', DropReason.SHAPE),
    (29, '[1700000009,412,"W"', DropReason.NOT_JSON),
    (30, '{"a":1}', DropReason.SHAPE),
    (30, '{"a":1,"b":2}', DropReason.SHAPE),
    (30, "null", DropReason.SHAPE),
    (30, "true", DropReason.SHAPE),
    (30, '[true,false,""]', DropReason.SHAPE),
    (30, '[1700000009,true,""]', DropReason.SHAPE),
    (30, '[[],{},""]', DropReason.SHAPE),
    (30, "[1700000009,412,{}]", DropReason.SHAPE),
    (31, b"\xff\xfe\x00", DropReason.NOT_JSON),
    (32, b"[" * 1_000_000, DropReason.TOO_LARGE),
    (32, b"[" * 500, DropReason.NOT_JSON),
]


@pytest.mark.parametrize(("number", "payload", "reason"), DROPPED)
def test_what_is_no_reading_is_dropped_and_counted(
    number: int, payload: str | bytes, reason: DropReason, flm02: Heard
) -> None:
    assert flm02.take(GAUGE, payload) is reason
    assert flm02.drops == {reason: 1}
    assert flm02.readings == []


def test_9_negative_counter_of_a_clamp_is_dropped(flm02: Heard) -> None:
    assert flm02.take(COUNTER, '[1700000009,-154325,"Wh"]') is DropReason.NEGATIVE_COUNTER


def test_10_pulses_of_one_second_are_all_taken(flm03: Heard) -> None:
    topic = f"/sensor/{SIDS['flm03']}/counter"
    flm03.take(topic, '[1700000009, 10.200, "Wh"]')
    flm03.take(topic, '[1700000009, 10.300, "Wh"]')
    assert [reading.value for reading in flm03.readings] == [10.2, 10.3]
    track = CounterTrack()
    steps = [track.advance(reading.value, reading.time) for reading in flm03.readings]
    assert steps[-1].delta == pytest.approx(0.1)


def test_11_fallen_counter_starts_a_new_run() -> None:
    track = CounterTrack(CounterState(2597418, 1699999999))
    assert track.advance(3, 1700000009) == (3, StepKind.RESET)
    assert track.advance(5, 1700000010) == (2, StepKind.NORMAL)


def test_12_counter_wraps_at_32_bits() -> None:
    track = CounterTrack(CounterState(4294967290, 1699999999))
    assert track.advance(2, 1700000009) == (8, StepKind.WRAP)


def test_15_room_sensor_below_zero_is_not_misprinted(flm03: Heard) -> None:
    reading = flm03.take(f"/sensor/{SIDS['kube']}/gauge", '[1700000009,-3.25,"°C"]')
    assert isinstance(reading, Reading)
    assert reading.value == -3.25


def test_19_motion_is_a_risen_live_counter(flm02: Heard) -> None:
    topic = f"/sensor/{SIDS['kube']}/counter"
    track = MotionTrack()
    for payload, retained in [
        ('[1699999000,3180,""]', True),
        ('[1700000009,3187,""]', True),
        ('[1700000009,3187,""]', False),
        ('[1700000009,3188,""]', False),
        ('[1700000009,0,""]', False),
        ('[1700000009,1,""]', False),
    ]:
        flm02.take(topic, payload, retained=retained)
    assert [track.advance(reading) for reading in flm02.readings] == [False, False, False, True, False, True]


def test_21_old_retained_gauge_is_not_shown_as_live(flm02: Heard) -> None:
    assert flm02.take(GAUGE, '[1699700000,1200,"W"]', retained=True) is DropReason.STALE


def test_21_old_retained_counter_still_tells_where_it_stands(flm02: Heard) -> None:
    reading = flm02.take(COUNTER, '[1699700000,2045679,"Wh"]', retained=True)
    assert isinstance(reading, Reading)
    assert (reading.time, reading.retained) == (1699700000, True)


@pytest.mark.parametrize(
    ("number", "payload"),
    [
        (22, '[1,230,"V"]'),
        (22, '[-1, 230, "W"]'),
        (22, '[1234567890,230,"W"]'),
        (23, '[4102444800,230,"W"]'),
        (23, '[1699990000,230,"W"]'),
    ],
)
def test_impossible_time_is_replaced_by_ours(number: int, payload: str, flm02: Heard) -> None:
    reading = flm02.take(GAUGE, payload)
    assert isinstance(reading, Reading)
    assert (reading.value, reading.time, reading.clock_ok) == (230, NOW, False)


@pytest.mark.parametrize("kind", list(MessageKind))
@pytest.mark.parametrize("stamp", ["1", "-1", "4102444800"])
def test_22_retained_message_without_a_usable_time_is_dropped(stamp: str, kind: MessageKind, flm02: Heard) -> None:
    topic = f"/sensor/{SIDS['clamp']}/{kind}"
    assert flm02.take(topic, f'[{stamp},230,"W"]', retained=True) is DropReason.STALE


def test_33_unknown_sensor_is_ignored(flm02: Heard) -> None:
    assert flm02.take(f"/sensor/{SIDS['unknown']}/gauge", '[1700000009,1,"W"]') is DropReason.UNKNOWN_SENSOR


def test_33_readings_wait_for_the_configuration() -> None:
    heard = Heard()
    assert heard.take(GAUGE, '[1700000009,412,"W"]') is None
    heard.take(f"/device/{D}/config/sensor", json.dumps(FLM02))
    heard.dispatcher.release()
    assert [reading.value for reading in heard.readings] == [412]


FOREIGN_TOPICS = [
    (34, "/sensor/fakesensor/gauge", '[1700000009,100,"W"]'),
    (34, f"/sensor/{SIDS['clamp'].upper()}/gauge", '[1700000009,100,"W"]'),
    (34, f"/sensor/{SIDS['clamp']}/gauge/more", '[1700000009,100,"W"]'),
    (34, f"sensor/{SIDS['clamp']}/gauge", '[1700000009,100,"W"]'),
    (35, f"/sensor/{SIDS['clamp']}/tmpo/0/8/1699999744/gz", b"\x1f\x8b\x08\x00"),  # noqa: S108 - no path
    (36, f"/device/{D}/flx/time", "{flm:{time:[1700000009,12369],update:false}}"),
    (37, f"/device/{D}/flx/voltage/1", '[[1700000009,500],[0,63000],"mV"]'),
    (44, f"/device/{D}/config/weird", "{}"),
    (44, "/device/short/config/sensor", "{}"),
    (47, f"/device/{D}/tmpo/sync", ""),  # noqa: S108 - no path
]


@pytest.mark.parametrize(("number", "topic", "payload"), FOREIGN_TOPICS)
def test_foreign_topic_is_ignored_and_never_decoded(
    number: int, topic: str, payload: str | bytes, flm02: Heard
) -> None:
    assert parse_topic(topic) is DropReason.FOREIGN_TOPIC
    assert flm02.take(topic, payload) is DropReason.FOREIGN_TOPIC


def device(*configs: tuple[ConfigKind, object]) -> Device:
    """Describe a device by its configuration."""
    config = DeviceConfig(D)
    for kind, content in configs:
        payload = content if isinstance(content, str) else json.dumps(content)
        assert config.take(kind, payload.encode()) is None
    described = config.device()
    assert described is not None
    return described


def test_38_port_of_the_p1_sensor_is_a_text() -> None:
    [channel] = device((ConfigKind.SENSOR, {"7": FLM02["7"]})).channels
    assert (channel.kind, channel.ports, channel.name) == ("p1", (), "P1")


@pytest.mark.parametrize(
    ("written", "name"), [("2024", "2024"), ("1.5", "1.5"), ("7.0", "7"), ("nan", "nan"), ("-inf", "-inf")]
)
def test_39_name_that_looks_like_a_number_is_a_name(written: str, name: str) -> None:
    entry = json.dumps(FLM02["1"])[:-1] + f', "function": {written}}}'
    [channel] = device((ConfigKind.SENSOR, f'{{"1":{entry}}}')).channels
    assert channel.name == name


def test_40_only_enabled_numbered_objects_are_sensors() -> None:
    config: dict[str, Any] = {
        **FLM02,
        "9": {"id": "9" * 32},
        "main": {"phase": 1},
        "x": 5,
        "10": {"id": 3, "enable": 1},
    }
    described = device((ConfigKind.SENSOR, config))
    assert set(described.sensors) == {entry["id"] for entry in FLM02.values()}


@pytest.mark.parametrize("payload", ["[]", "{}", '{"1":{"id"', "", '{"1":5}', "x" * 300_000])
def test_41_last_good_configuration_survives_a_bad_one(payload: str, flm02: Heard) -> None:
    before = flm02.device
    assert isinstance(flm02.take(f"/device/{D}/config/sensor", payload), DropReason)
    flm02._announce()
    assert flm02.device is before
    assert isinstance(flm02.take(GAUGE, '[1700000009,412,"W"]'), Reading)


@pytest.mark.parametrize("flx", [{"1": {"enable": 1}}, {"3": {"enable": 1, "class": "ct"}}, {"3": {"name": ""}}])
def test_42_port_without_a_name_is_called_by_its_number(flx: object) -> None:
    sensor = {**FLM03["1"], "port": [3]}
    [channel] = device((ConfigKind.SENSOR, {"25": sensor}), (ConfigKind.FLX, flx)).channels
    assert channel.name == "Port 3"


def test_43_kube_without_a_name_is_called_by_its_number_and_no_key_is_kept() -> None:
    secret = "c0ffee" * 5
    config = DeviceConfig(D)
    config.take(ConfigKind.SENSOR, json.dumps(FLM02).encode())
    config.take(ConfigKind.KUBE, json.dumps({"main": {"key": secret}, "1": {"hw_type": 19218}}).encode())
    described = config.device()
    assert described is not None
    assert described.kubes[1].name == "Kube 1"
    assert described.channels[-1].name == "Kube 1"
    assert secret not in repr(described)
    assert secret not in repr(vars(config))


@pytest.mark.parametrize(
    ("math", "unstored", "bundled"),
    [
        ("p1+p2+p3", {2, 3}, {2, 3}),
        ("p1+p2+p3", set(), {2, 3}),
        ("p2+p1", set(), {1}),
        ("p2+p1", {2}, {2}),
        ("none", set(), set()),
        ("none", {3}, {3}),
    ],
)
def test_45_port_that_is_summed_in_another_is_bundled(math: str, unstored: set[int], bundled: set[int]) -> None:
    sensors = {
        str((port - 1) * 12 + offset): {
            "id": f"{port * 16 + offset:032x}",
            "type": "electricity",
            "subtype": subtype,
            "port": [port],
            "enable": 1,
            "tmpo": 0 if port in unstored else 1,
        }
        for port in (1, 2, 3)
        for offset, subtype in enumerate(("pplus", "pminus"), start=1)
    }
    described = device((ConfigKind.SENSOR, sensors), (ConfigKind.FLX, {"main": {"phase": "3p+n", "math": math}}))
    assert {channel.ports[0] for channel in described.channels if channel.bundled} == bundled


def test_46_self_test_without_a_serial_number_leaves_it_unknown() -> None:
    described = device((ConfigKind.SENSOR, FLM03), (ConfigKind.TAP, "1..1\n# firmware: 382\nok 1 - up\n# serial:\n"))
    assert (described.serial, described.firmware) == (None, "382")


def test_48_nan_in_the_last_minute_is_a_gap() -> None:
    window = parse_window(b'[[1699999999,123],[1700000000,"nan"]]')
    assert window.values == ((1699999999, 123.0),)
    assert window.gaps == 1


def test_49_empty_minute_is_no_fault() -> None:
    assert parse_window(b"[]") == ((), 0)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[[1]]", b"[5]", b'[["a",1]]', b"<html>", b"[" * 20_000])
def test_49_anything_else_is_no_meter(body: bytes) -> None:
    with pytest.raises(NotAFluksoError):
        parse_window(body)


def test_every_vector_has_its_test() -> None:
    """The numbers are those of the protocol's table of test vectors, 1 to 49."""
    tabled = {case.number for case in VALUES} | {row[0] for row in (*DROPPED, *FOREIGN_TOPICS)} | {22, 23}
    named = {int(name.split("_")[1]) for name in globals() if name.startswith("test_") and name[5].isdigit()}
    assert tabled | named == set(range(1, 50))
