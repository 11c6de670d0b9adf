"""Which flow each channel of a meter measures: its role and phase, and the combinations that make sense."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a channel's flow is for the site."""

    GRID = "grid"  # between the site and the public grid
    PRODUCTION = "production"  # of the site's own roof
    LOAD = "load"  # one appliance or circuit, already contained in the grid's flow


class Phase(StrEnum):
    """Phase of the connection."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"


class Wiring(StrEnum):
    """How the meter is told that the site is connected. The values are the FLM03's own."""

    SINGLE = "1p"
    THREE_WITH_NEUTRAL = "3p+n"
    THREE_WITHOUT_NEUTRAL = "3p-n"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Role of one channel. `phase` None: all phases together, or not known.

    `reversed` turns the sign: the clamp is mounted against the current.
    """

    role: Role
    phase: Phase | None = None
    reversed: bool = False


class LayoutProblem(StrEnum):
    """Why a set of assignments cannot be a site."""

    NO_ROLE = "no_role"
    NO_GRID = "no_grid_or_production"
    PHASE_TWICE = "phase_twice"
    TOTAL_AND_PHASES = "total_and_phases"
    TOTAL_TWICE = "total_twice"
    PHASE_MISSING = "phase_missing"
    SINGLE_PHASE = "single_phase"
    BUNDLED = "bundled"
    INJECTION_ALONE = "injection_alone"


class LayoutError(ValueError):
    """Assignments that contradict each other. `placeholders` name the channels or phases concerned."""

    def __init__(self, problem: LayoutProblem, **placeholders: str) -> None:
        super().__init__(f"{problem}: {placeholders}" if placeholders else str(problem))
        self.problem = problem
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class SiteLayout:
    """The roles of a site's channels, by channel key. Cannot be made of assignments that would count a flow twice.

    Raises
    ------
    LayoutError
        When the assignments cannot be a site; see `LayoutProblem`.
    """

    assignments: Mapping[str, Assignment]
    wiring: Wiring | None = None
    bundled: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.assignments:
            raise LayoutError(LayoutProblem.NO_ROLE)
        for key in self.assignments:
            if key in self.bundled:
                raise LayoutError(LayoutProblem.BUNDLED, channel=key)
        grid = [a.phase for a in self.assignments.values() if a.role is Role.GRID]
        if not grid and not self.keys(Role.PRODUCTION):
            raise LayoutError(LayoutProblem.NO_GRID)
        if self.wiring is Wiring.SINGLE:
            phases = {a.phase for a in self.assignments.values() if a.phase}
            if len(phases) > 1:
                raise LayoutError(LayoutProblem.SINGLE_PHASE, phases=_names(phases))
        _check_grid(grid)

    def keys(self, role: Role, phase: Phase | None = None) -> tuple[str, ...]:
        """Keys of the channels with that role (and, where given, on that phase)."""
        return tuple(k for k, a in self.assignments.items() if a.role is role and phase in (None, a.phase))

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases on which the grid is measured one by one, in order."""
        return tuple(p for p in Phase if self.keys(Role.GRID, p))


def _names(phases: Iterable[Phase]) -> str:
    return ", ".join(sorted(phases))


def _check_grid(grid: list[Phase | None]) -> None:
    phases = [p for p in grid if p]
    totals = len(grid) - len(phases)
    if totals > 1:
        raise LayoutError(LayoutProblem.TOTAL_TWICE)
    if totals and phases:
        raise LayoutError(LayoutProblem.TOTAL_AND_PHASES, phases=_names(set(phases)))
    for phase in phases:
        if phases.count(phase) > 1:
            raise LayoutError(LayoutProblem.PHASE_TWICE, phase=phase)
    # One phase alone is a single-phase connection; two of three are a forgotten or mislabelled clamp.
    if len(phases) == 2:  # noqa: PLR2004
        raise LayoutError(LayoutProblem.PHASE_MISSING, phase=_names(set(Phase) - set(phases)))
