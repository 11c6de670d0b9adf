"""From a meter's counters to the ledger's quarter-hours, with clocks that jump and a disk that is full."""

from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.dt import utcnow
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.energy_neighbours import flukso_meter, site as site_module
from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour, Span, quarter_start
from custom_components.energy_neighbours.core.site_energy import SiteEnergy
from custom_components.energy_neighbours.ledger import Ledger, LedgerError, LedgerFault

from .conftest import SecondHand, Wait, entry_of, load
from .test_energy_kept import Truth

YEARS = 4 * 365 * 86_400


class Clock(SimpleNamespace):
    """The computer's clock, which goes with the meter's seconds, and may jump."""

    def __init__(self, hand: SecondHand) -> None:
        super().__init__(jump=0.0)
        self._hand = hand
        self._begin = hand.now
        self.meter_jump = 0

    def time(self) -> float:
        return self._hand.now - self.meter_jump + self.jump

    def monotonic(self) -> float:
        return self._hand.now - self.meter_jump - self._begin

    def let_meter_jump(self, seconds: int) -> None:
        self.meter_jump += seconds
        self._hand.now += seconds


@pytest.fixture
def clock(hand: SecondHand, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands a minute before the end of a quarter-hour, long enough ago to stay behind the real one."""
    hand.now = quarter_start(hand.now) - 3 * QUARTER - 60
    clock = Clock(hand)
    for module in (flukso_meter, site_module):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
async def timed_site(hass: HomeAssistant, clock: Clock, hand: SecondHand) -> MockConfigEntry:
    """A site that writes when told, on that clock."""
    entry = await load(hass, entry_of(hand.meter, write_interval=300))
    entry.runtime_data.meter.client._dispatcher._clock = clock.time
    return entry


async def ledger_of(site: MockConfigEntry) -> list[QuarterHour]:
    return await site.runtime_data.ledger.async_read(Span(0, 2**40 // QUARTER * QUARTER))


async def pass_time(hass: HomeAssistant, hand: SecondHand, site: MockConfigEntry, seconds: int) -> None:
    """Let the meter measure, and the site look every ten seconds, as it does."""
    while seconds > 0:
        await hand.turn_and_show(site, min(seconds, 10))
        seconds -= 10
    await hass.async_block_till_done()


async def test_quarter_hour_is_booked_soon_after_its_end(
    hass: HomeAssistant, hand: SecondHand, timed_site: MockConfigEntry
) -> None:
    end = quarter_start(hand.now) + QUARTER
    told: list[QuarterHour] = []
    timed_site.runtime_data.async_add_boundary_listener(told.extend)
    await pass_time(hass, hand, timed_site, 60)
    assert await ledger_of(timed_site) == []
    truth = Truth(hand.meter)
    await pass_time(hass, hand, timed_site, 30)
    [first] = await ledger_of(timed_site)
    assert (first.end, first.quality) == (end, Quality.MISSING), "hardly a minute of it was heard"
    assert told == [first]
    await pass_time(hass, hand, timed_site, QUARTER - 10)
    [_, second] = await ledger_of(timed_site)
    assert second.quality is Quality.MEASURED
    assert (second.offtake or 0) - (second.injection or 0) == pytest.approx(truth.net, rel=0.05, abs=2)


async def test_quarter_hours_do_not_wait_for_entities_that_are_rarely_written(
    hass: HomeAssistant, hand: SecondHand, timed_site: MockConfigEntry
) -> None:
    with patch.object(timed_site.runtime_data, "_tick"):
        for _ in range(QUARTER // 10 + 9):
            await hand.turn_and_show(timed_site, 10)
            async_fire_time_changed(hass, utcnow() + timedelta(seconds=11))
            await hass.async_block_till_done()
    assert [quarter.quality for quarter in await ledger_of(timed_site)] == [Quality.MISSING, Quality.MEASURED]


@pytest.mark.parametrize("jump", [7200, -7200, YEARS])
async def test_meter_whose_clock_jumps_books_at_our_time(
    hass: HomeAssistant, hand: SecondHand, clock: Clock, timed_site: MockConfigEntry, jump: int
) -> None:
    begin = quarter_start(clock.time())
    await pass_time(hass, hand, timed_site, 30)
    clock.let_meter_jump(jump)
    await pass_time(hass, hand, timed_site, QUARTER + 60)
    known = await ledger_of(timed_site)
    assert [quarter.start for quarter in known] == [begin, begin + QUARTER]
    assert known[1].quality is Quality.MEASURED
    assert sum((q.offtake or 0) + (q.injection or 0) for q in known) > 0


@pytest.mark.parametrize("jump", [7200, -7200, YEARS])
async def test_computer_whose_clock_jumps_books_at_the_meters_time(
    hass: HomeAssistant, hand: SecondHand, clock: Clock, timed_site: MockConfigEntry, jump: int
) -> None:
    begin = quarter_start(clock.time())
    await pass_time(hass, hand, timed_site, 30)
    clock.jump = jump
    await pass_time(hass, hand, timed_site, QUARTER + 60)
    known = await ledger_of(timed_site)
    assert [quarter.start for quarter in known] == [begin, begin + QUARTER]
    assert known[1].quality is Quality.MEASURED


@pytest.mark.parametrize("paused_meter", ["flm02_single_phase_pv"], indirect=True)
async def test_what_a_counter_rose_by_while_nobody_listened_is_spread_over_that_time(
    hass: HomeAssistant, hand: SecondHand, clock: Clock
) -> None:
    hand.now -= 3000
    site = await load(hass, entry_of(hand.meter, write_interval=300))
    await pass_time(hass, hand, site, 30)
    assert await hass.config_entries.async_unload(site.entry_id)
    await hand.turn(1500)
    with patch.object(SiteEnergy, "add_energy", autospec=True, side_effect=SiteEnergy.add_energy) as added:
        await load(hass, site)  # its broker kept the last counters, and tells them first
        await pass_time(hass, hand, site, 10)
    rises = [(forward + backward, seconds) for *_, forward, backward, _, seconds in (c.args for c in added.mock_calls)]
    over = [seconds for energy, seconds in rises if energy > 50]
    assert over
    assert min(over) > 1400


async def test_computer_whose_clock_jumps_erases_nothing(
    hass: HomeAssistant, hand: SecondHand, clock: Clock, timed_site: MockConfigEntry
) -> None:
    timed_site.runtime_data._keep_days = 112
    await pass_time(hass, hand, timed_site, 90)
    known = await ledger_of(timed_site)
    clock.jump = YEARS
    await pass_time(hass, hand, timed_site, 10)
    await timed_site.runtime_data._purge()
    assert await ledger_of(timed_site) == known != []


async def test_full_disk_is_told_and_made_up_for(
    hass: HomeAssistant, hand: SecondHand, timed_site: MockConfigEntry, until: Wait
) -> None:
    issues = ir.async_get(hass)
    issue = f"ledger_full_{timed_site.entry_id}"
    with patch.object(Ledger, "book", side_effect=LedgerError(LedgerFault.FULL, "There is no room left")):
        await pass_time(hass, hand, timed_site, 2 * QUARTER)
        assert issues.async_get_issue(DOMAIN, issue)
        assert timed_site.runtime_data.ledger.pending == 2
        assert len(await ledger_of(timed_site)) == 2, "measuring goes on in memory"
    await timed_site.runtime_data._save_now(None)
    await until(lambda: not timed_site.runtime_data.ledger.pending)
    await pass_time(hass, hand, timed_site, 10)
    assert not issues.async_get_issue(DOMAIN, issue)
    assert len(await ledger_of(timed_site)) == 2
