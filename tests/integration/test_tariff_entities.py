"""Bands and prices change at the very moment they should, whatever the day; they need no meter."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest

from custom_components.energy_neighbours import site_tariff
from custom_components.energy_neighbours.const import CHANGING_KEYS, CONTRACT_KEYS, DOMAIN, SOLAR_KEYS

from .conftest import number, state
from .contracted import (
    DYNAMIC,
    ECO,
    MEDIUM_DAY,
    MEDIUM_NIGHT,
    PEAK,
    POWER,
    SAME_ALL_DAY,
    TWO_CLOCKS,
    at,
    contracted,
    found,
    go,
    measure,
)

BAND, NEXT_BAND, ENDS_AT = "sensor.home_tariff_band", "sensor.home_next_tariff_band", "sensor.home_tariff_band_ends"
PRICE, SOLAR = "sensor.home_electricity_price", "binary_sensor.home_solar_hours"


def shown(hass: HomeAssistant) -> tuple[str, str, float | None, str]:
    return state(hass, BAND), state(hass, NEXT_BAND), number(hass, PRICE), state(hass, SOLAR)


def attribute(hass: HomeAssistant, entity_id: str, name: str) -> Any:
    return found(hass, entity_id).attributes[name]


async def test_bands_follow_the_clock_through_a_day(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await contracted(hass, freezer, "2026-06-10T06:59:58+02:00", TWO_CLOCKS)
    assert shown(hass) == ("eco", "medium", ECO, "off")
    assert attribute(hass, BAND, "options") == ["eco", "medium", "peak"]
    for when, expected in (
        ("06:59:59", ("eco", "medium", ECO, "off")),
        ("07:00:00", ("medium", "eco", MEDIUM_DAY, "off")),
        ("11:00:00", ("eco", "peak", ECO, "on")),
        ("16:59:58", ("eco", "peak", ECO, "on")),
        ("17:00:00", ("peak", "medium", PEAK, "off")),
        ("22:00:00", ("medium", "eco", MEDIUM_NIGHT, "off")),
    ):
        await go(hass, freezer, f"2026-06-10T{when}+02:00")
        assert shown(hass) == expected, when


async def test_network_and_supplier_disagree_from_ten_to_one(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await contracted(hass, freezer, "2026-06-10T22:30:00+02:00", TWO_CLOCKS)
    assert state(hass, BAND) == "medium"
    assert attribute(hass, BAND, "network_band") == "medium"
    assert attribute(hass, BAND, "commodity_band") == "off_peak"
    assert state(hass, ENDS_AT) == "2026-06-10T23:00:00+00:00"
    await go(hass, freezer, "2026-06-11T00:00:00+02:00")
    assert shown(hass) == ("medium", "eco", MEDIUM_NIGHT, "off"), "midnight changes nothing"
    assert state(hass, ENDS_AT) == "2026-06-10T23:00:00+00:00"
    await go(hass, freezer, "2026-06-11T01:00:00+02:00")
    assert shown(hass) == ("eco", "medium", ECO, "off")


@pytest.mark.parametrize(
    ("before", "then", "now", "ends_at"),
    [
        # Clocks go forward from 2 to 3: 7 o'clock comes at 5:00 UTC already.
        ("2026-03-29T00:30:00+01:00", "2026-03-29T01:00:00+01:00", "eco", "2026-03-29T05:00:00+00:00"),
        ("2026-03-29T06:59:30+02:00", "2026-03-29T07:00:00+02:00", "medium", "2026-03-29T09:00:00+00:00"),
        # Clocks go back from 3 to 2: the night lasts an hour more.
        ("2026-10-25T00:30:00+02:00", "2026-10-25T01:00:00+02:00", "eco", "2026-10-25T06:00:00+00:00"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "eco", "2026-10-25T06:00:00+00:00"),
        ("2026-10-25T06:59:30+01:00", "2026-10-25T07:00:00+01:00", "medium", "2026-10-25T10:00:00+00:00"),
        # New Year.
        ("2026-12-31T23:59:30+01:00", "2027-01-01T00:00:00+01:00", "medium", "2027-01-01T00:00:00+00:00"),
        ("2027-01-01T00:59:30+01:00", "2027-01-01T01:00:00+01:00", "eco", "2027-01-01T06:00:00+00:00"),
    ],
)
async def test_days_on_which_the_clocks_or_the_year_change(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, before: str, then: str, now: str, ends_at: str
) -> None:
    await contracted(hass, freezer, before, TWO_CLOCKS)
    await go(hass, freezer, then)
    assert state(hass, BAND) == now
    assert state(hass, ENDS_AT) == ends_at


async def test_holidays_of_the_next_year_are_known_in_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    classic = {**SAME_ALL_DAY, "region": "brussels", "commodity_grid": "bihoraire_be_classic"}
    await contracted(hass, freezer, "2026-12-31T21:59:00+01:00", classic)
    assert (state(hass, BAND), state(hass, NEXT_BAND)) == ("full", "off_peak")
    await go(hass, freezer, "2026-12-31T22:00:00+01:00")
    # A Friday, but New Year's Day, and the weekend after it: until Monday, 7 o'clock.
    assert (state(hass, BAND), state(hass, ENDS_AT)) == ("off_peak", "2027-01-04T06:00:00+00:00")
    for day in range(1, 7):
        await go(hass, freezer, f"2027-01-0{day}T00:00:00+01:00")
    await go(hass, freezer, "2027-05-16T23:00:00+02:00")
    # Whit Monday of a year that was far away when the site started.
    assert (state(hass, BAND), state(hass, ENDS_AT)) == ("off_peak", "2027-05-18T05:00:00+00:00")


async def test_new_version_of_the_contract_begins_at_midnight(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    later = {**SAME_ALL_DAY, "valid_from": "2026-06-11"}
    await contracted(hass, freezer, "2026-06-10T23:59:00+02:00", TWO_CLOCKS, later)
    assert shown(hass) == ("medium", "single", MEDIUM_NIGHT, "off")
    assert attribute(hass, BAND, "options") == ["eco", "medium", "peak", "single"]
    await go(hass, freezer, "2026-06-11T00:00:00+02:00")
    assert (state(hass, BAND), number(hass, PRICE)) == ("single", 0.212)
    assert (state(hass, NEXT_BAND), state(hass, ENDS_AT)) == ("unknown", "unknown")


async def test_one_price_all_day_has_nothing_to_wait_for(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entity_registry: er.EntityRegistry
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", SAME_ALL_DAY)
    keys = {each.translation_key for each in er.async_entries_for_config_entry(entity_registry, entry.entry_id)}
    assert {"band", "price", "cost_today", "cost_this_month", "quarter_hour_power", "peak_quarter_hour"} <= keys
    assert not {"next_band", "band_ends_at", "solar_band", "bands"} & keys
    assert state(hass, BAND) == "single"


async def test_without_a_contract_only_quarter_hours_are_shown(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entity_registry: er.EntityRegistry
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00")
    keys = {each.translation_key for each in er.async_entries_for_config_entry(entity_registry, entry.entry_id)}
    assert {"quarter_hour_power", "peak_quarter_hour"} <= keys
    assert not {"band", "price", "cost_today", "cost_this_month"} & keys


async def test_tariff_is_known_while_the_meter_does_not_answer(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T16:00:00+02:00", TWO_CLOCKS)
    hass.states.async_set(POWER, "unavailable")
    hass.states.async_set("sensor.counter", "unavailable")
    await hass.async_block_till_done()
    entry.runtime_data._lose(None)
    assert state(hass, "sensor.home_quarter_hour_power") == "unavailable"
    await go(hass, freezer, "2026-06-10T17:00:00+02:00")
    assert shown(hass) == ("peak", "medium", PEAK, "off")


async def test_clock_that_jumps_is_noticed(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", TWO_CLOCKS)

    class Jumped:
        now = float(at("2026-06-10T18:00:00+02:00"))

        def time(self) -> float:
            return self.now

    clock = Jumped()
    monkeypatch.setattr(site_tariff, "time", clock)
    entry.runtime_data.write()  # comes some times a minute, and no timer has fired
    assert shown(hass) == ("peak", "medium", PEAK, "off")
    clock.now = float(at("2026-06-08T08:00:00+02:00"))
    entry.runtime_data.write()
    assert shown(hass) == ("medium", "eco", MEDIUM_DAY, "off")
    assert state(hass, ENDS_AT) == "2026-06-08T09:00:00+00:00"


async def test_names_that_a_household_gave_are_shown(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    green = {
        "id": "own_1",
        "bands": ["heures_vertes", "full"],
        "names": {"heures_vertes": "Heures vertes"},
        "days": {
            "every_day": [
                {"start": "10:00", "end": "16:00", "band": "heures_vertes", "solar": True},
                {"start": "16:00", "end": "10:00", "band": "full"},
            ]
        },
    }
    version = {**SAME_ALL_DAY, "commodity_grid": "own_1"}
    await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", version, grids={"own_1": green})
    assert shown(hass)[:2] == ("Heures vertes", "full")
    assert attribute(hass, BAND, "options") == ["Heures vertes", "full"]
    assert state(hass, SOLAR) == "on"


async def test_price_follows_a_sensor_in_any_unit_of_euros(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    assert state(hass, PRICE) == "unknown"
    for text, unit, commodity in (("80", "€/MWh", 0.08), ("0.0", "EUR/kWh", 0), ("-5", "c€/kWh", -0.05)):
        hass.states.async_set("sensor.spot", text, {"unit_of_measurement": unit})
        await hass.async_block_till_done()
        assert number(hass, PRICE) == pytest.approx((0.0271 + commodity) * 1.06, abs=1e-6)
    for lost in ("unavailable", "unknown"):
        hass.states.async_set("sensor.spot", lost)
        await hass.async_block_till_done()
        assert state(hass, PRICE) == "unknown", "never zero"
    assert state(hass, BAND) == "eco"


async def test_price_in_another_currency_is_refused_and_said(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, issue_registry: ir.IssueRegistry
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    hass.states.async_set("sensor.spot", "0.2", {"unit_of_measurement": "USD/kWh"})
    await go(hass, freezer, "2026-06-10T12:01:00+02:00")
    assert state(hass, PRICE) == "unknown"
    issue = issue_registry.async_get_issue(DOMAIN, f"price_unit_unknown_{entry.entry_id}")
    assert issue
    assert issue.translation_placeholders == {"site": "Home", "entity": "sensor.spot", "unit": "USD/kWh"}
    hass.states.async_set("sensor.spot", "0.2", {"unit_of_measurement": "€/kWh"})
    await go(hass, freezer, "2026-06-10T12:02:00+02:00")
    assert not issue_registry.async_get_issue(DOMAIN, f"price_unit_unknown_{entry.entry_id}")
    assert number(hass, PRICE) == pytest.approx(0.2271 * 1.06)


async def test_price_sensor_that_is_gone_is_said(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, issue_registry: ir.IssueRegistry
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    await go(hass, freezer, "2026-06-10T12:05:00+02:00")
    assert not issue_registry.async_get_issue(DOMAIN, f"price_sensor_missing_{entry.entry_id}"), "it may come late"
    await go(hass, freezer, "2026-06-10T12:20:00+02:00")
    assert issue_registry.async_get_issue(DOMAIN, f"price_sensor_missing_{entry.entry_id}")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not issue_registry.async_get_issue(DOMAIN, f"price_sensor_missing_{entry.entry_id}")


async def test_contract_that_cannot_be_read_stops_no_measurement(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, issue_registry: ir.IssueRegistry
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", {**TWO_CLOCKS, "network_grid": "nobody"})
    assert issue_registry.async_get_issue(DOMAIN, f"contract_unreadable_{entry.entry_id}")
    measure(hass, 1000.1, 400)
    await go(hass, freezer, "2026-06-10T12:01:00+02:00")
    assert number(hass, "sensor.home_grid_power") == 400


async def test_few_states_are_written(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", TWO_CLOCKS)
    written: list[str] = []
    hass.bus.async_listen("state_changed", lambda event: written.append(event.data["entity_id"]))
    for minute in range(1, 10):
        await go(hass, freezer, f"2026-06-10T12:0{minute}:00+02:00")
    assert not {BAND, NEXT_BAND, ENDS_AT, PRICE, SOLAR, "calendar.home_tariff_bands"} & set(written)


async def test_entities_of_a_contract_go_with_it(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entity_registry: er.EntityRegistry
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:05:00+02:00", TWO_CLOCKS)

    def keys() -> set[str | None]:
        return {known.translation_key for known in er.async_entries_for_config_entry(entity_registry, entry.entry_id)}

    assert keys() >= CONTRACT_KEYS
    [subentry] = entry.subentries.values()
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()
    assert not keys() & CONTRACT_KEYS
    assert {"grid_power", "quarter_hour_power", "peak_quarter_hour"} <= keys()


async def test_entities_that_a_changed_contract_has_no_more_go(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entity_registry: er.EntityRegistry
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:05:00+02:00", TWO_CLOCKS)
    [subentry] = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, subentry, data={"versions": [SAME_ALL_DAY], "grids": {}})
    await hass.async_block_till_done()
    known = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert {each.translation_key for each in known} & CONTRACT_KEYS == CONTRACT_KEYS - CHANGING_KEYS - SOLAR_KEYS
    assert all(found(hass, each.entity_id).state != "unavailable" for each in known if not each.disabled)


async def test_price_that_comes_before_the_timer_is_told_with_the_new_band(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("sensor.spot", "0.10", {"unit_of_measurement": "€/kWh"})
    later = {
        **DYNAMIC,
        "valid_from": "2026-06-11",
        "network_grid": "mono",
        "components": [{"kind": "network", "prices": "0.05"}],
    }
    await contracted(hass, freezer, "2026-06-10T23:59:00+02:00", DYNAMIC, later)
    prices: list[str] = []
    hass.bus.async_listen(
        "state_changed",
        lambda event: prices.append(event.data["new_state"].state) if event.data["entity_id"] == PRICE else None,
    )
    freezer.move_to("2026-06-11T00:00:00.010+02:00")
    hass.states.async_set("sensor.spot", "0.20", {"unit_of_measurement": "€/kWh"})
    await hass.async_block_till_done()
    assert state(hass, BAND) == "single"
    assert prices == ["0.265000"], "(0.20 + 0.05) with 6 % VAT, and no price of the old band"
