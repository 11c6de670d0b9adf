"""Other ways to a meter: a bridged Mosquitto, and an FLM02's REST service while its broker is away."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
import pytest

from custom_components.energy_neighbours import flukso_meter
from custom_components.energy_neighbours.const import CONF_CHANNELS
from custom_components.energy_neighbours.flukso import client, fallback
from tools.mosquitto import Mosquitto
from tools.simulator import Simulator

from .conftest import Wait, entry_of, load, number, state


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[int]:
    """A real broker; its port."""
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker.port


async def test_live_on_a_real_mosquitto(hass: HomeAssistant, mosquitto: int, until: Wait) -> None:
    async with Simulator("household", broker=("127.0.0.1", mosquitto)) as meter:
        entry = entry_of(meter, write_interval=0.5)
        assert entry.data[CONF_PORT] == mosquitto
        await load(hass, entry)
        await until(lambda: number(hass, "sensor.flukso_grid_power") is not None)
        assert state(hass, "binary_sensor.flukso_meter") == "on"
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_two_meters_on_one_broker_are_two_sites(hass: HomeAssistant, mosquitto: int, until: Wait) -> None:
    address = ("127.0.0.1", mosquitto)
    async with Simulator("household", broker=address) as one, Simulator("single-phase", broker=address) as other:
        entries = [await load(hass, entry_of(meter, write_interval=0.5)) for meter in (one, other)]
        assert entries[0].data[CONF_HOST] == entries[1].data[CONF_HOST]
        await until(lambda: all(entry.runtime_data.meter.client.statistics.gauges > 2 for entry in entries))
        for entry, meter in zip(entries, (one, other), strict=True):
            assert entry.runtime_data.meter._device.did == meter.did
            assert entry.runtime_data.meter.channels.keys() >= entry.options[CONF_CHANNELS].keys()
            assert await hass.config_entries.async_unload(entry.entry_id)


async def test_flm02_stays_live_by_rest_while_its_broker_is_away(
    hass: HomeAssistant, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.energy_neighbours.site.GRACE", 0.1)
    monkeypatch.setattr(client, "FIRST_DELAY", 0.2)
    monkeypatch.setattr(fallback, "POLL_INTERVAL", 0.5)
    async with Simulator("single-phase") as meter:
        monkeypatch.setattr(flukso_meter, "FluksoClient", partial(flukso_meter.FluksoClient, rest_port=meter.rest_port))
        entry = await load(hass, entry_of(meter, write_interval=0.2))
        await until(lambda: entry.runtime_data.meter.client.statistics.gauges > 1)
        await meter.fault("broker-down", 0)
        await until(lambda: entry.runtime_data.meter.client.state is client.LinkState.FALLBACK)
        await until(lambda: entry.runtime_data.meter.client.statistics.rest_values > 0)
        await until(lambda: state(hass, "binary_sensor.flukso_meter") == "on")
        assert entry.runtime_data.meter.client.state is client.LinkState.FALLBACK
        await meter.repair("broker-down")
        await until(lambda: entry.runtime_data.meter.client.state is client.LinkState.ONLINE)
        assert await hass.config_entries.async_unload(entry.entry_id)
