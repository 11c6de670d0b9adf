"""Home Assistant's own backup manager finds our platform and gets a whole copy of the ledger."""

import asyncio
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
import sqlite3
import tarfile

from homeassistant.components.backup import async_get_manager
from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.energy_neighbours.ledger_keeper import SiteLedger, async_open_ledger
from custom_components.energy_neighbours.shared_ledger import FILE, LONGEST_HOLD

from .ledger_samples import ALL, BIG, at, stored


@pytest.fixture
def path(ledger_path: Path) -> Path:
    return ledger_path


@pytest.fixture
def site(site_ledger: SiteLedger) -> SiteLedger:
    return site_ledger


@pytest.fixture
async def manager(hass: HomeAssistant, enable_custom_integrations: None):

    assert await async_setup_component(hass, "backup", {})
    assert await async_setup_component(hass, "energy_neighbours", {})
    await hass.async_block_till_done()
    manager = async_get_manager(hass)
    assert "energy_neighbours" in manager.platforms
    return manager


async def test_copy_of_the_one_file_is_whole_while_bookings_go_on(hass, manager, site, path, tmp_path):
    copy = tmp_path / "copy.db"
    await site.async_book([at(n) for n in range(500)], {"n": 500, "big": BIG})
    await manager.async_pre_backup_actions()
    half = path.stat().st_size // 2
    with path.open("rb") as source, copy.open("wb") as target:
        target.write(source.read(half))
        await site.async_book([at(n) for n in range(500, 5000)], {"n": 5000, "big": BIG * 2})
        await site.async_book([at(0, 11)], {"n": 5001})
        target.write(source.read())
    assert site.pending == 4501
    assert site.fault is None
    assert len(await site.async_read(ALL)) == 5000
    assert (await site.async_load_state()) == {"n": 5001}

    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert stored(copy) == [at(n) for n in range(500)]

    await manager.async_post_backup_actions()
    assert site.pending == 0
    assert stored(path) == await site.async_read(ALL) == [at(0, 111), *(at(n) for n in range(1, 5000))]


async def test_import_waits_for_the_end_of_the_backup(hass, manager, site, path):
    await manager.async_pre_backup_actions()
    before = path.read_bytes()
    task = asyncio.create_task(site.async_replace([at(0)], "ores.csv"))
    await asyncio.sleep(0.05)
    assert not task.done()
    assert path.read_bytes() == before
    await manager.async_post_backup_actions()
    assert (await task).added == 1


async def test_backup_beside_another_reader_is_told_and_its_pair_of_files_is_whole(
    hass, manager, site, path, tmp_path, other_program, caplog
):
    other_program("BEGIN")
    other_program("SELECT count(*) FROM quarter_hour")
    await site.async_book([at(0)], {})
    await manager.async_pre_backup_actions()
    assert "a copy needs" in caplog.text
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    await site.async_book([at(1)], {})
    copy.with_name("copy.db-wal").write_bytes(path.with_name(f"{FILE}-wal").read_bytes())
    assert stored(copy) == [at(0)]
    other_program("ROLLBACK")
    await manager.async_post_backup_actions()
    assert stored(path) == [at(0), at(1)]


async def test_site_may_be_reloaded_meanwhile(hass, manager, path):
    first = await async_open_ledger(hass, "site")
    await manager.async_pre_backup_actions()
    await first.async_book([at(0)], {"n": 1})
    await first.async_close()
    again = await async_open_ledger(hass, "site")
    assert await again.async_load_state() == {"n": 1}
    await again.async_close()
    await manager.async_post_backup_actions()
    assert stored(path) == [at(0)]
    assert [each.name for each in path.parent.glob(f"{FILE}*")] == [FILE]


async def test_stop_in_the_middle_of_a_backup_loses_nothing(hass, manager, site, path):
    await manager.async_pre_backup_actions()
    await site.async_book([at(0)], {})
    hass.bus.async_fire(EVENT_HOMEASSISTANT_CLOSE)
    await hass.async_block_till_done()
    assert stored(path) == [at(0)]


async def test_backup_that_never_ends_does_not_stop_the_ledger_for_ever(hass, manager, site, path):
    await manager.async_pre_backup_actions()
    await site.async_book([at(0)], {})
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=LONGEST_HOLD + 1))
    await hass.async_block_till_done()
    assert stored(path) == [at(0)]


async def test_without_a_site_there_is_nothing_to_hold(hass, manager):
    await manager.async_pre_backup_actions()
    await manager.async_post_backup_actions()


async def test_backup_that_home_assistant_makes_holds_the_ledger(hass, manager, site, path, tmp_path, monkeypatch):
    await site.async_book([at(n) for n in range(500)], {"n": 500})
    numbers = count(500)
    held = False

    async def book_next() -> int:
        number = next(numbers)
        await site.async_book([at(number)], {"n": number})
        return number

    platform = manager.platforms["energy_neighbours"]
    release = platform.async_post_backup

    async def book_and_release(hass: HomeAssistant) -> None:
        nonlocal held
        # The files are copied in a thread: on a busy machine the loop below may not run meanwhile, so book here, too.
        number = await book_next()
        held = at(number) not in stored(path)
        await release(hass)

    monkeypatch.setattr(platform, "async_post_backup", book_and_release)
    backup = asyncio.create_task(
        manager.async_create_backup(
            agent_ids=["backup.local"],
            include_addons=None,
            include_all_addons=False,
            include_database=False,
            include_folders=None,
            include_homeassistant=True,
            name="Test",
            password=None,
        )
    )
    while not backup.done():
        await book_next()
        await asyncio.sleep(0.001)
    await backup
    assert held
    (made,) = tmp_path.glob("backups/*.tar")
    with tarfile.open(made) as outer, tarfile.open(fileobj=outer.extractfile("homeassistant.tar.gz")) as inner:
        inner.extractall(tmp_path / "restored", filter="data")
    restored = stored(tmp_path / "restored" / "data" / FILE)
    assert restored == [at(n) for n in range(len(restored))]
    booked = next(numbers)
    assert 500 <= len(restored) < booked
    assert await site.async_read(ALL) == stored(path) == [at(n) for n in range(booked)]
