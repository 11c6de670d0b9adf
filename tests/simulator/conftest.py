"""A client's ear at a simulated meter, and the recorded samples."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
import json
from pathlib import Path
import time
from typing import Any, NamedTuple

import aiomqtt
import pytest

from tools.simulator import Simulator
from tools.simulator.formats import Message

DATA = Path(__file__).parents[2] / "tools" / "simulator" / "data"
SAMPLES = ("flm02_single_phase_pv", "flm03_three_phase", "flm03_three_phase_kube")
EVERYTHING = ("/device/#", "/sensor/#", "$SYS/#")
PATIENCE = 60
"""How long a condition may take to come true [s]: generous, for it costs nothing where things work."""


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Allow the loopback network, which Home Assistant's test plugin blocks."""


class Heard(NamedTuple):
    """One message as a client receives it."""

    topic: str
    payload: bytes
    retain: bool

    @property
    def kind(self) -> str:
        return self.topic.rpartition("/")[2]

    @property
    def is_reading(self) -> bool:
        return self.topic.startswith("/sensor/") and self.kind in {"gauge", "counter"}

    @property
    def reading(self) -> list[Any]:
        return json.loads(self.payload)


class Ear:
    """All messages that a client received."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def of(self, topic_end: str) -> list[Heard]:
        return [message for message in self.heard if message.topic.endswith(topic_end)]

    @property
    def readings(self) -> list[Heard]:
        return [message for message in self.heard if message.is_reading]


@asynccontextmanager
async def listening(port: int, *topics: str) -> AsyncGenerator[Ear]:
    """Listen like a client of the meter, from the first retained message on."""
    ear = Ear()
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V311) as client:
        await client.subscribe([(topic, 0) for topic in topics or EVERYTHING])

        async def listen() -> None:
            async for message in client.messages:
                ear.heard.append(Heard(str(message.topic), bytes(message.payload), bool(message.retain)))

        task = asyncio.create_task(listen())
        try:
            yield ear
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "the awaited condition did not come true"
        await asyncio.sleep(0.02)


async def catch_up(simulator: Simulator, ear: Ear) -> None:
    """Wait until everything that the meter has told so far is heard: a mark that is told last is heard last."""
    marks = len(ear.of("/mark"))
    await simulator.broker.publish([Message("/device/mark", b"")])
    await eventually(lambda: len(ear.of("/mark")) > marks)


async def connects(simulator: Simulator) -> bool:
    """Tell whether a client without password gets in."""
    try:
        async with aiomqtt.Client("127.0.0.1", simulator.port, timeout=PATIENCE):
            return True
    except aiomqtt.MqttError:
        return False


def sample(name: str) -> dict[str, Any]:
    """Load a recorded sample."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
