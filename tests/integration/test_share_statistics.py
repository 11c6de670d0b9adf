"""Yesterday's graph is right: hours in which shares became known later than they were are corrected."""

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send
import pytest

from custom_components.energy_neighbours.const import SHARES_CHANGED
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour
from custom_components.energy_neighbours.ledger_shares import Share
from custom_components.energy_neighbours.share_statistics import ShareStatistics

from .conftest import load
from .neighbours import community, measured, member, site
from .recorded import HOUR, hourly, record, this_hour

NEIGHBOURS, SUPPLIER = "sensor.ash_from_neighbours", "sensor.ash_from_the_supplier"


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


def hour(number: int) -> int:
    """Return the beginning of an hour; the one that runs is 0."""
    return this_hour() + number * HOUR


async def ash_with(hass: HomeAssistant, taken: dict[int, int]):
    """Return a loaded member that took so much in each quarter of some hours [Wh]."""
    ash = site("Ash")
    await measured(hass, "Ash")
    entry = community([member(ash, "aaaa", joined="2020-01-01")], ("2020-01-01", {"kind": "prorata"}))
    entry.add_to_hass(hass)
    await load(hass, ash)
    quarters = [
        QuarterHour(hour(number) + QUARTER * quarter, energy, 0, None)
        for number, energy in taken.items()
        for quarter in range(4)
    ]
    await ash.runtime_data.ledger.async_replace(quarters, "test")
    # What the site corrects at its start would mix with what these tests let be corrected.
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry, ash


async def share(entry, ash, number: int, allocated: int) -> None:
    """Let the ledger hold the shares of an hour [Wh a quarter-hour]."""
    rows = [
        Share(hour(number) + QUARTER * quarter, allocated, allocated, None, 1, provisional=False)
        for quarter in range(4)
    ]
    ledger = ash.runtime_data.share._ledger
    await ledger.async_change(lambda shares: shares.write(entry.entry_id, {ash.entry_id: rows}))


async def test_what_was_told_an_hour_late_goes_where_it_belongs(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    entry, ash = await ash_with(hass, {-4: 500, -3: 500, -2: 500})
    for number, allocated in ((-4, 100), (-3, 300), (-2, 200)):
        await share(entry, ash, number, allocated)
    # A quarter of each hour has counted for the next one.
    kwh = {-5: 0, -4: 0.3, -3: 1.3, -2: 2.2, -1: 2.4}
    await record(hass, NEIGHBOURS, {hour(number): total for number, total in kwh.items()})
    await ShareStatistics(hass, ash, ash.runtime_data.share).async_update(hour(-4))
    found = await hourly(hass, NEIGHBOURS)
    assert {number: pytest.approx(found[hour(number)]) for number in kwh} == {-5: 0, -4: 0.4, -3: 1.6, -2: 2.4, -1: 2.4}


async def test_a_share_that_is_revised_changes_both_sources_of_its_hour(recorder_mock, hass) -> None:
    entry, ash = await ash_with(hass, {-4: 500, -3: 500})
    for number in (-4, -3):
        await share(entry, ash, number, 250)
    for statistic in (NEIGHBOURS, SUPPLIER):
        await record(hass, statistic, {hour(-5): 10, hour(-4): 11, hour(-3): 12, hour(-2): 12, hour(-1): 12})
    await share(entry, ash, -4, 400)
    await ShareStatistics(hass, ash, ash.runtime_data.share).async_update(hour(-4))
    assert [pytest.approx(total) for total in (await hourly(hass, NEIGHBOURS)).values()] == [10, 11.6, 12.6, 12.6, 12.6]
    assert [pytest.approx(total) for total in (await hourly(hass, SUPPLIER)).values()] == [10, 10.4, 11.4, 11.4, 11.4]


async def test_hours_that_are_right_or_unknown_are_left_alone(recorder_mock, hass) -> None:
    entry, ash = await ash_with(hass, {-4: 500})
    await share(entry, ash, -4, 250)
    rows = {hour(-9): 1.0, hour(-5): 3.0, hour(-4): 4.0, hour(-3): 4.0}
    await record(hass, NEIGHBOURS, rows)
    await ShareStatistics(hass, ash, ash.runtime_data.share).async_update(hour(-9))
    assert await hourly(hass, NEIGHBOURS) == rows


async def test_shares_that_come_are_followed(recorder_mock, hass) -> None:
    entry, ash = await ash_with(hass, {-4: 500})
    await record(hass, NEIGHBOURS, {hour(-5): 0, hour(-4): 0, hour(-3): 0})
    await share(entry, ash, -4, 250)
    async_dispatcher_send(hass, SHARES_CHANGED.format(entry.entry_id, ash.entry_id), [hour(-4)])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert list((await hourly(hass, NEIGHBOURS)).values()) == [0, 1, 1]
    assert float(hass.states.get(NEIGHBOURS).state) == 1


async def test_without_a_recorder_nothing_happens(hass: HomeAssistant) -> None:
    _, ash = await ash_with(hass, {})
    await ShareStatistics(hass, ash, ash.runtime_data.share).async_update(hour(-9))
