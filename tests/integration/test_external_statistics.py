"""A site's quarter-hours as hourly statistics: they reach back, rise, add up to the ledger, and go with the site."""

from collections.abc import AsyncIterator

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import list_statistic_ids
from homeassistant.core import HomeAssistant
import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour
from custom_components.energy_neighbours.external_statistics import (
    ExternalStatistics,
    async_forget_statistics,
    statistic_id,
)
from custom_components.energy_neighbours.ledger_keeper import SiteLedger, async_open_ledger
from custom_components.energy_neighbours.site import Site

from .importing import home
from .recorded import DAY, HOUR, hourly, this_hour

ENTRY = "01JABCDEFGHJKMNPQRSTVWXYZ0"
OFFTAKE, INJECTION = (statistic_id(ENTRY, series) for series in ("offtake", "injection"))


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


@pytest.fixture
async def ledger(hass: HomeAssistant) -> AsyncIterator[SiteLedger]:
    found = await async_open_ledger(hass, ENTRY)
    yield found
    await found.async_close()


@pytest.fixture
def statistics(hass: HomeAssistant, ledger: SiteLedger) -> ExternalStatistics:
    return ExternalStatistics(hass, ENTRY, "Rue des Voisins", ledger)


def quarters(start: int, *energies: int | None, quality: Quality = Quality.MEASURED) -> list[QuarterHour]:
    """Return quarter-hours of which each offtake is given."""
    return [QuarterHour(start + QUARTER * i, energy, None, None, quality) for i, energy in enumerate(energies)]


async def test_statistics_reach_back_and_add_up_to_the_ledger(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics
) -> None:
    begin = this_hour() - 400 * DAY
    rows = quarters(begin, *(i % 500 for i in range(4 * 24 * 400)))
    await ledger.async_replace(rows, "test")
    await statistics.async_update()
    changes = await hourly(hass, OFFTAKE, "change")
    assert min(changes) == begin
    assert len(changes) == 24 * 400
    assert sum(changes.values()) == pytest.approx(sum(row.offtake or 0 for row in rows) / 1000)
    assert changes[begin + HOUR] == pytest.approx((4 + 5 + 6 + 7) / 1000)
    sums = list((await hourly(hass, OFFTAKE)).values())
    assert sums == sorted(sums)
    assert await hourly(hass, INJECTION) == {}  # nobody measures it, which is not zero


async def test_name_is_the_site_s_own_in_the_language_of_home_assistant(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics
) -> None:
    hass.config.language = "fr"
    await ledger.async_replace(quarters(this_hour() - DAY, 1, 2, 3, 4), "test")
    await statistics.async_update()
    await hourly(hass, OFFTAKE)
    (found,) = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass, {OFFTAKE})
    assert found["name"] == "Rue des Voisins: prélèvement (historique)"
    assert (found["statistics_unit_of_measurement"], found["unit_class"]) == ("kWh", "energy")


async def test_hour_of_which_a_part_is_missing_has_no_row(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics
) -> None:
    begin = this_hour() - DAY
    await ledger.async_replace(quarters(begin, 1, 1, 1, 1, 2, 2, None, 2), "test")
    await ledger.async_replace(quarters(begin + 2 * HOUR, 3, 3, 3, 3, quality=Quality.MISSING), "test")
    await ledger.async_replace(quarters(begin + 3 * HOUR, 4, 4, 4, 4, quality=Quality.ESTIMATED), "test")
    await statistics.async_update()
    assert await hourly(hass, OFFTAKE) == {begin: 0.004, begin + 3 * HOUR: 0.020}


async def test_older_and_changed_hours_lift_all_that_follow(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics
) -> None:
    late, early = this_hour() - DAY, this_hour() - 200 * DAY
    await ledger.async_replace(quarters(late, 10, 10, 10, 10, 20, 20, 20, 20), "test")
    await statistics.async_update()
    await ledger.async_replace(quarters(early, 1, 1, 1, 1), "test")
    await statistics.async_update(early)
    assert await hourly(hass, OFFTAKE) == {early: 0.004, late: 0.044, late + HOUR: 0.124}
    await ledger.async_replace(quarters(late, 110, 10, 10, 10), "test")
    await statistics.async_update(late)
    assert await hourly(hass, OFFTAKE) == {early: 0.004, late: 0.144, late + HOUR: 0.224}


async def test_hours_whose_quarter_hours_were_thrown_away_stay(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics
) -> None:
    begin = this_hour() - 600 * DAY
    await ledger.async_replace(quarters(begin, 1, 1, 1, 1), "test")
    await ledger.async_replace(quarters(begin + 500 * DAY, 2, 2, 2, 2), "test")
    await statistics.async_update()
    await ledger.async_purge(begin + DAY)
    await statistics.async_update()
    assert await hourly(hass, OFFTAKE) == {begin: 0.004, begin + 500 * DAY: 0.012}


@pytest.mark.parametrize("corrected", [60, 200])
async def test_correction_of_old_hours_leaves_the_rises_of_later_ones_that_were_thrown_away(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics, corrected: int
) -> None:
    begin = this_hour() - 100 * DAY  # several steps
    await ledger.async_replace(quarters(begin, *(100 for _ in range(4 * 24 * 100))), "test")
    await statistics.async_update()
    await ledger.async_purge(begin + 90 * DAY)
    await ledger.async_replace(quarters(begin, *(corrected for _ in range(4 * 24))), "test")
    await statistics.async_update(begin)
    changes = await hourly(hass, OFFTAKE, "change")
    assert {round(change * 1000) for start, change in changes.items() if start < begin + DAY} == {4 * corrected}
    assert {round(change * 1000) for start, change in changes.items() if start >= begin + DAY} == {400}
    assert len(changes) == 24 * 100


async def test_second_update_writes_nothing(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics
) -> None:
    await ledger.async_replace(quarters(this_hour() - 40 * DAY, *(7 for _ in range(4 * 24 * 40))), "test")
    await statistics.async_update()
    before = await hourly(hass, OFFTAKE)
    tasks: list[object] = []
    queue = get_instance(hass).queue_task
    get_instance(hass).queue_task = lambda task: (tasks.append(task), queue(task))[1]
    await statistics.async_update()
    await statistics.async_update(this_hour() - 20 * DAY)
    assert [task for task in tasks if type(task).__name__ == "ImportStatisticsTask"] == []
    assert await hourly(hass, OFFTAKE) == before


def test_statistics_are_out_of_date_when_an_hour_is_over(hass: HomeAssistant) -> None:
    statistics = ExternalStatistics(hass, ENTRY, "Home", None)
    running = this_hour()
    assert statistics.async_note(quarters(running, 1)) is None
    assert statistics.async_note(quarters(running - 2 * HOUR, 1)) == running - 2 * HOUR
    assert statistics.async_note(()) is None


async def test_statistics_go_with_their_site(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics
) -> None:
    await ledger.async_replace(quarters(this_hour() - DAY, 1, 2, 3, 4), "test")
    await statistics.async_update()
    assert await hourly(hass, OFFTAKE)
    async_forget_statistics(hass, ENTRY)
    assert await hourly(hass, OFFTAKE) == {}


async def test_nothing_happens_without_a_recorder(
    hass: HomeAssistant, ledger: SiteLedger, statistics: ExternalStatistics
) -> None:
    await ledger.async_replace(quarters(this_hour() - DAY, 1, 2, 3, 4), "test")
    await statistics.async_update()
    async_forget_statistics(hass, ENTRY)


async def test_site_keeps_its_statistics_up_to_date_and_takes_them_along(
    recorder_mock: Recorder, hass: HomeAssistant
) -> None:
    entry = await home(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    site: Site = entry.runtime_data
    offtake = statistic_id(entry.entry_id, "offtake")
    begin = this_hour() - HOUR
    for quarter in quarters(begin, 1, 2, 3, 4):
        await site._book([quarter], {})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await hourly(hass, offtake) == {begin: 0.010}
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert await hourly(hass, offtake) == {}
