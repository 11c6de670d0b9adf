"""The demo's street: twelve homes far away, one with a large roof, one always late, one that drops out now and then."""

import asyncio
from dataclasses import replace
from typing import Final

from custom_components.energy_neighbours.core.invitation import decode

from .calendar import Stage
from .cast import NEIGHBOURS, Cast, Neighbour
from .homes import home_names, homes, sunshine
from .member import Habits, RemoteMember

HALF_HOUR: Final = 1800
AWAY: Final = (660, 1620)
"""Between these moments of each half-hour somebody is away: across the end of a quarter-hour [s]."""
SETTLED: Final = 180
"""So long after the beginning nobody drops out: the past is told first [s]."""
LATE: Final = 40 * 60
"""So long after a quarter-hour the late one sends it [s]."""


def is_away(now: float) -> bool:
    """Whether who drops out is away at a time [s, Unix]."""
    return AWAY[0] <= now % HALF_HOUR < AWAY[1]


def energies(neighbour: Neighbour, place: int) -> tuple[int, int]:
    """Return what a home took and gave in a quarter-hour of the measured year [Wh]."""
    used = int(homes()[place, home_names().index(neighbour.home)])
    made = round(float(sunshine()[place]) * neighbour.kwp)
    return max(used - made, 0), max(made - used, 0)


def habits(neighbour: Neighbour, stage: Stage) -> Habits:
    """Return how a home takes part.

    Parameters
    ----------
    neighbour
        The home.
    stage
        Which quarter-hour of the measured year stands for one of now.
    """

    def away(now: float) -> bool:
        return neighbour.away and now > stage.begun + SETTLED and is_away(now)

    return Habits(
        energies=lambda start: energies(neighbour, stage.place_of(start)),
        late=LATE if neighbour.late else 0,
        away=away,
    )


async def live(cast: Cast) -> None:
    """Let all homes take part until cancelled."""
    stage = Stage(begun=cast.begun, at=cast.at)
    homes()  # before the first of them has to hurry
    async with asyncio.TaskGroup() as tasks:
        for neighbour, text in zip(NEIGHBOURS, cast.invitations, strict=True):
            invitation = replace(decode(text), port=cast.port)
            tasks.create_task(RemoteMember(invitation, cast.since, habits(neighbour, stage)).run())
        print(f"ready {len(cast.invitations)} homes", flush=True)
