"""A real simulated meter beside a Home Assistant in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
import logging
from pathlib import Path
import tempfile
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.energy_neighbours import config_flow, options_flow
from custom_components.energy_neighbours.channel_form import read  # noqa: F401 - imported before the sockets close
from custom_components.energy_neighbours.const import (
    CONF_CHANNELS,
    CONF_DID,
    CONF_METER,
    CONF_MODEL,
    DOMAIN,
    METER_FLUKSO,
)
from custom_components.energy_neighbours.flukso import client, discovery
from custom_components.energy_neighbours.flukso.config import DeviceConfig
from custom_components.energy_neighbours.flukso.discovery import survey
from custom_components.energy_neighbours.flukso.messages import DeviceTopic, parse_topic
from custom_components.energy_neighbours.flukso.models import Device
from custom_components.energy_neighbours.roles import suggest, write_assignments
from custom_components.energy_neighbours.site import Site
from tools.simulator import Simulator
from tools.simulator.formats import Message

from .importing import upload

type Wait = Callable[..., Awaitable[None]]

PATIENCE = 60
"""How long a condition may take to come true [s]: generous, for it costs nothing where things work."""
NOON = datetime(2017, 10, 10, 12, tzinfo=UTC)
LAG = 40
"""A stepped meter starts so far in the past [s]: its time may run faster than ours without getting ahead."""


@pytest.fixture(autouse=True)
def _allow(enable_custom_integrations: None, socket_enabled: None) -> None:
    """Load our integration, and let it reach the meter on loopback."""


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give each test a configuration folder of its own: the ledger is in it."""
    return hass_tmp_config_dir


@pytest.fixture(autouse=True)
def _own_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a folder of its own for uploads: Home Assistant empties the one of the computer when it begins."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits for what follows at once on loopback."""
    monkeypatch.setattr(client, "SETTLE_CONFIG", 0.2)
    monkeypatch.setattr(discovery, "SETTLE_CONFIG", 0.2)


@pytest.fixture(autouse=True)
def _short_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter on loopback tells everything at once, and one that tells nothing need not be awaited for 10 s."""
    short = partial(survey, timeout=3, settle=0.3)
    monkeypatch.setattr(config_flow, "survey", short)
    monkeypatch.setattr(options_flow, "survey", short)


@pytest.fixture(autouse=True)
def no_errors(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Errors while entities are set up do not fail a test by themselves: look at the log.

    A test that causes an error on purpose puts a part of its text into the list.
    """
    expected: list[str] = []
    yield expected
    errors = [
        record.getMessage()
        for phase in ("setup", "call")
        for record in caplog.get_records(phase)
        if record.levelno >= logging.ERROR
    ]
    unexpected = [error for error in errors if not any(text in error for text in expected)]
    assert not unexpected


type Give = Callable[[str | bytes], Awaitable[str]]
"""Uploads a file as forms do, whatever the time; returns what the form sends for it."""


@pytest.fixture
async def give(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    caplog: pytest.LogCaptureFixture,
) -> Give:
    """Upload files, also while a test holds the clock: whoever logs in has to do so at that time."""
    caplog.set_level(logging.WARNING, "aiohttp.access")  # it stumbles over such a clock
    await async_setup_component(hass, "http", {})

    async def upload_now(content: str | bytes) -> str:
        (token,) = hass_admin_user.refresh_tokens.values()
        return await upload(partial(hass_client, hass.auth.async_create_access_token(token)), content)

    return upload_now


@pytest.fixture
async def meter(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A meter; parametrise indirectly with a profile, else it is the three-phase household."""
    async with Simulator(getattr(request, "param", "household")) as simulator:
        yield simulator


@pytest.fixture
async def foreign_broker() -> AsyncIterator[Simulator]:
    """A broker without anything of a Fluksometer on it."""
    simulator = Simulator("flm02_single_phase_pv", paused=True)
    await simulator.broker.start()
    yield simulator
    await simulator.broker.stop()


class SecondHand:
    """Lets a paused meter measure second after second, as fast as we want, each with a time stamp of its own."""

    def __init__(self, meter: Simulator) -> None:
        self.meter = meter
        self.now = int(time.time()) - LAG
        self.readings = 0
        meter._clock.stamp = lambda: self.now
        self._publish = meter.broker.publish
        meter.broker.publish = self._count_and_publish

    async def _count_and_publish(self, messages: Iterable[Message]) -> None:
        messages = list(messages)
        self.readings += sum(message.topic.endswith(("/gauge", "/counter")) for message in messages)
        await self._publish(messages)

    async def turn(self, seconds: int = 1) -> None:
        """Let the meter measure and send."""
        for _ in range(seconds):
            self.now += 1
            await self.meter._second()

    async def turn_and_hear(self, entry: MockConfigEntry, seconds: int = 1) -> None:
        """Let the meter measure, and wait until the site has heard all of it."""
        site: Site = entry.runtime_data
        statistics = site.meter.client.statistics

        def heard() -> int:
            return statistics.gauges + statistics.counters + sum(statistics.dropped.values())

        goal = heard() - self.readings
        await self.turn(seconds)
        goal += self.readings
        async with asyncio.timeout(PATIENCE):
            while heard() < goal:  # noqa: ASYNC110 - the messages are on their way
                await asyncio.sleep(0.01)

    async def turn_and_show(self, entry: MockConfigEntry, seconds: int = 1) -> None:
        """Let the meter measure, wait until the site has heard all of it, and let the entities show it."""
        await self.turn_and_hear(entry, seconds)
        entry.runtime_data._tick(None)


@pytest.fixture
async def paused_meter(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A meter whose seconds pass only when told; parametrise indirectly with a profile."""
    async with Simulator(getattr(request, "param", "household"), paused=True, at=NOON) as simulator:
        yield simulator


@pytest.fixture
def hand(paused_meter: Simulator) -> SecondHand:
    """The second hand of the paused meter."""
    return SecondHand(paused_meter)


@pytest.fixture
def until(hass: HomeAssistant) -> Wait:
    """Wait for a condition, not for a time."""

    async def wait(condition: Callable[[], Any], timeout: float = PATIENCE) -> None:  # noqa: ASYNC109
        async with asyncio.timeout(timeout):
            while not condition():  # noqa: ASYNC110 - whatever a test waits for, it has no event
                await asyncio.sleep(0.02)
        await hass.async_block_till_done()

    return wait


def device_of(simulator: Simulator) -> Device:
    """Read a meter's configuration as it publishes it, without asking for it."""
    config = DeviceConfig(simulator.did)
    for message in simulator.meter.config.messages():
        if isinstance(topic := parse_topic(message.topic), DeviceTopic):
            config.take(topic.kind, message.payload)
    device = config.device()
    assert device
    return device


def entry_of(simulator: Simulator, **options: Any) -> MockConfigEntry:
    """Return the entry that the config flow makes of a meter with the roles it suggests."""
    device = device_of(simulator)
    return MockConfigEntry(
        domain=DOMAIN,
        title="Flukso",
        unique_id=device.did,
        data={
            CONF_METER: METER_FLUKSO,
            CONF_HOST: simulator.host,
            CONF_PORT: simulator.port,
            CONF_DID: device.did,
            CONF_MODEL: device.model,
        },
        options={CONF_CHANNELS: write_assignments(suggest(device, {})), **options},
    )


async def load(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set an entry up."""
    if entry.entry_id not in {known.entry_id for known in hass.config_entries.async_entries()}:
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    return entry


@pytest.fixture
async def site(hass: HomeAssistant, meter: Simulator) -> MockConfigEntry:
    """A loaded site that writes every second."""
    return await load(hass, entry_of(meter, write_interval=1))


@pytest.fixture
async def paused_site(hass: HomeAssistant, hand: SecondHand) -> MockConfigEntry:
    """A loaded site on a paused meter, which shows what it was told when told to."""
    return await load(hass, entry_of(hand.meter, write_interval=300))


def state(hass: HomeAssistant, entity_id: str) -> str:
    """Return the state of an entity."""
    found = hass.states.get(entity_id)
    assert found, f"{entity_id} is not among {sorted(hass.states.async_entity_ids())}"
    return found.state


def number(hass: HomeAssistant, entity_id: str) -> float | None:
    """Return the state of an entity as a number, None if it is unknown or unavailable."""
    try:
        return float(state(hass, entity_id))
    except ValueError:
        return None
