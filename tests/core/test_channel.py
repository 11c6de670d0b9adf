"""Roles and phases: which combinations are a site, and why the others are none."""

import pytest

from custom_components.energy_neighbours.core.channel import (
    Assignment,
    LayoutError,
    LayoutProblem,
    Phase,
    Role,
    SiteLayout,
    Wiring,
)

GRID = Assignment(Role.GRID)
ROOF = Assignment(Role.PRODUCTION)
HEAT_PUMP = Assignment(Role.LOAD)


def grid(*phases: Phase | None) -> dict[str, Assignment]:
    return {f"clamp {number}": Assignment(Role.GRID, phase) for number, phase in enumerate(phases)}


@pytest.mark.parametrize(
    "assignments",
    [
        {"p1": GRID},
        {"roof": ROOF},
        {"roof 1": ROOF, "roof 2": Assignment(Role.PRODUCTION, Phase.L1)},
        {"p1": GRID, "roof": ROOF, "heat pump": HEAT_PUMP},
        grid(Phase.L2),
        grid(Phase.L3, Phase.L1, Phase.L2),
        grid(*Phase) | {"roof": ROOF, "car": Assignment(Role.LOAD, Phase.L1), "oven": Assignment(Role.LOAD, Phase.L1)},
    ],
    ids=["total", "roof only", "two roofs", "all roles", "one phase", "three phases", "three phases and more"],
)
def test_accepts(assignments):
    assert SiteLayout(assignments).assignments == assignments


@pytest.mark.parametrize(
    ("assignments", "problem", "placeholders"),
    [
        ({}, LayoutProblem.NO_ROLE, {}),
        ({"heat pump": HEAT_PUMP}, LayoutProblem.NO_GRID, {}),
        (grid(Phase.L1, Phase.L2, Phase.L3, Phase.L2), LayoutProblem.PHASE_TWICE, {"phase": "L2"}),
        (grid(Phase.L1, Phase.L1), LayoutProblem.PHASE_TWICE, {"phase": "L1"}),
        (grid(None, Phase.L3, Phase.L1), LayoutProblem.TOTAL_AND_PHASES, {"phases": "L1, L3"}),
        (grid(None, None), LayoutProblem.TOTAL_TWICE, {}),
        (grid(Phase.L1, Phase.L3), LayoutProblem.PHASE_MISSING, {"phase": "L2"}),
        (grid(Phase.L2, Phase.L3) | {"roof": ROOF}, LayoutProblem.PHASE_MISSING, {"phase": "L1"}),
    ],
)
def test_refuses_with_the_reason(assignments, problem, placeholders):
    with pytest.raises(LayoutError) as caught:
        SiteLayout(assignments)
    assert (caught.value.problem, caught.value.placeholders) == (problem, placeholders)


def test_reason_is_readable_in_a_log():
    with pytest.raises(LayoutError, match=r"^no_role$"):
        SiteLayout({})
    with pytest.raises(LayoutError, match=r"phase_twice.*L1"):
        SiteLayout(grid(Phase.L1, Phase.L1))


def test_refuses_a_channel_that_the_meter_adds_to_another():
    with pytest.raises(LayoutError) as caught:
        SiteLayout({"sum": GRID, "part": HEAT_PUMP}, bundled=frozenset({"part"}))
    assert (caught.value.problem, caught.value.placeholders) == (LayoutProblem.BUNDLED, {"channel": "part"})


def test_single_phase_connection_has_one_phase():
    assignments = grid(Phase.L1) | {"roof": Assignment(Role.PRODUCTION, Phase.L2)}
    with pytest.raises(LayoutError) as caught:
        SiteLayout(assignments, Wiring.SINGLE)
    assert (caught.value.problem, caught.value.placeholders) == (LayoutProblem.SINGLE_PHASE, {"phases": "L1, L2"})
    # The same clamps are fine on three phases, or when the meter does not tell its wiring.
    assert SiteLayout(assignments).phases == (Phase.L1,)
    assert SiteLayout(assignments, Wiring.THREE_WITH_NEUTRAL).phases == (Phase.L1,)
    assert SiteLayout(grid(Phase.L1) | {"roof": ROOF}, Wiring.SINGLE).phases == (Phase.L1,)


def test_three_phases_without_neutral_are_three_phases():
    assert SiteLayout(grid(*Phase), Wiring.THREE_WITHOUT_NEUTRAL).phases == tuple(Phase)


def test_keys_by_role_and_phase():
    layout = SiteLayout(grid(Phase.L3, Phase.L1, Phase.L2) | {"roof": ROOF, "car": Assignment(Role.LOAD, Phase.L1)})
    assert layout.keys(Role.GRID) == ("clamp 0", "clamp 1", "clamp 2")
    assert layout.keys(Role.GRID, Phase.L1) == ("clamp 1",)
    assert layout.keys(Role.PRODUCTION) == ("roof",)
    assert layout.keys(Role.LOAD, Phase.L2) == ()
    assert layout.phases == (Phase.L1, Phase.L2, Phase.L3)


def test_total_has_no_phases():
    assert SiteLayout({"p1": GRID}).phases == ()
