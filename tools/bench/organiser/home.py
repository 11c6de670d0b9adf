"""The process with the organiser's Home Assistant, which tells what it used between two questions."""

import asyncio
from contextlib import ExitStack
import logging
from pathlib import Path
import time
from typing import Any, Final

from homeassistant import block_async_io
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.runner import create_event_loop

from tools.bench.event_loop import BlockingCalls, counted
from tools.bench.instance import add, start
from tools.bench.worker import Answer, arguments, serve
from tools.home import Layout
from tools.mosquitto import free_port

from .street import Street

PATIENCE: Final = 60
"""After this time [s] there is no connection."""


class _Clock:
    """The clock of this process, which can be put forward: quarter-hours end when the benchmark wants it."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead
        """How far it is ahead of the real one [s]."""
        real = time.time
        time.time = lambda: real() + self.ahead


class _Watch:
    """What the process used since the last question."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._steps: list[float] = []
        self._begin()

    def _begin(self) -> None:
        self._steps = []
        self._stack.enter_context(counted(self._steps))
        self._cpu, self._clock = time.process_time(), time.perf_counter()

    def read(self) -> Answer:
        """Return it: processor time of all threads, time by the clock, the longest step of the event loop [s]."""
        cpu, clock = time.process_time() - self._cpu, time.perf_counter() - self._clock
        self._stack.close()
        told = {"cpu": cpu, "clock": clock, "longest": max(self._steps, default=0), "steps": len(self._steps)}
        self._begin()
        return told


async def _organise(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Set the community up, and wait until it is connected."""
    await add(hass, entry)
    link, connected = entry.runtime_data.link.link, asyncio.Event()
    stop = link.async_add_listener(connected.set)
    async with asyncio.timeout(PATIENCE):
        while not link.connected:
            await connected.wait()
            connected.clear()
    stop()


async def _serve(hass: HomeAssistant, entry: ConfigEntry, blocking: BlockingCalls, clock: _Clock) -> None:
    await hass.async_start()
    block_async_io.enable()
    watch = _Watch()

    async def answer(question: dict[str, Any]) -> Answer:
        if question["ask"] == "organise":
            await _organise(hass, entry)
        elif question["ask"] == "go on":
            clock.ahead = question["ahead"]
        blocking.check()
        return watch.read()

    await serve({}, answer)


async def _main() -> None:
    given = arguments()
    clock = _Clock(given["ahead"])
    folder = Path(given["folder"])
    Layout(port=free_port()).write(folder)
    entry = Street(**given["street"]).entry(given["broker"])
    blocking = BlockingCalls()
    logging.getLogger().addHandler(blocking)
    hass = await start(folder)
    try:
        await _serve(hass, entry, blocking, clock)
    finally:  # whatever happened: its recorder would keep the process alive
        await hass.async_stop(force=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    with asyncio.Runner(loop_factory=create_event_loop) as runner:
        runner.run(_main())
