"""The forms in which a household gives its contract's connection and hours, and what it typed, as contract data."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from .const import DOMAIN
from .core.band_grid import BandGrid, DayType, GridError, GridProblem, clock
from .core.contract import MeterRegime, PowerUnit, Region
from .core.grid_text import BandNames, read_grid, write_grid

OWN: Final = "own"
"""In a choice of hours: those that the household types."""
SAME: Final = "same"
"""In the choice of the supplier's hours: those of the network."""
SENSOR: Final = "sensor"
"""In the choice of the supplier's hours: none, for a sensor tells its price."""
OTHER: Final = "other"
UNKNOWN: Final = "unknown"
LANGUAGES: Final = ("en", "fr", "nl", "de")

CONF_REGION: Final = "region"
CONF_POWER: Final = "subscribed_power"
CONF_UNIT: Final = "subscribed_unit"
CONF_REGIME: Final = "meter_regime"
CONF_NETWORK: Final = "network_grid"
CONF_COMMODITY: Final = "commodity_grid"
CONF_OPERATOR: Final = "operator"
SECTION_START: Final = "start"
CONF_START_FROM: Final = "start_from"
GRID_KEYS: Final = (CONF_NETWORK, CONF_COMMODITY)
CONNECTION_KEYS: Final = (CONF_REGION, CONF_POWER, CONF_REGIME)

_LINES: Final = TextSelector(TextSelectorConfig(multiline=True))


def select(options: Iterable[str], key: str) -> SelectSelector:
    """Return a choice of translated options."""
    return SelectSelector(
        SelectSelectorConfig(options=list(options), translation_key=key, mode=SelectSelectorMode.DROPDOWN)
    )


def number_text(value: float | Decimal) -> str:
    """Write a number from a form so that nothing of it is lost, and nothing is added."""
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def guess_region(hass: HomeAssistant) -> Region | None:
    """Return where the site probably lies; None where nothing tells."""
    if hass.config.country == "FR":
        return Region.FRANCE
    if hass.config.country != "BE":
        return None
    return Region.FLANDERS if hass.config.language == "nl" else Region.WALLONIA


def connection_schema(regions: Sequence[Region]) -> vol.Schema:
    """Return the fields of the connection."""
    power = NumberSelector(NumberSelectorConfig(min=0.1, max=10_000, step="any", mode=NumberSelectorMode.BOX))
    units = SelectSelector(SelectSelectorConfig(options=list(PowerUnit), mode=SelectSelectorMode.DROPDOWN))
    return vol.Schema(
        {
            vol.Required(CONF_REGION): select(regions, CONF_REGION),
            vol.Optional(CONF_POWER): power,
            vol.Required(CONF_UNIT, default=PowerUnit.KVA.value): units,
            vol.Required(CONF_REGIME, default=UNKNOWN): select([*MeterRegime, UNKNOWN], CONF_REGIME),
        }
    )


def connection_values(version: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form's values for a version."""
    values: dict[str, Any] = {CONF_REGIME: version.get(CONF_REGIME, UNKNOWN)}
    if region := version.get(CONF_REGION):
        values[CONF_REGION] = region
    if power := version.get(CONF_POWER):
        values |= {CONF_POWER: float(power["value"]), CONF_UNIT: power["unit"]}
    return values


def read_connection(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a version that the form gives."""
    version: dict[str, Any] = {CONF_REGION: user_input[CONF_REGION]}
    if power := user_input.get(CONF_POWER):
        version[CONF_POWER] = {"value": number_text(power), "unit": user_input[CONF_UNIT]}
    if (regime := user_input[CONF_REGIME]) != UNKNOWN:
        version[CONF_REGIME] = regime
    return version


def network_grids(shipped: Mapping[str, BandGrid], region: Region, today: date) -> list[BandGrid]:
    """Return the network's grids in a region, those in force first; among them, those with one band first."""
    found = [grid for grid in shipped.values() if grid.region in {"", region}]
    return sorted(found, key=lambda grid: (not grid.in_force(today), len(grid.bands) > 1))


def supplier_grids(
    shipped: Mapping[str, BandGrid], region: Region, today: date, before: Collection[str]
) -> list[BandGrid]:
    """Return the grids that a supplier's prices may follow: those of the whole country, for suppliers know no regions.

    Those that are no longer in force are left out, but for the one in use `before`.
    """

    def offered(grid: BandGrid) -> bool:
        if grid.id in before or not grid.region:
            return True
        return grid.in_force(today) and len(grid.bands) > 1 and Region(grid.region).zone == region.zone

    found = [grid for grid in shipped.values() if offered(grid)]
    return sorted(found, key=lambda grid: (len(grid.bands) > 1, grid.region not in {"", region}))


def hours_schema(network: Iterable[BandGrid], commodity: Iterable[BandGrid], operators: Iterable[str]) -> vol.Schema:
    """Return the choice of the network's and the supplier's hours, and of the grid operator where prices are known."""
    fields: dict[Any, Any] = {
        vol.Required(CONF_NETWORK): select([*(grid.id for grid in network), OWN], CONF_NETWORK),
        vol.Required(CONF_COMMODITY, default=SAME): select(
            [SAME, SENSOR, *(grid.id for grid in commodity), OWN], CONF_COMMODITY
        ),
    }
    if operators := sorted(set(operators)):
        names = [SelectOptionDict(value=name, label=name) for name in [*operators, OTHER]]
        fields[vol.Required(CONF_OPERATOR)] = SelectSelector(
            SelectSelectorConfig(options=names, translation_key="operator", mode=SelectSelectorMode.DROPDOWN)
        )
    return vol.Schema(fields)


def hours_values(version: Mapping[str, Any], shipped: Mapping[str, BandGrid]) -> dict[str, str]:
    """Return the form's values for a version; none for a new contract."""
    if CONF_NETWORK not in version:
        return {}
    network, commodity = (grid if (grid := version[key]) in shipped else OWN for key in GRID_KEYS)
    if version.get("price_sensor"):
        commodity = SENSOR
    elif version[CONF_COMMODITY] == version[CONF_NETWORK]:
        commodity = SAME
    return {CONF_NETWORK: network, CONF_COMMODITY: commodity, CONF_OPERATOR: version.get(CONF_OPERATOR, OTHER)}


def needs_typing(choice: str, shipped: Mapping[str, BandGrid]) -> bool:
    """Tell whether hours that were chosen have to be typed, or adapted."""
    return choice == OWN or (choice in shipped and shipped[choice].editable)


def typed_hours_schema(grids: Iterable[BandGrid]) -> vol.Schema:
    """Return the fields in which hours are typed."""
    fields: dict[Any, Any] = {
        (vol.Required if kind is DayType.WEEKDAY else vol.Optional)(kind.value): _LINES for kind in DayType
    }
    start = vol.Schema({vol.Optional(CONF_START_FROM): select([grid.id for grid in grids], CONF_NETWORK)})
    fields[vol.Required(SECTION_START)] = section(start, {"collapsed": True})
    return vol.Schema(fields)


def typed_hours_values(grid: BandGrid, names: BandNames) -> dict[str, Any]:
    """Return the form's values for hours to start from."""
    return {kind.value: text for kind, text in write_grid(grid, names).items()}


def read_hours(user_input: Mapping[str, Any], names: BandNames, region: str) -> BandGrid:
    """Return the hours that were typed.

    Raises
    ------
    GridError
        See `core.grid_text.read_grid`.
    """
    texts = {kind: user_input.get(kind, "") for kind in DayType}
    return read_grid(OWN, texts, names, region=region, source="")


def grid_error(err: GridError) -> tuple[dict[str, str], dict[str, str]]:
    """Return the form's errors for hours that cannot be, and their placeholders."""
    field = err.day_type or DayType.WEEKDAY
    minute = "" if err.minute is None else clock(err.minute)
    return {field.value: _PROBLEMS.get(err.problem, "hours_unreadable")}, {"minute": minute, "line": err.found}


_PROBLEMS: Final = {
    GridProblem.HOLE: "hours_hole",
    GridProblem.OVERLAP: "hours_overlap",
    GridProblem.EMPTY_INTERVAL: "hours_empty",
}


async def async_band_names(hass: HomeAssistant, own: Mapping[str, str]) -> BandNames:
    """Return what bands are called in Home Assistant's language, and understand the other ones."""
    prefix = f"component.{DOMAIN}.selector.band.options."

    async def names(language: str) -> dict[str, str]:
        texts = await async_get_translations(hass, language, "selector", [DOMAIN])
        return {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)}

    return BandNames(await names(hass.config.language), [await names(language) for language in LANGUAGES], own)
