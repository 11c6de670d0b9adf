"""What energy cost: kWh and € by band, and what injection brought.

Money is exact until it is shown. Whole watt-hours times prices of whole millionths of a euro a kWh are whole billionths
of a euro; the line of a band is rounded half-up to the cent once, and a total is the sum of the lines as shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Protocol

from .contract import Contract, price_periods, stretches
from .quarter_hour import QuarterHour, Span
from .tariff import Holidays

CENT: Final = Decimal("0.01")
WH_PER_KWH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCost:
    """What was taken from the grid in one band.

    Parameters
    ----------
    offtake
        Energy that is known [Wh].
    unpriced
        Part of it without a price [Wh].
    cost
        Exact cost of the rest, with VAT [€]; None if nothing of it has a price.
    """

    offtake: int
    unpriced: int
    cost: Decimal | None

    @property
    def kwh(self) -> Decimal:
        """The energy [kWh]."""
        return Decimal(self.offtake) / WH_PER_KWH

    @property
    def line(self) -> Decimal | None:
        """The cost as it is shown, rounded half-up to the cent [€]."""
        return None if self.cost is None else cents(self.cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a number of quarter-hours cost.

    Parameters
    ----------
    bands
        By shown band, those only that a quarter-hour fell into.
    quarter_hours
        How many there were.
    without_offtake
        How many of them have an offtake that nobody measured.
    without_price
        How many of them have a known offtake but no price.
    injection
        Energy put into the grid that is known [Wh].
    without_injection
        How many have an injection that nobody measured.
    unpaid
        Part of the injection without a price [Wh].
    revenue
        Exact revenue of the rest [€]; None if nothing of it has a price.
    """

    bands: Mapping[str, BandCost]
    quarter_hours: int
    without_offtake: int
    without_price: int
    injection: int
    without_injection: int
    unpaid: int
    revenue: Decimal | None

    @property
    def offtake(self) -> int:
        """Energy taken from the grid that is known [Wh]."""
        return sum(band.offtake for band in self.bands.values())

    @property
    def cost(self) -> Decimal | None:
        """Exact cost of what could be priced [€]; None if nothing could."""
        known = [band.cost for band in self.bands.values() if band.cost is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def total(self) -> Decimal | None:
        """Sum of the bands' lines as shown [€]; None if nothing could be priced."""
        lines = [line for band in self.bands.values() if (line := band.line) is not None]
        return sum(lines, Decimal(0)) if lines else None

    @property
    def complete(self) -> bool:
        """Whether every quarter-hour's offtake is known and priced."""
        return not (self.without_offtake or self.without_price)


def costs(
    quarters: Sequence[QuarterHour],
    contract: Contract,
    holidays: Holidays,
    sensor_prices: Mapping[int, Decimal] | None = None,
) -> Costs:
    """Add up what quarter-hours cost under a contract.

    Parameters
    ----------
    quarters
        In the order of their starts. What lies before the contract has no price, and the band "".
    sensor_prices
        What the price sensor told, by the start of the quarter-hour [€/kWh].
    """
    if not quarters:
        return _Sums().result()
    quarters = sorted(quarters, key=lambda quarter: quarter.start)
    span = Span(quarters[0].start, quarters[-1].end)
    periods = _Follower(price_periods(contract, span, holidays, sensor_prices))
    versions = _Follower(list(stretches(contract, span)))
    sums = _Sums()
    for quarter in quarters:
        period, version = periods.at(quarter.start), versions.at(quarter.start)
        sums.take(period.band if period else "", quarter.offtake, period.price if period else None)
        sums.give(quarter.injection, version.terms.injection_price if version else None)
    return sums.result()


def cents(amount: Decimal) -> Decimal:
    """Round an amount half-up to the cent [€]."""
    return amount.quantize(CENT, ROUND_HALF_UP)


class _Period(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class _Follower[P: _Period]:
    """Finds the period of one time after the other, in their order."""

    def __init__(self, periods: Sequence[P]) -> None:
        self._periods = periods
        self._place = 0

    def at(self, time: int) -> P | None:
        """Return the period that holds a time, not earlier than the one before; None if none does."""
        while self._place < len(self._periods) and self._periods[self._place].end <= time:
            self._place += 1
        if self._place == len(self._periods) or self._periods[self._place].start > time:
            return None
        return self._periods[self._place]


@dataclass(slots=True)
class _Band:
    offtake: int = 0
    unpriced: int = 0
    billionths: int | None = None


class _Sums:
    """Adds up in whole Wh and whole billionths of a euro."""

    def __init__(self) -> None:
        self._bands: dict[str, _Band] = {}
        self._quarters = self._without_offtake = self._without_price = 0
        self._injected = _Band()
        self._without_injection = 0

    def take(self, name: str, offtake: int | None, price: Decimal | None) -> None:
        self._quarters += 1
        if offtake is None:
            self._without_offtake += 1
            return
        band = self._bands.setdefault(name, _Band())
        self._without_price += price is None
        _add(band, offtake, price)

    def give(self, injection: int | None, price: Decimal | None) -> None:
        if injection is None:
            self._without_injection += 1
        else:
            _add(self._injected, injection, price)

    def result(self) -> Costs:
        return Costs(
            bands={
                name: BandCost(offtake=band.offtake, unpriced=band.unpriced, cost=_euros(band.billionths))
                for name, band in self._bands.items()
            },
            quarter_hours=self._quarters,
            without_offtake=self._without_offtake,
            without_price=self._without_price,
            injection=self._injected.offtake,
            without_injection=self._without_injection,
            unpaid=self._injected.unpriced,
            revenue=_euros(self._injected.billionths),
        )


def _add(band: _Band, energy: int, price: Decimal | None) -> None:
    band.offtake += energy
    if price is None:
        band.unpriced += energy
    else:
        band.billionths = (band.billionths or 0) + energy * int(price.scaleb(6))


def _euros(billionths: int | None) -> Decimal | None:
    return None if billionths is None else Decimal(billionths).scaleb(-9)
