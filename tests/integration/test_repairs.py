"""Faults that need a hand appear as repairs, disappear by themselves, and can be read in every language."""

from datetime import timedelta
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.energy_neighbours import faults as faults_module, flukso_meter, site as site_module
from custom_components.energy_neighbours.const import CONF_CHANNELS, DOMAIN
from custom_components.energy_neighbours.flukso import client
from custom_components.energy_neighbours.repairs import async_create_fix_flow
from tools.simulator import Simulator

from .conftest import SecondHand, Wait, entry_of, load, number
from .translations import LANGUAGES, fill, find


def issue(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> ir.IssueEntry | None:
    """Return an open repair of a site, and check its texts."""
    found = ir.async_get(hass).async_get_issue(DOMAIN, f"{key}_{entry.entry_id}")
    if found is None:
        return None
    for language in LANGUAGES:
        texts = find(language, f"issues.{found.translation_key}")
        fill(texts["title"], found.translation_placeholders)
        if found.is_fixable:
            step = texts["fix_flow"]["step"]["confirm"]
            fill(step["title"], found.translation_placeholders)
            fill(step["description"], found.translation_placeholders)
        else:
            fill(texts["description"], found.translation_placeholders)
    return found


async def test_sound_meter_has_no_repairs(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, issue_registry: ir.IssueRegistry
) -> None:
    await hand.turn_and_show(paused_site, 3)
    assert not [i for i in issue_registry.issues.values() if i.domain == DOMAIN]


async def test_meter_unreachable(
    hass: HomeAssistant, meter: Simulator, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_module, "GRACE", 0.1)
    monkeypatch.setattr(site_module, "UNREACHABLE_AFTER", 0.3)
    monkeypatch.setattr(faults_module, "UNREACHABLE_AFTER", 0.3)
    monkeypatch.setattr(client, "MAX_DELAY", 0.2)
    site = await load(hass, entry_of(meter, write_interval=0.2))
    await meter.fault("broker-down", 0)
    await until(lambda: issue(hass, site, "meter_unreachable"))
    await meter.repair("broker-down")
    await until(lambda: not issue(hass, site, "meter_unreachable"))


async def test_meter_that_was_off_from_the_start_becomes_a_repair_too(
    hass: HomeAssistant, meter: Simulator, monkeypatch: pytest.MonkeyPatch, until: Wait
) -> None:
    monkeypatch.setattr(flukso_meter, "CONFIG_TIMEOUT", 0.5)
    monkeypatch.setattr(faults_module, "UNREACHABLE_AFTER", 0.1)
    entry = entry_of(meter)
    entry.add_to_hass(hass)
    await meter.fault("broker-down", 0)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert not issue(hass, entry, "meter_unreachable"), "it may only be starting"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=1))
    await until(lambda: issue(hass, entry, "meter_unreachable"))
    await until(lambda: entry.state is ConfigEntryState.SETUP_RETRY)
    await meter.repair("broker-down")
    await meter.publish_config()
    monkeypatch.setattr(flukso_meter, "CONFIG_TIMEOUT", 10)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=5))
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    assert not issue(hass, entry, "meter_unreachable")


@pytest.mark.parametrize("fault", ["clock-wrong", "clock-unset"])
async def test_clock_wrong(
    hass: HomeAssistant, meter: Simulator, until: Wait, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(flukso_meter, "CLOCK_TOLERANCE", 3)
    site = await load(hass, entry_of(meter, write_interval=0.2))
    await until(lambda: number(hass, "sensor.flukso_grid_power") is not None)
    await meter.fault(fault, 0)
    await until(lambda: issue(hass, site, "clock_wrong"))
    assert number(hass, "sensor.flukso_grid_power") is not None, "what is measured is right all the same"
    await meter.repair(fault)
    await until(lambda: not issue(hass, site, "clock_wrong"))


@pytest.mark.parametrize("paused_meter", ["single-phase"], indirect=True)
@pytest.mark.parametrize(("fault", "key"), [("wan-branch-off", "no_counters"), ("lan-branch-off", "no_gauges")])
async def test_branch_of_an_flm02_that_is_off(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, until: Wait, fault: str, key: str
) -> None:
    await hand.turn_and_show(paused_site)
    device = paused_site.runtime_data.meter._device
    await hand.meter.fault(fault)
    await until(lambda: paused_site.runtime_data.meter._device != device)
    await hand.turn_and_show(paused_site)
    assert issue(hass, paused_site, key)
    device = paused_site.runtime_data.meter._device
    await hand.meter.repair(fault)
    await until(lambda: paused_site.runtime_data.meter._device != device)
    await hand.turn_and_show(paused_site)
    assert not issue(hass, paused_site, key)


@pytest.fixture
async def site_with_a_ghost(hass: HomeAssistant, hand: SecondHand) -> MockConfigEntry:
    """A site that gave a role to a channel which its meter no longer has."""
    entry = entry_of(hand.meter, write_interval=300)
    entry.add_to_hass(hass)
    ghost = {"0" * 32 + "_electricity": {"role": "load", "phase": None, "reversed": False}}
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_CHANNELS: {**entry.options[CONF_CHANNELS], **ghost}}
    )
    await load(hass, entry)
    await hand.turn_and_show(entry)
    return entry


async def test_missing_channels_are_forgotten_after_the_yes(
    hass: HomeAssistant, site_with_a_ghost: MockConfigEntry, hass_client: ClientSessionGenerator, until: Wait
) -> None:
    entry = site_with_a_ghost
    found = issue(hass, entry, "channels_missing")
    assert found
    assert found.is_fixable
    assert found.translation_placeholders == {"site": "Flukso", "count": "1"}
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    http = await hass_client()
    answer = await (
        await http.post("/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": found.issue_id})
    ).json()
    assert answer["step_id"] == "confirm"
    before = entry.runtime_data
    answer = await (await http.post(f"/api/repairs/issues/fix/{answer['flow_id']}", json={})).json()
    assert answer["type"] == "create_entry"
    await until(lambda: entry.state is ConfigEntryState.LOADED and entry.runtime_data is not before)
    assert len(entry.options[CONF_CHANNELS]) == 4
    assert not issue(hass, entry, "channels_missing")


async def _fix(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    flow = await async_create_fix_flow(hass, "any", {"entry_id": entry.entry_id, "site": "Flukso", "count": "1"})
    flow.hass, flow.handler, flow.flow_id, flow.cur_step, flow.context = hass, DOMAIN, "x", None, {}
    return await flow.async_step_confirm({})


async def test_fix_of_a_site_that_is_gone(hass: HomeAssistant, site_with_a_ghost: MockConfigEntry) -> None:
    await hass.config_entries.async_remove(site_with_a_ghost.entry_id)
    result = await _fix(hass, site_with_a_ghost)
    assert result["reason"] == "entry_gone"
    for language in LANGUAGES:
        find(language, "issues.channels_missing.fix_flow.abort.entry_gone")


async def test_fix_of_a_site_that_is_not_loaded(hass: HomeAssistant, site_with_a_ghost: MockConfigEntry) -> None:
    await hass.config_entries.async_unload(site_with_a_ghost.entry_id)
    result = await _fix(hass, site_with_a_ghost)
    assert result["reason"] == "entry_not_loaded"
    for language in LANGUAGES:
        find(language, "issues.channels_missing.fix_flow.abort.entry_not_loaded")
    assert len(site_with_a_ghost.options[CONF_CHANNELS]) == 5, "without its meter nobody knows what is missing"


async def test_repairs_go_with_their_site(hass: HomeAssistant, site_with_a_ghost: MockConfigEntry) -> None:
    assert issue(hass, site_with_a_ghost, "channels_missing")
    await hass.config_entries.async_unload(site_with_a_ghost.entry_id)
    assert not issue(hass, site_with_a_ghost, "channels_missing")


async def test_phase_that_is_switched_off_stops_the_site_with_the_reason_until_it_is_back(
    hass: HomeAssistant, hand: SecondHand, until: Wait
) -> None:
    entry = entry_of(hand.meter)
    entry.add_to_hass(hass)
    sensors = hand.meter.meter.config.sensor.values()
    enabled = [sensor for sensor in sensors if sensor.get("port") == [2] and sensor.get("enable")]
    for sensor in enabled:
        sensor["enable"] = 0
    await hand.meter.config_changed()
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "roles_contradict"
    for sensor in enabled:
        sensor["enable"] = 1
    await hand.meter.config_changed()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=2))
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    for language in LANGUAGES:
        find(language, "exceptions.roles_contradict.message")
        fill(find(language, "exceptions.meter_unreachable.message"), {"host": "127.0.0.1"})
