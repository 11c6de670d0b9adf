"""What a Fluksometer publishes about itself, turned into a `Device` with channels."""

from collections.abc import Iterable, Mapping
from math import isfinite
import re
from typing import Any

import orjson

from .channels import assemble_channels
from .messages import MAX_CONFIG_BYTES, ConfigKind, DropReason, Feed, is_id, sensor_topic
from .models import ChannelKind, Device, Kube, MessageKind, Model, Port, Quantity, Sensor

type _Section = Mapping[str, Any]

_ELECTRICITY = "electricity"
_FIRST_FLM03_INDEX = 65
_FIRST_PULSE_PORT = 4
_MAX_NAME_LENGTH = 64
_PORT_KINDS = {"ct": ChannelKind.CLAMP, "pulse": ChannelKind.PULSE, "uart": ChannelKind.P1}
_QUANTITIES = {quantity.value: quantity for quantity in Quantity}
_FLM02_PHASES = {1: "1p", 3: "3p"}

# The meter writes whatever looks like a number as a number, so a user's name "nan" makes its JSON invalid.
_BARE_NAN = re.compile(rb"(?<=[:,\[])(\s*)(-?(?:nan|inf))(?=\s*[,}\]])", re.IGNORECASE)
_SECTION_NUMBER = re.compile("[0-9]{1,4}")
_SERIAL = re.compile(r"^#\s*serial:[ \t]*(\S+)", re.MULTILINE)
_FIRMWARE = re.compile(r"^#\s*firmware:[ \t]*(\S+)", re.MULTILINE)


class DeviceConfig:
    """Gathers the configuration messages of one device; each part keeps its last good version."""

    def __init__(self, did: str) -> None:
        self.did = did
        self._sections: dict[ConfigKind, dict[str, _Section]] = {}
        self._tap = False
        self._serial: str | None = None
        self._firmware: str | None = None

    def take(self, kind: ConfigKind, payload: bytes) -> DropReason | None:
        """Take one message; None if it was good, else why the last good one stays in force."""
        if kind is ConfigKind.TAP:
            return self._take_tap(payload)
        sections = parse_sections(payload)
        if isinstance(sections, DropReason):
            return sections
        if kind is ConfigKind.SENSOR and not any(is_id(_text(entry.get("id"))) for _, entry in _numbered(sections)):
            return DropReason.SHAPE
        if kind is ConfigKind.KUBE:
            sections.pop("main", None)  # holds the radio key, and nothing of use
        self._sections[kind] = sections
        return None

    def _take_tap(self, payload: bytes) -> DropReason | None:
        if len(payload) > MAX_CONFIG_BYTES:
            return DropReason.TOO_LARGE
        if not payload:
            return DropReason.CLEARED
        report = payload.decode(errors="replace")
        self._tap = True
        self._serial = _first(_SERIAL, report) or self._serial
        self._firmware = _first(_FIRMWARE, report) or self._firmware
        return None

    @property
    def kinds(self) -> frozenset[ConfigKind]:
        """Which parts have arrived."""
        return frozenset(self._sections) | ({ConfigKind.TAP} if self._tap else frozenset())

    def device(self) -> Device | None:
        """Describe the device by what is known so far; None before its sensors are known."""
        entries = self._sections.get(ConfigKind.SENSOR)
        if entries is None:
            return None
        flx = self._sections.get(ConfigKind.FLX)
        model = self._model(entries)
        ports = {number: _port(number, entry) for number, entry in _numbered(flx or {})}
        kubes = {
            number: Kube(
                number=number,
                name=_text(entry.get("name")) or f"Kube {number}",
                hardware_type=_whole(entry.get("hw_type")),
                software_version=_whole(entry.get("sw_version")),
            )
            for number, entry in _numbered(self._sections.get(ConfigKind.KUBE, {}))
        }
        sensors = {sensor.sid: sensor for sensor in _sensors(entries, model, ports)}
        main = (flx if model is Model.FLM03 and flx is not None else entries).get("main", {})
        daemon = entries.get("daemon", {})
        if model is Model.FLM03:
            phases, math = _text(main.get("phase")) or None, _text(main.get("math")) or None
        else:
            phases, math = _FLM02_PHASES.get(_whole(main.get("phase")) or 0), None
        return Device(
            did=self.did,
            model=model,
            sensors=sensors,
            ports=ports,
            kubes=kubes,
            channels=assemble_channels(sensors.values(), ports, kubes, phases=phases, math=math),
            phases=phases,
            math=math,
            serial=self._serial,
            firmware=self._firmware,
            sends_counters=model is Model.FLM03 or _flag(daemon.get("enable_wan_branch"), default=True),
            sends_gauges=model is Model.FLM03 or _flag(daemon.get("enable_lan_branch"), default=True),
        )

    def _model(self, entries: Mapping[str, _Section]) -> Model:
        is_flm03 = (
            ConfigKind.FLX in self._sections
            or self._tap
            or any("subtype" in entry or number >= _FIRST_FLM03_INDEX for number, entry in _numbered(entries))
        )
        return Model.FLM03 if is_flm03 else Model.FLM02


def feeds(device: Device) -> dict[str, Feed]:
    """List every topic on which the device's sensors send, with how to read it."""
    table = {}
    for sensor in device.sensors.values():
        for kind in MessageKind:
            table[sensor_topic(sensor.sid, kind)] = Feed(
                sensor.sid,
                kind,
                signed=kind is MessageKind.GAUGE or sensor.kind == "cosem",
                misprint=kind is MessageKind.GAUGE and device.model is Model.FLM03 and sensor.kube is None,
            )
    return table


def parse_sections(payload: bytes) -> dict[str, _Section] | DropReason:
    """Read a configuration object: the sections that are objects themselves."""
    if len(payload) > MAX_CONFIG_BYTES:
        return DropReason.TOO_LARGE
    if not payload:
        return DropReason.CLEARED
    try:
        data = orjson.loads(payload)
    except orjson.JSONDecodeError:
        try:
            data = orjson.loads(_BARE_NAN.sub(rb'\1"\2"', payload))
        except orjson.JSONDecodeError:
            return DropReason.NOT_JSON
    if not isinstance(data, dict) or not data:
        return DropReason.SHAPE
    return {name: section for name, section in data.items() if isinstance(section, dict)}


def _numbered(sections: Mapping[str, _Section]) -> list[tuple[int, _Section]]:
    """Sections with a number for a name, in order; the others configure the daemons."""
    return sorted(
        ((int(name), section) for name, section in sections.items() if _SECTION_NUMBER.fullmatch(name)),
        key=lambda item: item[0],
    )


def _sensors(entries: Mapping[str, _Section], model: Model, ports: Mapping[int, Port]) -> Iterable[Sensor]:
    for index, entry in _numbered(entries):
        sid = _text(entry.get("id"))
        kind = _text(entry.get("class"))
        if not is_id(sid) or not _flag(entry.get("enable"), default=False) or kind == "uart":
            continue
        numbers = _port_numbers(entry.get("port"))
        if model is Model.FLM03 and not kind:
            kind = _flm03_class(numbers, ports)
        medium = _text(entry.get("type"))
        yield Sensor(
            sid=sid,
            index=index,
            medium=medium,
            quantity=_quantity(kind, medium, _text(entry.get("subtype"))),
            kind=kind,
            ports=numbers,
            name=_text(entry.get("function")),
            kube=_whole(entry.get("kid")) if kind == "kube" else None,
            recycle=_whole(entry.get("rid")) or 0,
            constant=_number(entry.get("constant")),
            counts=_text(entry.get("data_type")) != "gauge",
            stored=_flag(entry.get("tmpo"), default=True),
        )


def _flm03_class(numbers: tuple[int, ...], ports: Mapping[int, Port]) -> str:
    """Tell how a sensor measures by its port, for the FLM03 does not say it with the sensor."""
    first = min(numbers, default=0)
    port = ports.get(first)
    kind = port.kind if port is not None and port.kind is not None else None
    if kind is None:
        kind = ChannelKind.CLAMP if first < _FIRST_PULSE_PORT else ChannelKind.PULSE
    return {ChannelKind.CLAMP: "analog", ChannelKind.PULSE: "pulse"}.get(kind, "cosem")


def _quantity(kind: str, medium: str, subtype: str) -> Quantity | None:
    match kind:
        case "kube":
            return _QUANTITIES.get(medium)
        case "cosem":
            return Quantity.NET if medium == _ELECTRICITY else Quantity.MAGNITUDE
        case "analog":
            return _QUANTITIES.get(subtype) if subtype else Quantity.MAGNITUDE
        case "pulse":
            return Quantity.MAGNITUDE
        case _:
            return None


def _port(number: int, entry: _Section) -> Port:
    return Port(
        number=number,
        kind=_PORT_KINDS.get(_text(entry.get("class"))),
        name=_text(entry.get("name")) or f"Port {number}",
        enabled=_flag(entry.get("enable"), default=False),
        current=_whole(entry.get("current")),
        constant=_number(entry.get("constant")),
        shift=_whole(entry.get("shift")),
    )


def _port_numbers(value: object) -> tuple[int, ...]:
    """Read the list of ports; the P1 port's name ("ttyS0") is a text, and no port number."""
    if not isinstance(value, list):
        value = [value]
    return tuple(number for item in value if (number := _whole(item)) is not None)


def _text(value: object) -> str:
    """Give back a text that the meter may have turned into a number."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()[:_MAX_NAME_LENGTH] if isinstance(value, str | int | float) else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and isfinite(number) else None


def _flag(value: object, *, default: bool) -> bool:
    if value is None:
        return default
    return value in (1, "1", True)


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1][:_MAX_NAME_LENGTH] if found else None
