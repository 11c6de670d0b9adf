"""Setting up a Fluksometer: by address, found on the network, moved, refused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from ipaddress import ip_address
import socket
from typing import Any

from aiohttp import web
from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_USER, SOURCE_ZEROCONF, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours import config_flow, flukso_meter, options_flow
from custom_components.energy_neighbours.const import CONF_CHANNELS, CONF_DID, CONF_METER, CONF_MODEL, DOMAIN
from custom_components.energy_neighbours.flukso.discovery import survey
from tools.simulator import Simulator

from .conftest import SecondHand, Wait, device_of, entry_of, load
from .translations import check_result

NOWHERE = 9  # the port of nobody


@pytest.fixture(autouse=True)
def _short_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter on loopback tells everything at once, and one that tells nothing need not be awaited for 10 s."""
    short = partial(survey, timeout=1.5, settle=0.3)
    monkeypatch.setattr(config_flow, "survey", short)
    monkeypatch.setattr(options_flow, "survey", short)


@pytest.fixture
async def neighbourless_broker(unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[Simulator]:
    """A broker without anything of a Fluksometer on it."""
    simulator = Simulator("flm02_single_phase_pv", paused=True)
    await simulator.broker.start()
    yield simulator
    await simulator.broker.stop()


async def by_address(hass: HomeAssistant, host: str, port: int) -> ConfigFlowResult:
    """Go through the menu and give an address."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    check_result(result)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "flukso"})
    check_result(result)
    assert result["step_id"] == "flukso"
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {CONF_HOST: host, CONF_PORT: port})
    check_result(result)
    return result


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what the form would send if nothing was changed."""
    assert result["data_schema"]
    return {
        str(field): {str(inner): inner.default() for inner in section.schema.schema}
        for field, section in result["data_schema"].schema.items()
        if hasattr(section, "schema")
    }


def roles(result: ConfigFlowResult) -> list[tuple[str, str]]:
    return [(section["role"], section["phase"]) for section in suggested(result).values()]


async def answer(hass: HomeAssistant, result: ConfigFlowResult, data: dict[str, Any]) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(result["flow_id"], data)
    check_result(result)
    return result


async def found(hass: HomeAssistant, meter: Simulator, kind: str, **changes: Any) -> ConfigFlowResult:
    """Let a service be discovered."""
    label = "MQTT Broker" if kind.startswith("_mqtt") else "Flukso RESTful API"
    info = {
        "ip_address": ip_address(changes.get("address", meter.host)),
        "ip_addresses": [ip_address(changes.get("address", meter.host))],
        "port": meter.port if kind.startswith("_mqtt") else 8080,
        "hostname": f"{meter.hostname}.local.",
        "type": kind,
        "name": changes.get("name", f"{label} on {meter.hostname}.{kind}"),
        "properties": {},
    }
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=ZeroconfServiceInfo(**info)
    )
    check_result(result)
    return result


# By address


async def test_by_address_with_the_suggested_roles(hass: HomeAssistant, meter: Simulator) -> None:
    result = await by_address(hass, f" {meter.host} ", meter.port)
    assert result["step_id"] == "channels"
    assert roles(result) == [("grid", "l1"), ("grid", "l2"), ("grid", "l3"), ("production", "none")]
    result = await answer(hass, result, suggested(result))
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.title == "Flukso"
    assert entry.unique_id == meter.did
    assert entry.data == {
        CONF_METER: "flukso",
        CONF_HOST: meter.host,
        CONF_PORT: meter.port,
        CONF_DID: meter.did,
        CONF_MODEL: "FLM03",
    }
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("sensor.flukso_phase_l2_power")
    assert len(entry.options[CONF_CHANNELS]) == 4


async def test_channels_are_told_apart_by_port_name_phase_and_watts(hass: HomeAssistant, meter: Simulator) -> None:
    result = await by_address(hass, meter.host, meter.port)
    placeholders = result["description_placeholders"]
    assert placeholders["meter"] == meter.hostname
    assert placeholders["model"] == "FLM03"
    port, name, phase, watts = placeholders["channel_2"].split(" · ")
    assert (port, name, phase) == ("#2", "L2", "φ2")
    assert watts.endswith(" W")
    assert placeholders["channel_4"].startswith("#4 · PV inverter · ")


async def test_nobody_at_the_address(hass: HomeAssistant) -> None:
    result = await by_address(hass, "127.0.0.1", NOWHERE)
    assert (result["step_id"], result["errors"]) == ("flukso", {"base": "cannot_connect"})
    assert result["description_placeholders"]["host"] == "127.0.0.1"


async def test_name_that_nobody_knows(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(hass.loop, "getaddrinfo", unknown)
    result = await by_address(hass, "flukso-000000.invalid", 1883)
    assert result["errors"] == {"base": "cannot_connect"}


async def test_web_server_in_place_of_a_broker(hass: HomeAssistant) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        result = await by_address(hass, "127.0.0.1", port)
    finally:
        await runner.cleanup()
    assert result["errors"] == {"base": "not_a_fluksometer"}


async def test_broker_without_a_fluksometer(hass: HomeAssistant, neighbourless_broker: Simulator) -> None:
    result = await by_address(hass, "127.0.0.1", neighbourless_broker.port)
    assert result["errors"] == {"base": "not_a_fluksometer"}


async def test_broker_that_wants_a_password(hass: HomeAssistant, meter: Simulator) -> None:
    await meter.fault("password")
    result = await by_address(hass, meter.host, meter.port)
    assert result["errors"] == {"base": "broker_refuses"}


async def test_meter_that_does_not_tell_its_configuration(hass: HomeAssistant, meter: Simulator) -> None:
    await meter.fault("no-config")
    result = await by_address(hass, meter.host, meter.port)
    assert result["errors"] == {"base": "no_configuration"}


async def test_address_can_be_corrected_after_an_error(hass: HomeAssistant, meter: Simulator) -> None:
    result = await by_address(hass, meter.host, NOWHERE)
    result = await answer(hass, result, {CONF_HOST: meter.host, CONF_PORT: meter.port})
    assert result["step_id"] == "channels"


async def test_same_meter_twice_is_refused_before_any_question(hass: HomeAssistant, site: MockConfigEntry) -> None:
    result = await by_address(hass, site.data[CONF_HOST], site.data[CONF_PORT])
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_second_meter_has_a_title_of_its_own(hass: HomeAssistant, site: MockConfigEntry) -> None:
    async with Simulator("single-phase") as other:
        result = await by_address(hass, other.host, other.port)
        result = await answer(hass, result, suggested(result))
        await hass.async_block_till_done()
        assert result["title"] == f"Flukso {other.did[:6]}"
        assert await hass.config_entries.async_unload(result["result"].entry_id)


# Suggestions


async def test_suggests_the_p1_port_as_the_grid_of_an_flm02(hass: HomeAssistant) -> None:
    async with Simulator("flm02_single_phase_pv", paused=True) as meter:
        result = await by_address(hass, meter.host, meter.port)
        names = [result["description_placeholders"][key] for key in suggested(result)]
        by_name = {
            name: role
            for (role, _), text in zip(roles(result), names, strict=True)
            for name in ("main", "solar", "smart-main")
            if f" {name} " in f" {text} "
        }
    assert by_name == {"main": "none", "solar": "production", "smart-main": "grid"}


async def test_suggests_the_only_phase_of_a_single_phase_flm03(hass: HomeAssistant, paused_meter: Simulator) -> None:
    flx = paused_meter.meter.config.flx
    flx["main"]["phase"] = "1p"
    await paused_meter.config_changed()
    result = await by_address(hass, paused_meter.host, paused_meter.port)
    assert roles(result)[0] == ("grid", "l1")
    assert [role for role, _ in roles(result)] == ["grid", "load", "load", "production"]


async def test_suggests_three_phases_without_neutral(hass: HomeAssistant, paused_meter: Simulator) -> None:
    paused_meter.meter.config.flx["main"]["phase"] = "3p-n"
    await paused_meter.config_changed()
    result = await by_address(hass, paused_meter.host, paused_meter.port)
    assert roles(result)[:3] == [("grid", "l1"), ("grid", "l2"), ("grid", "l3")]


@pytest.mark.parametrize("paused_meter", ["flm03_three_phase_kube"], indirect=True)
async def test_suggests_phases_by_their_names(hass: HomeAssistant, paused_meter: Simulator) -> None:
    result = await by_address(hass, paused_meter.host, paused_meter.port)
    assert roles(result) == [("grid", "l1"), ("grid", "l2"), ("grid", "l3"), ("production", "none")]
    assert "channel_5" not in result["description_placeholders"], "water and kubes have no role"


# Roles that contradict each other


def _all(role: str, phase: str = "none") -> list[tuple[str, str]]:
    return [(role, phase)] * 4


WRONG = {
    "no_role": (_all("none"), None, {}),
    "no_grid_or_production": (_all("load"), None, {}),
    "phase_twice": ([("grid", "l1"), ("grid", "l1"), ("none", "none"), ("none", "none")], None, {"phase": "L1"}),
    "total_and_phases": (
        [("grid", "none"), ("grid", "l2"), ("grid", "l3"), ("none", "none")],
        None,
        {"phases": "L2, L3"},
    ),
    "total_twice": ([("grid", "none"), ("grid", "none"), ("none", "none"), ("none", "none")], None, {}),
    "phase_missing": ([("grid", "l1"), ("grid", "l2"), ("none", "none"), ("none", "none")], None, {"phase": "L3"}),
    "single_phase": (
        [("grid", "l1"), ("load", "l2"), ("none", "none"), ("none", "none")],
        {"phase": "1p"},
        {"phases": "L1, L2"},
    ),
    "bundled": (
        [("grid", "none"), ("load", "none"), ("none", "none"), ("none", "none")],
        {"math": "p1+p2+p3"},
        {"channel": "L2"},
    ),
}


@pytest.mark.parametrize("problem", WRONG)
async def test_refuses_roles_that_contradict_each_other(
    hass: HomeAssistant, paused_meter: Simulator, problem: str
) -> None:
    given, main, details = WRONG[problem]
    if main:
        paused_meter.meter.config.flx["main"] |= main
        await paused_meter.config_changed()
    result = await by_address(hass, paused_meter.host, paused_meter.port)
    fields = list(suggested(result))
    wrong = {
        name: {"role": role, "phase": phase, "reversed": False}
        for name, (role, phase) in zip(fields, given, strict=True)
    }
    result = await answer(hass, result, wrong)
    assert (result["step_id"], result["errors"]) == ("channels", {"base": problem})
    assert details.items() <= result["description_placeholders"].items()
    # What was entered stays, and can be corrected.
    kept = {
        str(field): field.description["suggested_value"]
        for field in result["data_schema"].schema
        if field.description and str(field) in fields
    }
    assert kept in ({}, wrong)
    right = {name: {"role": "none", "phase": "none", "reversed": False} for name in fields}
    right[fields[0]] = {"role": "grid", "phase": "l1", "reversed": True}
    result = await answer(hass, result, right)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert list(result["options"][CONF_CHANNELS].values()) == [{"role": "grid", "phase": "L1", "reversed": True}]
    await hass.async_block_till_done()


async def test_measures_again_and_keeps_what_was_chosen(
    hass: HomeAssistant, paused_meter: Simulator, hand: SecondHand
) -> None:
    result = await by_address(hass, paused_meter.host, paused_meter.port)
    assert result["description_placeholders"]["channel_1"].endswith("— W")
    fields = suggested(result)
    fields["channel_1"]["reversed"] = True

    async def measure() -> None:
        for _ in range(20):
            await asyncio.sleep(0.1)
            await hand.turn()

    measuring = asyncio.create_task(measure())
    result = await answer(hass, result, {**fields, "measure_again": True})
    await measuring
    assert (result["step_id"], result["errors"]) == ("channels", {})
    assert not result["description_placeholders"]["channel_1"].endswith("— W")
    first = result["data_schema"].schema["channel_1"].schema.schema
    reversed_field = next(field for field in first if str(field) == "reversed")
    chosen = (reversed_field.description or {}).get("suggested_value", reversed_field.default())
    assert chosen is True


async def test_meter_that_vanishes_between_two_looks(hass: HomeAssistant, meter: Simulator) -> None:
    result = await by_address(hass, meter.host, meter.port)
    await meter.fault("broker-down", 0)
    result = await answer(hass, result, {**suggested(result), "measure_again": True})
    assert (result["step_id"], result["errors"]) == ("channels", {"base": "cannot_connect"})
    await meter.repair("broker-down")


# Found on the network


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


async def test_what_only_bears_the_name_is_not_offered(hass: HomeAssistant, neighbourless_broker: Simulator) -> None:
    result = await found(hass, neighbourless_broker, "_mqtt._tcp.local.")
    assert result["reason"] == "not_a_fluksometer"


async def test_meter_that_went_before_the_user_came(hass: HomeAssistant, meter: Simulator) -> None:
    result = await found(hass, meter, "_mqtt._tcp.local.")
    await meter.fault("broker-down", 0)
    result = await answer(hass, result, {})
    assert result["reason"] == "cannot_connect"
    await meter.repair("broker-down")


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
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_HOST: "localhost"})
    await meter.fault("broker-down", 0)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await meter.repair("broker-down")
    result = await found(hass, meter, "_mqtt._tcp.local.")
    assert result["reason"] == "already_configured"
    assert entry.data[CONF_HOST] == meter.host
    # The next try by itself would come in five seconds at the earliest.
    await until(lambda: entry.state is ConfigEntryState.LOADED, timeout=4)


async def test_loaded_site_follows_its_meter_to_a_new_address(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, until: Wait
) -> None:
    before = site.runtime_data
    result = await found(hass, meter, "_mqtt._tcp.local.", address="127.0.0.1")
    assert result["reason"] == "already_configured"
    assert site.runtime_data is before, "nothing has changed"
    hass.config_entries.async_update_entry(site, data={**site.data, CONF_HOST: "localhost"})
    await until(lambda: site.state is ConfigEntryState.LOADED and site.runtime_data is not before)


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
    result = await by_address(hass, "localhost", meter.port)
    result = await answer(hass, result, suggested(result))
    await hass.async_block_till_done()
    entry = result["result"]
    await found(hass, meter, "_mqtt._tcp.local.")
    assert entry.data[CONF_HOST] == meter.host
    await hass.async_block_till_done()


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


async def options(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> ConfigFlowResult:
    result = await hass.config_entries.options.async_init(entry.entry_id)
    check_result(result, "options")
    assert result["type"] is FlowResultType.MENU
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": step})
    check_result(result, "options")
    return result


async def change(hass: HomeAssistant, result: ConfigFlowResult, data: dict[str, Any]) -> ConfigFlowResult:
    result = await hass.config_entries.options.async_configure(result["flow_id"], data)
    check_result(result, "options")
    return result


async def test_options_change_the_interval_and_reload(hass: HomeAssistant, site: MockConfigEntry, until: Wait) -> None:
    before = site.runtime_data
    channels = site.options[CONF_CHANNELS]
    result = await options(hass, site, "settings")
    await change(hass, result, {"write_interval": 30})
    await until(lambda: site.state is ConfigEntryState.LOADED and site.runtime_data is not before)
    assert site.options == {CONF_CHANNELS: channels, "write_interval": 30}


async def test_options_change_roles_and_reload(hass: HomeAssistant, site: MockConfigEntry, until: Wait) -> None:
    before = site.runtime_data
    result = await options(hass, site, "channels")
    fields = suggested(result)
    assert [field["role"] for field in fields.values()] == ["grid", "grid", "grid", "production"]
    wrong = {**fields, "channel_2": {"role": "grid", "phase": "l1", "reversed": False}}
    result = await change(hass, result, wrong)
    assert result["errors"] == {"base": "phase_twice"}
    fields["channel_4"]["role"] = "load"
    result = await change(hass, result, {**fields, "measure_again": True})
    assert (result["step_id"], result["errors"]) == ("channels", {})
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
