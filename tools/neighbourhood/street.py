"""The demo's street: twelve homes far away, one with a large roof, one always late, one that drops out now and then."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
import json
from pathlib import Path
from typing import Any, Final

from custom_components.energy_neighbours.core.invitation import decode

from .calendar import Stage
from .homes import home_names, homes, sunshine
from .member import Habits, RemoteMember

HALF_HOUR: Final = 1800
AWAY: Final = (660, 1620)
"""Between these moments of each half-hour somebody is away: across the end of a quarter-hour [s]."""
SETTLED: Final = 180
"""So long after the beginning nobody drops out: the past is told first [s]."""
LATE: Final = 40 * 60
"""So long after a quarter-hour the late one sends it [s]."""
KWP: Final = 30.0
"""Power of the shared roof [kWp]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One home far away.

    Parameters
    ----------
    number
        Its house number.
    home
        The recorded home that it is.
    kwp
        Power of its roof [kWp].
    late, away
        Whether it is always late, and whether it drops out now and then.
    """

    number: int
    home: str
    kwp: float = 0.0
    late: bool = False
    away: bool = False


NEIGHBOURS: Final = (
    Neighbour(number=1, home="ce8a", kwp=KWP),
    Neighbour(number=5, home="3aa4"),
    Neighbour(number=7, home="b841"),
    Neighbour(number=8, home="1a1d"),
    Neighbour(number=9, home="a7d5", late=True),
    Neighbour(number=10, home="9afa"),
    Neighbour(number=11, home="4d23", away=True),
    Neighbour(number=12, home="81fb"),
    Neighbour(number=14, home="d209"),
    Neighbour(number=15, home="c1a7"),
    Neighbour(number=16, home="0668"),
    Neighbour(number=18, home="214e"),
)
"""Numbers 2, 4 and 6 of the street are the sites of the demo's own Home Assistant."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What a run of the street needs to know, as a file keeps it.

    Parameters
    ----------
    invitations
        Of `NEIGHBOURS`, in their order.
    since
        The first quarter-hour that they send [s, Unix].
    port
        Where the broker is now.
    begun, at
        When the demo was started, and the moment of the record that this stands for [s, Unix]; `at` None: the same.
    """

    invitations: Sequence[str]
    since: int
    port: int
    begun: int
    at: int | None

    def write(self, file: Path) -> None:
        """Keep it where nobody else can read it: invitations are secrets."""
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Cast:
        """Take it from a file."""
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return cls(**kept)


async def live(cast: Cast) -> None:
    """Let all homes take part until cancelled."""
    stage = Stage(begun=cast.begun, at=cast.at)
    homes()  # before the first of them has to hurry
    async with asyncio.TaskGroup() as tasks:
        for neighbour, text in zip(NEIGHBOURS, cast.invitations, strict=True):
            invitation = replace(decode(text), port=cast.port)
            tasks.create_task(RemoteMember(invitation, cast.since, habits(neighbour, stage)).run())
        print(f"ready {len(cast.invitations)} homes", flush=True)
