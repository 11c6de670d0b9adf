"""Sites share one ledger: written off the event loop, patient with its disk, closed with the last of them."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
import sqlite3
import threading

from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from sqlalchemy import event

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span
from custom_components.energy_neighbours.ledger import Ledger, LedgerError, LedgerFault
from custom_components.energy_neighbours.ledger_keeper import SiteLedger, async_open_ledger
from custom_components.energy_neighbours.shared_ledger import FILE, SHARED_LEDGER

from .ledger_samples import ALL, BIG, T, at, stored


@pytest.fixture
def path(ledger_path: Path) -> Path:
    return ledger_path


@pytest.fixture
def site(site_ledger: SiteLedger) -> SiteLedger:
    return site_ledger


async def retried(hass: HomeAssistant) -> None:
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await hass.async_block_till_done(wait_background_tasks=True)


class FullDisk:
    """Lets the file grow no more, as SQLite tells when the disk is full."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._engine = hass.data[SHARED_LEDGER]._ledger._engine

    def fill(self) -> None:
        event.listen(self._engine, "connect", self._limit)
        self._engine.dispose()

    def clear(self) -> None:
        event.remove(self._engine, "connect", self._limit)
        self._engine.dispose()

    @staticmethod
    def _limit(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")


@pytest.fixture
def disk(hass: HomeAssistant, site: SiteLedger) -> FullDisk:
    return FullDisk(hass)


async def test_what_is_booked_is_in_the_file_and_read_again(site, path) -> None:
    await site.async_book([at(0), at(1)], {"n": 1}, {T: Decimal("0.25")})
    assert (site.pending, site.fault) == (0, None)
    assert stored(path) == await site.async_read(ALL) == [at(0), at(1)]
    assert await site.async_load_state() == {"n": 1}
    assert await site.async_prices(ALL) == {T: Decimal("0.25")}
    assert await site.async_known_span() == Span(T, T + 2 * QUARTER)
    assert await site.async_highest_offtake(ALL) == at(0)
    await site.async_save_state({"n": 2})
    assert await site.async_load_state() == {"n": 2}


async def test_import_purge_and_erase_answer(site) -> None:
    await site.async_book([at(0), at(1)], {})
    assert (await site.async_replace([at(1, 5), at(2, 5)], "ores.csv"))[1:] == (1, 1, 0, 0)
    await site.async_purge(T + QUARTER)
    assert await site.async_read(ALL) == [at(1, 5), at(2, 5)]
    await site.async_erase()
    assert await site.async_read(ALL) == []
    assert await site.async_load_state() is None


async def test_database_is_never_used_on_the_event_loop(hass, monkeypatch) -> None:
    threads = set()
    for name in ("open", "close", "book", "load_state", "replace", "read", "prices", "known_span", "highest_offtake"):
        bound = getattr(Ledger, name)
        plain = getattr(bound, "__func__", bound)

        def noted(*arguments, plain=plain, **more):
            threads.add(threading.get_ident())
            return plain(*arguments, **more)

        monkeypatch.setattr(Ledger, name, classmethod(noted) if name == "open" else noted)
    site = await async_open_ledger(hass, "site")
    await site.async_book([at(0)], {})
    await site.async_load_state()
    await site.async_staying([at(0)])
    await site.async_replace([at(0)], "")
    await site.async_read(ALL)
    await site.async_prices(ALL)
    await site.async_known_span()
    await site.async_highest_offtake(ALL)
    await site.async_close()
    assert threads
    assert threading.get_ident() not in threads


async def test_sites_share_the_file_and_the_last_one_closes_it(hass, path) -> None:
    one, other = await asyncio.gather(async_open_ledger(hass, "one"), async_open_ledger(hass, "other"))
    await asyncio.gather(one.async_book([at(0, 1)], {}), other.async_book([at(0, 2)], {}))
    assert await one.async_read(ALL) == [at(0, 1)]
    await one.async_close()
    assert await other.async_read(ALL) == [at(0, 2)]
    await other.async_close()
    assert [each.name for each in path.parent.glob(f"{FILE}*")] == [FILE]


async def test_closing_beside_opening_leaves_it_open(hass) -> None:
    for _ in range(20):
        first = await async_open_ledger(hass, "first")
        second, _ = await asyncio.gather(async_open_ledger(hass, "second"), first.async_close())
        await second.async_book([at(0)], {})
        assert await second.async_load_state() == {}
        await second.async_close()


async def test_stop_of_home_assistant_closes_it(hass, path) -> None:
    one, other = await async_open_ledger(hass, "one"), await async_open_ledger(hass, "other")
    await one.async_book([at(0)], {})
    hass.bus.async_fire(EVENT_HOMEASSISTANT_CLOSE)
    await hass.async_block_till_done()
    assert [each.name for each in path.parent.glob(f"{FILE}*")] == [FILE]
    await one.async_close()  # what is unloaded later does no harm
    await other.async_close()


async def test_file_that_cannot_be_used_is_told_and_left_alone(hass, path) -> None:
    path.write_bytes(b"This is no database, but somebody's letter. " * 100)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(LedgerError, match="left as it is") as caught:
            await async_open_ledger(hass, "site")
        assert caught.value.fault is LedgerFault.CORRUPT
    assert path.read_bytes() == before
    path.unlink()
    site = await async_open_ledger(hass, "site")
    await site.async_book([at(0)], {})
    await site.async_close()


async def test_full_disk_keeps_measuring_in_memory_and_catches_up_in_order(hass, site, path, disk) -> None:
    await site.async_book([at(0)], {"n": 0})
    disk.fill()
    await site.async_book([at(1), at(2)], {"n": 1, "big": BIG}, {T: Decimal(1)})
    await site.async_book([at(2, 5), at(3)], {"n": 2, "big": BIG}, {T: Decimal(2)})
    assert (site.pending, site.fault) == (4, "ledger_full")
    seen = [at(0), at(1), at(2, 105), at(3)]
    assert await site.async_read(ALL) == seen
    assert await site.async_read(Span(T, T + QUARTER)) == [at(0)]
    assert (await site.async_load_state())["n"] == 2
    assert await site.async_prices(ALL) == {T: Decimal(2)}
    assert await site.async_known_span() == Span(T, T + 4 * QUARTER)
    assert await site.async_highest_offtake(ALL) == at(2, 105)
    assert stored(path) == [at(0)]
    await retried(hass)
    assert (site.pending, site.fault) == (4, "ledger_full")
    disk.clear()
    await retried(hass)
    assert (site.pending, site.fault) == (0, None)
    assert stored(path) == await site.async_read(ALL) == seen
    assert (await site.async_load_state())["n"] == 2


async def test_next_booking_catches_up_as_well(site, path, disk) -> None:
    disk.fill()
    await site.async_book([at(0)], {"big": BIG})
    assert site.fault == "ledger_full"
    disk.clear()
    await site.async_book([at(1)], {})
    assert (site.pending, site.fault) == (0, None)
    assert stored(path) == [at(0), at(1)]


async def test_import_on_a_full_disk_is_refused_whole(hass, site, path, disk) -> None:
    disk.fill()
    with pytest.raises(LedgerError) as caught:
        await site.async_replace([at(n) for n in range(5000)], "ores.csv")
    assert caught.value.fault is LedgerFault.FULL
    assert stored(path) == []
    assert site.fault is None  # nothing of the meter waits


async def test_nothing_overtakes_what_waits(site, disk) -> None:
    disk.fill()
    await site.async_book([at(0)], {"big": BIG})
    with pytest.raises(LedgerError):
        await site.async_replace([at(0, 1)], "ores.csv")
    disk.clear()
    await site.async_replace([at(0, 1)], "ores.csv")
    assert await site.async_read(ALL) == [at(0, 1)]


async def test_file_held_by_another_program_is_written_when_it_lets_go(hass, site, path, other_program) -> None:
    await site.async_book([at(0)], {})
    other_program("BEGIN IMMEDIATE")
    await site.async_book([at(1)], {})
    assert (site.pending, site.fault) == (1, "ledger_unwritable")
    assert await site.async_read(ALL) == [at(0), at(1)]
    other_program("ROLLBACK")
    await retried(hass)
    assert (site.pending, site.fault) == (0, None)
    assert stored(path) == [at(0), at(1)]


async def test_fault_is_told_once_and_its_end(hass, site, other_program, caplog) -> None:
    other_program("BEGIN IMMEDIATE")
    for number in range(3):
        await site.async_book([at(number)], {})
    other_program("ROLLBACK")
    await retried(hass)
    assert caplog.text.count("kept in memory until it can be written") == 1


async def test_what_waits_outlives_a_reload_of_the_site(hass, path, other_program) -> None:
    first = await async_open_ledger(hass, "reloaded")
    other_program("BEGIN IMMEDIATE")
    await first.async_book([at(0)], {"n": 1})
    await first.async_close()
    again = await async_open_ledger(hass, "reloaded")
    assert await again.async_load_state() == {"n": 1}
    assert again.pending == 1
    other_program("ROLLBACK")
    await retried(hass)
    await again.async_close()
    assert stored(path, "reloaded") == [at(0)]


async def test_what_is_left_at_the_stop_is_told(hass, site, path, other_program, caplog) -> None:
    other_program("BEGIN IMMEDIATE")
    await site.async_book([at(0), at(1)], {})
    hass.bus.async_fire(EVENT_HOMEASSISTANT_CLOSE)
    await hass.async_block_till_done()
    assert "2 quarter-hours could not be written before the stop" in caplog.text
    other_program("ROLLBACK")
    assert stored(path) == []


async def test_state_counts_as_it_was_when_it_was_booked(hass, site, other_program) -> None:
    other_program("BEGIN IMMEDIATE")
    state = {"cells": [1, 2]}
    await site.async_book([at(0)], state)
    state["cells"].append(3)
    other_program("ROLLBACK")
    await retried(hass)
    assert await site.async_load_state() == {"cells": [1, 2]}


async def test_booking_that_is_broken_off_is_written_once(site, path) -> None:
    task = asyncio.create_task(site.async_book([at(0)], {}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await site.async_book([at(1)], {})
    assert stored(path) == [at(0), at(1)]


async def test_impossible_price_is_refused_at_once_and_blocks_nothing(site, path) -> None:
    with pytest.raises(ValueError, match="is not the price"):
        await site.async_book([at(0)], {}, {T: Decimal("NaN")})
    await site.async_book([at(1)], {})
    assert stored(path) == [at(1)]


async def test_erasing_forgets_what_waits_too(hass, site, path, other_program) -> None:
    other_program("BEGIN IMMEDIATE")
    await site.async_book([at(0)], {"n": 1})
    other_program("ROLLBACK")
    await site.async_erase()
    await retried(hass)
    assert stored(path) == []
    assert await site.async_load_state() is None
