"""The site's power at one moment, from the power of its channels."""

from collections.abc import Mapping
from dataclasses import dataclass

from .channel import Phase, Role, SiteLayout


@dataclass(frozen=True, slots=True)
class PowerBalance:
    """Power [W] at one moment; None where a channel that is needed for it has no value (never 0 in its place).

    `grid` is positive for offtake and negative for injection, like each of `phases`. `consumption` is what the site
    uses itself. `imbalance` is the largest difference between two phases (display only).
    """

    grid: float | None
    production: float | None
    consumption: float | None
    phases: Mapping[Phase, float | None]
    imbalance: float | None


def power_balance(layout: SiteLayout, powers: Mapping[str, float | None]) -> PowerBalance:
    """Add up the channels' powers.

    Parameters
    ----------
    layout
        Roles and phases of the channels.
    powers
        Power of each channel [W], positive for offtake at a grid channel and for production at a production channel.

    Returns
    -------
    PowerBalance
        Grid, production, consumption, phases and their imbalance.
    """
    grid = _total(layout, powers, Role.GRID)
    production = _total(layout, powers, Role.PRODUCTION)
    phases = {p: sum_or_none([powers.get(k) for k in layout.keys(Role.GRID, p)]) for p in layout.phases}
    return PowerBalance(
        grid=grid,
        production=production,
        consumption=_consumption(layout, grid, production),
        phases=phases,
        imbalance=phase_imbalance(phases),
    )


def phase_imbalance(phases: Mapping[Phase, float | None]) -> float | None:
    """Return the largest difference between two phases [W]; None unless all three are known."""
    known = [p for p in phases.values() if p is not None]
    return max(known) - min(known) if len(known) == len(Phase) else None


def sum_or_none(values: list[float | None]) -> float | None:
    """Add up; None when there is nothing to add or one value is missing."""
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total if values else None


def _total(layout: SiteLayout, powers: Mapping[str, float | None], role: Role) -> float | None:
    return sum_or_none([powers.get(k) for k in layout.keys(role)])


def _consumption(layout: SiteLayout, grid: float | None, production: float | None) -> float | None:
    if grid is None:
        return None
    if layout.keys(Role.PRODUCTION):
        # Meters are read some hundred milliseconds apart: a slightly negative sum is no consumption, not generation.
        return None if production is None else max(grid + production, 0.0)
    # Without a production channel an exporting site hides what it uses itself.
    return grid if grid >= 0 else None
