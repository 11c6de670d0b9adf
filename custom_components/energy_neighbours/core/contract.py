"""What a household agreed with its supplier and its network: bands, prices, power; in versions, each with its date.

A change is a new version; what lies before its date keeps the old one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from .quarter_hour import QUARTER, Span, day_of, midnight, quarter_start
from .tariff import BandGrid, BandPeriod, Holidays, band_periods

UNIT_PRICE: Final = Decimal("0.000001")
"""Unit prices are kept to the millionth of a euro a kWh."""
FLAT: Final = ""
"""Stands for all bands in a component's prices."""


class Region(StrEnum):
    """Where the delivery point lies; it decides the rules and the clock."""

    WALLONIA = "wallonia"
    BRUSSELS = "brussels"
    FLANDERS = "flanders"
    FRANCE = "france"

    @property
    def zone(self) -> ZoneInfo:
        """The clock that its tariffs follow."""
        return ZoneInfo("Europe/Paris" if self is Region.FRANCE else "Europe/Brussels")


class ComponentKind(StrEnum):
    """What a part of the price is for; network and commodity go by the bands of their own grid."""

    NETWORK = "network"
    COMMODITY = "commodity"
    TAX = "tax"
    OTHER = "other"


class SensorReplaces(StrEnum):
    """What a price sensor tells: the commodity alone, to which the other components are added, or the whole price."""

    COMMODITY = "commodity"
    TOTAL = "total"


class PowerUnit(StrEnum):
    """Unit of subscribed power."""

    KVA = "kVA"
    KW = "kW"


class MeterRegime(StrEnum):
    """How often the meter is read for the bill: Belgium's SMR3 by the quarter-hour, SMR1 by the month."""

    QUARTER_HOUR = "quarter_hour"
    MONTH = "month"
    YEAR = "year"


class ContractError(ValueError):
    """A contract that contradicts itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceComponent:
    """One part of the price of a kWh.

    Parameters
    ----------
    kind
        What it is for.
    prices
        Price by band [€/kWh], 6 decimals, 0 and negative ones included; the key `FLAT` ("") stands for all bands that
        are not named. A network component goes by the bands of the network grid, any other by the commodity grid's.
    with_vat
        Whether the prices include VAT.
    valid_from, valid_to
        First and last day on which it is due (an excise that changes); None where there is none.
    id
        Translation key of a shipped component, or a name.
    source
        Who says so.
    uncertain
        Why the price is not certain, in a sentence; empty if it is.
    """

    kind: ComponentKind
    prices: Mapping[str, Decimal] = field(hash=False)
    with_vat: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    id: str = ""
    source: str = ""
    uncertain: str = ""

    def __post_init__(self) -> None:
        for band, price in self.prices.items():
            if not price.is_finite():
                raise ContractError(f"the price of {band or 'a kWh'} is {price}")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a component as it is written in JSON: prices as text, one price or one for each band.

        Raises
        ------
        ContractError
            If it cannot be read.
        """
        try:
            prices = data["prices"]
            prices = prices if isinstance(prices, Mapping) else {FLAT: prices}
            return cls(
                kind=ComponentKind(data["kind"]),
                prices={str(band): Decimal(str(price)) for band, price in prices.items()},
                with_vat=bool(data.get("with_vat", False)),
                valid_from=date.fromisoformat(text) if (text := data.get("valid_from")) else None,
                valid_to=date.fromisoformat(text) if (text := data.get("valid_to")) else None,
                id=str(data.get("id", "")),
                source=str(data.get("source", "")),
                uncertain=str(data.get("uncertain", "")),
            )
        except ContractError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise ContractError(f"a price that cannot be read: {error!r}") from error

    def as_dict(self) -> dict[str, Any]:
        """Write the component so that `from_dict` reads it; nothing that has its default is written."""
        prices: Any = {band: str(price) for band, price in self.prices.items()}
        if set(prices) == {FLAT}:
            prices = prices[FLAT]
        optional = {
            "with_vat": self.with_vat,
            "valid_from": self.valid_from and self.valid_from.isoformat(),
            "valid_to": self.valid_to and self.valid_to.isoformat(),
            "id": self.id,
            "source": self.source,
            "uncertain": self.uncertain,
        }
        return {"kind": self.kind.value, "prices": prices} | {key: value for key, value in optional.items() if value}

    def due_on(self, day: date) -> bool:
        """Tell whether it is part of the price on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

    def price(self, network_band: str, commodity_band: str) -> Decimal | None:
        """Return its price while these bands are in force [€/kWh]; None if it has none for them."""
        band = network_band if self.kind is ComponentKind.NETWORK else commodity_band
        return self.prices.get(band, self.prices.get(FLAT))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSensor:
    """A sensor of Home Assistant that tells the price of each quarter-hour (dynamic contracts)."""

    entity_id: str
    replaces: SensorReplaces
    with_vat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribedPower:
    """Power that the connection or the contract allows."""

    value: Decimal
    unit: PowerUnit

    @property
    def watts(self) -> float:
        """The same in watts, taking cos φ as 1."""
        return float(self.value * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityTariff:
    """What Flanders asks for the highest quarter-hours.

    Parameters
    ----------
    rate
        Price of a billed kW for a year [€/kW].
    with_vat
        Whether the rate includes VAT.
    floor
        Least power that a month counts with [kW].
    maximum
        Most that capacity and network energy together may cost [€/kWh], VAT included; None if not capped.
    """

    rate: Decimal
    with_vat: bool = False
    floor: Decimal = Decimal("2.5")
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """One version of a contract, in force from the local midnight of a day.

    Parameters
    ----------
    network_grid, commodity_grid
        Bands of the network's and of the supplier's prices; independent of each other.
    components
        Parts of the price. Without a price for the commodity (or a sensor that tells it) the price is unknown.
    vat_rate
        Share, as 0.06. Prices come out with VAT.
    injection_price
        What the supplier pays for a kWh put into the grid [€/kWh], as agreed; None if not known.
    """

    valid_from: date
    region: Region
    network_grid: BandGrid
    commodity_grid: BandGrid
    components: tuple[PriceComponent, ...] = ()
    vat_rate: Decimal = Decimal(0)
    price_sensor: PriceSensor | None = None
    injection_price: Decimal | None = None
    subscribed_power: SubscribedPower | None = None
    meter_regime: MeterRegime | None = None
    capacity: CapacityTariff | None = None

    @property
    def band_grid(self) -> BandGrid:
        """The grid whose bands are shown: the network's, or the supplier's where the network makes no difference."""
        return self.network_grid if len(self.network_grid.bands) > 1 else self.commodity_grid

    def price(
        self, day: date, network_band: str, commodity_band: str, sensor_price: Decimal | None = None
    ) -> Decimal | None:
        """Return what a kWh costs with VAT [€/kWh], to 6 decimals; None if a part of it is not known."""
        sensor, parts = self.price_sensor, []
        if sensor and sensor_price is None:
            return None
        if sensor and sensor_price is not None:
            parts.append((sensor_price, sensor.with_vat))
        if not (sensor and sensor.replaces is SensorReplaces.TOTAL):
            due = [part for part in self.components if part.due_on(day)]
            if sensor:
                due = [part for part in due if part.kind is not ComponentKind.COMMODITY]
            elif not any(part.kind is ComponentKind.COMMODITY for part in due):
                return None
            for part in due:
                if (price := part.price(network_band, commodity_band)) is None:
                    return None
                parts.append((price, part.with_vat))
        total = sum((price if with_vat else price * (1 + self.vat_rate) for price, with_vat in parts), Decimal(0))
        return total.quantize(UNIT_PRICE, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Contract:
    """A site's contract: its versions, in the order of their dates.

    Raises
    ------
    ContractError
        If there is none, two begin on the same day, or they follow different clocks.
    """

    versions: tuple[ContractTerms, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", tuple(sorted(self.versions, key=lambda terms: terms.valid_from)))
        if not self.versions:
            raise ContractError("a contract has at least one version")
        for before, after in pairwise(self.versions):
            if before.valid_from == after.valid_from:
                raise ContractError(f"two versions begin on {after.valid_from}")
            if before.region.zone != after.region.zone:
                raise ContractError(f"a site cannot move from {before.region} to {after.region}")

    @property
    def zone(self) -> ZoneInfo:
        """The clock that its bands follow."""
        return self.versions[0].region.zone

    def terms_on(self, day: date) -> ContractTerms | None:
        """Return the version in force on a day; None before the first."""
        return next((terms for terms in reversed(self.versions) if terms.valid_from <= day), None)

    def terms_at(self, time: float) -> ContractTerms | None:
        """Return the version in force at a time [s, Unix]; None before the first."""
        return self.terms_on(day_of(time, self.zone))


class PricePeriod(NamedTuple):
    """Time from `start` up to, but not including, `end` [s, Unix] with the same bands and the same price.

    `band` is the one to show; `price` is with VAT [€/kWh], None if it is not known.
    """

    start: int
    end: int
    band: str
    network_band: str
    commodity_band: str
    price: Decimal | None


def price_periods(
    contract: Contract, span: Span, holidays: Holidays, sensor_prices: Mapping[int, Decimal] | None = None
) -> list[PricePeriod]:
    """Cut a span where a band or the price changes; what lies before the contract is left out.

    Parameters
    ----------
    sensor_prices
        What the price sensor told, by the start of the quarter-hour [€/kWh].
    """
    periods: list[PricePeriod] = []
    for stretch in stretches(contract, span):
        for period in _stretch_periods(stretch, contract.zone, holidays, sensor_prices or {}):
            if periods and periods[-1].end == period.start and periods[-1][2:] == period[2:]:
                period = period._replace(start=periods.pop().start)  # noqa: PLW2901 - it grew
            periods.append(period)
    return periods


class Stretch(NamedTuple):
    """Time from `start` up to, but not including, `end` [s, Unix] in which neither terms nor components change."""

    start: int
    end: int
    terms: ContractTerms
    day: date
    """Its first day; the same components are due on all the others."""


def stretches(contract: Contract, span: Span) -> Iterator[Stretch]:
    """Cut a span where another version begins, or a component begins or ceases to be due."""
    days = {terms.valid_from for terms in contract.versions}
    for part in (part for terms in contract.versions for part in terms.components):
        days |= {part.valid_from} if part.valid_from else set()
        days |= {part.valid_to + timedelta(days=1)} if part.valid_to else set()
    cuts = {midnight(day, contract.zone) for day in days}
    for start, end in pairwise(sorted({span.start, span.end} | {cut for cut in cuts if span.start < cut < span.end})):
        if terms := contract.terms_at(start):
            yield Stretch(start, end, terms, day_of(start, contract.zone))


def _stretch_periods(
    stretch: Stretch, zone: ZoneInfo, holidays: Holidays, sensor_prices: Mapping[int, Decimal]
) -> Iterator[PricePeriod]:
    terms = stretch.terms
    span = Span(stretch.start, stretch.end)
    shows_network = terms.band_grid is terms.network_grid
    known: dict[tuple[str, str], Decimal | None] = {}
    network = band_periods(terms.network_grid, span, zone, holidays)
    commodity = band_periods(terms.commodity_grid, span, zone, holidays)
    for start, end, network_band, commodity_band in _overlaps(network, commodity):
        band = network_band if shows_network else commodity_band
        bands = network_band, commodity_band
        if not terms.price_sensor:
            if bands not in known:
                known[bands] = terms.price(stretch.day, *bands)
            yield PricePeriod(start, end, band, *bands, known[bands])
            continue
        for quarter in range(quarter_start(start), end, QUARTER):
            price = terms.price(stretch.day, *bands, sensor_prices.get(quarter))
            yield PricePeriod(max(start, quarter), min(end, quarter + QUARTER), band, *bands, price)


def _overlaps(network: list[BandPeriod], commodity: list[BandPeriod]) -> Iterator[tuple[int, int, str, str]]:
    """Cut the same span by both grids."""
    ours, theirs = 0, 0
    while ours < len(network) and theirs < len(commodity):
        one, other = network[ours], commodity[theirs]
        end = min(one.end, other.end)
        yield max(one.start, other.start), end, one.band, other.band
        ours += one.end == end
        theirs += other.end == end
