"""Outages: what is unknown is never shown as zero, and no energy is lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.energy_neighbours import flukso_meter, site as site_module
from custom_components.energy_neighbours.flukso import client
from tools.simulator import Simulator

from .conftest import PATIENCE, SecondHand, Wait, device_of, entry_of, load, number, state

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


@pytest.mark.usefixtures("_short_grace", "_impatient")
async def test_entities_become_unavailable_after_the_grace_time_and_come_back(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, until: Wait
) -> None:
    await until(lambda: number(hass, GRID) is not None)
    assert state(hass, METER) == "on"
    await meter.fault("broker-down", 0)
    await until(lambda: state(hass, GRID) == "unavailable")
    assert state(hass, METER) == "off", "available, and tells that the meter is not"
    assert state(hass, OFFTAKE) == "unavailable"
    assert state(hass, "sensor.flukso_last_reading") not in ("unavailable", "unknown")
    await meter.repair("broker-down")
    await until(lambda: number(hass, GRID) is not None)
    assert state(hass, METER) == "on"
    assert number(hass, OFFTAKE) is not None


@pytest.mark.usefixtures("_impatient")
async def test_short_outage_changes_nothing(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, until: Wait
) -> None:
    await hand.turn_and_show(paused_site)
    before = hass.states.get(GRID)
    connects = paused_site.runtime_data.meter.client.statistics.connects
    await hand.meter.fault("broker-down", 0)
    await hand.meter.repair("broker-down")
    await until(lambda: paused_site.runtime_data.meter.client.statistics.connects > connects)
    assert hass.states.get(GRID) is before
    assert state(hass, METER) == "on"
    assert paused_site.runtime_data._cancel_grace is None, "the outage is forgotten"


async def test_silent_meter_is_not_connected(
    hass: HomeAssistant, hand: SecondHand, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_module, "GRACE", 0.1)
    entry = entry_of(hand.meter, write_interval=0.2)
    await load(hass, entry)
    entry.runtime_data.meter.client._silent_after = 0.3
    # The broker answers, but nothing is measured.
    entry.runtime_data.meter._task.cancel()
    await asyncio.wait([entry.runtime_data.meter._task])
    entry.runtime_data.meter._task = hass.async_create_background_task(
        entry.runtime_data.meter.client.run(), "impatient client"
    )
    await until(lambda: state(hass, METER) == "off")
    async with asyncio.timeout(PATIENCE):
        while state(hass, METER) == "off":  # what is sent while it connects anew is lost
            await hand.turn()
            await asyncio.sleep(0.05)
    assert state(hass, METER) == "on"


async def test_values_that_are_too_old_are_unknown_not_zero(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hand.turn_and_show(paused_site, 3)
    assert number(hass, GRID) is not None
    monkeypatch.setattr(flukso_meter, "FRESH", dict.fromkeys(flukso_meter.FRESH, -1))
    await hand.turn_and_show(paused_site, 0)
    for entity_id in (GRID, "sensor.flukso_phase_l1_power", "sensor.flukso_phase_imbalance"):
        assert state(hass, entity_id) == "unknown"


async def test_meter_that_is_away_at_the_start_is_tried_again(
    hass: HomeAssistant, meter: Simulator, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flukso_meter, "CONFIG_TIMEOUT", 0.5)
    await meter.fault("broker-down", 0)
    entry = entry_of(meter)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "meter_unreachable"
    monkeypatch.setattr(flukso_meter, "CONFIG_TIMEOUT", PATIENCE)
    await meter.repair("broker-down")
    await meter.publish_config()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=20))
    await until(lambda: entry.state is ConfigEntryState.LOADED)


# The meter's configuration changes while Home Assistant runs


async def test_renamed_port_renames_its_entities(
    hass: HomeAssistant, hand: SecondHand, until: Wait, paused_site: MockConfigEntry
) -> None:
    names = [c.name for c in device_of(hand.meter).channels]
    before = paused_site.runtime_data
    await hand.meter.fault("config-change")
    assert [c.name for c in device_of(hand.meter).channels] != names
    await until(lambda: paused_site.state is ConfigEntryState.LOADED and paused_site.runtime_data is not before)
    assert (
        paused_site.runtime_data.meter.channels[device_of(hand.meter).channels[0].key].name
        == device_of(hand.meter).channels[0].name
    )
    await hand.turn_and_show(paused_site)
    assert number(hass, GRID) is not None


async def test_paired_kube_appears(
    hass: HomeAssistant,
    hand: SecondHand,
    until: Wait,
    paused_site: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    before = paused_site.runtime_data
    await hand.meter.fault("kube-paired")
    await until(lambda: paused_site.state is ConfigEntryState.LOADED and paused_site.runtime_data is not before)
    await hand.turn_and_show(paused_site)
    assert number(hass, "sensor.kube_1_temperature") == pytest.approx(20.5, abs=1)
    assert number(hass, "sensor.kube_1_air_pressure") == pytest.approx(1013, abs=10)


@pytest.mark.parametrize("changed", ["constant", "wiring"])
async def test_setting_of_the_meter_that_changes_is_followed(
    hass: HomeAssistant, hand: SecondHand, until: Wait, paused_site: MockConfigEntry, changed: str
) -> None:
    before = paused_site.runtime_data
    config = hand.meter.meter.config
    if changed == "constant":
        config.flx["4"]["constant"] = 2.5
    else:
        config.flx["main"]["phase"] = "3p-n"
    await hand.meter.config_changed()
    await until(lambda: paused_site.state is ConfigEntryState.LOADED and paused_site.runtime_data is not before)
    if changed == "constant":
        assert 2.5 in paused_site.runtime_data.meter._pulse_constants.values()
    else:
        assert paused_site.runtime_data.meter.layout.wiring == "3p-n"


async def test_setting_that_changes_while_the_site_is_set_up_is_followed(
    hass: HomeAssistant, hand: SecondHand, until: Wait
) -> None:
    entry = entry_of(hand.meter, write_interval=300)
    load_store = site_module.Store.async_load
    sites = []

    async def change_meanwhile(store: Any) -> Any:
        if not sites and store.key.endswith(entry.entry_id):
            meter = entry.runtime_data.meter
            sites.append(entry.runtime_data)
            meter._configure(replace(meter._device, channels=meter._device.channels[:-1]))
        return await load_store(store)

    with patch.object(site_module.Store, "async_load", change_meanwhile):
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await until(lambda: entry.state is ConfigEntryState.LOADED and entry.runtime_data is not sites[0])


async def test_port_that_is_switched_off_disturbs_nothing_else(
    hass: HomeAssistant, hand: SecondHand, until: Wait, paused_site: MockConfigEntry
) -> None:
    await hand.turn_and_show(paused_site, 3)
    before = paused_site.runtime_data
    config = hand.meter.meter.config
    config.flx["4"]["enable"] = 0
    config.sensor["37"]["enable"] = 0
    await hand.meter.config_changed()
    await hand.turn(2)
    await until(lambda: paused_site.state is ConfigEntryState.LOADED and paused_site.runtime_data is not before)
    await hand.turn_and_show(paused_site)
    assert number(hass, GRID) is not None
