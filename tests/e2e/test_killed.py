"""Home Assistant is killed amid a quarter-hour and started again three quarters of an hour later: nothing is lost."""

import asyncio
from collections.abc import Iterable, Iterator
import os
from pathlib import Path
import shutil
import threading
import time

import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour, Span
from custom_components.energy_neighbours.flukso.config import DeviceConfig
from custom_components.energy_neighbours.flukso.messages import DeviceTopic, parse_topic
from custom_components.energy_neighbours.flukso.models import Quantity
from custom_components.energy_neighbours.ledger import Ledger
from tools.demo.furnish import add_by_address
from tools.home import HomeAssistant, Layout, entries_of
from tools.simulator import Simulator
from tools.simulator.formats import Message

ROOT = Path(__file__).parents[2]
DOMAIN = "energy_neighbours"
AWAY = 3 * QUARTER - 65
"""How long Home Assistant is gone [s]: from soon after one boundary to soon before another."""
PATIENCE = 240
LEAD = 60
"""How long before the end of a quarter-hour it all begins [s]: by then the site is to be set up."""
# A clock of its own for Home Assistant, so that three quarters of an hour can pass in a moment.
SHIFTED_CLOCK = """\
import os, time
_real, _shift = time.time, float(os.environ.get("CLOCK_SHIFT", "0"))
time.time = lambda: _real() + _shift
"""

pytestmark = pytest.mark.timeout(900)


class Meter:
    """A simulated meter in a thread of its own, whose seconds can be made to pass, and whose counters are recorded."""

    def __init__(self, shift: float) -> None:
        self.shift = shift
        self.away = False
        self.counted: dict[str, dict[int, float]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._simulator = Simulator("household", paused=True)
        self._call(self._simulator.start())
        self.now = int(time.time() + shift)
        self._simulator._clock.stamp = lambda: self.now
        publish = self._simulator.broker.publish

        async def record(messages: Iterable[Message]) -> None:
            messages = list(messages)
            for message in messages:
                if message.topic.endswith("/counter"):
                    stamp, value = message.payload.decode().strip("[]").split(",")[:2]
                    self.counted.setdefault(message.topic.split("/")[2], {})[int(stamp)] = float(value)
            if not self.away:
                await publish(messages)

        self._simulator.broker.publish = record
        self._live = asyncio.run_coroutine_threadsafe(self._tick(), self._loop)

    @property
    def port(self) -> int:
        return self._simulator.port

    def _call(self, steps):
        return asyncio.run_coroutine_threadsafe(steps, self._loop).result(60)

    async def _tick(self) -> None:
        while True:
            while self.now < int(time.time() + self.shift):
                self.now += 1
                await self._simulator._second()
            await asyncio.sleep(0.1)

    def skip(self, seconds: int) -> None:
        """Let so much time pass at once, while nobody listens."""
        self.away = True
        self.shift += seconds
        end = time.monotonic() + 60
        while self.now < int(time.time() + self.shift) - 1:
            assert time.monotonic() < end
            time.sleep(0.1)
        self.away = False

    def sids(self) -> tuple[list[str], list[str]]:
        """The counters of import and of export."""
        config = DeviceConfig(self._simulator.did)
        for message in self._simulator.meter.config.messages():
            if isinstance(topic := parse_topic(message.topic), DeviceTopic):
                config.take(topic.kind, message.payload)
        channels = config.device().channels
        return tuple([c.sensors[q] for c in channels if q in c.sensors] for q in (Quantity.IMPORT, Quantity.EXPORT))

    def net(self, since: int, until: int) -> float:
        """What flowed in minus what flowed out [Wh], by its counters."""
        imports, exports = self.sids()
        total = 0.0
        for sids, sign in ((imports, 1), (exports, -1)):
            total += sign * sum(self.counted[sid][until] - self.counted[sid][since] for sid in sids)
        return total

    def stop(self) -> None:
        self._live.cancel()
        self._call(self._simulator.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def shift() -> float:
    """What to add to the clock for a quarter-hour to end soon: of the past, as tokens must not be of the future."""
    return -LEAD - time.time() % QUARTER


@pytest.fixture
def meter(shift: float) -> Iterator[Meter]:
    meter = Meter(shift)
    yield meter
    meter.stop()


def start(home: HomeAssistant, shift: float) -> None:
    os.environ["CLOCK_SHIFT"] = str(shift)
    try:
        home.start()
    finally:
        del os.environ["CLOCK_SHIFT"]


def read(home: HomeAssistant, tmp_path: Path, site: str, since: int) -> list[QuarterHour]:
    """Read the ledger in a copy: what is in it at this moment, also while somebody writes."""
    folder = tmp_path / f"copy-{time.monotonic_ns()}"
    folder.mkdir()
    for file in home.directory.glob("energy_neighbours.db*"):
        shutil.copy(file, folder)
    ledger = Ledger.open(folder / "energy_neighbours.db")
    try:
        return ledger.read(site, Span(since, since + 40 * QUARTER))
    finally:
        ledger.close()


def wait_for_quarter_hours(home: HomeAssistant, tmp_path: Path, site: str, since: int, count: int) -> list[QuarterHour]:
    end = time.monotonic() + PATIENCE
    while len(known := read(home, tmp_path, site, since)) < count:
        assert time.monotonic() < end, (known, home.log)
        time.sleep(1)
    return known


def test_sum_of_quarter_hours_is_the_meters_own_after_a_kill(meter: Meter, shift: float, tmp_path: Path) -> None:
    begin = int(time.time() + shift) // QUARTER * QUARTER
    layout = Layout(port=8124, components=(ROOT / "custom_components" / DOMAIN,))
    home = HomeAssistant(tmp_path / "home", layout)
    standins = tmp_path / "home" / "standins"
    standins.mkdir(parents=True)
    (standins / "sitecustomize.py").write_text(SHIFTED_CLOCK, encoding="utf-8")
    try:
        start(home, shift)
        add_by_address(home.api, "127.0.0.1", meter.port)
        [site] = [entry["entry_id"] for entry in entries_of(home.api, DOMAIN)]
        [first] = wait_for_quarter_hours(home, tmp_path, site, begin, 1)

        home.kill()
        meter.skip(AWAY)
        start(home, meter.shift)
        known = wait_for_quarter_hours(home, tmp_path, site, begin, 4)
    finally:
        home.stop()

    assert [quarter.start for quarter in known] == [begin + n * QUARTER for n in range(4)]
    assert known[0] == first
    assert [quarter.quality for quarter in known[1:]] == [Quality.ESTIMATED] * 3
    booked = sum((quarter.offtake or 0) - (quarter.injection or 0) for quarter in known[1:])
    assert abs(booked - meter.net(first.end, known[-1].end)) <= 2
    assert sum(quarter.production or 0 for quarter in known) >= 0
