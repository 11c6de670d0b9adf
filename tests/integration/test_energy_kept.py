"""Energy over outages, restarts and power cuts: none is lost, none is shown twice."""

from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant, callback
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours import site as site_module
from custom_components.energy_neighbours.flukso import client
from custom_components.energy_neighbours.ledger_keeper import SiteLedger, async_open_ledger
from tools.simulator import Simulator

from .conftest import SecondHand, Wait, entry_of, load, number, state

GRID = "sensor.flukso_grid_power"
METER = "binary_sensor.flukso_meter"
OFFTAKE, INJECTION = "sensor.flukso_offtake_energy", "sensor.flukso_injection_energy"
WH = 3600 * 2048
"""The simulator counts in these parts of a watt-hour."""


@pytest.fixture
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "GRACE", 0.3)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once, instead of ever later."""
    monkeypatch.setattr(client, "FIRST_DELAY", 0.1)
    monkeypatch.setattr(client, "MAX_DELAY", 0.2)


class Truth:
    """What the simulated meter has counted of the grid since some moment."""

    def __init__(self, meter: Simulator) -> None:
        self._meter = meter
        self._before = self._net()

    def _net(self) -> float:
        return sum(port[0] - port[1] for port in self._meter.meter._energy) / WH

    @property
    def net(self) -> float:
        """Offtake minus injection [Wh]."""
        return self._net() - self._before


def booked(entry: MockConfigEntry) -> float:
    """Return offtake minus injection of a site [Wh]."""
    site = entry.runtime_data
    site.energy.close_step()
    return site.registers.offtake - site.registers.injection


async def kept(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return the state that a site's ledger keeps over a restart."""
    ledger = await async_open_ledger(hass, entry.entry_id)
    try:
        return await ledger.async_load_state()
    finally:
        await ledger.async_close()


async def put_back(hass: HomeAssistant, entry: MockConfigEntry, state: dict[str, Any]) -> None:
    """Let the ledger keep an older state, as if the machine had lost its power after it."""
    ledger = await async_open_ledger(hass, entry.entry_id)
    await ledger.async_save_state(state)
    await ledger.async_close()


async def test_energy_is_what_the_meter_counted(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry
) -> None:
    await hand.turn_and_show(paused_site)
    truth = Truth(hand.meter)
    await hand.turn_and_show(paused_site, 20)
    assert abs(truth.net) > 0.5
    assert booked(paused_site) == pytest.approx(truth.net, abs=0.01)


@pytest.mark.usefixtures("_short_grace", "_impatient")
async def test_outage_loses_no_energy(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, until: Wait
) -> None:
    await hand.turn_and_show(paused_site)
    truth = Truth(hand.meter)
    site = paused_site.runtime_data
    await hand.meter.fault("broker-down", 0)
    await until(lambda: state(hass, GRID) == "unavailable")
    await hand.turn(200)
    connects = site.meter.client.statistics.connects
    await hand.meter.repair("broker-down")
    await until(lambda: site.meter.client.statistics.connects > connects)
    await hand.turn_and_show(paused_site)
    assert abs(truth.net) > 10
    assert booked(paused_site) == pytest.approx(truth.net, abs=0.01)


async def test_restart_loses_no_energy(hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry) -> None:
    await hand.turn_and_show(paused_site)
    truth = Truth(hand.meter)
    await hand.turn_and_show(paused_site, 5)
    before = number(hass, OFFTAKE), number(hass, INJECTION)
    assert await hass.config_entries.async_unload(paused_site.entry_id)
    await hand.turn(100)
    await load(hass, paused_site)
    shown = number(hass, OFFTAKE), number(hass, INJECTION)
    assert shown == before, "known from the first moment"
    await hand.turn_and_show(paused_site)
    assert abs(truth.net) > 5
    assert booked(paused_site) == pytest.approx(truth.net, abs=0.01)
    assert number(hass, OFFTAKE) >= before[0]
    assert number(hass, INJECTION) >= before[1]


async def test_kill_without_saving_loses_no_energy_and_shows_no_step_back(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry
) -> None:
    await hand.turn_and_show(paused_site)
    truth = Truth(hand.meter)
    await paused_site.runtime_data._save_now(None)
    saved = await kept(hass, paused_site)
    await hand.turn_and_show(paused_site, 100)
    before = number(hass, OFFTAKE), number(hass, INJECTION)
    assert max(before) > 0.01
    assert await hass.config_entries.async_unload(paused_site.entry_id)
    await put_back(hass, paused_site, saved)
    shown: list[float | None] = []

    @callback
    def note(event: Any) -> None:
        if (new := event.data["new_state"]) and new.entity_id in (OFFTAKE, INJECTION):
            shown.append(
                None
                if new.state in ("unknown", "unavailable")
                else float(new.state) - before[new.entity_id == INJECTION]
            )

    hass.bus.async_listen("state_changed", note)
    await load(hass, paused_site)
    for _ in range(3):
        await hand.turn_and_show(paused_site)
    await hass.async_block_till_done()
    assert booked(paused_site) == pytest.approx(truth.net, abs=0.01)
    assert [step for step in shown if step is not None]
    assert min(step for step in shown if step is not None) >= -0.002


async def test_power_cut_is_not_forgotten_by_a_reload_before_the_meter_was_heard(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry
) -> None:
    await hand.turn_and_show(paused_site, 3)
    await paused_site.runtime_data._save_now(None)
    saved = await kept(hass, paused_site)
    assert await hass.config_entries.async_unload(paused_site.entry_id)
    await put_back(hass, paused_site, saved)
    for _ in range(2):
        await load(hass, paused_site)
        assert state(hass, OFFTAKE) == "unknown"
        assert await hass.config_entries.async_unload(paused_site.entry_id)


async def test_counter_reset_loses_at_most_what_nobody_counted(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry
) -> None:
    await hand.turn_and_show(paused_site)
    truth = Truth(hand.meter)
    await hand.turn_and_show(paused_site, 10)
    before = truth.net
    await hand.meter.fault("counter-reset")
    after = Truth(hand.meter)
    await hand.turn_and_show(paused_site, 10)
    assert booked(paused_site) == pytest.approx(before + after.net, abs=0.05)
    assert number(hass, INJECTION) >= 0


async def test_saved_registers_that_cannot_be_read_start_anew(
    hass: HomeAssistant, hand: SecondHand, hass_storage: dict[str, Any]
) -> None:
    entry = entry_of(hand.meter, write_interval=300)
    key = f"energy_neighbours.site.{entry.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": {"registers": {"nonsense": 1}}}
    await load(hass, entry)
    await hand.turn_and_show(entry)
    assert number(hass, OFFTAKE) == 0


async def test_registers_of_an_earlier_release_are_taken_over(
    hass: HomeAssistant, hand: SecondHand, hass_storage: dict[str, Any]
) -> None:
    entry = entry_of(hand.meter, write_interval=300)
    key = f"energy_neighbours.site.{entry.entry_id}"
    registers = {"offtake": 123_000.0, "injection": 45_000.0, "production": 0.0, "channels": {}}
    data = {"clean": True, "registers": registers, "meter": {"tracks": {}}}
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": data}
    await load(hass, entry)
    assert number(hass, OFFTAKE) == 123
    assert key not in hass_storage
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert number(hass, INJECTION) == 45


@pytest.mark.parametrize("broken", ["load", "platforms"])
async def test_start_that_is_broken_off_keeps_what_was_saved(
    hass: HomeAssistant,
    hand: SecondHand,
    paused_site: MockConfigEntry,
    no_errors: list[str],
    broken: str,
) -> None:
    await hand.turn_and_show(paused_site)
    await hand.turn_and_show(paused_site, 20)
    assert await hass.config_entries.async_unload(paused_site.entry_id)
    registers = (await kept(hass, paused_site))["energy"]["registers"]
    assert registers["injection"] > 1
    place, name = {
        "load": (SiteLedger, "async_load_state"),
        "platforms": (hass.config_entries, "async_forward_entry_setups"),
    }[broken]
    no_errors.append("Error setting up entry")
    with patch.object(place, name, side_effect=OSError("disk on fire")):
        assert not await hass.config_entries.async_setup(paused_site.entry_id)
    assert (await kept(hass, paused_site))["energy"]["registers"] == registers
    assert await hass.config_entries.async_reload(paused_site.entry_id)
    assert number(hass, INJECTION) == pytest.approx(registers["injection"] / 1000, abs=0.001)


@pytest.mark.usefixtures("_short_grace", "_impatient")
async def test_reboot_with_an_unset_clock_loses_no_energy(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, until: Wait
) -> None:
    await hand.turn_and_show(paused_site)
    truth = Truth(hand.meter)
    right = hand.now
    hand.now = 12
    await hand.turn_and_show(paused_site, 5)
    hand.now = right + 6
    await hand.turn_and_show(paused_site, 5)
    assert booked(paused_site) == pytest.approx(truth.net, abs=0.01)
