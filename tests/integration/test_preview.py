"""The preview under the form of roles follows the meter and the choices, and hangs up with the form."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.energy_neighbours import preview
from custom_components.energy_neighbours.const import DOMAIN
from tools.simulator import Simulator

from .conftest import Wait
from .flows import by_address, suggested


async def ask(client: Any, flow_id: str, user_input: dict[str, Any], kind: str = "config_flow") -> dict[str, Any]:
    await client.send_json_auto_id(
        {"type": f"{DOMAIN}/start_preview", "flow_id": flow_id, "flow_type": kind, "user_input": user_input}
    )
    return await client.receive_json()


async def next_event(client: Any) -> dict[str, Any]:
    return (await client.receive_json())["event"]


async def test_follows_the_meter_and_the_choices(
    hass: HomeAssistant, meter: Simulator, hass_ws_client: WebSocketGenerator, until: Wait
) -> None:
    result = await by_address(hass, meter.host, meter.port)
    assert result["preview"] == DOMAIN
    form = suggested(result)
    client = await hass_ws_client(hass)
    assert (await ask(client, result["flow_id"], form))["success"]
    event = await next_event(client)
    powers = [event["attributes"]["friendly_name"]]
    while len(set(powers)) < 3:
        event = await next_event(client)
        powers.append(event["attributes"]["friendly_name"])
    assert powers[-1].startswith("#1 ")
    watts = [int(part.split()[1].replace("−", "-")) for part in powers[-1].split(" · ")[:3]]  # noqa: RUF001
    assert int(event["state"]) == pytest.approx(sum(watts), abs=2), "the three phases make the grid"
    assert event["attributes"]["unit_of_measurement"] == "W"

    form["channel_1"]["reversed"] = True
    assert (await ask(client, result["flow_id"], form))["success"]
    live = hass.data[preview.PREVIEWS][result["flow_id"]]
    await until(lambda: live._lookers == 2)
    hass.config_entries.flow.async_abort(result["flow_id"])


async def test_tells_no_grid_power_while_the_choices_contradict_each_other(
    hass: HomeAssistant, meter: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    result = await by_address(hass, meter.host, meter.port)
    form = suggested(result)
    form["channel_2"]["phase"] = "l1"
    client = await hass_ws_client(hass)
    for wrong in (form, {"channel_1": {}}, {}):
        answer = await ask(client, result["flow_id"], wrong)
        assert answer["success"]
        event = await next_event(client)
        assert event["state"] == "unknown"
        assert "W" in event["attributes"]["friendly_name"]
        await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": answer["id"]})
        while (await client.receive_json())["type"] != "result":
            pass
    hass.config_entries.flow.async_abort(result["flow_id"])


async def test_hangs_up_with_the_form(
    hass: HomeAssistant, meter: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    result = await by_address(hass, meter.host, meter.port)
    client = await hass_ws_client(hass)
    assert (await ask(client, result["flow_id"], suggested(result)))["success"]
    live = hass.data[preview.PREVIEWS][result["flow_id"]]
    assert live._task
    hass.config_entries.flow.async_abort(result["flow_id"])
    assert live._task is None
    assert not hass.data[preview.PREVIEWS]
    assert not (await ask(client, result["flow_id"], {})).get("success", False)


async def test_keeps_the_connection_between_two_changes_of_the_form_and_hangs_up_after_the_last(
    hass: HomeAssistant, meter: Simulator, monkeypatch: pytest.MonkeyPatch, until: Wait
) -> None:
    result = await by_address(hass, meter.host, meter.port)
    live = hass.data[preview.PREVIEWS][result["flow_id"]]
    leave = live.look()
    task = live._task
    leave()
    again = live.look()
    assert live._task is task
    monkeypatch.setattr(preview, "LINGER", 0)
    again()
    await until(lambda: live._task is None)


async def test_options_show_the_preview_too(
    hass: HomeAssistant, site: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    result = await hass.config_entries.options.async_init(site.entry_id)
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": "channels"})
    client = await hass_ws_client(hass)
    assert (await ask(client, result["flow_id"], suggested(result), "options_flow"))["success"]
    assert (await next_event(client))["attributes"]["friendly_name"].startswith("#1 ")
    hass.config_entries.options.async_abort(result["flow_id"])
    assert not hass.data[preview.PREVIEWS]


async def test_is_for_administrators(
    hass: HomeAssistant,
    meter: Simulator,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    no_errors: list[str],
) -> None:
    no_errors.append("Unauthorized")
    result = await by_address(hass, meter.host, meter.port)
    client = await hass_ws_client(hass, hass_read_only_access_token)
    answer = await ask(client, result["flow_id"], {})
    assert answer["error"]["code"] == "unauthorized"
