"""What helps to find a fault tells nothing that identifies the household, its meter or its radio key."""

import json
import re
from typing import Any

from homeassistant.components.system_health import DOMAIN as SYSTEM_HEALTH
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.diagnostics import async_get_config_entry_diagnostics
from tests.integration.translations import LANGUAGES, find
from tools.simulator import Simulator

from .conftest import SecondHand, entry_of, load

SAMPLES = ["flm02_single_phase_pv", "flm03_three_phase", "flm03_three_phase_kube", "household"]


def secrets_of(meter: Simulator) -> set[str]:
    """Everything in a meter's configuration that names somebody or something."""
    config = meter.meter.config
    secrets = {config.did, config.did[:6], config.hostname, config.serial, meter.host}
    for sections in (config.sensor, config.kube, config.flx or {}):
        for section in sections.values():
            for key in ("id", "key", "null_key", "hw_id", "name", "function"):
                if value := section.get(key):
                    secrets.add(str(value))
    return secrets


@pytest.mark.parametrize("paused_meter", SAMPLES, indirect=True)
async def test_diagnostics_identify_nobody(hass: HomeAssistant, hand: SecondHand) -> None:
    # Names as people give them; those of the samples also say what a port measures.
    config = hand.meter.meter.config
    for number, section in enumerate((*config.sensor.values(), *config.kube.values(), *(config.flx or {}).values())):
        for key in ("name", "function"):
            if key in section:
                section[key] = f"attic {number}"
    config.recorded.clear()
    await hand.meter.config_changed()
    site = await load(hass, entry_of(hand.meter, write_interval=300))
    await hand.turn_and_show(site, 4)
    data = await async_get_config_entry_diagnostics(hass, site)
    text = json.dumps(data, default=str, ensure_ascii=False)
    assert not [secret for secret in secrets_of(hand.meter) if secret in text]
    assert not re.search(r"[0-9a-f]{32}|attic", text)


async def test_diagnostics_count_what_happened(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry
) -> None:
    await hand.turn_and_show(paused_site, 4)
    await hand.meter.fault("garbage", 0)
    await hand.turn_and_show(paused_site, 4)
    data: dict[str, Any] = await async_get_config_entry_diagnostics(hass, paused_site)
    statistics = data["meter"]["statistics"]
    assert statistics["counters"] >= 8 * 18
    assert statistics["gauges"] >= 8 * 33
    assert statistics["connects"] == 1
    assert statistics["configs"] >= 3
    assert sum(statistics["dropped"].values()) > 0
    assert data["connected"] is True
    assert data["meter"]["state"] == "online"
    assert data["meter"]["device"]["model"] == "FLM03"
    assert data["meter"]["device"]["channels"][0]["role"]["phase"] == "L1"
    assert data["power"]["phases"].keys() == {"L1", "L2", "L3"}


async def test_garbage_does_not_flood_the_log(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    await hand.meter.fault("garbage", 0)
    caplog.clear()
    await hand.turn_and_show(paused_site, 30)
    lines = [r for r in caplog.records if r.name.startswith("custom_components") and "Dropped" in r.getMessage()]
    dropped = paused_site.runtime_data.meter.client.statistics.dropped
    assert sum(dropped.values()) > len(dropped) * 2
    assert len(lines) <= len(dropped)


async def test_system_health_counts_sites(hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry) -> None:
    assert await async_setup_component(hass, SYSTEM_HEALTH, {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    assert info["sites"] == 1
    assert info["meters_connected"] == 1
    assert info["messages_dropped"] == paused_site.runtime_data.meter.messages_dropped
    for language in LANGUAGES:
        assert info.keys() <= find(language, "system_health.info").keys()
