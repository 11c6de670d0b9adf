"""A household gives its contract in a few screens, and changes it with a date; the past keeps what it had."""

from datetime import date
from decimal import Decimal
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.core.contract import MeterRegime, PowerUnit, Region
from custom_components.energy_neighbours.diagnostics import async_get_config_entry_diagnostics

from .contract_screens import Conversation, contract, data, shown, site_without_contract


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


@pytest.fixture
async def site(recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    return await site_without_contract(hass, freezer)


async def impact(hass: HomeAssistant, site: MockConfigEntry, **energy: Any) -> Conversation:
    """Give the contract of a household on Impact with one price at its supplier."""
    talk = await Conversation(hass, site).begin()
    await talk.say("connection")
    await talk.say("hours", network_grid="impact_2026", commodity_grid="mono", operator="ORES")
    return await talk.say("prices", energy={"flat": 0.14, **energy})


async def test_a_household_gives_its_contract(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await Conversation(hass, site).begin()
    assert shown(talk.result)["region"] == "wallonia"
    await talk.say("connection", subscribed_power=9.2, meter_regime="quarter_hour")
    assert "impact_2026" in talk.options("network_grid")
    assert "heures_creuses" not in talk.options("network_grid")
    await talk.say("hours", network_grid="impact_2026", commodity_grid="mono", operator="ORES")
    note = talk.result["description_placeholders"]["note"]
    assert "ORES (05/2026)" in note
    assert "comparez-les" in note
    form = shown(talk.result)
    assert form["valid_from"] == "2026-01-01"
    assert form["network"] == {"eco": 0.0271, "medium": 0.0813, "peak": 0.1354, "with_vat": False}
    assert form["taxes"] == {
        "levies": "belgium_levies_residential",
        "tax": 0.0209,
        "with_vat": False,
        "vat_rate": 6,
    }
    await talk.say("prices", energy={"flat": 0.14, "with_vat": True, "injection_price": 0.03})
    talk.is_over()
    assert talk.result["title"].startswith("Impact")
    terms = contract(site).terms_on(date(2026, 11, 23))
    assert terms
    assert terms.region is Region.WALLONIA
    assert (terms.network_grid.id, terms.commodity_grid.id) == ("impact_2026", "mono")
    assert terms.subscribed_power
    assert (terms.subscribed_power.value, terms.subscribed_power.unit) == (Decimal("9.2"), PowerUnit.KVA)
    assert terms.meter_regime is MeterRegime.QUARTER_HOUR
    assert terms.injection_price == Decimal("0.03")
    # 0.14 with VAT, (0.0271 + 0.0209) x 1.06 of the network, 0.046 of excise with VAT since August.
    assert terms.price(date(2026, 11, 23), "eco", "single") == Decimal("0.236880")
    # Before, the excise was 0.04748 and the contribution 0.001926, both without VAT.
    assert terms.price(date(2026, 7, 31), "eco", "single") == Decimal("0.243250")


async def test_the_data_is_text_and_dates(hass: HomeAssistant, site: MockConfigEntry) -> None:
    (await impact(hass, site)).is_over()
    [version] = data(site)["versions"]
    assert version["valid_from"] == "2026-01-01"
    assert version["components"][0] == {"kind": "commodity", "prices": "0.140000", "with_vat": True, "id": "energy"}
    assert version["components"][1]["prices"] == {"eco": "0.027100", "medium": "0.081300", "peak": "0.135400"}
    assert version["components"][1]["source"].startswith("ORES")
    assert version["components"][2]["uncertain"]
    assert data(site)["grids"] == {}


async def test_a_site_has_one_contract(hass: HomeAssistant, site: MockConfigEntry) -> None:
    await impact(hass, site)
    talk = await Conversation(hass, site).begin_another()
    assert (talk.result["type"], talk.result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_new_prices_begin_on_their_date_and_the_past_keeps_the_old(
    hass: HomeAssistant, site: MockConfigEntry
) -> None:
    await impact(hass, site)
    talk = await Conversation(hass, site).begin()
    assert "remove" not in talk.result["menu_options"]
    await talk.choose("reconfigure", "new_prices")
    assert shown(talk.result)["valid_from"] == "2026-11-23"
    assert shown(talk.result)["energy"]["flat"] == 0.14
    await talk.say("prices", valid_from="2026-12-01", energy={"flat": 0.11})
    talk.is_over()
    before, after = (contract(site).terms_on(date(2026, month, day)) for month, day in ((11, 30), (12, 1)))
    assert before
    assert after
    assert before.components[0].prices == {"": Decimal("0.14")}
    assert after.components[0].prices == {"": Decimal("0.11")}
    assert after.network_grid.id == "impact_2026"


async def test_the_first_version_holds_for_all_the_past(hass: HomeAssistant, site: MockConfigEntry) -> None:
    await impact(hass, site)
    terms = contract(site).terms_on(date(2019, 5, 1))
    assert terms
    assert terms.network_grid.id == "impact_2026"


async def test_a_change_of_the_same_date_replaces(hass: HomeAssistant, site: MockConfigEntry) -> None:
    await impact(hass, site)
    for price in (0.11, 0.12):
        talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "new_prices")
        await talk.say("prices", valid_from="2026-12-01", energy={"flat": price})
    assert [v["valid_from"] for v in data(site)["versions"]] == ["2026-01-01", "2026-12-01"]
    assert data(site)["versions"][1]["components"][0]["prices"] == "0.120000"


async def test_a_correction_of_months_that_are_over_warns(hass: HomeAssistant, site: MockConfigEntry) -> None:
    await impact(hass, site)
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "correct")
    await talk.say("connection")
    assert shown(talk.result) == {"network_grid": "impact_2026", "commodity_grid": "mono", "operator": "ORES"}
    await talk.say("hours")
    assert shown(talk.result)["valid_from"] == "2026-01-01"
    await talk.say("prices", energy={"flat": 0.15})
    assert talk.result["description_placeholders"]["date"] == "01/01/2026"
    await talk.choose("warn_past", "prices")
    assert shown(talk.result)["energy"]["flat"] == 0.15
    await talk.say("prices", energy={"flat": 0.16})
    await talk.choose("warn_past", "accept")
    talk.is_over()
    [version] = data(site)["versions"]
    assert version["components"][0]["prices"] == "0.160000"


async def test_a_version_is_corrected_or_removed(hass: HomeAssistant, site: MockConfigEntry) -> None:
    await impact(hass, site)
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "new_prices")
    await talk.say("prices", valid_from="2026-11-20")
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "correct")
    assert talk.options("version") == ["2026-11-20", "2026-01-01"]
    await talk.say("correct", version="2026-11-20")
    await (await talk.say("connection")).say("hours")
    await talk.say("prices", valid_from="2026-01-01")
    assert "autre date" in talk.error
    await talk.say("prices", valid_from="2026-11-21")
    talk.is_over()
    assert [v["valid_from"] for v in data(site)["versions"]] == ["2026-01-01", "2026-11-21"]
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "remove")
    await talk.say("remove", version="2026-11-21")
    talk.is_over()
    assert [v["valid_from"] for v in data(site)["versions"]] == ["2026-01-01"]


async def test_a_price_in_cents_warns_but_is_not_refused(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await impact(hass, site, flat=14.5)
    assert talk.result["description_placeholders"]["price"] == "14.5"
    await talk.choose("warn_cents", "accept")
    talk.is_over()


@pytest.mark.parametrize("price", [0, -0.05])
async def test_zero_and_negative_are_prices(hass: HomeAssistant, site: MockConfigEntry, price: float) -> None:
    talk = await impact(hass, site, flat=price, injection_price=price)
    talk.is_over()
    terms = contract(site).versions[0]
    assert terms.components[0].prices == {"": Decimal(str(price))}
    assert terms.injection_price == Decimal(str(price))
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "new_prices")
    assert shown(talk.result)["energy"]["injection_price"] == price


async def test_bands_alone_need_no_price(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await impact(hass, site, flat=None)
    await talk.choose("warn_no_price", "accept")
    talk.is_over()
    assert contract(site).versions[0].price(date(2026, 11, 23), "eco", "single") is None


async def test_prices_of_some_bands_only_are_refused(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="bihoraire_wal_2026", operator="ORES")
    await talk.say("prices", energy={"off_peak": 0.1})
    assert "Zéro est un prix" in talk.error
    await talk.say("prices", energy={"off_peak": 0.1, "full": 0.2})
    talk.is_over()
    assert contract(site).versions[0].commodity_grid.id == "bihoraire_wal_2026"


async def test_typed_prices_stay_and_published_ones_follow_their_sheet(
    hass: HomeAssistant, site: MockConfigEntry
) -> None:
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="mono", operator="ORES")
    await talk.say("prices", energy={"flat": 0.14}, network={"flat": 0.0977, "with_vat": True})
    network = data(site)["versions"][0]["components"][1]
    assert "source" not in network
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "new_prices")
    assert shown(talk.result)["network"] == {"flat": 0.0977, "with_vat": True}
    assert shown(talk.result)["taxes"]["tax"] == 0.0209


async def test_a_dynamic_contract_takes_its_price_from_a_sensor(hass: HomeAssistant, site: MockConfigEntry) -> None:
    hass.states.async_set("sensor.spot", "-0.01", {"unit_of_measurement": "€/kWh"})
    talk = await Conversation(hass, site).begin()
    await talk.say("connection")
    await talk.say("hours", network_grid="impact_2026", commodity_grid="sensor", operator="ORES")
    await talk.say("prices", energy={"price_sensor": "sensor.spot", "with_vat": False})
    talk.is_over()
    terms = contract(site).versions[0]
    assert terms.price_sensor
    assert (terms.price_sensor.entity_id, terms.price_sensor.replaces.value) == ("sensor.spot", "commodity")
    # (-0.01 + 0.0271 + 0.0209) x 1.06 + 0.046
    assert terms.price(date(2026, 11, 23), "eco", "single", Decimal("-0.01")) == Decimal("0.086280")
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "change")
    await talk.say("connection")
    assert shown(talk.result)["commodity_grid"] == "sensor"
    await talk.say("hours", commodity_grid="mono")
    await talk.say("prices", energy={"flat": 0.2})
    talk.is_over()
    assert "price_sensor" not in data(site)["versions"][1]
    assert "price_sensor" in data(site)["versions"][0]


async def test_flanders_has_a_capacity_tariff(hass: HomeAssistant, site: MockConfigEntry) -> None:
    hass.config.language = "nl"
    talk = await Conversation(hass, site).begin()
    assert shown(talk.result)["region"] == "flanders"
    await (await talk.say("connection")).say("hours", network_grid="flanders_capacity")
    assert shown(talk.result)["capacity"]["maximum"] == 0.203548
    await talk.say("prices", energy={"flat": 0.12}, network={"flat": 0.05}, capacity={"rate": 51.5})
    talk.is_over()
    capacity = contract(site).versions[0].capacity
    assert capacity
    assert (capacity.rate, capacity.floor, capacity.maximum) == (Decimal("51.5"), Decimal("2.5"), Decimal("0.203548"))
    assert capacity.with_vat


async def test_diagnostics_show_the_contract_without_names_of_ones_own(
    hass: HomeAssistant, site: MockConfigEntry
) -> None:
    assert (await async_get_config_entry_diagnostics(hass, site))["contract"] is None
    hass.states.async_set("sensor.dupont_spot", "0.1")
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="own", commodity_grid="sensor", operator="other")
    await talk.say("network_hours", weekday="22:00-06:00 Nuit chez Dupont\nPleines")
    await talk.say("prices", energy={"price_sensor": "sensor.dupont_spot"}, network={"own_1": 0.05, "own_2": 0.09})
    talk.is_over()
    shown_contract = (await async_get_config_entry_diagnostics(hass, site))["contract"]
    assert "dupont" not in json.dumps(shown_contract).lower()
    [version] = shown_contract["versions"]
    assert version["components"][0]["prices"] == ["0.050000", "0.090000"]
    assert version["price_sensor"]["replaces"] == "commodity"
    assert shown_contract["grids"] == {"own_1": 2}
