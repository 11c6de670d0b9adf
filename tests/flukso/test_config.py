"""From configuration messages to a device with channels."""

import json

import pytest

from custom_components.energy_neighbours.flukso.config import DeviceConfig, feeds
from custom_components.energy_neighbours.flukso.messages import ConfigKind, DeviceTopic, DropReason, Feed, parse_topic
from custom_components.energy_neighbours.flukso.models import ChannelKind, Device, MessageKind, Model, Quantity

from .conftest import SampleMeter

DID = "a" * 32


def describe(meter: SampleMeter) -> Device:
    """Read a sample meter's whole description."""
    config = DeviceConfig(meter.did)
    for topic, payload, _ in meter.config:
        parsed = parse_topic(topic)
        assert isinstance(parsed, DeviceTopic)
        assert config.take(parsed.kind, str(payload).encode()) is None
    device = config.device()
    assert device is not None
    return device


def device_of(sensors: object, flx: object = None) -> Device:
    """Read an invented description."""
    config = DeviceConfig(DID)
    assert config.take(ConfigKind.SENSOR, json.dumps(sensors).encode()) is None
    if flx is not None:
        assert config.take(ConfigKind.FLX, json.dumps(flx).encode()) is None
    device = config.device()
    assert device is not None
    return device


def clamp(index: int, **options: object) -> dict[str, dict[str, object]]:
    """Write the entry of an FLM02's clamp."""
    entry = {"id": f"{index:032x}", "type": "electricity", "class": "analog", "port": [index], "enable": 1}
    return {str(index): entry | options}


def test_flm02_has_one_channel_a_sensor(flm02: SampleMeter) -> None:
    device = describe(flm02)
    assert (device.model, device.phases, device.hostname) == (Model.FLM02, "1p", "flukso-faa6d3")
    assert [(c.name, c.kind, c.medium, c.ports, set(c.sensors)) for c in device.channels] == [
        ("main", ChannelKind.CLAMP, "electricity", (1,), {Quantity.MAGNITUDE}),
        ("solar", ChannelKind.PULSE, "electricity", (4,), {Quantity.MAGNITUDE}),
        ("water main", ChannelKind.PULSE, "water", (5,), {Quantity.MAGNITUDE}),
        ("smart-main", ChannelKind.P1, "electricity", (), {Quantity.NET}),
    ]
    assert [c.measures_direction for c in device.channels] == [False, False, False, True]
    assert device.channels[0].key == "72cdd1df2febb11638dd3106ff5389d5_electricity"
    assert (device.serial, device.firmware) == (None, None)
    assert all(channel.phase_hint is None for channel in device.channels)


def test_flm03_bundles_a_clamps_quantities(flm03: SampleMeter) -> None:
    device = describe(flm03)
    assert (device.model, device.phases, device.math) == (Model.FLM03, "3p+n", "none")
    assert (device.serial, device.firmware) == (flm03.data["serial"], "382")
    clamps = [channel for channel in device.channels if channel.kind is ChannelKind.CLAMP]
    assert [channel.ports for channel in clamps] == [(1,), (2,), (3,)]
    for channel in clamps:
        assert len(channel.sensors) == 11
        assert Quantity.ANGLE not in channel.sensors
        assert channel.measures_direction
        assert channel.key.startswith(channel.sensors[Quantity.IMPORT])
    pulses = [channel for channel in device.channels if channel.kind is ChannelKind.PULSE]
    assert [(c.ports, c.medium, set(c.sensors)) for c in pulses] == [
        ((4,), "electricity", {Quantity.MAGNITUDE}),
        ((5,), "water", {Quantity.MAGNITUDE}),
    ]


def test_pulse_constants_come_from_the_sensor_or_from_the_port(flm02: SampleMeter, flm03: SampleMeter) -> None:
    for meter, expected in [(flm02, [None, 1, 0.5, None]), (flm03, [None, None, None, 0.1, 0.5])]:
        device = describe(meter)
        assert [device.pulse_constant(channel) for channel in device.channels] == expected


def test_only_channels_of_electricity_can_have_a_role(flm02: SampleMeter) -> None:
    assert [channel.is_electric for channel in describe(flm02).channels] == [True, True, False, True]


def test_reversed_clamps_and_room_sensors_are_told(flm03_kube: SampleMeter) -> None:
    device = describe(flm03_kube)
    clamps = [channel for channel in device.channels if channel.kind is ChannelKind.CLAMP]
    assert [(c.name, c.phase_hint, c.reversed_hint) for c in clamps] == [
        ("main L1", 0, True),
        ("main L2", 1, True),
        ("main L3", 2, True),
    ]
    rooms = [channel for channel in device.channels if channel.kind is ChannelKind.KUBE]
    assert [(c.name, c.kube, c.medium) for c in rooms] == [
        ("living room", 1, "temperature"),
        ("Kube 2", 2, "temperature"),
    ]
    assert device.kubes[1].hardware_type == 19218


def test_a_kube_has_only_the_sensors_that_its_hardware_has(flm03_kube: SampleMeter) -> None:
    newer, older = [set(c.sensors) for c in describe(flm03_kube).channels if c.kind is ChannelKind.KUBE]
    common = {"temperature", "humidity", "battery", "error", "movement"}
    assert newer == common | {"pressure", "light", "vibration"}
    assert older == common


@pytest.mark.parametrize(
    ("phases", "shift", "hint"),
    [
        ("3p+n", 0, (0, False)),
        ("3p+n", 3, (0, True)),
        ("3p+n", 4, (1, False)),
        ("3p+n", 1, (1, True)),
        ("3p-n", 2, (2, False)),
        ("3p-n", 5, (2, True)),
        ("3p+n", 6, (None, False)),
        ("3p+n", -1, (None, False)),
        ("3p+n", None, (None, False)),
        ("1p", 0, (None, False)),
        ("1p", 3, (None, True)),
        ("1p", 1, (None, False)),
        (None, 3, (None, False)),
    ],
)
def test_phase_matching_hints_at_phase_and_direction(
    phases: str | None, shift: int | None, hint: tuple[int | None, bool]
) -> None:
    port = {"enable": 1, "class": "ct", "name": "x"} | ({} if shift is None else {"shift": shift})
    main = {} if phases is None else {"phase": phases}
    sensors = {"1": {"id": "1" * 32, "type": "electricity", "subtype": "pplus", "port": [1], "enable": 1}}
    [channel] = device_of(sensors, {"1": port, "main": main}).channels
    assert (channel.phase_hint, channel.reversed_hint) == hint


def test_flm02_sums_three_phases_in_one_channel() -> None:
    device = device_of({**clamp(1, port=[1, 2, 3]), "main": {"phase": 3}})
    assert device.phases == "3p"
    [channel] = device.channels
    assert (channel.ports, channel.name) == ((1, 2, 3), "Port 1+2+3")


def test_switched_off_branches_of_an_flm02_are_told() -> None:
    device = device_of({**clamp(1), "daemon": {"enable_wan_branch": 0, "enable_lan_branch": 1}})
    assert (device.sends_counters, device.sends_gauges) == (False, True)
    device = device_of({**clamp(1), "daemon": {"enable_wan_branch": 1, "enable_lan_branch": 0}})
    assert (device.sends_counters, device.sends_gauges) == (True, False)


@pytest.mark.parametrize(
    ("sensors", "flx", "model"),
    [
        (clamp(1), None, Model.FLM02),
        (clamp(1, subtype="pplus"), None, Model.FLM03),
        (clamp(1), {"main": {}}, Model.FLM03),
        ({**clamp(1), "65": {"id": "f" * 32}}, None, Model.FLM03),
        ({**clamp(1), "64": {"id": "f" * 32}}, None, Model.FLM02),
    ],
)
def test_model_is_told_by_the_configuration(sensors: object, flx: object, model: Model) -> None:
    assert device_of(sensors, flx).model is model


def test_self_test_report_is_the_mark_of_an_flm03() -> None:
    config = DeviceConfig(DID)
    assert config.device() is None
    config.take(ConfigKind.SENSOR, json.dumps(clamp(1)).encode())
    config.take(ConfigKind.TAP, b"1..1\n# serial: FL07001234\n\xff\xfe")
    device = config.device()
    assert device is not None
    assert (device.model, device.serial, device.firmware) == (Model.FLM03, "FL07001234", None)
    assert config.kinds == {ConfigKind.SENSOR, ConfigKind.TAP}


def test_empty_or_huge_self_test_report_is_dropped() -> None:
    config = DeviceConfig(DID)
    assert config.take(ConfigKind.TAP, b"") is DropReason.CLEARED
    assert config.take(ConfigKind.TAP, b"#" * 300_000) is DropReason.TOO_LARGE
    assert config.kinds == frozenset()


def test_without_port_settings_an_flm03_is_read_by_port_numbers() -> None:
    sensors = {
        "1": {"id": "1" * 32, "type": "electricity", "subtype": "pplus", "port": [1], "enable": 1},
        "37": {"id": "2" * 32, "type": "electricity", "subtype": "pplus", "port": [4], "enable": 1},
    }
    assert [(c.kind, c.name) for c in device_of(sensors).channels] == [
        (ChannelKind.CLAMP, "Port 1"),
        (ChannelKind.PULSE, "Port 4"),
    ]


def test_room_sensor_without_its_node_and_odd_classes_are_no_channels() -> None:
    sensors = {
        **clamp(1, **{"class": "uart"}),
        **clamp(2, **{"class": "ww"}),
        **clamp(3, **{"class": "kube"}),
        **clamp(4, **{"class": "pulse", "port": True, "function": True}),
    }
    device = device_of(sensors)
    assert set(device.sensors) == {f"{index:032x}" for index in (2, 3, 4)}
    assert [(channel.kind, channel.name) for channel in device.channels] == [(ChannelKind.PULSE, "Flukso")]


def test_recycled_sensor_has_a_key_of_its_own() -> None:
    entry = {"id": "4" * 32, "class": "kube", "kid": 1, "enable": 1}
    first = device_of({"40": entry | {"type": "humidity", "rid": 0}})
    second = device_of({"40": entry | {"type": "light", "rid": 1}})
    assert first.channels[0].key != second.channels[0].key
    assert second.sensors["4" * 32].recycle == 1


def test_feeds_know_how_to_read_each_topic(flm02: SampleMeter, flm03_kube: SampleMeter) -> None:
    table = feeds(describe(flm02))
    assert len(table) == 8
    p1 = "6cdd9bcc4c730b6462c6b9a01f4de5d4"
    assert table[f"/sensor/{p1}/counter"] == Feed(p1, MessageKind.COUNTER, signed=True)
    room = "65181cb0a16f812840fb84f42b53af9b"
    table = feeds(describe(flm03_kube))
    assert not table[f"/sensor/{room}/gauge"].misprint
    assert table["/sensor/0d663e80d8557cf0ce44b59431155b0d/gauge"].misprint
