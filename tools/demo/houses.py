"""The three homes of the demo's own Home Assistant: the same recorded household, lived in differently."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tools.simulator.household import KWP, Household


@dataclass(frozen=True, kw_only=True)
class House:
    """A home with a simulated Fluksometer.

    Parameters
    ----------
    number
        Its house number.
    profile
        Which Fluksometer it has.
    kwp
        Power of its roof [kWp].
    days
        How many days later in the record its people live.
    another
        Whether it is not the first of its profile, so that its meter needs an id of its own.
    """

    number: int
    profile: str
    kwp: float
    days: int = 0
    another: bool = False

    @cached_property
    def household(self) -> Household:
        """What its meter measures."""
        return Household(self.number, self.kwp, self.days)

    @property
    def key(self) -> str:
        """Its name in files."""
        return f"meter-{self.number}"

    @property
    def simulator_options(self) -> list[str]:
        """What the simulator is told."""
        options = ["--profile", self.profile, "--seed", str(self.number), "--kwp", str(self.kwp)]
        options += ["--days-later", str(self.days)]
        return [*options, "--name", self.key] if self.another else options


ALONE: Final = House(number=2, profile="household", kwp=KWP)
"""The household as it is recorded, with a roof so large that most of what it gives is left over."""
HOUSES: Final = (
    House(number=2, profile="household", kwp=1.5),
    House(number=4, profile="single-phase", kwp=1.0, days=13),
    House(number=6, profile="household", kwp=0.4, days=3, another=True),
)
"""The first is the one that the dashboard shows; the last has one panel on its balcony."""
