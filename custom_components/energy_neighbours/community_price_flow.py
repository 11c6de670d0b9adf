"""The steps in which an organiser says what shared electricity costs, and behind whom sums hide."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.util import dt as dt_util

from . import community_form as form, contract_form, price_form
from .communities import CONF_REGION, CONF_SHARED_GRID
from .core.band_grid import BandGrid, GridError
from .core.grid_text import BandNames
from .tariff_library import shipped_grids


class CommunityPriceSteps(OptionsFlow):
    """Steps of a community's options: one price for all hours, or one for each band of some hours."""

    def __init__(self) -> None:
        self._shipped: Mapping[str, BandGrid] = {}
        self._terms: dict[str, Any] = {}
        self._grid: BandGrid | None = None

    async def async_step_terms(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the price, its hours, and the privacy threshold."""
        options = self.config_entry.options
        self._shipped = await self.hass.async_add_executor_job(shipped_grids)
        grids = form.shared_grids(self._shipped, options, dt_util.now().date())
        if user_input is not None:
            self._terms = form.read_terms(user_input)
            hours = user_input[form.CONF_HOURS]
            if hours == form.ONE_PRICE:
                return self._save(self._terms)
            if hours == contract_form.OWN:
                return await self.async_step_shared_hours()
            self._grid = self._shipped[hours]
            return await self.async_step_band_prices()
        values = form.terms_values(options, grids)
        return self.async_show_form(
            step_id="terms", data_schema=self.add_suggested_values_to_schema(form.terms_schema(grids), values)
        )

    async def async_step_shared_hours(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the hours of the prices, line by line."""
        starts = [grid for grid in self._shipped.values() if len(grid.bands) > 1]
        known = self.config_entry.options.get(CONF_SHARED_GRID)
        names = await self._band_names(BandGrid.from_dict(known) if known else None)
        errors: dict[str, str] = {}
        details: dict[str, str] = {"minute": "", "line": ""}
        if user_input is None:
            grid = BandGrid.from_dict(known) if known else starts[0]
            values = contract_form.typed_hours_values(grid, names)
        elif start := user_input[contract_form.SECTION_START].get(contract_form.CONF_START_FROM):
            values = contract_form.typed_hours_values(self._shipped[start], names)
        else:
            values = user_input
            try:
                grid = contract_form.read_hours(user_input, names, self.config_entry.options[CONF_REGION])
                price_form.check_bands(grid)
            except GridError as err:
                errors, details = contract_form.grid_error(err)
            except price_form.PriceError as err:
                errors["base"] = err.problem
            else:
                self._grid = grid
                return await self.async_step_band_prices()
        return self.async_show_form(
            step_id="shared_hours",
            data_schema=self.add_suggested_values_to_schema(contract_form.typed_hours_schema(starts), values),
            errors=errors,
            description_placeholders=details,
            last_step=False,
        )

    async def async_step_band_prices(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the price of each band."""
        grid = self._grid
        assert grid  # noqa: S101 - chosen or typed in the step before
        if user_input is not None:
            return self._save({**self._terms, **form.read_band_prices(grid, user_input)})
        names = price_form.field_names(price_form.band_fields(grid), await self._band_names(grid))
        return self.async_show_form(
            step_id="band_prices",
            data_schema=self.add_suggested_values_to_schema(
                form.band_prices_schema(grid), form.band_prices_values(grid, self.config_entry.options | self._terms)
            ),
            description_placeholders=names,
        )

    def _save(self, terms: Mapping[str, Any]) -> ConfigFlowResult:
        kept = {name: value for name, value in self.config_entry.options.items() if name not in form.PRICE_KEYS}
        return self.async_create_entry(data={**kept, **terms})

    async def _band_names(self, grid: BandGrid | None) -> BandNames:
        return await contract_form.async_band_names(self.hass, grid.names if grid else {})
