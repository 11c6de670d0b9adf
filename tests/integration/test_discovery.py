"""A Fluksometer that announces itself: offered once, confirmed before, followed to a new address."""

from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours import config_flow, flukso_meter
from custom_components.energy_neighbours.const import DOMAIN
from tools.simulator import Simulator

from .conftest import PATIENCE, Wait, entry_of
from .flows import answer, by_address, found, suggested


async def test_found_by_its_broker(hass: HomeAssistant, meter: Simulator) -> None:
    result = await found(hass, meter, "_mqtt._tcp.local.")
    assert result["step_id"] == "zeroconf_confirm"
    assert result["description_placeholders"] == {"name": meter.hostname, "model": "FLM03", "host": meter.host}
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": meter.hostname}
    result = await answer(hass, result, {})
    assert result["step_id"] == "channels"
    result = await answer(hass, result, suggested(result))
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == meter.did


async def test_found_by_its_rest_service(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator("single-phase", paused=True) as meter:
        # This service announces no broker: it is at the usual port.
        monkeypatch.setattr(config_flow, "DEFAULT_PORT", meter.port)
        result = await found(hass, meter, "_flukso._tcp.local.")
        assert result["step_id"] == "zeroconf_confirm"
        assert result["description_placeholders"]["model"] == "FLM02"


async def test_found_by_both_services_is_offered_once(hass: HomeAssistant, meter: Simulator) -> None:
    await found(hass, meter, "_mqtt._tcp.local.")
    result = await found(hass, meter, "_flukso._tcp.local.")
    assert result["reason"] == "already_in_progress"


async def test_foreign_broker_on_the_network_is_left_alone(hass: HomeAssistant, meter: Simulator) -> None:
    result = await found(hass, meter, "_mqtt._tcp.local.", name="Mosquitto on attic._mqtt._tcp.local.")
    assert result["reason"] == "not_a_fluksometer"
    assert meter.received == []


async def test_what_only_bears_the_name_is_not_offered(hass: HomeAssistant, foreign_broker: Simulator) -> None:
    result = await found(hass, foreign_broker, "_mqtt._tcp.local.")
    assert result["reason"] == "not_a_fluksometer"


async def test_meter_that_went_before_the_user_came(hass: HomeAssistant, meter: Simulator) -> None:
    result = await found(hass, meter, "_mqtt._tcp.local.")
    await meter.fault("broker-down", 0)
    result = await answer(hass, result, {})
    assert result["reason"] == "cannot_connect"
    await meter.repair("broker-down")


async def test_meter_added_by_hand_is_no_longer_offered(hass: HomeAssistant, meter: Simulator) -> None:
    await found(hass, meter, "_mqtt._tcp.local.")
    result = await by_address(hass, meter.host, meter.port)
    await answer(hass, result, suggested(result))
    await hass.async_block_till_done()
    assert hass.config_entries.flow.async_progress() == []


async def test_configured_meter_is_not_found_again(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry
) -> None:
    result = await found(hass, meter, "_flukso._tcp.local.")
    assert result["reason"] == "already_configured"
    assert site.data[CONF_HOST] == meter.host


async def test_new_address_is_tried_at_once(
    hass: HomeAssistant, meter: Simulator, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flukso_meter, "CONFIG_TIMEOUT", 1)
    entry = entry_of(meter)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_HOST: "127.0.0.2"})
    await meter.fault("broker-down", 0)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    entry.async_cancel_retry_setup()  # what comes by itself, some seconds later
    monkeypatch.setattr(flukso_meter, "CONFIG_TIMEOUT", PATIENCE)
    await meter.repair("broker-down")
    await meter.publish_config()
    result = await found(hass, meter, "_mqtt._tcp.local.")
    assert result["reason"] == "already_configured"
    assert entry.data[CONF_HOST] == meter.host
    await until(lambda: entry.state is ConfigEntryState.LOADED)


async def test_loaded_site_follows_its_meter_to_a_new_address(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, until: Wait
) -> None:
    before = site.runtime_data
    result = await found(hass, meter, "_mqtt._tcp.local.", address="127.0.0.1")
    assert result["reason"] == "already_configured"
    assert site.runtime_data is before, "nothing has changed"
    hass.config_entries.async_update_entry(site, data={**site.data, CONF_HOST: "localhost"})
    await until(lambda: site.state is ConfigEntryState.LOADED and site.runtime_data is not before)


@pytest.mark.parametrize(("host", "port_change"), [("localhost", 0), ("127.0.0.2", 1)])
async def test_name_and_forwarded_port_are_the_users_choice(
    hass: HomeAssistant, meter: Simulator, host: str, port_change: int
) -> None:
    entry = entry_of(meter)
    entry.add_to_hass(hass)
    chosen = {**entry.data, CONF_HOST: host, CONF_PORT: meter.port + port_change}
    hass.config_entries.async_update_entry(entry, data=chosen)
    result = await found(hass, meter, "_mqtt._tcp.local.")
    assert result["reason"] == "already_configured"
    assert entry.data == chosen


async def test_ignored_meter_is_not_offered_again(hass: HomeAssistant, meter: Simulator) -> None:
    await found(hass, meter, "_mqtt._tcp.local.")
    [flow] = hass.config_entries.flow.async_progress()
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": flow["context"]["unique_id"], "title": meter.hostname},
    )
    for kind in ("_mqtt._tcp.local.", "_flukso._tcp.local."):
        result = await found(hass, meter, kind)
        assert result["reason"] == "already_configured"


async def test_ignored_meter_can_be_added_by_hand_and_then_moves_along(hass: HomeAssistant, meter: Simulator) -> None:
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id=meter.hostname).add_to_hass(hass)
    result = await by_address(hass, meter.host, meter.port)
    result = await answer(hass, result, suggested(result))
    await hass.async_block_till_done()
    entry = result["result"]
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_HOST: "127.0.0.2"})
    await found(hass, meter, "_mqtt._tcp.local.")
    assert entry.data[CONF_HOST] == meter.host
    await hass.async_block_till_done()
