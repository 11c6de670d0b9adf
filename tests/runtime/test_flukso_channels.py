"""How a Fluksometer's counters are booked: which direction is forward, in which unit, for which role."""

from typing import Any

import pytest

from custom_components.energy_neighbours.core.channel import Assignment, Phase, Role
from custom_components.energy_neighbours.flukso.models import Channel, ChannelKind, Device, Model, Quantity
from custom_components.energy_neighbours.flukso_channels import make_registers, meter_channels, sign_of
from custom_components.energy_neighbours.meter import Medium, MeterChannel
from custom_components.energy_neighbours.quantities import UNITS, normal

SIDS = {quantity: f"{number:032x}" for number, quantity in enumerate(Quantity)}
TWO_WAY = (Quantity.IMPORT, Quantity.EXPORT)


def channel(*quantities: Quantity, **changes: Any) -> Channel:
    values: dict[str, Any] = {
        "key": "clamp",
        "kind": ChannelKind.CLAMP,
        "medium": "electricity",
        "name": "clamp",
        "ports": (1,),
        "sensors": {quantity: SIDS[quantity] for quantity in quantities},
    }
    return Channel(**{**values, **changes})


def directions(flow: Channel, assignment: Assignment | None) -> dict[Quantity, bool]:
    """Tell for each counter of a channel whether a rise is booked forward."""
    device = Device(did="d" * 32, model=Model.FLM03, channels=(flow,))
    channels = meter_channels(device, {} if assignment is None else {flow.key: assignment})
    registers = make_registers(device, channels)
    return {quantity: registers[sid].forward for quantity, sid in flow.sensors.items() if sid in registers}


@pytest.mark.parametrize(
    ("assignment", "import_is_forward"),
    [
        (Assignment(Role.GRID, Phase.L1), True),
        (Assignment(Role.GRID, reversed=True), False),
        (Assignment(Role.LOAD), True),
        (Assignment(Role.LOAD, reversed=True), False),
        # Seen from the meter, a roof exports.
        (Assignment(Role.PRODUCTION), False),
        (Assignment(Role.PRODUCTION, reversed=True), True),
    ],
)
def test_clamp_that_tells_directions_apart(assignment: Assignment, import_is_forward: bool) -> None:
    flow = channel(*TWO_WAY)
    assert directions(flow, assignment) == {
        Quantity.IMPORT: import_is_forward,
        Quantity.EXPORT: not import_is_forward,
    }
    shown = MeterChannel(key="clamp", name="clamp", assignment=assignment)
    assert sign_of(shown, flow) == (1 if import_is_forward else -1)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("turned", [False, True])
def test_pulse_input_only_counts_forward(role: Role, turned: bool) -> None:
    flow = channel(Quantity.MAGNITUDE, kind=ChannelKind.PULSE)
    assert directions(flow, Assignment(role, reversed=turned)) == {Quantity.MAGNITUDE: True}


@pytest.mark.parametrize(
    ("assignment", "forward"),
    [
        (Assignment(Role.GRID), True),
        (Assignment(Role.PRODUCTION), False),
        (Assignment(Role.GRID, reversed=True), False),
    ],
)
def test_net_counter_goes_both_ways(assignment: Assignment, forward: bool) -> None:
    flow = channel(Quantity.NET, kind=ChannelKind.P1)
    assert directions(flow, assignment) == {Quantity.NET: forward}
    device = Device(did="d" * 32, model=Model.FLM02, channels=(flow,))
    [register] = make_registers(device, meter_channels(device, {"clamp": assignment})).values()
    assert register.signed


def test_electricity_without_a_role_is_not_shown() -> None:
    device = Device(did="d" * 32, model=Model.FLM03, channels=(channel(*TWO_WAY),))
    assert meter_channels(device, {}) == {}


def test_channel_that_is_contained_in_another_is_not_shown() -> None:
    device = Device(did="d" * 32, model=Model.FLM03, channels=(channel(*TWO_WAY, bundled=True),))
    assert meter_channels(device, {"clamp": Assignment(Role.LOAD)}) == {}


@pytest.mark.parametrize(("medium", "unit"), [("gas", "L"), ("water", "L"), ("heat", "Wh")])
def test_what_is_no_electricity_needs_no_role(medium: str, unit: str) -> None:
    flow = channel(Quantity.MAGNITUDE, kind=ChannelKind.PULSE, medium=medium)
    device = Device(did="d" * 32, model=Model.FLM03, channels=(flow,))
    channels = meter_channels(device, {"clamp": Assignment(Role.LOAD)})
    assert channels["clamp"].medium is Medium(medium)
    assert channels["clamp"].assignment is None
    [register] = make_registers(device, channels).values()
    assert (register.unit, register.forward) == (unit, True)


def test_kube_counts_nothing() -> None:
    flow = channel(Quantity.TEMPERATURE, Quantity.MOVEMENT, kind=ChannelKind.KUBE, medium="temperature")
    device = Device(did="d" * 32, model=Model.FLM03, channels=(flow,))
    channels = meter_channels(device, {})
    assert channels["clamp"].medium is Medium.ROOM
    assert channels["clamp"].quantities == {"temperature", "movement"}
    assert make_registers(device, channels) == {}


def test_unknown_medium_is_not_shown() -> None:
    device = Device(did="d" * 32, model=Model.FLM03, channels=(channel(Quantity.MAGNITUDE, medium="steam"),))
    assert meter_channels(device, {}) == {}


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "shown"),
    [
        (101_325, "Pa", Quantity.PRESSURE, 1013.25),
        (0.95, "", Quantity.POWER_FACTOR, 95),
        (3300, "mV", Quantity.BATTERY, 3.3),
        (205, "0.1°C", Quantity.TEMPERATURE, 20.5),
        (230, None, Quantity.VOLTAGE, 230),
        (230, "W", Quantity.VOLTAGE, None),
        (230, "furlong", Quantity.VOLTAGE, None),
    ],
)
def test_value_is_shown_in_the_unit_of_its_quantity(
    value: float, unit: str | None, quantity: Quantity, shown: float | None
) -> None:
    assert normal(value, unit, UNITS[quantity]) == (None if shown is None else pytest.approx(shown))
