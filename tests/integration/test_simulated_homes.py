"""The demo's homes far away talk to a real organiser; the late one and the one that drops out get what is theirs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import time

from homeassistant.core import HomeAssistant
import pytest

from custom_components.energy_neighbours.core.invitation import Invitation, decode
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span, quarter_start
from tools.neighbourhood import member as homes
from tools.neighbourhood.member import Habits, RemoteMember

from .contracted import remember
from .far_away import END, Street, eventually, hour
from .village import Village


@pytest.fixture
def street(tmp_path: Path):
    made = Street(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


async def invited(village: Village) -> Invitation:
    """Take one more member in."""
    code, text = await village.invite()
    assert decode(text).code == code
    return decode(text)


def always(energy: int) -> Callable[[int], tuple[int, int]]:
    return lambda _start: (energy, 0)


async def test_homes_that_are_late_or_away_get_what_is_theirs(
    hass: HomeAssistant, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes, "LIVE", 0.2)
    monkeypatch.setattr(homes, "RETRY", 0.2)
    monkeypatch.setattr(homes, "AGAIN", 2.0)
    village = Village(hass, street)
    await village.begin()
    await remember(hass, village.roof, hour(0, 900))
    await village.give_broker()
    since, gone = END - 4 * QUARTER, asyncio.Event()
    habits = [
        Habits(energies=always(600)),
        Habits(energies=always(300), late=3600),
        Habits(energies=always(600), away=lambda _now: not gone.is_set()),
    ]
    members = [RemoteMember(await invited(village), since, each) for each in habits]
    tasks = [asyncio.create_task(each.run()) for each in members]
    try:
        starts = list(Span(since, END).quarter_hours)
        # Without the one who is away: two thirds and one third.
        await eventually(lambda: [members[0].shares.get(start) for start in starts], [600] * 4)
        gone.set()
        await eventually(lambda: [members[0].shares.get(start) for start in starts], [360] * 4)
        await eventually(lambda: [members[1].shares.get(start) for start in starts], [180] * 4)
        await eventually(lambda: [members[2].shares.get(start) for start in starts], [360] * 4)
        live = village.community.link.live
        await eventually(lambda: len(live), 3)
        assert sorted(each.offtake for each in live.values()) == [1200, 2400, 2400]
        # The late one has told nothing of the last hour yet.
        known = await village.community.ledger.async_look(
            lambda shares: shares.known_starts(
                village.community.member(members[1]._invitation.code).site, Span(0, quarter_start(time.time()))
            )
        )
        assert max(known) <= time.time() - 3600 - QUARTER
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await hass.config_entries.async_unload(village.entry.entry_id)
