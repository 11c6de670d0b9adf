"""The hours of a contract: shipped ones, those that a household types, and those of another time."""

from datetime import date
from decimal import Decimal

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.core.contract import Region
from custom_components.energy_neighbours.tariff_library import shipped_grids

from .contract_screens import CATEGORY, Conversation, contract, data, shown, site_without_contract
from .translations import LANGUAGES, fill, find


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


@pytest.fixture
async def site(recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    return await site_without_contract(hass, freezer)


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


async def test_too_many_names_are_refused(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="own", operator="other")
    await talk.say("network_hours", weekday="\n".join(f"{n}-{n + 1} Plage n{n}" for n in range(24)))
    assert "huit" in talk.error


async def test_hours_that_do_not_hold_on_the_date_warn(hass: HomeAssistant, site: MockConfigEntry) -> None:
    talk = await Conversation(hass, site).begin()
    await (await talk.say("connection")).say("hours", network_grid="acrus_phase1", operator="other")
    assert "Péruwelz" in talk.result["description_placeholders"]["note"]
    await talk.say("prices", energy={"solar": 0.1, "night": 0.2, "morning": 0.3, "evening": 0.4})
    placeholders = talk.result["description_placeholders"]
    assert placeholders["hours"] == "Pilote ACRus, Péruwelz (2022-2023)"
    assert (placeholders["validity"], placeholders["date"]) == ("01/04/2022 – 30/09/2023", "01/01/2026")  # noqa: RUF001
    await talk.choose("warn_hours", "hours")
    await talk.say("hours", network_grid="bihoraire_wal_classic", operator="other")
    await talk.say("prices", energy={"off_peak": 0.1, "full": 0.2})
    assert talk.result["description_placeholders"]["validity"] == "… – 31/12/2025"  # noqa: RUF001
    await talk.choose("warn_hours", "prices")
    await talk.say("prices", valid_from="2025-12-31")
    talk.is_over()
    assert data(site)["versions"][0]["network_grid"] == "bihoraire_wal_classic"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_grid_that_is_not_certain_says_so(language: str) -> None:
    uncertain = {grid.id for grid in shipped_grids().values() if grid.uncertain and not grid.editable}
    notes = {grid: find(language, f"selector.hours_note.options.{grid}") for grid in uncertain}
    assert all(text.startswith("⚠") for text in notes.values())
