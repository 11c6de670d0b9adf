"""What shared energy costs, and what it saves against the supplier's price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self
from zoneinfo import ZoneInfo

from .band_grid import BandGrid, DayType
from .contract import FLAT, ComponentKind, Contract, ContractTerms, PriceComponent, SensorReplaces
from .costs import costs
from .quarter_hour import QuarterHour
from .tariff import Holidays, band_at


@dataclass(frozen=True, slots=True)
class SharedTariff:
    """What a community asks for a kWh, in place of the supplier's energy.

    Parameters
    ----------
    prices
        By band, VAT included [€/kWh]; under `contract.FLAT` the one of all bands that are not named.
    grid
        The bands; None where all hours have one price.

    Raises
    ------
    ValueError
        When a price is for a band that the grid does not have.
    """

    prices: Mapping[str, Decimal] = field(hash=False)
    grid: BandGrid | None = None

    def __post_init__(self) -> None:
        if strange := set(self.prices) - {FLAT, *(self.grid.bands if self.grid else ())}:
            raise ValueError(f"there is no band {min(strange)}")

    @classmethod
    def flat(cls, price: Decimal) -> Self:
        """Return the tariff of one price for all hours [€/kWh]."""
        return cls({FLAT: price})

    def price_at(self, time: float, zone: ZoneInfo, holidays: Holidays | None) -> Decimal | None:
        """Return the price at a time [s, Unix] in €/kWh; None if it is not known.

        `holidays` may be None: then it is not known which days are any.
        """
        if self.grid is None:
            return self.prices.get(FLAT)
        if holidays is None and DayType.HOLIDAY in self.grid.days:
            return None
        band = band_at(self.grid, time, zone, holidays or frozenset())
        return self.prices.get(band, self.prices.get(FLAT))


def shared_contract(contract: Contract, shared: SharedTariff) -> Contract | None:
    """Return a contract as it is for shared energy: the community's price in place of the supplier's energy.

    The network and the levies stay what they are. None if they are not known apart, as where a sensor tells the whole
    price, or where levies go by the supplier's bands and the community has bands of its own.

    Parameters
    ----------
    contract
        The site's.
    shared
        What the community asks.
    """
    versions: list[ContractTerms] = []
    for terms in contract.versions:
        if terms.price_sensor and terms.price_sensor.replaces is SensorReplaces.TOTAL:
            return None
        others = tuple(part for part in terms.components if part.kind is not ComponentKind.COMMODITY)
        if shared.grid and any(part.kind is not ComponentKind.NETWORK and set(part.prices) - {FLAT} for part in others):
            return None
        asked = PriceComponent(kind=ComponentKind.COMMODITY, prices=shared.prices, with_vat=True)
        versions.append(
            replace(
                terms,
                commodity_grid=shared.grid or terms.commodity_grid,
                components=(*others, asked),
                price_sensor=None,
            )
        )
    return Contract(tuple(versions))


def saving(
    allocated: Sequence[tuple[int, int]],
    contract: Contract,
    shared: SharedTariff,
    holidays: Holidays,
    sensor_prices: Mapping[int, Decimal] | None = None,
) -> Decimal | None:
    """Return what shared energy cost less than the same energy of the supplier would have [€].

    Parameters
    ----------
    allocated
        Allocated energy by quarter-hour: start [s, Unix] and energy [Wh].
    contract
        The site's.
    shared
        What the community asks.
    holidays, sensor_prices
        As for `costs.costs`; the holidays of the community's bands among them.

    Returns
    -------
    Decimal | None
        Negative if sharing costs more; None if a price is not known.
    """
    shared_terms = shared_contract(contract, shared)
    if shared_terms is None:
        return None
    quarters = [QuarterHour(start, energy, None, None) for start, energy in allocated if energy]
    if not quarters:
        return Decimal(0)
    supplier, neighbours = costs(quarters, contract, holidays, sensor_prices), costs(quarters, shared_terms, holidays)
    if supplier.cost is None or neighbours.cost is None or not (supplier.complete and neighbours.complete):
        return None
    return supplier.cost - neighbours.cost
