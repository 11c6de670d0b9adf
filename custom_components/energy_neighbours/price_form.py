"""The form in which a household gives its prices, and what it typed, as contract data.

Each part of the price says for itself whether VAT is in it: suppliers print prices with it, grid operators without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from .contract_form import number_text, select
from .contracts import VALID_FROM
from .core.band_grid import BandGrid
from .core.contract import FLAT, UNIT_PRICE, ComponentKind, PriceComponent, Region, SensorReplaces
from .core.grid_text import BandNames
from .tariff_library import PriceSheet

KNOWN_BANDS: Final = ("eco", "medium", "peak", "off_peak", "full", "solar", "night", "morning", "evening")
"""Bands whose fields have a translation of their own; others are called what the household calls them."""
MOST_OWN_BANDS: Final = 8
"""So many fields for other bands have a translation."""
LOOKS_LIKE_CENTS: Final = Decimal(2)
"""A price beyond this [€/kWh] is probably meant in cents."""
NONE: Final = "none"

ENERGY: Final = "energy"
NETWORK: Final = "network"
TAXES: Final = "taxes"
CAPACITY: Final = "capacity"
_KINDS: Final = {ENERGY: ComponentKind.COMMODITY, NETWORK: ComponentKind.NETWORK}
TAX: Final = "tax"
WITH_VAT: Final = "with_vat"
KEYS: Final = ("components", "vat_rate", "price_sensor", "injection_price", "levies", CAPACITY)
"""What of a version this form gives, beside its date."""
_BELGIAN_VAT, _FRENCH_VAT = Decimal("0.06"), Decimal("0.20")


def _number(unit: str) -> NumberSelector:
    return NumberSelector(NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX, unit_of_measurement=unit))


PRICE: Final = _number("€/kWh")
_VAT_RATE: Final = NumberSelector(
    NumberSelectorConfig(min=0, max=100, step="any", mode=NumberSelectorMode.BOX, unit_of_measurement="%")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuestion:
    """What the form asks: for which hours, in which region, and what is known beforehand.

    Parameters
    ----------
    by_sensor
        Whether a sensor tells the supplier's price.
    sheet
        The grid operator's published prices; None if none is known.
    levies
        Published levies of the region, by id.
    """

    region: Region
    network: BandGrid
    commodity: BandGrid
    by_sensor: bool
    sheet: PriceSheet | None
    levies: Mapping[str, PriceSheet]

    def fields(self, part: str) -> dict[str, str]:
        """Return the bands of a part of the price by the names of their fields."""
        return band_fields(self.network if part == NETWORK else self.commodity)

    def placeholders(self, names: BandNames) -> dict[str, str]:
        """Return what the fields of bands with names of one's own are called."""
        called: dict[str, str] = {}
        for part in _KINDS:
            called |= {f"{part}_{field}": name for field, name in field_names(self.fields(part), names).items()}
        return called

    def sheet_components(self) -> tuple[PriceComponent, ...]:
        """Return the grid operator's published prices for these hours."""
        return self.sheet.components(self.network.id) if self.sheet else ()

    @property
    def uncertain(self) -> bool:
        """Whether the source leaves one of these prices open."""
        return any(part.uncertain for part in self.sheet_components())


def band_fields(grid: BandGrid) -> dict[str, str]:
    """Return the bands of a grid by the names of the fields for their prices."""
    if len(grid.bands) == 1:
        return {"flat": FLAT}
    own = [band for band in grid.bands if band not in KNOWN_BANDS]
    return {band if band in KNOWN_BANDS else f"own_{own.index(band) + 1}": band for band in grid.bands}


def field_names(fields: Mapping[str, str], names: BandNames) -> dict[str, str]:
    """Return what the fields of `band_fields` are called; empty for those of bands that there are not."""
    unused = {f"own_{n}": "" for n in range(1, MOST_OWN_BANDS + 1)}
    return unused | {field: names.name(band) for field, band in fields.items()}


def find_sheet(
    sheets: Mapping[str, PriceSheet], region: str, network: str, operator: str, day: date
) -> PriceSheet | None:
    """Return a grid operator's last prices for some hours up to a day, else its first ones; None if none is known."""
    found = [
        sheet
        for sheet in sheets.values()
        if sheet.region == region and (not sheet.prices or (sheet.operator == operator and sheet.components(network)))
    ]
    past = [sheet for sheet in found if sheet.valid_from is None or sheet.valid_from <= day]
    return max(past or found, key=lambda sheet: sheet.valid_from or date.min, default=None)


def levies_of(sheets: Mapping[str, PriceSheet], region: Region) -> dict[str, PriceSheet]:
    """Return the published levies of a region, by id; those of most households first."""
    found = [sheet for sheet in sheets.values() if sheet.region is None and region is not Region.FRANCE]
    return {sheet.id: sheet for sheet in sorted(found, key=lambda sheet: sheet.vat_rate)}


def check_bands(grid: BandGrid) -> None:
    """Refuse hours with more names than the form has fields.

    Raises
    ------
    PriceError
        If there are too many.
    """
    if len(set(grid.bands) - set(KNOWN_BANDS)) > MOST_OWN_BANDS:
        raise PriceError("too_many_bands")


def schema(question: PriceQuestion) -> vol.Schema:
    """Return the form's fields."""
    prices: dict[Any, Any] = {vol.Optional(field): PRICE for field in question.fields(ENERGY)}
    if question.by_sensor:
        sensors = EntitySelector(EntitySelectorConfig(domain=["sensor", "input_number", "number"]))
        prices = {
            vol.Required("price_sensor"): sensors,
            vol.Required("replaces", default=SensorReplaces.COMMODITY.value): select(SensorReplaces, "replaces"),
        }
    energy = {
        **prices,
        vol.Required(WITH_VAT, default=True): BooleanSelector(),
        vol.Optional("injection_price"): PRICE,
    }
    network = {vol.Optional(field): PRICE for field in question.fields(NETWORK)}
    taxes = {
        vol.Required("levies", default=NONE): select([*question.levies, NONE], "levies"),
        vol.Optional(TAX): PRICE,
        vol.Required(WITH_VAT, default=False): BooleanSelector(),
        vol.Required("vat_rate"): _VAT_RATE,
    }
    if not question.levies:
        taxes = {field: value for field, value in taxes.items() if field != "levies"}
    fields: dict[Any, Any] = {
        vol.Required(VALID_FROM): DateSelector(),
        vol.Required(ENERGY): section(vol.Schema(energy)),
        vol.Required(NETWORK): section(
            vol.Schema({**network, vol.Required(WITH_VAT, default=False): BooleanSelector()})
        ),
        vol.Required(TAXES): section(vol.Schema(taxes)),
    }
    if question.region is Region.FLANDERS:
        capacity = {
            vol.Optional("rate"): _number("€/kW"),
            vol.Required(WITH_VAT, default=True): BooleanSelector(),
            vol.Optional("maximum"): PRICE,
        }
        fields[vol.Required(CAPACITY)] = section(vol.Schema(capacity))
    return vol.Schema(fields)


def suggested(question: PriceQuestion, version: Mapping[str, Any], valid_from: date) -> dict[str, Any]:
    """Return the form's values: what a version says; where it says nothing of prices, what is published."""
    given = {part["id"]: PriceComponent.from_dict(part) for part in version.get("components", ()) if "id" in part}
    published = {part.kind: part for part in question.sheet_components()}
    first_time = "components" not in version
    values: dict[str, Any] = {VALID_FROM: valid_from.isoformat(), CAPACITY: _capacity_values(question, version)}
    for part, kind in _KINDS.items():
        component = _fitting(question.fields(part), given.get(part), published.get(kind))
        values[part] = _component_values(component, question.fields(part))
    sensor = version.get("price_sensor")
    if sensor and question.by_sensor:
        keys = {"price_sensor": "entity_id", "replaces": "replaces", WITH_VAT: WITH_VAT}
        values[ENERGY] = {field: sensor[key] for field, key in keys.items()}
    if price := version.get("injection_price"):
        values[ENERGY]["injection_price"] = float(price)
    tax = published.get(ComponentKind.TAX) if first_time else given.get(TAX)
    values[TAXES] = _component_values(tax, {TAX: FLAT})
    usual = next(iter(question.levies), NONE) if first_time and not (question.sheet and question.sheet.all_in) else NONE
    levies = version.get("levies", usual)
    values[TAXES]["levies"] = levies if levies in question.levies else NONE
    values[TAXES]["vat_rate"] = float(Decimal(version.get("vat_rate", _usual_vat(question))) * 100)
    return values


def _fitting(
    fields: Mapping[str, str], given: PriceComponent | None, published: PriceComponent | None
) -> PriceComponent | None:
    """Return the prices to show: typed ones stay; those once taken from a sheet follow the sheet."""
    if given is None or not set(given.prices) <= set(fields.values()):
        return published
    return published if given.source and published else given


def _component_values(component: PriceComponent | None, fields: Mapping[str, str]) -> dict[str, Any]:
    if component is None:
        return {}
    # A published price for all bands alike is the price of each.
    prices = {field: component.prices.get(band, component.prices.get(FLAT)) for field, band in fields.items()}
    known = {field: float(price) for field, price in prices.items() if price is not None}
    return {**known, WITH_VAT: component.with_vat}


def _capacity_values(question: PriceQuestion, version: Mapping[str, Any]) -> dict[str, Any]:
    capacity = version.get(CAPACITY) or {}
    values = {"rate": float(capacity["rate"]), WITH_VAT: bool(capacity.get(WITH_VAT))} if capacity else {}
    maximum = capacity.get("maximum") or (question.sheet and question.sheet.capacity_maximum)
    return {**values, "maximum": float(maximum)} if maximum else values


def _usual_vat(question: PriceQuestion) -> Decimal:
    if question.sheet:
        return question.sheet.vat_rate
    return _FRENCH_VAT if question.region is Region.FRANCE else _BELGIAN_VAT


class PriceError(ValueError):
    """Prices that cannot be taken; `problem` is the form's error."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def read(question: PriceQuestion, user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a version that the form gives.

    Raises
    ------
    PriceError
        If some bands of a part have a price and others have none.
    """
    energy, network, taxes = user_input[ENERGY], user_input[NETWORK], user_input[TAXES]
    published = {part.kind: part for part in question.sheet_components()}
    version: dict[str, Any] = {
        VALID_FROM: user_input[VALID_FROM],
        "vat_rate": number_text(Decimal(str(taxes["vat_rate"])) / 100),
    }
    parts: list[PriceComponent | None] = []
    if question.by_sensor:
        version["price_sensor"] = {
            "entity_id": energy["price_sensor"],
            "replaces": energy["replaces"],
            WITH_VAT: energy[WITH_VAT],
        }
    else:
        parts.append(_component(ENERGY, question.fields(ENERGY), energy, None))
    parts.append(_component(NETWORK, question.fields(NETWORK), network, published.get(ComponentKind.NETWORK)))
    parts.append(_component(TAX, {TAX: FLAT}, taxes, published.get(ComponentKind.TAX)))
    if (levies := taxes.get("levies", NONE)) != NONE:
        version["levies"] = levies
        parts.extend(question.levies[levies].components(question.network.id))
    version["components"] = [part.as_dict() for part in parts if part]
    if "injection_price" in energy:
        version["injection_price"] = number_text(_price(energy["injection_price"]))
    capacity = user_input.get(CAPACITY, {})
    if "rate" in capacity:
        version[CAPACITY] = {key: number_text(capacity[key]) for key in ("rate", "maximum") if key in capacity}
        version[CAPACITY][WITH_VAT] = capacity[WITH_VAT]
        if question.sheet and (floor := question.sheet.capacity_floor):
            version[CAPACITY]["floor"] = str(floor)
    return version


def _component(
    part: str, fields: Mapping[str, str], values: Mapping[str, Any], published: PriceComponent | None
) -> PriceComponent | None:
    """Return the prices of one part; None if none was given, the published ones if nothing was changed."""
    prices = {band: _price(values[field]) for field, band in fields.items() if field in values}
    if not prices:
        return None
    if len(prices) < len(fields):
        raise PriceError("band_without_price")
    kind = ComponentKind.TAX if part == TAX else _KINDS[part]
    if published and dict(published.prices) == prices and published.with_vat == values[WITH_VAT]:
        return replace(published, id=part)
    return PriceComponent(kind=kind, prices=prices, with_vat=values[WITH_VAT], id=part)


def _price(value: float) -> Decimal:
    return Decimal(str(value)).quantize(UNIT_PRICE, ROUND_HALF_UP)


def highest(version: Mapping[str, Any]) -> Decimal:
    """Return the price of a version that is farthest from zero [€/kWh]."""
    components = [PriceComponent.from_dict(part) for part in version["components"]]
    prices = [abs(price) for part in components for price in part.prices.values()]
    return max([*prices, abs(Decimal(version.get("injection_price", 0)))])


def has_price(version: Mapping[str, Any]) -> bool:
    """Tell whether a version gives the supplier's price: without it no price is known."""
    kinds = {part["kind"] for part in version["components"]}
    return "price_sensor" in version or ComponentKind.COMMODITY in kinds
