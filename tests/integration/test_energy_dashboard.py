"""The Energy dashboard takes a site's energy sensors, and their statistics never jump back."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from .conftest import SecondHand, load, number

OFFTAKE, INJECTION = "sensor.flukso_offtake_energy", "sensor.flukso_injection_energy"
PRODUCTION = "sensor.flukso_production_energy"


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


def begin_of_statistics() -> datetime:
    """Return the begin of the present five minutes."""
    now = dt_util.utcnow().replace(second=0, microsecond=0)
    return now - timedelta(minutes=now.minute % 5)


async def test_energy_dashboard_finds_nothing_to_complain_about(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    hand: SecondHand,
    paused_site: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    assert await async_setup_component(hass, "energy", {})
    await hand.turn_and_show(paused_site, 10)
    await async_wait_recording_done(hass)
    do_adhoc_statistics(hass, start=begin_of_statistics())
    await async_wait_recording_done(hass)
    client = await hass_ws_client(hass)

    async def ask(**message: Any) -> Any:
        await client.send_json_auto_id(message)
        answer = await client.receive_json()
        assert answer["success"], answer
        return answer["result"]

    await ask(
        type="energy/save_prefs",
        energy_sources=[
            {
                "type": "grid",
                "stat_energy_from": OFFTAKE,
                "stat_energy_to": INJECTION,
                "stat_rate": "sensor.flukso_grid_power",
                "cost_adjustment_day": 0,
                "stat_cost": None,
                "entity_energy_price": None,
                "number_energy_price": None,
                "stat_compensation": None,
                "entity_energy_price_export": None,
                "number_energy_price_export": None,
            },
            {
                "type": "solar",
                "stat_energy_from": PRODUCTION,
                "stat_rate": "sensor.flukso_production_power",
                "config_entry_solar_forecast": None,
            },
            {
                "type": "gas",
                "stat_energy_from": "sensor.flukso_gas_volume",
                "stat_cost": None,
                "entity_energy_price": None,
                "number_energy_price": None,
            },
            {
                "type": "water",
                "stat_energy_from": "sensor.flukso_water_volume",
                "stat_cost": None,
                "entity_energy_price": None,
                "number_energy_price": None,
            },
        ],
    )
    problems = await ask(type="energy/validate")
    assert [problem for source in problems["energy_sources"] for problem in source] == []


async def test_statistics_rise_with_the_registers_over_a_restart(
    recorder_mock: Recorder, hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry
) -> None:
    start = begin_of_statistics()
    await hand.turn_and_show(paused_site)
    for _ in range(3):
        await hand.turn_and_show(paused_site, 40)
    assert await hass.config_entries.async_unload(paused_site.entry_id)
    await load(hass, paused_site)
    await hand.turn_and_show(paused_site, 40)
    await hand.turn_and_show(paused_site)
    await async_wait_recording_done(hass)
    ids = {OFFTAKE, INJECTION, PRODUCTION}
    for period in range(2):
        do_adhoc_statistics(hass, start=start + timedelta(minutes=5 * period))
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, start, None, ids, "5minute", None, {"sum", "state"}
    )
    assert found.keys() == ids
    for entity_id, rows in found.items():
        sums = [row["sum"] for row in rows]
        assert sums == sorted(sums)
        assert sums[-1] == pytest.approx(number(hass, entity_id), abs=0.002)
    assert number(hass, PRODUCTION) > 0.01
