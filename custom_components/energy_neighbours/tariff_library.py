"""The tariffs that ship with the integration, as data: band grids, price sheets of grid operators, public holidays.

A price or a rule that its source leaves open says so in `uncertain`, and keeps it in a contract made from it.
Everything here reads files or loads a slow library: for threads, not for the event loop.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
import json
from pathlib import Path
from typing import Any, Final, Self

from .core.contract import PriceComponent, Region
from .core.tariff import BandGrid, Holidays

_FOLDER: Final = Path(__file__).parent / "tariffs"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPrice:
    """One price of a sheet, and the network grid that it is for; "" for any."""

    component: PriceComponent
    grid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSheet:
    """What a grid operator or a state asks for a kWh, as published.

    Parameters
    ----------
    operator
        Who asks for it.
    region
        Where; None for all of Belgium.
    valid_from, valid_to
        First and last day that the sheet is made for; None where there is none.
    retrieved
        Year, or year and month, of what was read.
    source
        What was read.
    vat_rate
        VAT of those whom the sheet is for.
    prices
        The parts of the price.
    all_in
        Whether the sheet holds surcharges and levies already, so that none may be added.
    capacity_floor, capacity_maximum
        For Flanders: least power of a month [kW], and the maximum tariff with VAT [€/kWh]. The rate itself differs from
        area to area and is on the household's bill.
    """

    id: str
    operator: str
    region: Region | None
    valid_from: date | None
    valid_to: date | None
    retrieved: str
    source: str
    vat_rate: Decimal
    prices: tuple[SheetPrice, ...]
    all_in: bool = False
    capacity_floor: Decimal | None = None
    capacity_maximum: Decimal | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a sheet as it is written in JSON; a price without a source of its own has the sheet's."""
        capacity = data.get("capacity", {})
        return cls(
            id=data["id"],
            operator=data["operator"],
            region=Region(data["region"]) if data["region"] else None,
            valid_from=_date(data.get("valid_from")),
            valid_to=_date(data.get("valid_to")),
            retrieved=data["retrieved"],
            source=data["source"],
            vat_rate=Decimal(data["vat_rate"]),
            prices=tuple(
                SheetPrice(
                    component=PriceComponent.from_dict({"source": data["source"]} | price), grid=price.get("grid", "")
                )
                for price in data["components"]
            ),
            all_in=data.get("all_in", False),
            capacity_floor=_decimal(capacity.get("floor")),
            capacity_maximum=_decimal(capacity.get("maximum")),
        )

    def components(self, network_grid: str) -> tuple[PriceComponent, ...]:
        """Return the parts of the price for a household on a network grid; none if the sheet does not know the grid."""
        grids = {price.grid for price in self.prices} - {""}
        if grids and network_grid not in grids:
            return ()
        return tuple(price.component for price in self.prices if price.grid in {"", network_grid})


@cache
def shipped_grids() -> Mapping[str, BandGrid]:
    """Return the grids that ship, by id."""
    for region in Region:
        region.zone  # noqa: B018 - zones are files, too: afterwards the event loop reads none
    return {grid.id: grid for grid in map(BandGrid.from_dict, _read("grids"))}


@cache
def shipped_price_sheets() -> Mapping[str, PriceSheet]:
    """Return the price sheets that ship, by id."""
    return {sheet.id: sheet for sheet in map(PriceSheet.from_dict, _read("prices"))}


def holidays_of(region: Region, years: Iterable[int]) -> Holidays:
    """Return the public holidays of some years.

    For Belgium they are the same in all regions, and Easter Sunday and Whit Sunday are among them.
    """
    country = "FR" if region is Region.FRANCE else "BE"
    return frozenset().union(*(_holidays(country, year) for year in years))


@cache
def _holidays(country: str, year: int) -> Holidays:
    # Half a second to load, and many households have no grid that asks for holidays.
    from holidays import country_holidays  # noqa: PLC0415

    return frozenset(country_holidays(country, years=year))


def _read(folder: str) -> Iterator[Mapping[str, Any]]:
    for path in sorted((_FOLDER / folder).glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None
