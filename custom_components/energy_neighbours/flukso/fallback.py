"""Live values by REST while an FLM02's broker cannot be reached."""

import asyncio
from collections.abc import Callable, Mapping

import aiohttp

from .exceptions import FluksoConfigError, FluksoError
from .messages import MAX_AHEAD
from .models import Device, MessageKind, Reading
from .rest import Window, fetch_window
from .statistics import Statistics

POLL_INTERVAL = 10.0
"""Time between two rounds [s]; each answer holds a minute, so that nothing is missed."""

_MEDIUM_UNITS = {"electricity": "W", "gas": "L/day", "water": "L/day"}


def gauge_units(device: Device) -> dict[str, str | None]:
    """List the sensors of an FLM02 that its REST service knows, with the unit of their values.

    Room sensors never have values there.
    """
    return {sensor.sid: _MEDIUM_UNITS.get(sensor.medium) for sensor in device.sensors.values() if sensor.kind != "kube"}


class RestFallback:
    """Asks for the last minute of each sensor again and again, and passes on every value once.

    `on_working` hears after each round whether any sensor answered.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        host: str,
        *,
        port: int,
        statistics: Statistics,
        on_reading: Callable[[Reading], None],
        on_working: Callable[[bool], None],
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._host = host
        self._port = port
        self._statistics = statistics
        self._on_reading = on_reading
        self._on_working = on_working
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self, units: Mapping[str, str | None]) -> None:
        """Begin, unless it runs already."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(units), name=f"REST fallback of {self._host}")

    async def stop(self) -> None:
        """End it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, units: Mapping[str, str | None]) -> None:
        # What came by MQTT until the link broke is known already.
        seen = dict.fromkeys(units, int(self._statistics.last_message or 0))
        while True:
            self._on_working(await self._round(units, seen))
            await asyncio.sleep(POLL_INTERVAL)

    async def _round(self, units: Mapping[str, str | None], seen: dict[str, int]) -> bool:
        works = False
        for sid, unit in units.items():
            try:
                window = await fetch_window(self._session, self._host, sid, port=self._port)
            except FluksoConfigError:  # this sensor is switched off, the others may answer
                works = True
                continue
            except FluksoError:
                return False
            works = True
            self._pass_on(sid, unit, window, seen)
        return works

    def _pass_on(self, sid: str, unit: str | None, window: Window, seen: dict[str, int]) -> None:
        now = self._clock()
        for time, value in window.values:
            if seen[sid] < time <= now + MAX_AHEAD:
                seen[sid] = time
                self._statistics.rest_values += 1
                self._on_reading(Reading(sid, MessageKind.GAUGE, value, unit, time))
