"""Who lives in the demo's street, and what a run of it needs to know. It imports nothing large: the demo needs it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import json
from pathlib import Path
from typing import Any, Final

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
