"""What shared energy costs, and what it saves against the supplier's price."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from .contract import FLAT, ComponentKind, Contract, ContractTerms, PriceComponent, SensorReplaces
from .costs import costs
from .quarter_hour import QuarterHour
from .tariff import Holidays


def shared_contract(contract: Contract, shared_price: Decimal) -> Contract | None:
    """Return a contract as it is for shared energy: the community's price in place of the supplier's energy.

    The network and the levies stay what they are. None if they are not known apart, as where a sensor tells the whole
    price.

    Parameters
    ----------
    contract
        The site's.
    shared_price
        What the community asks for a kWh, VAT included [€/kWh].
    """
    versions: list[ContractTerms] = []
    for terms in contract.versions:
        if terms.price_sensor and terms.price_sensor.replaces is SensorReplaces.TOTAL:
            return None
        others = tuple(part for part in terms.components if part.kind is not ComponentKind.COMMODITY)
        shared = PriceComponent(kind=ComponentKind.COMMODITY, prices={FLAT: shared_price}, with_vat=True)
        versions.append(replace(terms, components=(*others, shared), price_sensor=None))
    return Contract(tuple(versions))


def saving(
    allocated: Sequence[tuple[int, int]],
    contract: Contract,
    shared_price: Decimal,
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
    shared_price
        What the community asks for a kWh, VAT included [€/kWh].
    holidays, sensor_prices
        As for `costs.costs`.

    Returns
    -------
    Decimal | None
        Negative if sharing costs more; None if a price is not known.
    """
    shared = shared_contract(contract, shared_price)
    if shared is None:
        return None
    quarters = [QuarterHour(start, energy, None, None) for start, energy in allocated if energy]
    if not quarters:
        return Decimal(0)
    supplier, neighbours = costs(quarters, contract, holidays, sensor_prices), costs(quarters, shared, holidays)
    if supplier.cost is None or neighbours.cost is None or not (supplier.complete and neighbours.complete):
        return None
    return supplier.cost - neighbours.cost
