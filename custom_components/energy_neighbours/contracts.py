"""What a site's contract looks like in its subentry, and the contract that is read from it.

The data is `{"versions": [version, …], "grids": {id: grid, …}}`: every version whole, with the day it begins; grids are
the hours that the household typed itself. Money is text in €/kWh. Keys that are not known are left alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import callback

from .core.band_grid import BandGrid, GridError
from .core.contract import (
    CapacityTariff,
    Contract,
    ContractError,
    ContractTerms,
    MeterRegime,
    PowerUnit,
    PriceComponent,
    PriceSensor,
    Region,
    SensorReplaces,
    SubscribedPower,
)

SUBENTRY_CONTRACT: Final = "contract"
VERSIONS: Final = "versions"
GRIDS: Final = "grids"
VALID_FROM: Final = "valid_from"

THE_PAST: Final = date(1970, 1, 1)
"""The first version also holds for all that lies before its date: nothing else is known of it."""
_KEPT_FOR_NOBODY: Final = "**REDACTED**"


@callback
def contract_subentry(entry: ConfigEntry[Any]) -> ConfigSubentry | None:
    """Return the subentry that holds a site's contract; there is at most one."""
    return next(iter(entry.get_subentries_of_type(SUBENTRY_CONTRACT)), None)


@callback
def contract_of(entry: ConfigEntry[Any], shipped: Mapping[str, BandGrid]) -> Contract | None:
    """Return a site's contract; None if it has none.

    Parameters
    ----------
    shipped
        The grids that come with the integration, by id.

    Raises
    ------
    ContractError
        If the subentry holds what is no contract.
    """
    subentry = contract_subentry(entry)
    return None if subentry is None else read_contract(subentry.data, shipped)


def read_contract(data: Mapping[str, Any], shipped: Mapping[str, BandGrid]) -> Contract:
    """Read a contract; its first version holds for all the past, too.

    Raises
    ------
    ContractError
        If it cannot be read; its text names the version.
    """
    grids = {**shipped, **read_grids(data)}
    versions = data.get(VERSIONS)
    if not isinstance(versions, Sequence) or isinstance(versions, str) or not versions:
        raise ContractError("a contract has at least one version")
    first, *later = Contract(tuple(read_terms(version, grids) for version in versions)).versions
    return Contract((replace(first, valid_from=min(first.valid_from, THE_PAST)), *later))


def read_grids(data: Mapping[str, Any]) -> dict[str, BandGrid]:
    """Read the hours that the household typed itself, by id.

    Raises
    ------
    ContractError
        If one is no grid.
    """
    found: dict[str, BandGrid] = {}
    for grid_id, grid in (data.get(GRIDS) or {}).items():
        try:
            found[grid_id] = BandGrid.from_dict({**grid, "id": grid_id})
        except (GridError, TypeError) as err:
            raise ContractError(f"the hours {grid_id} cannot be read: {err}") from err
    return found


def read_terms(version: Mapping[str, Any], grids: Mapping[str, BandGrid]) -> ContractTerms:
    """Read one version of a contract.

    Raises
    ------
    ContractError
        If it cannot be read, or its hours are not known; its text names the version and what is wrong.
    """
    named = version.get(VALID_FROM, "without a date") if isinstance(version, Mapping) else "that is no table"
    try:
        return ContractTerms(
            valid_from=date.fromisoformat(version[VALID_FROM]),
            region=Region(version["region"]),
            network_grid=_grid(version["network_grid"], grids),
            commodity_grid=_grid(version["commodity_grid"], grids),
            components=tuple(PriceComponent.from_dict(part) for part in version.get("components", ())),
            vat_rate=_number(version.get("vat_rate", "0")),
            price_sensor=_read_sensor(version.get("price_sensor")),
            injection_price=_optional_number(version.get("injection_price")),
            subscribed_power=_read_power(version.get("subscribed_power")),
            meter_regime=MeterRegime(regime) if (regime := version.get("meter_regime")) else None,
            capacity=_read_capacity(version.get("capacity")),
        )
    except KeyError as err:
        raise ContractError(f"the version {named} has no {err.args[0]}") from err
    except (ContractError, TypeError, ValueError, AttributeError) as err:
        raise ContractError(f"the version {named} cannot be read: {err}") from err


def _grid(grid_id: str, grids: Mapping[str, BandGrid]) -> BandGrid:
    if grid_id not in grids:
        raise ContractError(f"there are no hours called {grid_id}")
    return grids[grid_id]


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as err:
        raise ContractError(f"{value!r} is no number") from err
    if not number.is_finite():
        raise ContractError(f"{value!r} is no number")
    return number


def _optional_number(value: Any) -> Decimal | None:
    return None if value is None else _number(value)


def _read_sensor(data: Mapping[str, Any] | None) -> PriceSensor | None:
    if not data:
        return None
    return PriceSensor(
        entity_id=data["entity_id"],
        replaces=SensorReplaces(data["replaces"]),
        with_vat=bool(data.get("with_vat", False)),
    )


def _read_power(data: Mapping[str, Any] | None) -> SubscribedPower | None:
    if not data:
        return None
    power = SubscribedPower(value=_number(data["value"]), unit=PowerUnit(data["unit"]))
    if power.value <= 0:
        raise ContractError(f"a subscribed power of {power.value} {power.unit} is none")
    return power


def _read_capacity(data: Mapping[str, Any] | None) -> CapacityTariff | None:
    if not data:
        return None
    floor = {} if data.get("floor") is None else {"floor": _number(data["floor"])}
    return CapacityTariff(
        rate=_number(data["rate"]),
        with_vat=bool(data.get("with_vat", False)),
        maximum=_optional_number(data.get("maximum")),
        **floor,
    )


def with_version(
    data: Mapping[str, Any],
    version: Mapping[str, Any],
    grids: Iterable[BandGrid] = (),
    *,
    instead_of: str | None = None,
) -> dict[str, Any]:
    """Return a contract's data with a version more; it takes the place of one of the same date.

    Parameters
    ----------
    grids
        Hours of the version that the household typed itself.
    instead_of
        Date of a version that it corrects.
    """
    gone = {version[VALID_FROM], instead_of}
    kept = [other for other in data.get(VERSIONS, ()) if other[VALID_FROM] not in gone]
    typed = {**data.get(GRIDS, {}), **{grid.id: grid.as_dict() for grid in grids}}
    return _tidy(data, [*kept, dict(version)], typed)


def without_version(data: Mapping[str, Any], valid_from: str) -> dict[str, Any]:
    """Return a contract's data without the version of a date."""
    kept = [other for other in data[VERSIONS] if other[VALID_FROM] != valid_from]
    return _tidy(data, kept, data.get(GRIDS, {}))


def _tidy(
    data: Mapping[str, Any], versions: Iterable[Mapping[str, Any]], grids: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Put the versions in the order of their dates, and forget hours that none of them uses."""
    ordered = sorted(versions, key=lambda version: str(version[VALID_FROM]))
    used = {version[key] for version in ordered for key in ("network_grid", "commodity_grid")}
    return {**data, VERSIONS: ordered, GRIDS: {key: grid for key, grid in grids.items() if key in used}}


def own_grid(data: Mapping[str, Any], grid: BandGrid) -> BandGrid:
    """Return typed hours under an id of their own: that of equal hours, else a new one, so the past keeps its own."""
    known = read_grids(data)
    for grid_id, other in known.items():
        if replace(grid, id=grid_id).as_dict() == other.as_dict():
            return other
    number = next(n for n in range(1, len(known) + 2) if f"own_{n}" not in known)
    return replace(grid, id=f"own_{number}")


def anonymous(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a contract's data without names that people chose: those of their sensors and of their bands."""
    return {
        VERSIONS: [_anonymous_version(version) for version in data.get(VERSIONS, ())],
        GRIDS: {key: len(grid.get("bands", ())) for key, grid in (data.get(GRIDS) or {}).items()},
    }


_SHOWN: Final = ("region", VALID_FROM, "vat_rate", "injection_price", "subscribed_power", "meter_regime", "capacity")


def _anonymous_version(version: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: version[key] for key in (*_SHOWN, "network_grid", "commodity_grid") if key in version}
    shown["components"] = [
        {**part, "prices": list(prices.values()) if isinstance(prices := part.get("prices"), Mapping) else prices}
        for part in version.get("components", ())
    ]
    if sensor := version.get("price_sensor"):
        shown["price_sensor"] = {**sensor, "entity_id": _KEPT_FOR_NOBODY}
    return shown
