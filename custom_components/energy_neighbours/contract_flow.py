"""Giving a site its contract, and changing it: connection, hours, prices, each change with the date it holds from."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from homeassistant.config_entries import SOURCE_USER, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
import voluptuous as vol

from . import contract_form as form, price_form
from .const import DOMAIN
from .contracts import (
    GRIDS,
    SUBENTRY_CONTRACT,
    VALID_FROM,
    VERSIONS,
    contract_subentry,
    own_grid,
    read_contract,
    read_grids,
    with_version,
    without_version,
)
from .core.band_grid import BandGrid, GridError
from .core.contract import Region
from .core.grid_text import BandNames
from .tariff_library import PriceSheet, shipped_grids, shipped_price_sheets

CONF_VERSION: Final = "version"
_MONO: Final = "mono"
"""Hours of a supplier whose prices a sensor tells."""


class ContractFlow(ConfigSubentryFlow):
    """Makes a contract, adds a version to it, or corrects one."""

    def __init__(self) -> None:
        self._shipped: Mapping[str, BandGrid] = {}
        self._sheets: Mapping[str, PriceSheet] = {}
        self._data: Mapping[str, Any] = {}
        self._version: dict[str, Any] = {}
        """The version that is being made, as far as it is known."""
        self._choices: dict[str, str] = {}
        self._hours: dict[str, str] = {}
        """The grids that were chosen or typed, as far as they are known."""
        self._typed: dict[str, dict[str, Any]] = {}
        self._prices: dict[str, Any] | None = None
        self._instead_of: str | None = None
        """Date of the version that is corrected; None if one is added."""
        self._warnings: list[str] = []

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Begin a new contract; a site has one."""
        if contract_subentry(self._get_entry()):
            return self.async_abort(reason="already_configured")
        await self._load()
        return await self.async_step_connection()

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to change."""
        await self._load()
        self._data = self._get_reconfigure_subentry().data
        self._version = dict(self._data[VERSIONS][-1])
        options = ["new_prices", "change", "correct"]
        return self.async_show_menu(
            step_id="reconfigure", menu_options=[*options, "remove"] if len(self._data[VERSIONS]) > 1 else options
        )

    async def async_step_new_prices(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Begin a version with other prices."""
        return await self.async_step_prices()

    async def async_step_change(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Begin a version with everything to change."""
        return await self.async_step_connection()

    async def async_step_correct(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which version to correct, if there are several."""
        versions = {version[VALID_FROM]: version for version in self._data[VERSIONS]}
        if user_input is None and len(versions) > 1:
            return self.async_show_form(step_id="correct", data_schema=await self._version_choice())
        chosen = user_input[CONF_VERSION] if user_input else next(iter(versions))
        self._version, self._instead_of = dict(versions[chosen]), chosen
        return await self.async_step_connection()

    async def async_step_remove(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which version to remove."""
        if user_input is None:
            return self.async_show_form(step_id="remove", data_schema=await self._version_choice())
        return await self._save(without_version(self._data, user_input[CONF_VERSION]))

    async def async_step_connection(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask where the connection is and how much it allows."""
        if user_input is not None:
            for key in form.CONNECTION_KEYS:
                self._version.pop(key, None)
            self._version |= form.read_connection(user_input)
            return await self.async_step_hours()
        values = form.connection_values(self._version)
        if guess := form.guess_region(self.hass):
            values.setdefault(form.CONF_REGION, guess.value)
        return self.async_show_form(
            step_id="connection",
            data_schema=self.add_suggested_values_to_schema(form.connection_schema(self._regions()), values),
            last_step=False,
        )

    async def async_step_hours(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the hours of the network and of the supplier."""
        if user_input is not None:
            self._choices, self._prices = dict(user_input), None
            self._version[form.CONF_OPERATOR] = user_input.get(form.CONF_OPERATOR, form.OTHER)
            # Nobody asks for other hours where a sensor tells the supplier's price.
            chosen = {key: _MONO if user_input[key] == form.SENSOR else user_input[key] for key in form.GRID_KEYS}
            self._hours = {key: grid for key, grid in chosen.items() if not form.needs_typing(grid, self._shipped)}
            return await self._next_hours()
        before = {self._version.get(key, "") for key in form.GRID_KEYS}
        network = form.network_grids(self._shipped, self._region, self._today)
        commodity = form.supplier_grids(self._shipped, self._region, self._today, before)
        operators = [sheet.operator for sheet in self._sheets.values() if sheet.region is self._region and sheet.prices]
        values = form.hours_values(self._version, self._shipped)
        return self.async_show_form(
            step_id="hours",
            data_schema=self.add_suggested_values_to_schema(form.hours_schema(network, commodity, operators), values),
            last_step=False,
        )

    async def _next_hours(self) -> SubentryFlowResult:
        """Ask for the hours that are still to be typed, then for the prices."""
        if form.CONF_NETWORK not in self._hours:
            return await self.async_step_network_hours()
        if form.CONF_COMMODITY not in self._hours:
            return await self.async_step_commodity_hours()
        self._version |= self._hours
        if self._hours[form.CONF_COMMODITY] == form.SAME:
            self._version[form.CONF_COMMODITY] = self._hours[form.CONF_NETWORK]
        return await self.async_step_prices()

    async def async_step_network_hours(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the network's hours, line by line."""
        return await self._typed_hours("network_hours", form.CONF_NETWORK, user_input)

    async def async_step_commodity_hours(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the supplier's hours, line by line."""
        return await self._typed_hours("commodity_hours", form.CONF_COMMODITY, user_input)

    async def _typed_hours(self, step: str, key: str, user_input: dict[str, Any] | None) -> SubentryFlowResult:
        names = await self._names()
        errors: dict[str, str] = {}
        details: dict[str, str] = {"minute": "", "line": ""}
        starts = [grid for grid in self._shipped.values() if len(grid.bands) > 1]
        if user_input is None:
            values = form.typed_hours_values(self._start_of_hours(key, starts), names)
        elif start := user_input[form.SECTION_START].get(form.CONF_START_FROM):
            values = form.typed_hours_values(self._shipped[start], names)
        else:
            values = user_input
            try:
                grid = form.read_hours(user_input, names, self._region)
                price_form.check_bands(grid)
            except GridError as err:
                errors, details = form.grid_error(err)
            except price_form.PriceError as err:
                errors["base"] = err.problem
            else:
                kept = own_grid({GRIDS: {**self._data.get(GRIDS, {}), **self._typed}}, grid)
                self._typed[kept.id] = kept.as_dict()
                self._hours[key] = kept.id
                return await self._next_hours()
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(form.typed_hours_schema(starts), values),
            errors=errors,
            description_placeholders=details,
            last_step=False,
        )

    def _start_of_hours(self, key: str, starts: list[BandGrid]) -> BandGrid:
        """Return the hours to begin with: those typed before, those chosen, else usual ones of the region."""
        grids = self._grids()
        chosen, before = self._choices[key], self._version.get(key, "")
        if chosen in grids:
            return grids[chosen]
        if before in grids and len(grids[before].bands) > 1:
            return grids[before]
        return min(starts, key=lambda grid: (grid.region != self._region, not grid.in_force(self._today)))

    async def async_step_prices(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the prices, and from when they hold."""
        question = self._question()
        names = await self._names()
        errors: dict[str, str] = {}
        values = self._prices or price_form.suggested(question, self._version, self._valid_from)
        if user_input is not None:
            values = self._prices = user_input
            try:
                prices = price_form.read(question, user_input)
            except price_form.PriceError as err:
                errors["base"] = err.problem
            else:
                if self._instead_of and prices[VALID_FROM] in self._other_dates():
                    errors[VALID_FROM] = "date_taken"
                else:
                    for key in price_form.KEYS:
                        self._version.pop(key, None)
                    self._version |= prices
                    self._warnings = list(self._find_warnings())
                    return await self.async_step_accept()
        return self.async_show_form(
            step_id="prices",
            data_schema=self.add_suggested_values_to_schema(price_form.schema(question), values),
            errors=errors,
            description_placeholders={**question.placeholders(names), "note": await self._note(question)},
        )

    def _find_warnings(self) -> Iterator[str]:
        if self._hours_out_of_force():
            yield "warn_hours"
        if price_form.highest(self._version) > price_form.LOOKS_LIKE_CENTS:
            yield "warn_cents"
        if not price_form.has_price(self._version):
            yield "warn_no_price"
        if self._data and self._first_day < self._today.replace(day=1).isoformat():
            yield "warn_past"

    def _hours_out_of_force(self) -> list[BandGrid]:
        """Return the hours that do not hold on the day from which the version does."""
        begins, grids = date.fromisoformat(self._version[VALID_FROM]), self._grids()
        chosen = [grids[self._version[key]] for key in form.GRID_KEYS]
        return [grid for grid in chosen if not grid.in_force(begins)]

    @property
    def _first_day(self) -> str:
        """The first day whose costs change."""
        begins: str = self._version[VALID_FROM]
        return min(begins, self._instead_of or begins)

    async def async_step_warn_hours(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about hours of another time."""
        grid = self._hours_out_of_force()[0]
        first, last = (_shown(day.isoformat()) if day else "…" for day in (grid.valid_from, grid.valid_to))
        return self.async_show_menu(
            step_id="warn_hours",
            menu_options=["accept", "hours", "prices"],
            description_placeholders={
                "hours": await self._text(form.CONF_NETWORK, grid.id),
                "validity": f"{first} – {last}",  # noqa: RUF001 - a span
                "date": _shown(self._version[VALID_FROM]),
            },
        )

    async def async_step_warn_cents(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a price that looks like cents."""
        return self._warn("warn_cents")

    async def async_step_warn_no_price(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a supplier without a price."""
        return self._warn("warn_no_price")

    async def async_step_warn_past(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about costs that were settled already."""
        return self._warn("warn_past")

    def _warn(self, step: str) -> SubentryFlowResult:
        price = form.number_text(price_form.highest(self._version))
        return self.async_show_menu(
            step_id=step,
            menu_options=["accept", "prices"],
            description_placeholders={"price": price, "date": _shown(self._first_day)},
        )

    async def async_step_accept(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show what may be a mistake, one after the other; when all is accepted, save."""
        if self._warnings:
            step = self._warnings.pop(0)
            return await self.async_step_warn_hours() if step == "warn_hours" else self._warn(step)
        used = {self._version[key] for key in form.GRID_KEYS}
        typed = [BandGrid.from_dict(grid) for grid_id, grid in self._typed.items() if grid_id in used]
        return await self._save(with_version(self._data, self._version, typed, instead_of=self._instead_of))

    async def _save(self, data: dict[str, Any]) -> SubentryFlowResult:
        read_contract(data, self._shipped)  # what cannot be read must not be kept
        title = await self._title(data[VERSIONS][-1], data)
        if self.source == SOURCE_USER:
            return self.async_create_entry(title=title, data=data, unique_id=SUBENTRY_CONTRACT)
        return self.async_update_and_abort(
            self._get_entry(), self._get_reconfigure_subentry(), title=title, data=data, reason="contract_changed"
        )

    async def _load(self) -> None:
        def read() -> None:
            self._shipped, self._sheets = shipped_grids(), shipped_price_sheets()

        await self.hass.async_add_executor_job(read)

    @property
    def _region(self) -> Region:
        return Region(self._version[form.CONF_REGION])

    @property
    def _today(self) -> date:
        return dt_util.now(self._region.zone).date()

    @property
    def _valid_from(self) -> date:
        """The date to suggest: tariffs run by the year; a change begins today."""
        if self._instead_of:
            return date.fromisoformat(self._instead_of)
        return self._today if self._data else self._today.replace(month=1, day=1)

    def _other_dates(self) -> set[str]:
        return {version[VALID_FROM] for version in self._data[VERSIONS]} - {self._instead_of}

    def _regions(self) -> list[Region]:
        """Return where the site can lie: the clock of its other versions is its own."""
        others = [v for v in self._data.get(VERSIONS, ()) if v[VALID_FROM] != self._instead_of]
        zones = {Region(version[form.CONF_REGION]).zone for version in others}
        return [region for region in Region if not zones or region.zone in zones]

    def _grids(self) -> dict[str, BandGrid]:
        return {**self._shipped, **read_grids({GRIDS: {**self._data.get(GRIDS, {}), **self._typed}})}

    def _question(self) -> price_form.PriceQuestion:
        grids = self._grids()
        network, operator = self._version[form.CONF_NETWORK], self._version.get(form.CONF_OPERATOR, form.OTHER)
        sheet = price_form.find_sheet(self._sheets, self._region, network, operator, self._valid_from)
        return price_form.PriceQuestion(
            region=self._region,
            network=grids[network],
            commodity=grids[self._version[form.CONF_COMMODITY]],
            by_sensor=self._by_sensor,
            sheet=sheet,
            levies=price_form.levies_of(self._sheets, self._region),
        )

    @property
    def _by_sensor(self) -> bool:
        if self._choices:
            return self._choices[form.CONF_COMMODITY] == form.SENSOR
        return bool(self._version.get("price_sensor"))

    async def _names(self) -> BandNames:
        own = {band: name for grid in self._grids().values() for band, name in grid.names.items()}
        return await form.async_band_names(self.hass, own)

    async def _version_choice(self) -> vol.Schema:
        versions = {version[VALID_FROM]: await self._title(version, self._data) for version in self._data[VERSIONS]}
        options = [
            SelectOptionDict(value=day, label=f"{_shown(day)} · {title}") for day, title in reversed(versions.items())
        ]
        selector = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
        return vol.Schema({vol.Required(CONF_VERSION): selector})

    async def _title(self, version: Mapping[str, Any], data: Mapping[str, Any]) -> str:
        """Return what a version is called: its hours, where there are any."""
        grids = {**self._shipped, **read_grids(data)}
        network, commodity = (version[key] for key in form.GRID_KEYS)
        shown = network if len(grids[network].bands) > 1 else commodity
        return await self._text(form.CONF_NETWORK, shown if shown in self._shipped else form.OWN)

    async def _note(self, question: price_form.PriceQuestion) -> str:
        """Return where the prices come from that are filled in already, and what is not certain."""
        notes = []
        if not question.sheet or not question.sheet_components():
            notes.append(await self._text("price_note", "none"))
        else:
            year, *month = question.sheet.retrieved.split("-")
            source = f"{question.sheet.operator} ({'/'.join([*month, year])})"
            notes.append((await self._text("price_note", "sheet")).format(source=source))
            if question.uncertain:
                notes.append(await self._text("price_note", "uncertain"))
        shipped = {grid.id: grid for grid in (question.network, question.commodity) if grid.id in self._shipped}
        notes += [await self._text("hours_note", name) for name, grid in shipped.items() if grid.uncertain]
        return " ".join(notes)

    async def _text(self, key: str, option: str) -> str:
        """Return a text that stands inside another one, in Home Assistant's language."""
        texts = await async_get_translations(self.hass, self.hass.config.language, "selector", [DOMAIN])
        return texts[f"component.{DOMAIN}.selector.{key}.options.{option}"]


def _shown(day: str) -> str:
    return date.fromisoformat(day).strftime("%d/%m/%Y")
