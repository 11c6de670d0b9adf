"""Typed models of a Fluksometer: its configuration, its channels and its readings.

A *sensor* is one measured quantity with an id of 32 hex digits (sid). A *channel* is one measured flow, what a person
calls "the clamp on L1" or "the water meter": on an FLM03 a clamp channel bundles up to twelve sensors, on an FLM02 a
channel is one sensor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Model(StrEnum):
    """The two families that speak the protocol differently."""

    FLM02 = "FLM02"
    FLM03 = "FLM03"


class MessageKind(StrEnum):
    """What a sensor message carries: a momentary value or a running total."""

    GAUGE = "gauge"
    COUNTER = "counter"


class ChannelKind(StrEnum):
    """How a channel is measured."""

    CLAMP = "clamp"  # current transformer on a wire
    PULSE = "pulse"  # pulses of another meter, or of a gas or water meter
    P1 = "p1"  # the grid operator's meter, read through its customer port (P1 or TIC)
    KUBE = "kube"  # a wireless room sensor


class Quantity(StrEnum):
    """What one sensor of a channel measures. The FLM03's electrical names are its config's `subtype`s."""

    IMPORT = "pplus"
    EXPORT = "pminus"
    NET = "net"  # one signed sensor: P1
    MAGNITUDE = "magnitude"  # one unsigned sensor: an FLM02 clamp, or a pulse input
    Q1 = "q1"
    Q2 = "q2"
    Q3 = "q3"
    Q4 = "q4"
    VOLTAGE = "vrms"
    CURRENT = "irms"
    POWER_FACTOR = "pf"
    VOLTAGE_THD = "vthd"
    CURRENT_THD = "ithd"
    ANGLE = "alpha"
    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    BATTERY = "battery"
    PRESSURE = "pressure"
    LIGHT = "light"
    ERROR = "error"
    MOVEMENT = "movement"
    PROXIMITY = "proximity"
    VIBRATION = "vibration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """One entry of `config/sensor` that is in use.

    `kind` is the config's `class`; `medium` its `type` (electricity, water, gas, heat, temperature, …). `recycle` is
    the `rid`: the same sid can return later for another quantity, so anything lasting must be keyed by `key`.
    """

    sid: str
    index: int
    medium: str
    quantity: Quantity | None = None
    kind: str = ""
    ports: tuple[int, ...] = ()
    name: str = ""
    kube: int | None = None
    recycle: int = 0
    constant: float | None = None
    counts: bool = True  # its lasting series is a counter, not a gauge
    stored: bool = True  # False: `tmpo` 0, its value is bundled into another port

    @property
    def key(self) -> str:
        """Identity that survives the recycling of a sid: sid and medium."""
        return f"{self.sid}_{self.medium}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One screw terminal of an FLM03 (`config/flx`)."""

    number: int
    kind: ChannelKind | None
    name: str
    enabled: bool
    current: int | None = None
    constant: float | None = None
    shift: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kube:
    """One wireless sensor node (`config/kube`). The radio key is never kept."""

    number: int
    name: str
    hardware_type: int | None = None
    software_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One measured flow of a meter, ready to be given a role.

    `key` is stable over renames and re-numbering (the sid of the leading sensor and its medium). `sensors` maps each
    measured quantity to its sid. `phase_hint` is 0, 1 or 2 for the FLM03's first, second or third voltage phase (from
    the phase-matching `shift`; 0 is the phase of the voltage adapter), `reversed_hint` tells that the matching found
    the clamp mounted against the current. `bundled` channels are already contained in another one (`math`): never add
    them up.
    """

    key: str
    kind: ChannelKind
    medium: str
    name: str
    ports: tuple[int, ...]
    sensors: Mapping[Quantity, str]
    phase_hint: int | None = None
    reversed_hint: bool = False
    bundled: bool = False
    kube: int | None = None

    @property
    def is_electric(self) -> bool:
        """Whether it measures electricity and can have a role at the site."""
        return self.medium == "electricity"

    @property
    def measures_direction(self) -> bool:
        """Whether import and export can be told apart."""
        return Quantity.EXPORT in self.sensors or Quantity.NET in self.sensors


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A Fluksometer as its configuration messages describe it.

    `phases` is the FLM03's wiring (`1p`, `3p+n`, `3p-n`) or, on the FLM02, `1p` or `3p` (one summed clamp sensor).
    `sends_counters` and `sends_gauges` are False when an FLM02's cloud (wan) or LAN branch is switched off.
    """

    did: str
    model: Model
    sensors: Mapping[str, Sensor] = field(default_factory=dict)
    ports: Mapping[int, Port] = field(default_factory=dict)
    kubes: Mapping[int, Kube] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    phases: str | None = None
    math: str | None = None
    serial: str | None = None
    firmware: str | None = None
    sends_counters: bool = True
    sends_gauges: bool = True

    @property
    def hostname(self) -> str:
        """The name the meter gives itself: `flukso-` and the first six digits of its id."""
        return f"flukso-{self.did[:6]}"

    def pulse_constant(self, channel: Channel) -> float | None:
        """Tell what one pulse of a channel stands for [Wh, L].

        An FLM02 keeps that with the sensor, an FLM03 with the port.
        """
        if channel.kind is not ChannelKind.PULSE:
            return None
        constants = [self.sensors[sid].constant for sid in channel.sensors.values()]
        constants += [port.constant for number in channel.ports if (port := self.ports.get(number))]
        return next((constant for constant in constants if constant), None)


@dataclass(frozen=True, slots=True)
class Reading:
    """One accepted sensor message.

    `value` is in `unit` as the payload names it (None: the payload named none, "": without unit). `time` [s, Unix, UTC]
    is the meter's own stamp, or the time of receipt where the two are too far apart (`clock_ok` False); `stamp` is then
    what the meter had said, for it may be our clock that is wrong.
    `retained` tells that the broker had kept the message, so that it may be old.
    """

    sid: str
    kind: MessageKind
    value: float
    unit: str | None
    time: int
    clock_ok: bool = True
    retained: bool = False
    stamp: float | None = None
