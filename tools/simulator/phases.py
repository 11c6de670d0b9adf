"""One recorded household power split over three phases the way a Belgian house is wired.

The record knows only the total. Its steps are read as appliances: each rise is one that starts, each fall one that
stops; an appliance stays on its phase while it runs. What never switches is the standing load, spread over all phases.
"""

from collections.abc import Iterable
from typing import NamedTuple

STANDING = (0.42, 0.33, 0.25)  # share of each phase in the load that never switches
STEP = 120.0  # smaller changes belong to the standing load [W]
LARGE = 2600.0  # an appliance from here on is wired to two phases (hob, water heater) [W]


class Phases(NamedTuple):
    """One value [W] for each phase."""

    l1: float
    l2: float
    l3: float


class _Appliance(NamedTuple):
    watts: float
    phases: tuple[int, ...]


def _circuit(watts: float, count: int) -> tuple[int, ...]:
    """Phases of an appliance: kitchen and laundry on L3 and L2, the rest in turn."""
    if watts >= LARGE:
        return (1, 2)
    if watts >= 1500:  # noqa: PLR2004 - oven, kettle, washing machine's heater
        return (2,) if count % 3 else (1,)
    return (count % 3,)


def split_over_phases(minutes: Iterable[float]) -> list[Phases]:
    """Split each minute's power [W]; the three parts add up to it and none is negative."""
    running: list[_Appliance] = []
    before = 0.0
    started = 0
    split: list[Phases] = []
    for total in minutes:
        step = total - before
        if step >= STEP and split:
            running.append(_Appliance(step, _circuit(step, started)))
            started += 1
        elif step <= -STEP and running:
            stopped = min(running, key=lambda appliance: abs(appliance.watts + step))
            running.remove(stopped)
        while running and sum(appliance.watts for appliance in running) > total:
            running.remove(min(running, key=lambda appliance: appliance.watts))
        split.append(_sum_up(total, running))
        before = total
    return split


def _sum_up(total: float, running: list[_Appliance]) -> Phases:
    switched = [0.0, 0.0, 0.0]
    for appliance in running:
        for phase in appliance.phases:
            switched[phase] += appliance.watts / len(appliance.phases)
    standing = total - sum(switched)
    return Phases(*(part + standing * share for part, share in zip(switched, STANDING, strict=True)))
