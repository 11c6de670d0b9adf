"""What Flanders asks for the highest quarter-hours: not how much was used, but how much at once.

Source: VREG and Fluvius, the capacity tariff in force since 2023.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from .contract import CapacityTariff
from .quarter_hour import QuarterHour, day_of

MONTHS: Final = 12
QUARTERS_PER_YEAR: Final = 365 * 96
KNOWN_SHARE: Final = 0.8
"""Of so much of the time the energy has to be known before it is compared with the maximum tariff."""
WATTS_PER_KW: Final = 1000
WH_PER_KWH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityCost:
    """What the highest quarter-hours cost in a year.

    Parameters
    ----------
    billed
        Mean of the months' highest power, none below the floor [kW].
    months
        Over how many months; 12 when a year is known.
    capacity
        Exact cost of that power for a year, with VAT [€].
    network
        Exact cost of capacity and network energy together, after the maximum tariff [€]; None without the energy.
    capped
        Whether the maximum tariff made it less.
    """

    billed: Decimal
    months: int
    capacity: Decimal
    network: Decimal | None = None
    capped: bool = False


def monthly_peaks(quarters: Iterable[QuarterHour], zone: ZoneInfo) -> dict[date, int]:
    """Return the highest mean power of a quarter-hour in each local month [W], by the month's first day."""
    peaks: dict[date, int] = {}
    for quarter in quarters:
        if (power := quarter.offtake_power) is not None:
            month = day_of(quarter.start, zone).replace(day=1)
            peaks[month] = max(power, peaks.get(month, 0))
    return dict(sorted(peaks.items()))


def billed_power(peaks: Sequence[float], floor: Decimal) -> Decimal | None:
    """Return the power that is billed [kW]: the mean of the last 12 months' highest, none of them below the floor.

    Parameters
    ----------
    peaks
        Highest power of each month [W], in order. With less than 12 months, the mean is over those there are.
    floor
        Least power that a month counts with [kW]; it is applied before the mean.

    Returns
    -------
    Decimal | None
        None where no month is known.
    """
    last = peaks[-MONTHS:]
    if not last:
        return None
    return sum((max(Decimal(peak) / WATTS_PER_KW, floor) for peak in last), Decimal(0)) / len(last)


def capacity_cost(
    tariff: CapacityTariff,
    peaks: Sequence[float],
    vat_rate: Decimal,
    *,
    offtake: int | None = None,
    energy_cost: Decimal | None = None,
    quarter_hours: int = QUARTERS_PER_YEAR,
) -> CapacityCost | None:
    """Return what a year costs with these monthly peaks [W]; None where no month is known.

    Parameters
    ----------
    offtake, energy_cost
        Energy [Wh] and what the network asks for it, with VAT [€]: for the maximum tariff, which caps capacity and
        network energy together.
    quarter_hours
        In how many of them that energy was taken; it is scaled to a year.
    """
    if (billed := billed_power(peaks, tariff.floor)) is None:
        return None
    capacity = billed * tariff.rate * (1 if tariff.with_vat else 1 + vat_rate)
    months = min(len(peaks), MONTHS)
    if offtake is None or energy_cost is None or not quarter_hours:
        return CapacityCost(billed=billed, months=months, capacity=capacity)
    years = Decimal(quarter_hours) / QUARTERS_PER_YEAR
    network = capacity + energy_cost / years
    most = network if tariff.maximum is None else tariff.maximum * offtake / years / WH_PER_KWH
    return CapacityCost(
        billed=billed, months=months, capacity=capacity, network=min(network, most), capped=most < network
    )
