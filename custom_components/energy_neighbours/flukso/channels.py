"""Channels: which sensors of a device together measure one flow, and what is known of its phase."""

from collections.abc import Iterable, Mapping

from .models import Channel, ChannelKind, Kube, Port, Quantity, Sensor

_CHANNEL_KINDS = {"analog": ChannelKind.CLAMP, "pulse": ChannelKind.PULSE, "cosem": ChannelKind.P1}
_LEADING = (Quantity.IMPORT, Quantity.NET, Quantity.MAGNITUDE, Quantity.TEMPERATURE)
_THREE_PHASES = frozenset({"3p+n", "3p-n"})
_SHIFTS = range(6)
_HALF_TURN = 3
_FLK01A = 19217
# A kube registers sensors that its hardware does not have. Nothing has a proximity sensor.
_NEVER_SENT: Mapping[int | None, frozenset[Quantity]] = {
    _FLK01A: frozenset({Quantity.PRESSURE, Quantity.LIGHT, Quantity.VIBRATION})
}
_SUMMED_IN_ANOTHER = {"p1+p2+p3": frozenset({2, 3}), "p2+p1": frozenset({1})}


def assemble_channels(
    sensors: Iterable[Sensor],
    ports: Mapping[int, Port],
    kubes: Mapping[int, Kube],
    *,
    phases: str | None,
    math: str | None,
) -> tuple[Channel, ...]:
    """Group a device's sensors into channels, in the order of their first sensor.

    Sensors of one clamp (same ports and same medium) form a channel, and so do those of one wireless sensor; a pulse
    input or a P1 quantity is a channel of its own.
    """
    groups: dict[tuple[object, ...], list[Sensor]] = {}
    for sensor in sorted(sensors, key=lambda sensor: sensor.index):
        if sensor.kube is not None:
            groups.setdefault(("kube", sensor.kube), []).append(sensor)
        elif sensor.kind == "analog" and sensor.quantity is not Quantity.MAGNITUDE:
            groups.setdefault((sensor.ports, sensor.medium), []).append(sensor)
        elif sensor.kind in _CHANNEL_KINDS:
            groups[sensor.sid,] = [sensor]
    members = list(groups.values())
    bundled = _bundled_ports(members, math)
    return tuple(_channel(group, ports, kubes, phases, bundled) for group in members)


def _channel(
    group: list[Sensor],
    ports: Mapping[int, Port],
    kubes: Mapping[int, Kube],
    phases: str | None,
    bundled: frozenset[int],
) -> Channel:
    quantities: dict[Quantity, str] = {}
    for sensor in group:
        if sensor.quantity is not None:
            quantities.setdefault(sensor.quantity, sensor.sid)
    lead = _leading(group)
    if lead.kube is not None:
        kube = kubes.get(lead.kube)
        silent = _NEVER_SENT.get(kube.hardware_type if kube else None, frozenset()) | {Quantity.PROXIMITY}
        return Channel(
            key=lead.key,
            kind=ChannelKind.KUBE,
            medium=lead.medium,
            name=kube.name if kube else f"Kube {lead.kube}",
            ports=(),
            sensors={quantity: sid for quantity, sid in quantities.items() if quantity not in silent},
            kube=lead.kube,
        )
    kind = _CHANNEL_KINDS[lead.kind]
    port = ports.get(lead.ports[0]) if lead.ports else None
    phase, is_reversed = _phase(port, phases) if kind is ChannelKind.CLAMP else (None, False)
    return Channel(
        key=lead.key,
        kind=kind,
        medium=lead.medium,
        name=lead.name or (port.name if port else _default_name(kind, lead.ports)),
        ports=lead.ports,
        sensors=quantities,
        phase_hint=phase,
        reversed_hint=is_reversed,
        bundled=kind is ChannelKind.CLAMP and bool(lead.ports) and bundled.issuperset(lead.ports),
    )


def _leading(group: list[Sensor]) -> Sensor:
    """Choose the sensor whose identity the channel takes on."""
    for quantity in _LEADING:
        for sensor in group:
            if sensor.quantity is quantity:
                return sensor
    return group[0]


def _default_name(kind: ChannelKind, ports: tuple[int, ...]) -> str:
    if kind is ChannelKind.P1 or not ports:
        return "P1" if kind is ChannelKind.P1 else "Flukso"
    return f"Port {'+'.join(map(str, ports))}"


def _phase(port: Port | None, phases: str | None) -> tuple[int | None, bool]:
    """Read the phase matching's result: steps of 60° against the voltage adapter's phase.

    Two clamps half a turn (three steps) apart are on the same phase, one of them reversed; three phases are two steps
    apart. So the remainder by three is the phase, and odd steps are the reversed clamps. Source: flukso/flxd,
    `shift.c`. With one phase only 0 and 3 mean anything.
    """
    shift = port.shift if port is not None else None
    if shift is None or shift not in _SHIFTS:
        return None, False
    if phases in _THREE_PHASES:
        return shift % _HALF_TURN, shift % 2 == 1
    return None, phases == "1p" and shift == _HALF_TURN


def _bundled_ports(groups: Iterable[list[Sensor]], math: str | None) -> frozenset[int]:
    """Tell the ports whose flow the meter already adds to another port.

    The meter marks them itself by not storing their import and export (`tmpo` 0). Without such marks the chosen sum
    tells: `p1+p2+p3` is in port 1 and `p2+p1` in port 2.
    """
    marked = frozenset(
        number
        for group in groups
        if any(not sensor.stored and sensor.quantity in (Quantity.IMPORT, Quantity.EXPORT) for sensor in group)
        for number in group[0].ports
    )
    return marked or _SUMMED_IN_ANOTHER.get(math or "", frozenset())
