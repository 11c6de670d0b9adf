"""Setting up a Fluksometer by its address: what is suggested, accepted and refused."""

import socket

from aiohttp import web
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.const import CONF_CHANNELS, CONF_DID, CONF_METER, CONF_MODEL
from tools.simulator import Simulator

from .flows import NOWHERE, answer, by_address, roles, suggested

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


async def test_broker_without_a_fluksometer(hass: HomeAssistant, foreign_broker: Simulator) -> None:
    result = await by_address(hass, "127.0.0.1", foreign_broker.port)
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
    form = suggested(result)
    fields = list(form)
    wrong = {
        name: {**form[name], "role": role, "phase": phase} for name, (role, phase) in zip(fields, given, strict=True)
    }
    result = await answer(hass, result, wrong)
    assert (result["step_id"], result["errors"]) == ("channels", {"base": problem})
    assert details.items() <= result["description_placeholders"].items()
    # What was entered stays, and can be corrected.
    kept = {
        str(field): {str(inner): inner.description["suggested_value"] for inner in section.schema.schema}
        for field, section in result["data_schema"].schema.items()
        if str(field) in fields
    }
    assert kept == wrong
    right = {name: {**values, "role": "none", "phase": "none"} for name, values in form.items()}
    right[fields[0]] = {"role": "grid", "phase": "l1", "reversed": True}
    result = await answer(hass, result, right)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert list(result["options"][CONF_CHANNELS].values()) == [{"role": "grid", "phase": "L1", "reversed": True}]
    await hass.async_block_till_done()
