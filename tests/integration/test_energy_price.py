"""The Energy dashboard takes the site's price as the current price of what comes from the grid."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from .conftest import number
from .contracted import ECO, PEAK, TWO_CLOCKS, contracted, go, measure

OFFTAKE, PRICE = "sensor.home_offtake_energy", "sensor.home_electricity_price"


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


@pytest.fixture(autouse=True)
def _long_ago(freezer: FrozenDateTimeFactory) -> None:
    """Nobody is let in with a token of the future."""
    freezer.move_to("2026-06-10T16:00:00+02:00")


async def test_energy_dashboard_counts_costs_with_the_price(
    recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "energy", {})
    entry = await contracted(hass, freezer, "2026-06-10T16:00:00+02:00", TWO_CLOCKS)
    client = await hass_ws_client(hass)

    async def ask(**message: Any) -> Any:
        await client.send_json_auto_id(message)
        answer = await client.receive_json()
        assert answer["success"], answer
        return answer["result"]

    source = {
        "type": "grid",
        "stat_energy_from": OFFTAKE,
        "stat_energy_to": None,
        "stat_cost": None,
        "entity_energy_price": PRICE,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0,
    }
    await ask(type="energy/save_prefs", energy_sources=[source])
    await hass.async_block_till_done()
    await async_wait_recording_done(hass)
    problems = await ask(type="energy/validate")
    found = [problem["type"] for each in problems["energy_sources"] for problem in each]
    assert not [problem for problem in found if "price" in problem or "unit" in problem]

    for when, kwh in (("16:10", 1001), ("17:10", 1001), ("17:20", 1003)):
        freezer.move_to(f"2026-06-10T{when}:00+02:00")
        measure(hass, kwh)
        await go(hass, freezer, f"2026-06-10T{when}:30+02:00")
    assert number(hass, f"{OFFTAKE}_cost") == pytest.approx(ECO + 2 * PEAK, abs=0.01)
    await async_wait_recording_done(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
