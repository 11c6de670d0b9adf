"""The process with a Home Assistant: its core, recorder and sensors, and one way (or none) to take in the meter.

It is Home Assistant's own core, event loop, recorder and SQLite, without the integrations that a home has besides: what
they do in the background is noise here. Kinds: `site` (ours), `mqtt` (the built-in MQTT sensors), `idle` (neither).
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import json
import logging
from pathlib import Path
import time
from typing import Any

from homeassistant.components.recorder import get_instance
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.runner import create_event_loop
from homeassistant.setup import async_setup_component

from custom_components.energy_neighbours import sensor, site
from custom_components.energy_neighbours.const import (
    CONF_CHANNELS,
    CONF_DID,
    CONF_METER,
    CONF_MODEL,
    CONF_WRITE_INTERVAL,
    DEFAULT_WRITE_INTERVAL,
    DOMAIN,
    METER_FLUKSO,
)
from custom_components.energy_neighbours.flukso.discovery import survey
from custom_components.energy_neighbours.flukso_meter import FluksoMeter
from custom_components.energy_neighbours.roles import suggest, write_assignments
from tools.bench.instance import add, entry_of, start
from tools.bench.worker import Answer, arguments, serve
from tools.home import Layout
from tools.mosquitto import free_port

type Count = Callable[[], int | None]


async def _add_site(hass: HomeAssistant, port: int, speed: float) -> Count:
    """Add the site that the config flow would add with the roles it suggests, and all options at their defaults."""
    _hasten(speed)
    found = await survey("127.0.0.1", port, settle=1.2)
    entry = entry_of(
        DOMAIN,
        {
            CONF_METER: METER_FLUKSO,
            CONF_HOST: "127.0.0.1",
            CONF_PORT: port,
            CONF_DID: found.device.did,
            CONF_MODEL: found.device.model,
        },
        {
            CONF_CHANNELS: write_assignments(suggest(found.device, found.readings)),
            CONF_WRITE_INTERVAL: DEFAULT_WRITE_INTERVAL / speed,
        },
        unique_id=found.device.did,
    )
    await add(hass, entry)
    meter = entry.runtime_data.meter
    if not isinstance(meter, FluksoMeter):
        raise TypeError("the site has another meter")
    statistics = meter.client.statistics
    return lambda: statistics.gauges + statistics.counters


def _hasten(speed: float) -> None:
    """Divide our durations by `speed`, so that a second of a hastened household costs what a real second does."""
    if speed == 1:
        return
    site.SETTLE = site.SETTLE / speed
    site.SAVE_INTERVAL = site.SAVE_INTERVAL / speed
    # They are a tuple of fixed length to the types.
    rows = tuple(replace(row, hold=row.hold / speed) for row in sensor.SITE_SENSORS)
    vars(sensor)["SITE_SENSORS"] = rows


async def _add_mqtt_sensors(hass: HomeAssistant, port: int, topics: list[str], folder: Path) -> Count:
    """Add one sensor for each topic the way that people do who have no integration for their Flukso."""
    sensors = [
        {
            "name": f"flukso {number}",
            "state_topic": topic,
            "value_template": '{{ value.split(",")[1] | float }}',
            "force_update": True,
        }
        for number, topic in enumerate(topics)
    ]
    # Home Assistant reads the file once more when the entry is set up. JSON is YAML.
    text = json.dumps({"mqtt": {"sensor": sensors}})
    await asyncio.to_thread((folder / "configuration.yaml").write_text, text, encoding="utf-8")
    if not await async_setup_component(hass, "mqtt", {}):
        raise RuntimeError("mqtt could not be set up")
    await add(hass, entry_of("mqtt", {"broker": "127.0.0.1", CONF_PORT: port}, {"discovery": False}, version=2))
    return lambda: None  # each message is a row of the database, so the rows tell


async def _main() -> None:
    given = arguments()
    folder = Path(given["folder"])
    Layout(port=free_port()).write(folder)
    hass = await start(folder)
    try:
        await _serve(hass, folder, given)
    finally:  # whatever happened: its recorder would keep the process alive
        await hass.async_stop(force=True)


async def _serve(hass: HomeAssistant, folder: Path, given: dict[str, Any]) -> None:
    count: Count = lambda: None  # noqa: E731 - the other two are made by functions
    if given["kind"] == "site":
        count = await _add_site(hass, given["port"], given["speed"])
    elif given["kind"] == "mqtt":
        count = await _add_mqtt_sensors(hass, given["port"], given["topics"], folder)
    await hass.async_start()
    await hass.async_block_till_done()

    async def answer(_question: dict[str, Any]) -> Answer:
        # What is in the recorder's queue belongs to what was heard before.
        await get_instance(hass).async_block_till_done()
        return {"cpu": time.process_time(), "clock": time.monotonic(), "messages": count()}

    enabled = sorted(e.entity_id for e in er.async_get(hass).entities.values() if e.disabled_by is None)
    await serve({"enabled": enabled}, answer)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    with asyncio.Runner(loop_factory=create_event_loop) as runner:
        runner.run(_main())
