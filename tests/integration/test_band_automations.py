"""Automations act when a band starts and ask whether it is one; planners ask for the bands of any time."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.core.quarter_hour import QuarterHour

from .contracted import DYNAMIC, MEDIUM_NIGHT, PEAK, SAME_ALL_DAY, TWO_CLOCKS, at, contracted, go

BAND = "sensor.home_tariff_band"
CALENDAR = "calendar.home_tariff_bands"


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """A folder of its own for automations."""
    return hass_tmp_config_dir


@pytest.fixture(autouse=True)
def _long_ago(freezer: FrozenDateTimeFactory) -> None:
    """Nobody is let in with a token of the future."""
    freezer.move_to("2026-06-10T12:00:00+02:00")


async def automate(
    hass: HomeAssistant, target: dict[str, Any], bands: list[str] | None = None, condition: list[str] | None = None
) -> list[dict[str, Any]]:
    """Set an automation up on bands, and return what it notes when it acts."""
    noted: list[dict[str, Any]] = []

    async def note(call: ServiceCall) -> None:
        noted.append(dict(call.data))

    hass.services.async_register("test", "note", note)
    trigger: dict[str, Any] = {"trigger": f"{DOMAIN}.band_started", "target": target}
    if bands is not None:
        trigger["options"] = {"bands": bands}
    conditions = []
    if condition is not None:
        conditions = [{"condition": f"{DOMAIN}.is_in_band", "target": target, "options": {"bands": condition}}]
    noting = {
        "action": "test.note",
        "data": {
            "band": "{{ trigger.band }}",
            "from_band": "{{ trigger.from_band }}",
            "price": "{{ trigger.price }}",
        },
    }
    assert await async_setup_component(
        hass,
        AUTOMATION,
        {AUTOMATION: {"alias": "bands", "triggers": [trigger], "conditions": conditions, "actions": [noting]}},
    )
    await hass.async_block_till_done()
    return noted


async def test_automation_acts_when_a_band_starts(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await contracted(hass, freezer, "2026-06-10T16:59:00+02:00", TWO_CLOCKS)
    noted = await automate(hass, {"entity_id": BAND})
    await go(hass, freezer, "2026-06-10T16:59:59+02:00")
    assert noted == []
    await go(hass, freezer, "2026-06-10T17:00:00+02:00")
    assert noted == [{"band": "peak", "from_band": "eco", "price": PEAK}]
    await go(hass, freezer, "2026-06-10T22:00:00+02:00")
    assert noted[1:] == [{"band": "medium", "from_band": "peak", "price": MEDIUM_NIGHT}]
    await go(hass, freezer, "2026-06-11T00:00:00+02:00")
    assert len(noted) == 2, "midnight starts no band"


async def test_only_the_bands_that_are_asked_for(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await contracted(hass, freezer, "2026-06-10T16:59:00+02:00", TWO_CLOCKS)
    noted = await automate(hass, {"entity_id": BAND}, bands=["eco"])
    for when in ("10T17:00", "10T22:00", "11T01:00", "11T07:00", "11T11:00"):
        await go(hass, freezer, f"2026-06-{when}:00+02:00")
    assert [each["from_band"] for each in noted] == ["medium", "medium"]


async def test_target_may_be_the_site_itself(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, device_registry: dr.DeviceRegistry
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T16:59:00+02:00", TWO_CLOCKS)
    [device] = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    noted = await automate(hass, {"device_id": device.id})
    await go(hass, freezer, "2026-06-10T17:00:00+02:00")
    assert [each["band"] for each in noted] == ["peak"], "the next band is another entity, and starts nothing"


async def test_reload_starts_no_band(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T16:59:00+02:00", TWO_CLOCKS)
    noted = await automate(hass, {"entity_id": BAND})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert noted == []
    await go(hass, freezer, "2026-06-10T17:00:00+02:00")
    assert len(noted) == 1


@pytest.mark.parametrize(("asked", "acts"), [(["peak"], 1), (["medium", "peak"], 1), (["eco"], 0)])
async def test_condition(hass: HomeAssistant, freezer: FrozenDateTimeFactory, asked: list[str], acts: int) -> None:
    await contracted(hass, freezer, "2026-06-10T16:59:00+02:00", TWO_CLOCKS)
    noted = await automate(hass, {"entity_id": BAND}, condition=asked)
    await go(hass, freezer, "2026-06-10T17:00:00+02:00")
    assert len(noted) == acts


async def test_editor_is_told_of_trigger_and_condition(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_ws_client: WebSocketGenerator
) -> None:
    await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", TWO_CLOCKS)
    assert await async_setup_component(hass, AUTOMATION, {})
    client = await hass_ws_client(hass)
    for kind, key in (("trigger", "band_started"), ("condition", "is_in_band")):
        await client.send_json_auto_id({"type": f"{kind}_platforms/subscribe"})
        assert (await client.receive_json())["success"]
        told = (await client.receive_json())["event"][f"{DOMAIN}.{key}"]
        assert told["target"]["entity"][0]["integration"] == DOMAIN
        assert told["fields"]["bands"]["selector"]["state"]["multiple"] is True


async def ask(hass: HomeAssistant, entry_id: str, **data: Any) -> list[dict[str, Any]]:
    answer = await hass.services.async_call(
        DOMAIN, "get_bands", {"config_entry_id": entry_id, **data}, blocking=True, return_response=True
    )
    assert answer
    bands = answer["bands"]
    assert isinstance(bands, list)
    return bands


async def test_prices_of_the_past_are_known_from_the_midst_of_a_quarter_hour(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    quarter = QuarterHour(at("2026-06-10T10:00:00+02:00"), 100, 0, None)
    await entry.runtime_data.ledger.async_book([quarter], {}, {quarter.start: Decimal("0.1")})
    bands = await ask(hass, entry.entry_id, start="2026-06-10T10:05:00+02:00", end="2026-06-10T10:15:00+02:00")
    assert [each["price"] for each in bands] == [MEDIUM_NIGHT]


async def test_bands_of_any_time_can_be_asked_for(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", TWO_CLOCKS)
    bands = await ask(hass, entry.entry_id, start="2026-10-24T20:00:00+02:00", end="2026-10-25T08:00:00+01:00")
    assert [(each["start"], each["band"], each["commodity_band"]) for each in bands] == [
        ("2026-10-24T20:00:00+02:00", "peak", "full"),
        ("2026-10-24T22:00:00+02:00", "medium", "off_peak"),
        ("2026-10-25T01:00:00+02:00", "eco", "off_peak"),
        ("2026-10-25T07:00:00+01:00", "medium", "full"),
    ]
    assert bands[0] == {
        "start": "2026-10-24T20:00:00+02:00",
        "end": "2026-10-24T22:00:00+02:00",
        "band": "peak",
        "name": "Pic",
        "network_band": "peak",
        "commodity_band": "full",
        "price": PEAK,
    }
    assert [each["end"] for each in bands[:-1]] == [each["start"] for each in bands[1:]]
    tomorrow = await ask(hass, entry.entry_id)
    assert (tomorrow[0]["start"], tomorrow[-1]["end"]) == ("2026-06-10T12:00:00+02:00", "2026-06-11T12:00:00+02:00")


async def test_price_of_a_sensor_is_told_for_the_past_and_now(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("sensor.spot", "0.10", {"unit_of_measurement": "€/kWh"})
    entry = await contracted(hass, freezer, "2026-06-10T12:01:00+02:00", DYNAMIC)
    bands = await ask(hass, entry.entry_id, start="2026-06-10T11:45:00+02:00", end="2026-06-10T17:00:00+02:00")
    assert [(each["start"][11:16], each["price"]) for each in bands] == [
        ("11:45", None),
        ("12:00", 0.134726),
        ("12:15", None),
    ]


async def test_price_of_a_quarter_hour_that_is_over_but_not_booked_is_told(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("sensor.spot", "0.10", {"unit_of_measurement": "€/kWh"})
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    freezer.move_to("2026-06-10T12:15:00+02:00")
    hass.states.async_set("sensor.spot", "0.20", {"unit_of_measurement": "€/kWh"})
    freezer.move_to("2026-06-10T12:16:00+02:00")
    bands = await ask(hass, entry.entry_id, start="2026-06-10T12:00:00+02:00", end="2026-06-10T12:30:00+02:00")
    assert [each["price"] for each in bands] == [0.134726, 0.240726]


async def test_wrong_questions_are_answered_with_what_is_wrong(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00")
    with pytest.raises(ServiceValidationError) as caught:
        await ask(hass, entry.entry_id)
    assert caught.value.translation_key == "no_contract"
    assert await hass.config_entries.async_remove(entry.entry_id)
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", TWO_CLOCKS)
    for start, end in (
        ("2026-01-02", "2026-01-01"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01", "2028-01-01"),
        ("1850-01-01", "1850-01-02"),
        ("9999-12-01", "9999-12-31"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await ask(hass, entry.entry_id, start=f"{start} 00:00:00", end=f"{end} 00:00:00")
        assert caught.value.translation_key == "no_such_span"


async def test_calendar_shows_any_range(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_client: ClientSessionGenerator, no_errors: list[str]
) -> None:
    no_errors.append("Error in logging")  # the web server's log cannot write a frozen time
    await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", TWO_CLOCKS)
    shown = hass.states.get(CALENDAR)
    assert shown
    assert (shown.state, shown.attributes["message"]) == ("on", "Eco · 0.1347 €/kWh")
    client = await hass_client()
    answer = await client.get(
        f"/api/calendars/{CALENDAR}",
        params={"start": "2026-03-28T23:00:00+01:00", "end": "2026-03-29T12:00:00+02:00"},
    )
    events = [(each["start"]["dateTime"], each["end"]["dateTime"], each["summary"]) for each in await answer.json()]
    assert [text for *_, text in events] == [
        "Medium · 0.1922 €/kWh",
        "Eco · 0.1347 €/kWh",
        "Medium · 0.2452 €/kWh",
        "Eco · 0.1347 €/kWh",
    ]
    assert all(before[1] == after[0] for before, after in pairwise(events))
    await go(hass, freezer, "2026-06-10T17:00:00+02:00")
    shown = hass.states.get(CALENDAR)
    assert shown
    assert (shown.state, shown.attributes["message"]) == ("on", "Pic · 0.3025 €/kWh")


async def test_calendar_speaks_the_language_of_the_house(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    hass.config.language = "fr"
    await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", {**TWO_CLOCKS, "network_grid": "bihoraire_wal_2026"})
    [calendar] = hass.states.async_entity_ids("calendar")
    shown = hass.states.get(calendar)
    assert shown
    assert shown.attributes["message"] == "Heures creuses"


async def test_no_calendar_where_the_price_never_changes(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", SAME_ALL_DAY)
    assert hass.states.async_entity_ids("calendar") == []
    assert await hass.config_entries.async_unload(entry.entry_id)
