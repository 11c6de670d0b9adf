"""A household gives its contract in a few screens, and changes it with a date; the past keeps what it had."""

from collections.abc import Mapping
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

from custom_components.energy_neighbours.const import CONF_ENTITIES, CONF_METER, DOMAIN, METER_SENSORS
from custom_components.energy_neighbours.contracts import contract_of, contract_subentry
from custom_components.energy_neighbours.core.contract import Contract, MeterRegime, PowerUnit, Region
from custom_components.energy_neighbours.diagnostics import async_get_config_entry_diagnostics
from custom_components.energy_neighbours.tariff_library import shipped_grids

from .conftest import load
from .contract_screens import CATEGORY, Conversation, shown
from .translations import LANGUAGES, fill, find

NOW = "2026-11-23T11:00:00+01:00"


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


@pytest.fixture
async def site(recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """A loaded site in Belgium without a contract."""
    freezer.move_to(NOW)
    hass.config.country = "BE"
    hass.config.language = "fr"
    hass.states.async_set("sensor.grid", "0", {"unit_of_measurement": "W", "device_class": "power"})
    entry = MockConfigEntry(
        domain=DOMAIN, title="Maison", data={CONF_METER: METER_SENSORS, CONF_ENTITIES: {"grid_power": ["sensor.grid"]}}
    )
    return await load(hass, entry)


def contract(entry: MockConfigEntry) -> Contract:
    found = contract_of(entry, shipped_grids())
    assert found
    return found


def data(entry: MockConfigEntry) -> Mapping[str, Any]:
    subentry = contract_subentry(entry)
    assert subentry
    return subentry.data


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


async def test_a_household_types_its_own_hours(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="own", operator="other")
    assert shown(talk.result)["weekday"].startswith("07:00-11:00 Heures pleines\n11:00-17:00 Heures creuses *")
    await talk.say("network_hours", weekday="22:00-06:00 Creuses\n06:30-22:00 Pleines")
    assert talk.result["errors"] == {"weekday": "hours_hole"}
    assert "06:00" in talk.error
    for language in LANGUAGES:
        text = find(language, f"{CATEGORY}.error.hours_hole")
        assert "06:00" in fill(text, talk.result["description_placeholders"])
    await talk.say("network_hours", weekday="Creuses", saturday="22h-6h Creuses\n5h45-22h Pleines")
    assert talk.result["errors"] == {"saturday": "hours_overlap"}
    assert "05:45" in talk.error
    await talk.say("network_hours", weekday="22:00-06:00", saturday=None)
    assert "22:00-06:00" in talk.error
    await talk.say("network_hours", weekday="22:00-06:00 Creuses\nPleines\n12h-14h Pause d'été *")
    assert talk.result["description_placeholders"]["network_own_1"] == "Creuses"
    await talk.say("prices", energy={"own_1": 0.1, "own_2": 0.2, "own_3": 0.05})
    talk.is_over()
    terms = contract(site).versions[0]
    assert terms.network_grid == terms.commodity_grid
    assert dict(terms.network_grid.names) == {
        "creuses": "Creuses",
        "pleines": "Pleines",
        "pause_d_ete": "Pause d'été",
    }
    assert terms.network_grid.has_solar_time
    assert list(data(site)["grids"]) == ["own_1"]


async def test_changed_hours_leave_those_of_the_past_alone(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="own", operator="other")
    await talk.say("network_hours", weekday="22:00-06:00 Creuses\nPleines")
    await talk.say("prices", energy={"own_1": 0.1, "own_2": 0.2})
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "change")
    await talk.say("connection")
    assert shown(talk.result)["network_grid"] == "own"
    await talk.say("hours")
    assert shown(talk.result)["weekday"] == "06:00-22:00 Pleines\n22:00-06:00 Creuses"
    await talk.say("network_hours", weekday="23:00-07:00 Creuses\nPleines")
    await talk.say("prices", valid_from="2026-12-01")
    talk.is_over()
    assert [v["network_grid"] for v in data(site)["versions"]] == ["own_1", "own_2"]
    # Removing the newer one forgets its hours, too.
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "remove")
    await talk.say("remove", version="2026-12-01")
    assert list(data(site)["grids"]) == ["own_1"]


async def test_hours_start_from_any_that_ship(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="mono", commodity_grid="own", operator="ORES")
    await talk.say("commodity_hours", start={"start_from": "bihoraire_be_classic"})
    assert shown(talk.result)["weekday"] == "07:00-22:00 Heures pleines\n22:00-07:00 Heures creuses"
    assert shown(talk.result)["holiday"] == "00:00-24:00 Heures creuses"
    await talk.say("commodity_hours")
    await talk.say("prices", energy={"off_peak": 0.1, "full": 0.2})
    talk.is_over()
    terms = contract(site).versions[0]
    assert terms.commodity_grid.bands == ("off_peak", "full")
    assert not terms.commodity_grid.names
    assert talk.result["title"] == "Mes propres heures"


async def test_a_french_household_adapts_its_off_peak_hours(hass: HomeAssistant, site: MockConfigEntry) -> None:
    hass.config.country = "FR"
    talk = await Conversation(hass, site).begin()
    await talk.say("connection", subscribed_power=6)
    assert talk.options("network_grid") == ["mono", "heures_creuses", "own"]
    await talk.say("hours", network_grid="heures_creuses")
    assert shown(talk.result)["weekday"] == "06:00-22:00 Heures pleines\n22:00-06:00 Heures creuses"
    await talk.say("network_hours", weekday="00:56-06:26 Heures creuses\n13:26-15:56 Heures creuses\nHeures pleines")
    assert shown(talk.result)["taxes"]["vat_rate"] == 20
    assert "levies" not in shown(talk.result)["taxes"]
    await talk.say("prices", energy={"off_peak": 0.16, "full": 0.21})
    talk.is_over()
    terms = contract(site).versions[0]
    assert terms.region is Region.FRANCE
    assert terms.price(date(2026, 11, 23), "off_peak", "off_peak") == Decimal("0.16")
    # Its other versions follow the clock of France, so this one cannot move to Belgium.
    talk = await (await Conversation(hass, site).begin()).choose("reconfigure", "change")
    assert talk.options("region") == ["france"]


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


async def test_too_many_names_are_refused(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="own", operator="other")
    await talk.say("network_hours", weekday="\n".join(f"{n}-{n + 1} Plage n{n}" for n in range(24)))
    assert "huit" in talk.error


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
