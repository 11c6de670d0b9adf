"""Roles of a Fluksometer's channels: as saved in an entry, and as we would suggest them."""

from collections.abc import Mapping
import re
from typing import Any, Final

from .const import CONF_CHANNELS, CONF_PHASE, CONF_REVERSED, CONF_ROLE
from .core.channel import Assignment, Phase, Role, SiteLayout, Wiring
from .flukso.models import Channel, ChannelKind, Device, MessageKind, Model, Quantity, Reading

type Readings = Mapping[str, Mapping[MessageKind, Reading]]
"""The last readings of each sid, by kind."""

# As people name their roof in the four languages: PV, solaire, panneaux, onduleur, zon, omvormer, Wechselrichter.
_PRODUCTION: Final = re.compile(
    r"\b(pv\d*|sol(ar|aire|aires|eil)?\w*|panneaux?|onduleur|photovolt\w*|zon(nepanelen)?|omvormer|inverter|wechselrichter)\b",
    re.IGNORECASE,
)
_PHASE: Final = re.compile(r"\b(?:l|phase|fase)\s*([123])\b", re.IGNORECASE)


def read_assignments(options: Mapping[str, Any]) -> dict[str, Assignment]:
    """Read the roles that the user gave from an entry's options."""
    return {
        key: Assignment(
            role=Role(value[CONF_ROLE]),
            phase=Phase(value[CONF_PHASE]) if value.get(CONF_PHASE) else None,
            reversed=bool(value.get(CONF_REVERSED)),
        )
        for key, value in options.get(CONF_CHANNELS, {}).items()
    }


def write_assignments(assignments: Mapping[str, Assignment]) -> dict[str, dict[str, Any]]:
    """Return what `read_assignments` reads, to be kept in an entry's options."""
    return {
        key: {CONF_ROLE: a.role.value, CONF_PHASE: a.phase.value if a.phase else None, CONF_REVERSED: a.reversed}
        for key, a in assignments.items()
    }


def site_layout(device: Device, assignments: Mapping[str, Assignment]) -> SiteLayout:
    """Return the layout of a site measured by `device`; channels that it no longer has are left out.

    Raises
    ------
    LayoutError
        When the roles contradict each other or the meter's wiring.
    """
    keys = {c.key for c in device.channels}
    return SiteLayout(
        {k: a for k, a in assignments.items() if k in keys},
        _wiring(device),
        frozenset(c.key for c in device.channels if c.bundled),
    )


def suggest(device: Device, readings: Readings) -> dict[str, Assignment]:
    """Suggest a role for each channel that looks like one; what the user sees first in the form.

    A P1 port is the grid operator's own meter, so it is the grid. Else three clamps on three phases, or the first
    clamp, are. Names tell the roof; what else measures electricity is an appliance.
    """
    electric = [c for c in device.channels if c.is_electric and not c.bundled]
    suggested: dict[str, Assignment] = {}
    clamps = [c for c in electric if c.kind is ChannelKind.CLAMP]
    p1 = [c for c in electric if c.kind is ChannelKind.P1]
    if p1:
        suggested[p1[0].key] = Assignment(Role.GRID)
    elif three := _three_phases(device, clamps):
        suggested |= {c.key: Assignment(Role.GRID, phase) for phase, c in three.items()}
    else:
        first = next((c for c in clamps if not _is_production(c)), None)
        if first:
            suggested[first.key] = Assignment(Role.GRID, _phase_of(first, device))
    for channel in electric:
        if channel.key in suggested:
            continue
        if _is_production(channel):
            suggested[channel.key] = Assignment(
                Role.PRODUCTION, _phase_of(channel, device), reversed=_imports(channel, readings)
            )
        elif not p1 or channel.kind is not ChannelKind.CLAMP:
            suggested[channel.key] = Assignment(Role.LOAD, _phase_of(channel, device))
    return suggested


def _wiring(device: Device) -> Wiring | None:
    # An FLM02 in single-phase mode only means that its clamps are not summed; they may be on three phases.
    known = device.model is Model.FLM03 and device.phases in tuple(Wiring)
    return Wiring(device.phases) if known and device.phases else None


def _is_production(channel: Channel) -> bool:
    return bool(_PRODUCTION.search(channel.name))


def _phase_named(channel: Channel) -> Phase | None:
    found = _PHASE.search(channel.name)
    return Phase(f"L{found[1]}") if found else None


def _phase_of(channel: Channel, device: Device) -> Phase | None:
    """Tell the phase from the name; where there is only one, a clamp that is called L2 is on it as well."""
    return Phase.L1 if _wiring(device) is Wiring.SINGLE else _phase_named(channel)


def _three_phases(device: Device, clamps: list[Channel]) -> dict[Phase, Channel] | None:
    """Tell three clamps apart by their names, else by the phases that the meter matched, else by their ports."""
    if len(clamps) != len(Phase) or _wiring(device) is Wiring.SINGLE:
        return None
    guesses = [[_phase_named(c) for c in clamps]]
    if _wiring(device) in (Wiring.THREE_WITH_NEUTRAL, Wiring.THREE_WITHOUT_NEUTRAL):
        guesses.append([None if c.phase_hint is None else tuple(Phase)[c.phase_hint] for c in clamps])
        guesses.append(list(Phase))
    for guess in guesses:
        if set(guess) == set(Phase):
            return {p: c for p, c in zip(guess, clamps, strict=True) if p}
    return None


def _imports(channel: Channel, readings: Readings) -> bool:
    """Whether more was counted as import than as export: for a roof, the sign of a clamp mounted the other way."""

    def counted(quantity: Quantity) -> float:
        reading = readings.get(channel.sensors.get(quantity, ""), {}).get(MessageKind.COUNTER)
        return reading.value if reading else 0.0

    return channel.measures_direction and counted(Quantity.IMPORT) > counted(Quantity.EXPORT)
