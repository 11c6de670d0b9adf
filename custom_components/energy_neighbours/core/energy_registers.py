"""The site's energy registers: offtake, injection and production, from the counters of its channels."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from .channel import Role, SiteLayout

GAP = 60
"""Longest integration step [s] within which phases are netted as the grid operator's meter does."""


class Booked(NamedTuple):
    """What a step added to the registers of the site [Wh]."""

    offtake: float
    injection: float
    production: float


@dataclass(slots=True)
class ChannelEnergy:
    """What one channel counted since it was set up, both directions [Wh; L for gas and water]."""

    forward: float = 0.0
    backward: float = 0.0


@dataclass(slots=True)
class EnergyRegisters:
    """Running totals of a site [Wh], never falling.

    Offtake and injection are netted over the phases at the meter's own integration step, as Belgian smart meters do:
    in each step the three phases are summed before the sum is booked as offtake or as injection.
    A step over a gap cannot be netted second by second. Its net energy is exact all the same; how much of it went
    through the connection in both directions is estimated with the share that netting left over in this site's
    complete steps.
    """

    offtake: float = 0.0
    injection: float = 0.0
    production: float = 0.0
    channels: dict[str, ChannelEnergy] = field(default_factory=dict)
    # What the complete steps of this site taught: offtake before and after netting.
    counted: float = 0.0
    netted: float = 0.0

    def book(self, layout: SiteLayout, steps: Mapping[str, tuple[float, float]], seconds: float) -> Booked:
        """Book one integration step and return what it added.

        Parameters
        ----------
        layout
            Roles of the channels.
        steps
            Energy counted by each channel in the step [Wh], forward (offtake, production) and backward; neither
            negative. Gas and water are counted the same way [L].
        seconds
            Length of the step [s].
        """
        imported = exported = production = 0.0
        for key, (forward, backward) in steps.items():
            if forward < 0 or backward < 0:
                msg = f"energy of a step must not be negative: {key} {forward}, {backward}"
                raise ValueError(msg)
            channel = self.channels.setdefault(key, ChannelEnergy())
            channel.forward += forward
            channel.backward += backward
            assignment = layout.assignments.get(key)
            if assignment is None:
                continue
            if assignment.role is Role.GRID:
                imported += forward
                exported += backward
            elif assignment.role is Role.PRODUCTION:
                production += forward
        net = imported - exported
        if seconds <= GAP:
            offtake = max(net, 0.0)
            self.counted += imported
            self.netted += offtake
        else:
            share = self.netted / self.counted if self.counted else 1.0
            offtake = max(share * imported, net, 0.0)
        self.offtake += offtake
        self.injection += offtake - net
        self.production += production
        return Booked(offtake, offtake - net, production)

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `as_dict` gave."""
        channels = {key: ChannelEnergy(**value) for key, value in data["channels"].items()}
        return cls(**{**data, "channels": channels})
