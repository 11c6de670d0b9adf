"""A neighbour without a Fluksometer takes part with the sensors that Home Assistant has already."""

from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.const import CONF_ENTITIES, CONF_METER, DOMAIN, METER_SENSORS

from .flows import answer
from .translations import check_result

EMPTY: dict[str, Any] = {"phases": {}}


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


async def form(hass: HomeAssistant) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "sensors"})
    check_result(result)
    assert result["step_id"] == "sensors"
    return result


def prefilled(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what the form shows before the user does anything."""
    found: dict[str, Any] = {}
    for field, selector in result["data_schema"].schema.items():
        inner = selector.schema.schema if hasattr(selector, "schema") and hasattr(selector.schema, "schema") else {}
        for key in (field, *inner):
            if key.description and "suggested_value" in key.description and str(key) != "phases":
                found[str(key)] = key.description["suggested_value"]
    return found


def exists(hass: HomeAssistant, *entities: str, unit: str = "W") -> None:
    for entity in entities:
        hass.states.async_set(f"sensor.{entity}", "0", {"unit_of_measurement": unit})


async def test_prefilled_from_the_energy_dashboard(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    exists(hass, "day", "night", "back", "roof", unit="kWh")
    exists(hass, "roof_power", "grid_power")
    assert await async_setup_component(hass, "energy", {})
    manager = await async_get_manager(hass)
    grid = {"type": "grid", "cost_adjustment_day": 0}
    manager.data = {
        **manager.default_preferences(),
        "energy_sources": [
            {
                **grid,
                "stat_energy_from": "sensor.day",
                "stat_energy_to": "sensor.back",
                "stat_rate": "sensor.grid_power",
            },
            {**grid, "stat_energy_from": "sensor.night", "stat_energy_to": None},
            {"type": "solar", "stat_energy_from": "sensor.roof", "stat_rate": "sensor.roof_power"},
            {"type": "solar", "stat_energy_from": "other:statistic"},
            {"type": "gas", "stat_energy_from": "sensor.gas"},
        ],
    }
    result = await form(hass)
    assert prefilled(result) == {
        "grid_power": ["sensor.grid_power"],
        "offtake_energy": ["sensor.day", "sensor.night"],
        "injection_energy": ["sensor.back"],
        "production_power": ["sensor.roof_power"],
        "production_energy": ["sensor.roof"],
    }
    result = await answer(hass, result, {**prefilled(result), **EMPTY})
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {CONF_METER: METER_SENSORS, CONF_ENTITIES: prefilled(await form(hass))}
    assert result["result"].state is ConfigEntryState.LOADED


async def test_our_own_sensors_are_not_offered_as_a_meter(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    exists(hass, "power")
    result = await answer(hass, await form(hass), {"grid_power": ["sensor.power"], **EMPTY})
    await hass.async_block_till_done()
    assert await async_setup_component(hass, "energy", {})
    own = next(s.entity_id for s in hass.states.async_all("sensor") if s.entity_id.endswith("offtake_energy"))
    manager = await async_get_manager(hass)
    manager.data = {
        **manager.default_preferences(),
        "energy_sources": [{"type": "grid", "stat_energy_from": own, "stat_energy_to": None, "cost_adjustment_day": 0}],
    }
    result = await form(hass)
    assert prefilled(result) == {}
    selector = result["data_schema"].schema["offtake_energy"]
    assert own in selector.config["exclude_entities"]


async def test_nothing_is_prefilled_without_the_energy_dashboard(hass: HomeAssistant) -> None:
    assert prefilled(await form(hass)) == {}


@pytest.mark.parametrize(
    ("entities", "error", "details"),
    [
        ({}, "no_sensor", {}),
        ({"injection_power": ["sensor.a"]}, "injection_alone", {}),
        ({"phases": {"power_l1": ["sensor.a"], "power_l3": ["sensor.b"]}}, "phase_missing", {"phase": "L2"}),
    ],
)
async def test_refuses_what_is_no_site(
    hass: HomeAssistant, entities: dict[str, Any], error: str, details: dict[str, str]
) -> None:
    exists(hass, "a", "b")
    result = await answer(hass, await form(hass), {**EMPTY, **entities})
    assert (result["step_id"], result["errors"]) == ("sensors", {"base": error})
    assert result["description_placeholders"] == details
    result = await answer(hass, result, {**EMPTY, "grid_power": ["sensor.a"]})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_same_sensors_twice_are_refused(hass: HomeAssistant) -> None:
    exists(hass, "power")
    for outcome in (FlowResultType.CREATE_ENTRY, FlowResultType.ABORT):
        result = await answer(hass, await form(hass), {"grid_power": ["sensor.power"], **EMPTY})
        await hass.async_block_till_done()
        assert result["type"] is outcome
    assert result["reason"] == "already_configured"


async def test_reconfigure_changes_the_sensors(hass: HomeAssistant) -> None:
    exists(hass, "old", "new", "l1", "l2", "l3")
    entry = MockConfigEntry(
        domain=DOMAIN, title="Home", data={CONF_METER: METER_SENSORS, CONF_ENTITIES: {"grid_power": ["sensor.old"]}}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await entry.start_reconfigure_flow(hass)
    check_result(result)
    assert prefilled(result) == {"grid_power": ["sensor.old"]}
    result = await answer(hass, result, EMPTY)
    assert result["errors"] == {"base": "no_sensor"}
    phases = {f"power_l{phase}": [f"sensor.l{phase}"] for phase in (1, 2, 3)}
    result = await answer(hass, result, {"phases": phases})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.data[CONF_ENTITIES] == phases
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("sensor.home_phase_l1_power")


async def test_options_of_a_site_of_sensors_have_no_channels(hass: HomeAssistant) -> None:
    exists(hass, "power")
    entry = MockConfigEntry(
        domain=DOMAIN, title="Home", data={CONF_METER: METER_SENSORS, CONF_ENTITIES: {"grid_power": ["sensor.power"]}}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    check_result(result, "options")
    assert result["menu_options"] == ["settings", "import_readings"]
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": "settings"})
    check_result(result, "options")
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"write_interval": 20})
    await hass.async_block_till_done()
    assert entry.options == {"write_interval": 20, "retention": "forever"}
