"""Which roles we suggest for a meter's channels, and that every suggestion is one the form accepts."""

from hypothesis import given, strategies as st
import pytest

from custom_components.energy_neighbours.core.channel import Assignment, LayoutError, LayoutProblem, Phase, Role, Wiring
from custom_components.energy_neighbours.flukso.models import (
    Channel,
    ChannelKind,
    Device,
    MessageKind,
    Model,
    Quantity,
    Reading,
)
from custom_components.energy_neighbours.roles import read_assignments, site_layout, suggest, write_assignments

NAMES = ["L1", "L2", "L3 - PV", "main", "solar", "Onduleur", "zonnepanelen", "Wärmepumpe", "fase 2", "solde", "car", ""]


def make(kind: ChannelKind, name: str, number: int, *, hint: int | None = None, bundled: bool = False) -> Channel:
    quantities = {
        ChannelKind.CLAMP: (Quantity.IMPORT, Quantity.EXPORT),
        ChannelKind.P1: (Quantity.NET,),
        ChannelKind.PULSE: (Quantity.MAGNITUDE,),
    }[kind]
    return Channel(
        key=f"{number}",
        kind=kind,
        medium="electricity",
        name=name,
        ports=(number,),
        sensors={quantity: f"{number}{quantity}" for quantity in quantities},
        phase_hint=hint,
        bundled=bundled,
    )


def device(*channels: Channel, phases: str | None = None, model: Model = Model.FLM03) -> Device:
    return Device(did="d" * 32, model=model, channels=channels, phases=phases)


def clamps(*names: str, hints: tuple[int | None, ...] = (None, None, None)) -> list[Channel]:
    return [
        make(ChannelKind.CLAMP, name, number, hint=hint)
        for number, (name, hint) in enumerate(zip(names, hints, strict=True), 1)
    ]


def phases_of(found: dict[str, Assignment]) -> list[Phase | None]:
    return [found[key].phase for key in ("1", "2", "3") if found[key].role is Role.GRID]


def test_three_phases_by_name_come_before_those_that_the_meter_matched() -> None:
    found = suggest(device(*clamps("L3", "L1", "fase 2", hints=(0, 1, 2)), phases="3p+n"), {})
    assert phases_of(found) == [Phase.L3, Phase.L1, Phase.L2]


def test_three_phases_that_the_meter_matched_come_before_the_order_of_its_ports() -> None:
    found = suggest(device(*clamps("a", "b", "c", hints=(2, 0, 1)), phases="3p-n"), {})
    assert phases_of(found) == [Phase.L3, Phase.L1, Phase.L2]


def test_three_phases_by_their_ports() -> None:
    found = suggest(device(*clamps("a", "b", "c", hints=(0, 0, 0)), phases="3p+n"), {})
    assert phases_of(found) == list(Phase)


def test_single_phase_meter_has_one_phase_whatever_its_clamps_are_called() -> None:
    found = suggest(device(*clamps("L1", "L2", "L3"), phases="1p"), {})
    assert {a.phase for a in found.values()} == {Phase.L1}
    assert [a.role for a in found.values()] == [Role.GRID, Role.LOAD, Role.LOAD]


def test_first_clamp_that_is_no_roof_is_the_grid() -> None:
    found = suggest(device(*clamps("solar", "main", "car"), phases="1p"), {})
    assert [found[k].role for k in "123"] == [Role.PRODUCTION, Role.GRID, Role.LOAD]


def test_p1_port_is_the_grid_and_makes_clamps_unnecessary() -> None:
    found = suggest(
        device(
            make(ChannelKind.CLAMP, "main", 1),
            make(ChannelKind.PULSE, "PV 1", 4),
            make(ChannelKind.PULSE, "boiler", 5),
            make(ChannelKind.P1, "smart-main", 7),
            model=Model.FLM02,
            phases="1p",
        ),
        {},
    )
    assert {key: a.role for key, a in found.items()} == {
        "7": Role.GRID,
        "4": Role.PRODUCTION,
        "5": Role.LOAD,
    }


@pytest.mark.parametrize(("imported", "exported", "turned"), [(9.0, 2.0, True), (2.0, 9.0, False), (0.0, 0.0, False)])
def test_roof_whose_clamp_counts_the_other_way_is_turned(imported: float, exported: float, turned: bool) -> None:
    roof = make(ChannelKind.CLAMP, "PV", 2)
    readings = {
        roof.sensors[quantity]: {
            MessageKind.COUNTER: Reading(roof.sensors[quantity], MessageKind.COUNTER, value, "Wh", 1_700_000_000)
        }
        for quantity, value in ((Quantity.IMPORT, imported), (Quantity.EXPORT, exported))
    }
    found = suggest(device(make(ChannelKind.CLAMP, "main", 1), roof), readings)
    assert found["2"] == Assignment(Role.PRODUCTION, None, reversed=turned)


CHANNELS = st.lists(
    st.tuples(
        st.sampled_from([ChannelKind.CLAMP, ChannelKind.PULSE, ChannelKind.P1]),
        st.sampled_from(NAMES),
        st.none() | st.integers(0, 2),
        st.booleans(),
    ),
    max_size=7,
)


@given(CHANNELS, st.sampled_from([None, *Wiring]), st.sampled_from(Model))
def test_every_suggestion_is_accepted(
    channels: list[tuple[ChannelKind, str, int | None, bool]], phases: str | None, model: Model
) -> None:
    meter = device(
        *(make(kind, name, n, hint=hint, bundled=b) for n, (kind, name, hint, b) in enumerate(channels, 1)),
        phases=phases,
        model=model,
    )
    found = suggest(meter, {})
    try:
        layout = site_layout(meter, found)
    except LayoutError as err:
        # Only a meter that measures neither the grid nor a roof has no site in it.
        assert err.problem in (LayoutProblem.NO_ROLE, LayoutProblem.NO_GRID)  # noqa: PT017
    else:
        assert layout.assignments == found
    assert not {c.key for c in meter.channels if c.bundled} & found.keys()


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.builds(Assignment, st.sampled_from(Role), st.none() | st.sampled_from(Phase), reversed=st.booleans()),
    )
)
def test_roles_survive_being_saved(assignments: dict[str, Assignment]) -> None:
    assert read_assignments({"channels": write_assignments(assignments)}) == assignments


def test_roles_of_channels_that_are_gone_are_left_out() -> None:
    meter = device(make(ChannelKind.P1, "P1", 1))
    layout = site_layout(meter, {"1": Assignment(Role.GRID), "gone": Assignment(Role.LOAD)})
    assert layout.assignments.keys() == {"1"}


def test_wiring_of_an_flm02_says_nothing_of_phases() -> None:
    meter = device(*clamps("L1", "L2", "L3"), phases="1p", model=Model.FLM02)
    found = suggest(meter, {})
    assert phases_of(found) == list(Phase)
    assert site_layout(meter, found).phases == tuple(Phase)
