"""What energy cost: kWh and € by band, and what injection brought.

Money is exact until it is shown. Whole watt-hours times prices of whole millionths of a euro a kWh are whole billionths
of a euro; the line of a band is rounded half-up to the cent once, and a total is the sum of the lines as shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from operator import attrgetter
from typing import Final, NamedTuple, Self

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

    @classmethod
    def none(cls) -> Self:
        """Return what no quarter-hour at all costs."""
        return cls(
            bands={},
            quarter_hours=0,
            without_offtake=0,
            without_price=0,
            injection=0,
            without_injection=0,
            unpaid=0,
            revenue=None,
        )

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
        return Costs.none()
    quarters = sorted(quarters, key=_start)
    span = Span(quarters[0].start, quarters[-1].end)
    taken: dict[str, _Sum] = {}
    put = _Sum()
    rest = iter(_rates(contract, span, holidays, sensor_prices))
    # Before the contract, and until the first of its periods.
    band, price, injection_price, end = "", None, None, span.start
    without_offtake = without_injection = 0
    for quarter in quarters:
        while end <= quarter.start:
            band, price, injection_price, end = next(rest)
        if quarter.offtake is None:
            without_offtake += 1
        else:
            if band not in taken:
                taken[band] = _Sum()
            taken[band].add(quarter.offtake, price)
        if quarter.injection is None:
            without_injection += 1
        else:
            put.add(quarter.injection, injection_price)
    return Costs(
        bands={
            name: BandCost(offtake=band_sum.energy, unpriced=band_sum.unpriced, cost=band_sum.amount)
            for name, band_sum in taken.items()
        },
        quarter_hours=len(quarters),
        without_offtake=without_offtake,
        without_price=sum(band_sum.rows_without_price for band_sum in taken.values()),
        injection=put.energy,
        without_injection=without_injection,
        unpaid=put.unpriced,
        revenue=put.amount,
    )


def cents(amount: Decimal) -> Decimal:
    """Round an amount half-up to the cent [€]."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def millionths(price: Decimal) -> int:
    """Return a unit price [€/kWh] in whole millionths, which is how it is kept."""
    return int(price.scaleb(6).quantize(1, ROUND_HALF_UP))


def euros(billionths: int) -> Decimal:
    """Return whole billionths of a euro, which is Wh times millionths of a euro a kWh, as euros."""
    return Decimal(billionths).scaleb(-9)


class _Rate(NamedTuple):
    """Band and prices [millionths of a euro a kWh] up to a time."""

    band: str
    price: int | None
    injection_price: int | None
    end: int


def _rates(
    contract: Contract, span: Span, holidays: Holidays, sensor_prices: Mapping[int, Decimal] | None
) -> Iterator[_Rate]:
    """Cut a span where a band or a price changes, without a hole: what lies before the contract has no price."""
    for start, end, terms, _ in stretches(contract, span):
        yield _Rate("", None, None, start)
        injection_price = None if terms.injection_price is None else millionths(terms.injection_price)
        for period in price_periods(contract, Span(start, end), holidays, sensor_prices):
            price = None if period.price is None else millionths(period.price)
            yield _Rate(period.band, price, injection_price, period.end)
    yield _Rate("", None, None, span.end)


@dataclass(slots=True)
class _Sum:
    """Adds up energy, and what it costs."""

    energy: int = 0
    unpriced: int = 0
    billionths: int = 0
    rows_with_price: int = 0
    rows_without_price: int = 0

    def add(self, energy: int, price: int | None) -> None:
        """Add a quarter-hour's energy [Wh] at a price [millionths of a euro a kWh]."""
        self.energy += energy
        if price is None:
            self.unpriced += energy
            self.rows_without_price += 1
        else:
            self.billionths += energy * price
            self.rows_with_price += 1

    @property
    def amount(self) -> Decimal | None:
        """The cost of what has a price [€]; None if nothing has."""
        return euros(self.billionths) if self.rows_with_price else None


_start = attrgetter("start")
