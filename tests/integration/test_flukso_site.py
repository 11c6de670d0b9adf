"""A Fluksometer becomes a site."""

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tools.simulator import Simulator

from .conftest import NOON, SecondHand, Wait, entry_of, load, number, state


async def test_shows_power_per_phase_and_in_total(
    hass: HomeAssistant, paused_site: MockConfigEntry, hand: SecondHand
) -> None:
    assert state(hass, "sensor.flukso_grid_power") == "unknown"
    await hand.turn_and_show(paused_site)
    flow = hand.meter.meter._household.at(hand.meter.scene)
    phases = [number(hass, f"sensor.flukso_phase_l{phase}_power") for phase in (1, 2, 3)]
    assert phases == pytest.approx([load - flow.solar / 3 for load in flow.loads], abs=1)
    assert number(hass, "sensor.flukso_grid_power") == pytest.approx(sum(phases), abs=2)
    assert number(hass, "sensor.flukso_phase_imbalance") == pytest.approx(max(phases) - min(phases), abs=2)
    assert state(hass, "binary_sensor.flukso_meter") == "on"


async def test_shows_what_the_roof_makes_and_what_the_house_uses(
    hass: HomeAssistant, paused_site: MockConfigEntry, hand: SecondHand, until: Wait
) -> None:
    await hand.turn_and_show(paused_site, 3)
    flow = hand.meter.meter._household.at(hand.meter.scene)
    assert flow.solar > 1000, "several pulses a second"
    await until(lambda: paused_site.runtime_data.live.time)
    assert number(hass, "sensor.flukso_production_power") == pytest.approx(flow.solar, rel=0.05)
    assert number(hass, "sensor.flukso_consumption_power") == pytest.approx(flow.load, rel=0.2)


async def test_production_of_a_real_second_is_not_lowered_by_the_wait_for_the_next_pulse(
    hass: HomeAssistant, until: Wait
) -> None:
    async with Simulator("household", at=NOON) as meter:
        entry = await load(hass, entry_of(meter, write_interval=1))
        powers: list[float] = []
        entry.runtime_data.async_watch(lambda live: powers.append(live.balance.production))
        await until(lambda: len([p for p in powers if p]) >= 3)
        expected = meter.meter._household.solar(meter.scene)
        assert [p for p in powers if p][-2:] == pytest.approx([expected] * 2, rel=0.1)


@pytest.mark.parametrize("ahead", [-250, 250])
async def test_meter_whose_clock_is_some_minutes_off_is_live_all_the_same(
    hass: HomeAssistant, paused_site: MockConfigEntry, hand: SecondHand, ahead: int
) -> None:
    hand.now += ahead
    await hand.turn_and_show(paused_site, 3)
    assert number(hass, "sensor.flukso_grid_power") is not None
    assert number(hass, "sensor.flukso_production_power") > 1000


async def test_moves_by_itself(hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, until: Wait) -> None:
    seen: set[str] = set()
    await until(lambda: seen.add(state(hass, "sensor.flukso_grid_power")) or len(seen - {"unknown"}) > 1)


async def test_publishes_nothing_to_the_meter(
    hass: HomeAssistant, paused_meter: Simulator, paused_site: MockConfigEntry, hand: SecondHand
) -> None:
    await hand.turn_and_show(paused_site)
    assert paused_meter.received == []


async def test_unloads_and_is_removed_without_a_trace(
    hass: HomeAssistant, site: MockConfigEntry, hass_config_dir: str
) -> None:
    assert await hass.config_entries.async_unload(site.entry_id)
    file = Path(hass_config_dir) / "energy_neighbours.db"
    assert site.entry_id.encode() in file.read_bytes()
    await hass.config_entries.async_remove(site.entry_id)
    assert site.entry_id.encode() not in file.read_bytes()
    assert not hass.states.async_entity_ids(["sensor", "binary_sensor"])
