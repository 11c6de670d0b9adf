"""Changing a site that exists: another address, other roles, another interval."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.const import CONF_CHANNELS
from tools.simulator import Simulator

from .conftest import Wait, device_of, entry_of, load
from .flows import NOWHERE, answer, change, options, suggested
from .translations import check_result

# Reconfigure


async def test_reconfigure_to_another_address_of_the_same_meter(hass: HomeAssistant, site: MockConfigEntry) -> None:
    result = await site.start_reconfigure_flow(hass)
    check_result(result)
    assert result["step_id"] == "reconfigure"
    result = await answer(hass, result, {CONF_HOST: "localhost", CONF_PORT: site.data[CONF_PORT]})
    assert result["reason"] == "reconfigure_successful"
    assert site.data[CONF_HOST] == "localhost"
    await hass.async_block_till_done()
    assert site.state is ConfigEntryState.LOADED


async def test_reconfigure_refuses_another_meter(hass: HomeAssistant, site: MockConfigEntry) -> None:
    before = dict(site.data)
    async with Simulator("flm03_three_phase", paused=True) as other:
        result = await site.start_reconfigure_flow(hass)
        result = await answer(hass, result, {CONF_HOST: other.host, CONF_PORT: other.port})
    assert result["reason"] == "another_meter"
    assert site.data == before


async def test_reconfigure_tells_what_is_wrong(hass: HomeAssistant, site: MockConfigEntry) -> None:
    result = await site.start_reconfigure_flow(hass)
    result = await answer(hass, result, {CONF_HOST: "127.0.0.1", CONF_PORT: NOWHERE})
    assert (result["step_id"], result["errors"]) == ("reconfigure", {"base": "cannot_connect"})


# Options


async def test_options_change_the_interval_and_reload(hass: HomeAssistant, site: MockConfigEntry, until: Wait) -> None:
    before = site.runtime_data
    channels = site.options[CONF_CHANNELS]
    result = await options(hass, site, "settings")
    await change(hass, result, {"write_interval": 30, "retention": "one_year"})
    await until(lambda: site.state is ConfigEntryState.LOADED and site.runtime_data is not before)
    assert site.options == {CONF_CHANNELS: channels, "write_interval": 30, "retention": "one_year"}


async def test_options_change_roles_and_reload(hass: HomeAssistant, site: MockConfigEntry, until: Wait) -> None:
    before = site.runtime_data
    result = await options(hass, site, "channels")
    fields = suggested(result)
    assert [field["role"] for field in fields.values()] == ["grid", "grid", "grid", "production"]
    wrong = {**fields, "channel_2": {"role": "grid", "phase": "l1", "reversed": False}}
    result = await change(hass, result, wrong)
    assert result["errors"] == {"base": "phase_twice"}
    fields["channel_4"]["role"] = "load"
    await change(hass, result, fields)
    await until(lambda: site.state is ConfigEntryState.LOADED and site.runtime_data is not before)
    assert [c["role"] for c in site.options[CONF_CHANNELS].values()] == ["grid", "grid", "grid", "load"]
    assert site.options["write_interval"] == 1


async def test_options_need_the_meter_for_its_roles(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry
) -> None:
    await meter.fault("broker-down", 0)
    result = await options(hass, site, "channels")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "cannot_connect")
    await meter.repair("broker-down")


async def test_options_find_the_meter_among_others_on_its_broker(hass: HomeAssistant, meter: Simulator) -> None:
    async with Simulator("flm03_three_phase", broker=(meter.host, meter.port)) as other:
        entry = await load(hass, entry_of(meter))
        result = await options(hass, entry, "channels")
        assert result["description_placeholders"]["meter"] == meter.hostname != other.hostname
        assert len(suggested(result)) == len([c for c in device_of(meter).channels if c.is_electric])
