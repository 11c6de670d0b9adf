"""Goes through the screens in which a household gives its contract; every text on the way is checked."""

from collections.abc import Mapping
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.const import CONF_ENTITIES, CONF_METER, DOMAIN, METER_SENSORS
from custom_components.energy_neighbours.contracts import contract_of, contract_subentry
from custom_components.energy_neighbours.core.contract import Contract
from custom_components.energy_neighbours.tariff_library import shipped_grids

from .conftest import load
from .translations import check_result, fill, find

CATEGORY = "config_subentries.contract"
NOW = "2026-11-23T11:00:00+01:00"


async def site_without_contract(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """A loaded site in Belgium without a contract."""
    freezer.move_to(NOW)
    hass.config.country = "BE"
    hass.config.language = "fr"
    hass.states.async_set("sensor.grid", "0", {"unit_of_measurement": "W", "device_class": "power"})
    entry = MockConfigEntry(
        domain=DOMAIN, title="Maison", data={CONF_METER: METER_SENSORS, CONF_ENTITIES: {"grid_power": ["sensor.grid"]}}
    )
    return await load(hass, entry)


def contract(entry: MockConfigEntry) -> Contract:
    found = contract_of(entry, shipped_grids())
    assert found
    return found


def data(entry: MockConfigEntry) -> Mapping[str, Any]:
    subentry = contract_subentry(entry)
    assert subentry
    return subentry.data


class Conversation:
    """One dialogue about the contract of a site."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self.hass = hass
        self.entry = entry
        self.result: SubentryFlowResult

    async def begin(self) -> Conversation:
        subentry = contract_subentry(self.entry)
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id} if subentry else {}
        return await self._init({"source": SOURCE_USER, **context})

    async def begin_another(self) -> Conversation:
        return await self._init({"source": SOURCE_USER})

    async def _init(self, context: dict[str, Any]) -> Conversation:
        flows = self.hass.config_entries.subentries
        self.result = await flows.async_init((self.entry.entry_id, "contract"), context=context)
        check_result(self.result, CATEGORY)
        return self

    async def say(self, step: str, **values: Any) -> Conversation:
        """Answer a form with what it suggests, but for the values given; of a section, only those are changed."""
        assert (self.result["type"], self.result["step_id"]) == (FlowResultType.FORM, step)
        answer = shown(self.result)
        for key, value in values.items():
            answer[key] = without_none({**answer.get(key, {}), **value}) if isinstance(value, Mapping) else value
        return await self._configure(without_none(answer))

    async def choose(self, menu: str, option: str) -> Conversation:
        assert (self.result["type"], self.result["step_id"]) == (FlowResultType.MENU, menu)
        return await self._configure({"next_step_id": option})

    async def _configure(self, answer: dict[str, Any]) -> Conversation:
        flows = self.hass.config_entries.subentries
        self.result = await flows.async_configure(self.result["flow_id"], answer)
        check_result(self.result, CATEGORY)
        await self.hass.async_block_till_done()
        return self

    def is_over(self) -> None:
        assert self.result["type"] is FlowResultType.CREATE_ENTRY or self.result.get("reason") == "contract_changed"
        assert self.entry.state is ConfigEntryState.LOADED

    @property
    def error(self) -> str:
        """The form's error, in French."""
        [problem] = self.result["errors"].values()
        return fill(find("fr", f"{CATEGORY}.error.{problem}"), self.result["description_placeholders"])

    def options(self, field: str) -> list[str]:
        selector = next(value for key, value in self.result["data_schema"].schema.items() if str(key) == field)
        return [option if isinstance(option, str) else option["value"] for option in selector.config["options"]]


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def shown(result: SubentryFlowResult) -> dict[str, Any]:
    """Return what a form shows before anything is typed."""
    return _shown(result["data_schema"].schema)


def _shown(schema: Mapping[Any, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field, selector in schema.items():
        if hasattr(selector, "schema") and hasattr(selector.schema, "schema"):
            values[str(field)] = _shown(selector.schema.schema)
        elif "suggested_value" in (field.description or {}):
            values[str(field)] = field.description["suggested_value"]
        elif callable(field.default):
            values[str(field)] = field.default()
    return values
