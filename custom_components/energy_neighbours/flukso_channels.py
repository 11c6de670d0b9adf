"""From a Fluksometer's channels to a site's: which are shown, and how their counters are booked."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from .core.channel import Assignment, Role
from .core.counter import CounterTrack
from .flukso.models import Channel, ChannelKind, Device, Model, Quantity
from .meter import Medium, MeterChannel
from .quantities import REACTIVE_POWER

QUADRANTS: Final = {Quantity.Q1: 1, Quantity.Q2: 1, Quantity.Q3: -1, Quantity.Q4: -1}
SHOWN: Final = frozenset(
    {
        Quantity.VOLTAGE,
        Quantity.CURRENT,
        Quantity.POWER_FACTOR,
        Quantity.VOLTAGE_THD,
        Quantity.CURRENT_THD,
        Quantity.TEMPERATURE,
        Quantity.HUMIDITY,
        Quantity.BATTERY,
        Quantity.PRESSURE,
        Quantity.LIGHT,
        Quantity.ERROR,
        Quantity.MOVEMENT,
        Quantity.VIBRATION,
    }
)
"""Quantities that become entities of their own, beside power and energy."""
_MEDIA: Final = {
    "electricity": Medium.ELECTRICITY,
    "gas": Medium.GAS,
    "water": Medium.WATER,
    "heat": Medium.HEAT,
}


@dataclass(slots=True)
class Register:
    """Where the counter of one sid is booked."""

    channel: str
    forward: bool  # the direction that a rise of this counter means
    unit: str  # in which it is booked
    signed: bool
    on_change: bool  # it tells nothing while it does not change
    track: CounterTrack


def meter_channels(device: Device, assigned: Mapping[str, Assignment]) -> dict[str, MeterChannel]:
    """Return the channels that a site shows: those with a role, and what does not measure electricity."""
    return {flow.key: shown for flow in device.channels if (shown := _meter_channel(flow, assigned.get(flow.key)))}


def _meter_channel(flow: Channel, assignment: Assignment | None) -> MeterChannel | None:
    medium = Medium.ROOM if flow.kind is ChannelKind.KUBE else _MEDIA.get(flow.medium)
    if medium is None or flow.bundled or (medium is Medium.ELECTRICITY and assignment is None):
        return None
    quantities: set[str] = {q for q in flow.sensors if q in SHOWN}
    if QUADRANTS.keys() <= flow.sensors.keys():
        quantities.add(REACTIVE_POWER)
    return MeterChannel(
        key=flow.key,
        name=flow.name,
        medium=medium,
        assignment=assignment if medium is Medium.ELECTRICITY else None,
        quantities=frozenset(quantities),
        has_rate=medium is not Medium.ROOM,
        counts=medium is not Medium.ROOM,
        two_way=flow.measures_direction,
    )


def sign_of(channel: MeterChannel, flow: Channel) -> int:
    """Return the sign that turns the meter's power into that of the channel's role."""
    assignment = channel.assignment
    if assignment is None or not flow.measures_direction:
        return 1
    # Seen from the meter a roof exports: its production counts forward all the same.
    return (-1 if assignment.role is Role.PRODUCTION else 1) * (-1 if assignment.reversed else 1)


def make_registers(device: Device, channels: Mapping[str, MeterChannel]) -> dict[str, Register]:
    """Return the registers of all counting channels by sid."""
    return {
        sid: register
        for flow in device.channels
        if (channel := channels.get(flow.key)) and channel.counts
        for sid, register in _registers(channel, flow, device.model)
    }


def _registers(channel: MeterChannel, flow: Channel, model: Model) -> Iterator[tuple[str, Register]]:
    sign = sign_of(channel, flow)
    unit = "L" if channel.medium in (Medium.GAS, Medium.WATER) else "Wh"
    on_change = model is Model.FLM02 or flow.kind is ChannelKind.PULSE
    for quantity, sid in flow.sensors.items():
        if quantity in (Quantity.IMPORT, Quantity.NET, Quantity.MAGNITUDE):
            signed = quantity is Quantity.NET
            yield sid, Register(channel.key, sign > 0, unit, signed, on_change, CounterTrack(signed=signed))
        elif quantity is Quantity.EXPORT:
            yield sid, Register(channel.key, sign < 0, unit, signed=False, on_change=on_change, track=CounterTrack())


def describe(device: Device, assigned: Mapping[str, Assignment]) -> dict[str, Any]:
    """Describe a meter for diagnostics: its shape, but no id and no name that somebody gave."""
    return {
        "model": device.model,
        "firmware": device.firmware,
        "phases": device.phases,
        "math": device.math,
        "sends_counters": device.sends_counters,
        "sends_gauges": device.sends_gauges,
        "ports": [asdict(replace(port, name="")) for port in device.ports.values()],
        "kubes": len(device.kubes),
        "channels": [
            {
                "kind": flow.kind,
                "medium": flow.medium,
                "ports": flow.ports,
                "quantities": list(flow.sensors),
                "phase_hint": flow.phase_hint,
                "reversed_hint": flow.reversed_hint,
                "bundled": flow.bundled,
                "role": asdict(assigned[flow.key]) if flow.key in assigned else None,
            }
            for flow in device.channels
        ],
    }
