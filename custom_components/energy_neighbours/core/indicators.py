"""What sharing brought, in rates of energies: by quarter-hour, day or month, for a member or for the community.

A rate whose denominator is nothing is unknown, which is not zero. Rates are exact; they are rounded once, to be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Self


@dataclass(frozen=True, slots=True)
class SharingSums:
    """Sums over some quarter-hours.

    Parameters
    ----------
    offtake
        Taken from the grid [Wh].
    offered
        What was there to be allocated [Wh]: for a member what the key assigned to it before its need capped it, for the
        community what was injected.
    allocated
        Allocated energy [Wh].
    """

    offtake: int
    offered: int
    allocated: int

    def __add__(self, other: Self) -> SharingSums:
        return SharingSums(self.offtake + other.offtake, self.offered + other.offered, self.allocated + other.allocated)

    @property
    def residual(self) -> int:
        """What was bought from suppliers [Wh]."""
        return self.offtake - self.allocated

    @property
    def coverage_rate(self) -> Fraction | None:
        """Part of the offtake that was allocated (FR taux de couverture)."""
        return rate(self.allocated, self.offtake)

    @property
    def self_consumption_rate(self) -> Fraction | None:
        """Part of what was offered that was allocated (FR taux d'autoconsommation)."""
        return rate(self.allocated, self.offered)

    @property
    def surplus_rate(self) -> Fraction | None:
        """Part of what was offered that was not allocated."""
        return rate(self.offered - self.allocated, self.offered)


def rate(part: int, whole: int) -> Fraction | None:
    """Return a part of a whole; None, which is unknown, of nothing."""
    return Fraction(part, whole) if whole else None


def band_shares(energies: Mapping[str, int]) -> dict[str, Fraction | None]:
    """Return the part of each tariff band in the sum of energies [Wh]."""
    whole = sum(energies.values())
    return {band: rate(energy, whole) for band, energy in energies.items()}


def load_factor(production: int, peak_power: int, hours: int) -> Fraction | None:
    """Return production [Wh] by what a roof of a peak power [W] would give at full power for some hours."""
    return rate(production, peak_power * hours)


def percent(value: Fraction | None, decimals: int = 1) -> Decimal | None:
    """Return a rate in percent, rounded half to even, once, from its exact value."""
    if value is None:
        return None
    # Rounded by division, not from a decimal that was rounded before: 40.646 % are 40.6 %, not 40.65 % and so 40.7 %.
    scaled = value * 100 * 10**decimals
    return Decimal(round(scaled)).scaleb(-decimals)
