"""A community of sites of one Home Assistant: what is measured becomes shares, and what changes changes them."""

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from custom_components.energy_neighbours.core.quarter_hour import Span
from custom_components.energy_neighbours.ledger import LedgerError, LedgerFault
from custom_components.energy_neighbours.ledger_shares import Share, ShareLedger
from custom_components.energy_neighbours.tariff_library import shipped_grids

from .conftest import load, number
from .contracted import TWO_CLOCKS, at
from .neighbours import EQUAL, community, go, member, quarters, remember, settle, site, street

NOON = "2026-06-10T12:00:00+02:00"
TEN = "2026-06-10T10:00:00+02:00"


async def test_sites_of_one_home_share_a_roof(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    ash, elm, roof = site("Ash"), site("Elm"), site("Roof")
    await street(hass, freezer, NOON, ash, elm, roof)
    await remember(hass, ash, quarters(TEN, 4, 600))
    await remember(hass, elm, quarters(TEN, 4, 200))
    await remember(hass, roof, quarters(TEN, 4, 0, 400))
    entry = community([member(ash, "aaaa"), member(elm, "bbbb"), member(roof, "cccc", part="producer")])
    await load(hass, entry)
    await settle(hass, freezer)
    assert number(hass, "sensor.ash_from_neighbours_today") == 1.2
    assert number(hass, "sensor.elm_from_neighbours_today") == 0.4
    assert number(hass, "sensor.ash_from_neighbours") == 1.2
    assert number(hass, "sensor.ash_from_the_supplier") == 1.2
    assert number(hass, "sensor.ash_coverage_rate") == 50
    assert number(hass, "sensor.ash_self_consumption_rate") == 100
    assert number(hass, "sensor.street_shared_production") == 1.6
    assert number(hass, "sensor.street_allocated_energy") == 1.6
    assert number(hass, "sensor.street_surplus") == 0
    assert number(hass, "sensor.street_coverage_rate") == 50
    assert "sensor.roof_from_neighbours" not in hass.states.async_entity_ids()


async def three(hass: HomeAssistant, freezer: FrozenDateTimeFactory, now: str = NOON, **options):
    """Set a street up: two flats and a roof, with an hour that is known."""
    ash, elm, roof = site("Ash"), site("Elm"), site("Roof")
    await street(hass, freezer, now, ash, elm, roof)
    await remember(hass, ash, quarters(TEN, 4, 600))
    await remember(hass, elm, quarters(TEN, 4, 200))
    await remember(hass, roof, quarters(TEN, 4, 0, 400))
    keys = options.pop("keys", ())
    entry = community(
        [member(ash, "aaaa"), member(elm, "bbbb"), member(roof, "cccc", part="producer")], *keys, **options
    )
    await load(hass, entry)
    await settle(hass, freezer)
    return entry, ash, elm, roof


HOUR = Span(at(TEN), at(TEN) + 3600)


def kept(entry, code: str) -> list[Share]:
    """Return what the ledger holds of a member's hour."""
    found = entry.runtime_data
    return found.ledger._shared._opened.shares.shares(entry.entry_id, found.member(code).site, HOUR)


def shares(entry, code: str) -> list[int | None]:
    return [share.allocated for share in kept(entry, code)]


async def test_an_import_that_corrects_a_reading_corrects_the_shares_of_all(hass, freezer) -> None:
    entry, _ash, elm, _roof = await three(hass, freezer)
    assert shares(entry, "aaaa") == [300] * 4
    await remember(hass, elm, quarters(TEN, 2, 600))
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == [200, 200, 300, 300]
    assert shares(entry, "bbbb") == [200, 200, 100, 100]
    assert number(hass, "sensor.ash_from_neighbours_today") == 1.0


async def test_a_reading_that_is_missing_makes_the_share_provisional_and_not_zero(hass, freezer) -> None:
    ash, elm, roof = site("Ash"), site("Elm"), site("Roof")
    await street(hass, freezer, "2026-06-10T11:01:00+02:00", ash, elm, roof)
    await remember(hass, ash, quarters(TEN, 4, 600))
    await remember(hass, roof, quarters(TEN, 4, 0, 400))
    entry = community([member(ash, "aaaa"), member(elm, "bbbb"), member(roof, "cccc", part="producer")])
    await load(hass, entry)
    await settle(hass, freezer)
    # Those that have waited for long are divided without Elm; the last one is still waited for.
    assert shares(entry, "aaaa") == [400, 400, 400]
    assert [(each.allocated, each.provisional, each.reading) for each in kept(entry, "bbbb")] == [(0, True, None)] * 3
    await go(hass, freezer, "2026-06-10T11:06:00+02:00")
    assert shares(entry, "aaaa") == [400] * 4
    present = hass.states.get("sensor.street_members_present")
    assert present.state == "2"
    assert present.attributes["late"] == ["bbbb"]
    await remember(hass, elm, quarters(TEN, 4, 600))
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == [200] * 4
    assert [(each.allocated, each.provisional) for each in kept(entry, "bbbb")] == [(200, False)] * 4


async def test_another_key_from_some_day_on_leaves_what_lies_before(hass, freezer) -> None:
    entry, *_ = await three(hass, freezer)
    before = shares(entry, "aaaa")
    later = [*entry.options["keys"], {"number": 2, "valid_from": "2026-06-11", "author": "x", "key": EQUAL}]
    hass.config_entries.async_update_entry(entry, options={**entry.options, "keys": later})
    await hass.async_block_till_done()
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == before == [300] * 4
    now = [*entry.options["keys"], {"number": 3, "valid_from": "2026-06-10", "author": "x", "key": EQUAL}]
    hass.config_entries.async_update_entry(entry, options={**entry.options, "keys": now})
    await hass.async_block_till_done()
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == [200] * 4


async def test_what_ended_while_home_assistant_was_away_is_divided_at_its_start(hass, freezer) -> None:
    entry, ash, elm, _roof = await three(hass, freezer)
    await hass.config_entries.async_unload(entry.entry_id)
    await remember(hass, ash, quarters("2026-06-10T11:00:00+02:00", 4, 100))
    await remember(hass, elm, quarters("2026-06-10T10:45:00+02:00", 1, 600))
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == [300, 300, 300, 200]
    assert number(hass, "sensor.ash_from_neighbours_today") == 1.1


async def test_a_site_that_becomes_a_member_gets_its_sensors_and_loses_them_with_the_community(hass, freezer) -> None:
    entry, *_ = await three(hass, freezer)
    assert "sensor.elm_coverage_rate" in hass.states.async_entity_ids()
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert number(hass, "sensor.elm_coverage_rate") is None


async def test_settled_quarter_hours_stay_what_they_are(hass, freezer) -> None:
    entry, ash, *_ = await three(hass, freezer)
    await entry.runtime_data.ledger.async_change(lambda found: found.close_until(entry.entry_id, at(TEN) + 1800))
    await remember(hass, ash, quarters(TEN, 4, 1000))
    await settle(hass, freezer)
    assert shares(entry, "bbbb") == [100, 100, 67, 67]


async def test_why_a_member_got_what_it_got(hass, freezer) -> None:
    entry, *_ = await three(hass, freezer)
    told = await entry.runtime_data.async_explain("aaaa", at(TEN))
    assert (told.offtake, told.community_offtake, told.production, told.allocated) == (600, 800, 400, 300)
    assert (told.limit, told.version, told.quality) == ("key", 1, "measured")


async def test_what_a_kwh_of_the_neighbours_costs_follows_the_hours_of_the_community(hass, freezer) -> None:
    ash, roof = site("Ash", contract=TWO_CLOCKS), site("Roof")
    await street(hass, freezer, NOON, ash, roof)
    await remember(hass, ash, quarters(TEN, 4, 600))
    await remember(hass, roof, quarters(TEN, 4, 0, 400))
    entry = community(
        [member(ash, "aaaa"), member(roof, "cccc", part="producer")],
        shared_prices={"eco": "0.08", "medium": "0.1", "peak": "0.15"},
        shared_grid=shipped_grids()["impact_2026"].as_dict(),
    )
    await load(hass, entry)
    await settle(hass, freezer)
    # The network's price with 6 % VAT, and the community's.
    assert number(hass, "sensor.ash_price_of_neighbours_electricity") == 0.108726
    # 1.6 kWh between ten and eleven, which is medium: the supplier asks 0.15 and VAT then.
    assert number(hass, "sensor.ash_saving_this_month") == 0.09
    await go(hass, freezer, "2026-06-10T18:00:00+02:00")
    assert number(hass, "sensor.ash_price_of_neighbours_electricity") == 0.293524


async def test_totals_go_on_and_what_all_got_stays_when_a_site_forgets_its_past(hass, freezer) -> None:
    entry, ash, elm, _roof = await three(hass, freezer)
    assert number(hass, "sensor.ash_from_neighbours") == 1.2
    half = at(TEN) + 1800
    await ash.runtime_data._forget(half)
    ash.runtime_data.share.refresh()
    await hass.async_block_till_done()
    assert len(await ash.runtime_data.ledger.async_read(HOUR)) == 2
    assert number(hass, "sensor.ash_from_neighbours") == 1.2
    assert number(hass, "sensor.ash_from_the_supplier") == 1.2
    # Those quarter-hours are closed: without Ash's readings all would be given to Elm.
    await remember(hass, elm, quarters(TEN, 4, 600))
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == [300, 300, 200, 200]
    assert shares(entry, "bbbb") == [100, 100, 200, 200]


async def test_a_community_that_cannot_be_read_takes_no_site_along(hass, freezer, caplog, no_errors) -> None:
    no_errors.append("the price of shared electricity cannot be read")
    ash = site("Ash")
    await street(hass, freezer, NOON, ash)
    entry = community([member(ash, "aaaa")], shared_prices={"": "cheap"})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.config_entries.async_reload(ash.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert ash.state is ConfigEntryState.LOADED
    assert ash.runtime_data.share is None
    assert "the price of shared electricity cannot be read" in caplog.text


async def test_what_a_full_disk_kept_from_being_noted_is_divided_when_there_is_room(
    hass, freezer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, ash, elm, _roof = await three(hass, freezer)
    note_due = ShareLedger.note_due

    def refuse(*_arguments: object) -> None:
        raise LedgerError(LedgerFault.FULL, "There is no room left")

    monkeypatch.setattr(ShareLedger, "note_due", refuse)
    await remember(hass, elm, quarters(TEN, 4, 600))
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == [300] * 4
    monkeypatch.setattr(ShareLedger, "note_due", note_due)
    await settle(hass, freezer, 31)
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == [200] * 4
    # What came into the ledger without a word is found within the hour.
    await ash.runtime_data.ledger.async_replace(quarters(TEN, 4, 200), "test")
    await settle(hass, freezer, 31)
    assert shares(entry, "aaaa") == [200] * 4
    await go(hass, freezer, "2026-06-10T13:00:31+02:00")
    await settle(hass, freezer)
    assert shares(entry, "aaaa") == [100] * 4
