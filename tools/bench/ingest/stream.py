"""The process that plays the meter: one FLM03 on several brokers, each at its own part of the second.

Three clamps of a three-phase FLM03 with neutral, no pulse inputs in use: 33 gauges and 18 counters each second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
import time
from typing import Any

from tools.bench.worker import Answer, arguments, serve
from tools.simulator.broker import ExternalBroker
from tools.simulator.config import made_up_id
from tools.simulator.flm03 import PULSES, Flm03
from tools.simulator.formats import Message
from tools.simulator.household import ZONE, Household, scene_of

DID = made_up_id("bench", "ingest")
MONDAY = datetime(2017, 10, 9, tzinfo=ZONE)
LEAD = 5
"""Seconds of the household that are played before each window, so that nothing in it comes for the first time."""


class Stream:
    """The meter and its brokers, by the name of the side that listens there."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._meter = Flm03(DID, Household(), alpha=False)
        config = self._meter.config
        for index, entry in config.enabled():
            if entry["port"][0] in PULSES:
                config.sensor[str(index)] |= {"enable": 0}
        for port in PULSES:
            (config.flx or {})[str(port)]["enable"] = 0
        self.topics = sorted(
            f"/sensor/{entry['id']}/{kind}"
            for index, entry in config.enabled()
            for kind in (("gauge", "counter") if entry["data_type"] == "counter" else ("gauge",))
        )
        self._heard = frozenset(self.topics)
        self._brokers = {name: ExternalBroker("127.0.0.1", port) for name, port in ports.items()}

    async def start(self) -> None:
        """Connect to all brokers and tell them the configuration."""
        for broker in self._brokers.values():
            await broker.start()
            await broker.publish(self._meter.config.messages())

    async def play(self, hour: float, seconds: int, speed: float, order: list[str]) -> int:
        """Play `seconds` of the household that begin `hour` hours after its Monday; return the messages to each broker.

        Each second is sent to the brokers in `order`, evenly spread over its time, so that no two sides work at once.
        """
        loop = asyncio.get_running_loop()
        scene = scene_of(MONDAY + timedelta(hours=hour))
        begin = loop.time()
        sent = 0
        for second in range(seconds):
            messages = self._second(scene + second)
            for place, name in enumerate(order):
                await asyncio.sleep(begin + (second + place / len(order)) / speed - loop.time())
                await self._brokers[name].publish(messages)
            sent += len(messages)
        await asyncio.sleep(begin + seconds / speed - loop.time())
        return sent

    def _second(self, scene: int) -> list[Message]:
        return [m for m in self._meter.second(int(time.time()), scene) if m.topic in self._heard]

    async def stop(self) -> None:
        """Disconnect."""
        for broker in self._brokers.values():
            await broker.stop()


def _answers(stream: Stream) -> Callable[[dict[str, Any]], Awaitable[Answer]]:
    async def answer(question: dict[str, Any]) -> Answer:
        return {"sent": await stream.play(question["hour"], question["seconds"], question["speed"], question["order"])}

    return answer


async def _main() -> None:
    stream = Stream(arguments()["ports"])
    await stream.start()
    await serve({"did": DID, "topics": stream.topics}, _answers(stream))
    await stream.stop()


if __name__ == "__main__":
    asyncio.run(_main())
