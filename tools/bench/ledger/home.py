"""The process with a Home Assistant that sets our integration up over a ledger, and counts its event loop's time."""

import asyncio
import logging
from pathlib import Path
import time
from typing import Any

from homeassistant import block_async_io
from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.runner import create_event_loop

from custom_components.energy_neighbours.const import CONF_ENTITIES, CONF_METER, DOMAIN, METER_SENSORS
from custom_components.energy_neighbours.contracts import SUBENTRY_CONTRACT
from custom_components.energy_neighbours.ledger_keeper import SiteLedger
from tools.bench.event_loop import BlockingCalls, counted
from tools.bench.instance import add, entry_of, start
from tools.bench.worker import Answer, arguments, serve
from tools.home import Layout
from tools.mosquitto import free_port

from .year import SITE

OFFTAKE, INJECTION, PRODUCTION = (f"sensor.house_{name}" for name in ("offtake", "injection", "production"))
CONTRACT = {
    "versions": [
        {
            "valid_from": "2020-01-01",
            "region": "wallonia",
            "network_grid": "impact_2026",
            "commodity_grid": "bihoraire_wal_2026",
            "vat_rate": "0.06",
            "components": [
                {"kind": "network", "prices": {"eco": "0.0271", "medium": "0.0813", "peak": "0.1354"}},
                {"kind": "commodity", "prices": {"off_peak": "0.10", "full": "0.15"}},
            ],
            "injection_price": "0.05",
        }
    ],
    "grids": {},
}
"""Two clocks that differ, and a price for each kWh: what the month cost is worked out when the site starts."""


async def _set_up(hass: HomeAssistant) -> dict[str, Any]:
    """Set a site up; return the time of the event loop until it is loaded, and until all has come to rest [s]."""
    energy = {"unit_of_measurement": "kWh", "device_class": "energy", "state_class": "total_increasing"}
    for number, sensor in enumerate((OFFTAKE, INJECTION, PRODUCTION)):
        hass.states.async_set(sensor, f"{1000 + number}.5", energy)
    kinds = ("offtake_energy", "injection_energy", "production_energy")
    entities = dict(zip(kinds, ([OFFTAKE], [INJECTION], [PRODUCTION]), strict=True))
    contract = ConfigSubentryData(data=CONTRACT, subentry_type=SUBENTRY_CONTRACT, title="Contract", unique_id=None)
    data = {CONF_METER: METER_SENSORS, CONF_ENTITIES: entities}
    entry = entry_of(DOMAIN, data, {}, entry_id=SITE, subentries=(contract,))
    await hass.async_block_till_done(wait_background_tasks=True)
    steps: list[float] = []
    begin = time.perf_counter()
    with counted(steps):
        await asyncio.Task(add(hass, entry))  # a task of its own: the step that we are in began before we counted
        loaded, until_loaded = time.perf_counter() - begin, len(steps)
        await hass.async_block_till_done(wait_background_tasks=True)
    if entry.state is not ConfigEntryState.LOADED:
        raise RuntimeError(f"the site did not stay: {entry.reason}")
    ledger: SiteLedger = entry.runtime_data.ledger
    return {
        "loaded": sum(steps[:until_loaded]),
        "settled": sum(steps),
        "longest": max(steps),
        "waited": loaded,
        "known": await ledger.async_known_span(),
    }


async def _main() -> None:
    folder = Path(arguments()["folder"])
    Layout(port=free_port()).write(folder)
    blocking = BlockingCalls()
    logging.getLogger().addHandler(blocking)
    hass = await start(folder)
    try:
        await hass.async_start()
        block_async_io.enable()
        measured = await _set_up(hass)
        blocking.check()

        async def answer(_question: dict[str, Any]) -> Answer:
            return measured

        await serve(measured, answer)
    finally:  # whatever happened: its recorder would keep the process alive
        await hass.async_stop(force=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    with asyncio.Runner(loop_factory=create_event_loop) as runner:
        runner.run(_main())
