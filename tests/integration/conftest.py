"""A real simulated meter beside a Home Assistant in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.channel_form import read  # noqa: F401 - imported before the sockets close
from custom_components.energy_neighbours.const import (
    CONF_CHANNELS,
    CONF_DID,
    CONF_METER,
    CONF_MODEL,
    DOMAIN,
    METER_FLUKSO,
)
from custom_components.energy_neighbours.flukso.discovery import survey
from custom_components.energy_neighbours.roles import suggest, write_assignments
from tools.simulator import Simulator

type Wait = Callable[[Callable[[], Any]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _allow(enable_custom_integrations: None, socket_enabled: None) -> None:
    """Load our integration, and let it reach the meter on loopback."""


@pytest.fixture(autouse=True)
def no_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Errors while entities are set up do not fail a test by themselves: look at the log."""
    yield
    ours = [r for r in caplog.get_records("call") if r.levelno >= logging.ERROR]
    assert not ours, [r.getMessage() for r in ours]


@pytest.fixture
async def meter(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A meter; parametrise indirectly with a profile, else it is the three-phase household."""
    async with Simulator(getattr(request, "param", "household")) as simulator:
        yield simulator


@pytest.fixture
def until(hass: HomeAssistant) -> Wait:
    """Wait for a condition, not for a time."""

    async def wait(condition: Callable[[], Any], timeout: float = 30) -> None:  # noqa: ASYNC109
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.05)
        await hass.async_block_till_done()

    return wait


async def entry_of(simulator: Simulator, **options: Any) -> MockConfigEntry:
    """Return the entry that the config flow makes of a meter with the roles it suggests."""
    found = await survey(simulator.host, simulator.port, settle=1.2)
    return MockConfigEntry(
        domain=DOMAIN,
        title="Flukso",
        unique_id=found.device.did,
        data={
            CONF_METER: METER_FLUKSO,
            CONF_HOST: simulator.host,
            CONF_PORT: simulator.port,
            CONF_DID: found.device.did,
            CONF_MODEL: found.device.model,
        },
        options={CONF_CHANNELS: write_assignments(suggest(found.device, found.readings)), **options},
    )


@pytest.fixture
async def site(hass: HomeAssistant, meter: Simulator) -> MockConfigEntry:
    """A loaded site that writes every second."""
    entry = await entry_of(meter, write_interval=1)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    return entry
