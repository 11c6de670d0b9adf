"""Fifty-five messages a second must not become fifty-five states; an open card follows every second all the same."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import Mock

from homeassistant.auth.models import User
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.energy_neighbours import site as site_module
from custom_components.energy_neighbours.const import DEFAULT_WRITE_INTERVAL, DOMAIN

from .conftest import PATIENCE, SecondHand, Wait, entry_of, load, number


class States:
    """Counts the states that entities write."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.written: Counter[str] = Counter()
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    @callback
    def _note(self, event: Event[Any]) -> None:
        self.written[event.data["entity_id"]] += 1


@pytest.fixture
async def default_site(hass: HomeAssistant, hand: SecondHand) -> MockConfigEntry:
    """A site as it is set up by default, that has shown its first values."""
    entry = await load(hass, entry_of(hand.meter))
    await hand.turn_and_show(entry)
    return entry


async def look(hand: SecondHand, entry: MockConfigEntry, until: Wait, seconds: int = 1) -> None:
    """Let the meter measure, and wait until the site has looked at all of it."""
    site = entry.runtime_data
    before = site.live
    await hand.turn_and_hear(entry, seconds)
    await until(lambda: site.live is not before and site._settling is None)


async def test_entities_write_once_an_interval(
    hass: HomeAssistant, hand: SecondHand, default_site: MockConfigEntry, until: Wait
) -> None:
    assert DEFAULT_WRITE_INTERVAL == 10
    states = States(hass)
    for _ in range(3):  # quickly, for the clock of the entities runs on
        await look(hand, default_site, until, seconds=3)
    await hass.async_block_till_done()
    assert not states.written, "nothing jumped, and the ten seconds are not over"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=DEFAULT_WRITE_INTERVAL))
    await hass.async_block_till_done()
    assert set(states.written.values()) == {1}
    assert "sensor.flukso_grid_power" in states.written


async def test_nothing_new_writes_nothing(
    hass: HomeAssistant, hand: SecondHand, default_site: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_module, "time", Mock(time=Mock(return_value=default_site.runtime_data.live.time)))
    states = States(hass)
    for _ in range(3):
        await hand.turn_and_show(default_site, 0)
    await hass.async_block_till_done()
    assert not states.written


@pytest.mark.parametrize(("watts", "jumps"), [(5000, True), (90, False)], ids=["oven goes on", "fridge goes on"])
async def test_jump_shows_at_once(
    hass: HomeAssistant, hand: SecondHand, default_site: MockConfigEntry, until: Wait, watts: float, jumps: bool
) -> None:
    states = States(hass)
    household = hand.meter.meter._household
    at = household.at
    household.at = lambda scene: (f := at(scene))._replace(loads=f.loads._replace(l1=f.loads[0] + watts))
    before = number(hass, "sensor.flukso_grid_power")
    await look(hand, default_site, until)
    await hass.async_block_till_done()
    assert ("sensor.flukso_grid_power" in states.written) is jumps
    if jumps:
        assert number(hass, "sensor.flukso_grid_power") == pytest.approx(before + watts, abs=200)
        assert states.written["sensor.flukso_phase_l1_power"] == 1
        assert "sensor.flukso_offtake_energy" not in states.written, "a jump is about power"


async def test_large_power_needs_a_large_jump(
    hass: HomeAssistant, hand: SecondHand, default_site: MockConfigEntry, until: Wait
) -> None:
    household = hand.meter.meter._household
    at = household.at
    household.at = lambda scene: (f := at(scene))._replace(loads=f.loads._replace(l1=10_000.0))
    await look(hand, default_site, until)
    states = States(hass)
    household.at = lambda scene: (f := at(scene))._replace(loads=f.loads._replace(l1=10_300.0))
    await look(hand, default_site, until)
    assert not states.written, "300 W are less than a tenth of 9 kW"


async def test_last_reading_is_worth_a_state_a_minute(
    hass: HomeAssistant, hand: SecondHand, default_site: MockConfigEntry
) -> None:
    states = States(hass)
    for _ in range(5):
        await hand.turn_and_show(default_site)
    await hass.async_block_till_done()
    assert "sensor.flukso_last_reading" not in states.written
    assert states.written["sensor.flukso_grid_power"] >= 3


# Live power for an open card


async def test_card_gets_power_every_second(
    hass: HomeAssistant, hand: SecondHand, hass_ws_client: WebSocketGenerator
) -> None:
    site = await load(hass, entry_of(hand.meter))
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": f"{DOMAIN}/sites"})
    answer = await client.receive_json()
    assert answer["result"] == [{"entry_id": site.entry_id, "title": "Flukso", "phases": ["L1", "L2", "L3"]}]
    await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe_power", "entry_id": site.entry_id})
    assert (await client.receive_json())["success"]
    events = [(await client.receive_json())["event"]]
    for _ in range(4):
        await hand.turn()
        events.append((await client.receive_json())["event"])
    event = events[-1]
    assert event["grid"] == pytest.approx(sum(event["phases"].values()))
    assert [c["name"] for c in event["channels"]] == ["L1", "L2", "L3", "PV inverter"]
    assert all(later["time"] > earlier["time"] for earlier, later in pairwise(events))


async def test_card_follows_its_site_over_a_reload(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe_power", "entry_id": paused_site.entry_id})
    await client.receive_json()
    await client.receive_json()
    assert await hass.config_entries.async_reload(paused_site.entry_id)
    await hand.turn_and_show(paused_site)
    async with asyncio.timeout(PATIENCE):
        while (await client.receive_json())["event"]["grid"] is None:
            pass


async def test_card_can_unsubscribe(
    hass: HomeAssistant, paused_site: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe_power", "entry_id": paused_site.entry_id})
    subscription = (await client.receive_json())["id"]
    await client.receive_json()
    assert len(paused_site.runtime_data._watchers) == 1
    await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": subscription})
    assert (await client.receive_json())["success"]
    assert not paused_site.runtime_data._watchers


async def test_unknown_site_is_refused(hass: HomeAssistant, site: MockConfigEntry, hass_ws_client: WebSocketGenerator):
    foreign = MockConfigEntry(domain="sun")
    foreign.add_to_hass(hass)
    client = await hass_ws_client(hass)
    for entry_id in ("nobody", foreign.entry_id):
        await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe_power", "entry_id": entry_id})
        answer = await client.receive_json()
        assert (answer["success"], answer["error"]["code"]) == (False, "not_found")


async def test_unloaded_site_is_refused(hass: HomeAssistant, site: MockConfigEntry, hass_ws_client: WebSocketGenerator):
    await hass.config_entries.async_unload(site.entry_id)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe_power", "entry_id": site.entry_id})
    assert (await client.receive_json())["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ({"entities": {"domains": {"sensor": True}}}, False),
        ({"entities": {"domains": {"light": True}}}, False),
        ({"entities": {"domains": {"sensor": True, "binary_sensor": True}}}, True),
        ({"entities": {"all": {"read": True}}}, True),
    ],
)
async def test_user_sees_power_only_with_leave_to_read_every_entity(
    hass: HomeAssistant,
    paused_site: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: User,
    policy: dict[str, Any],
    allowed: bool,
) -> None:
    hass_admin_user.groups = []
    hass_admin_user.mock_policy(policy)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe_power", "entry_id": paused_site.entry_id})
    answer = await client.receive_json()
    assert answer["success"] is allowed
    if allowed:
        await client.receive_json()
    else:
        assert answer["error"]["code"] == "unauthorized"
    await client.send_json_auto_id({"type": f"{DOMAIN}/sites"})
    assert bool((await client.receive_json())["result"]) is allowed
