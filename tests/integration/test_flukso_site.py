"""A Fluksometer becomes a site."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tools.simulator import Simulator

from .conftest import SecondHand, Wait, number, state


async def test_shows_power_per_phase_and_in_total(
    hass: HomeAssistant, paused_site: MockConfigEntry, hand: SecondHand, until: Wait
) -> None:
    await hand.turn()
    await until(lambda: number(hass, "sensor.flukso_grid_power") is not None)
    phases = [number(hass, f"sensor.flukso_phase_l{phase}_power") for phase in (1, 2, 3)]
    assert number(hass, "sensor.flukso_grid_power") == pytest.approx(sum(phases), abs=2)
    assert number(hass, "sensor.flukso_phase_imbalance") == pytest.approx(max(phases) - min(phases), abs=2)
    assert state(hass, "binary_sensor.flukso_meter") == "on"


async def test_moves_by_itself(hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, until: Wait) -> None:
    seen: set[str] = set()
    await until(lambda: seen.add(state(hass, "sensor.flukso_grid_power")) or len(seen - {"unknown"}) > 2)


async def test_publishes_nothing_to_the_meter(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, until: Wait
) -> None:
    await until(lambda: number(hass, "sensor.flukso_grid_power") is not None)
    assert meter.received == []


async def test_unloads_and_is_removed_without_a_trace(
    hass: HomeAssistant, site: MockConfigEntry, hass_storage: dict
) -> None:
    assert await hass.config_entries.async_unload(site.entry_id)
    assert f"energy_neighbours.site.{site.entry_id}" in hass_storage
    await hass.config_entries.async_remove(site.entry_id)
    assert f"energy_neighbours.site.{site.entry_id}" not in hass_storage
    assert not hass.states.async_entity_ids(["sensor", "binary_sensor"])
