"""A real broker on the loopback interface, and the sample meters that publish on it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
import json
from pathlib import Path
import shutil
import signal
import socket
import time
from typing import Any

import aiomqtt
import pytest

from custom_components.energy_neighbours.flukso import client as client_module, fallback
from custom_components.energy_neighbours.flukso.client import FluksoClient, LinkState
from custom_components.energy_neighbours.flukso.models import Device, Reading

CLAMP = "72cdd1df2febb11638dd3106ff5389d5"
"""The mains clamp of the sample FLM02."""
FIXTURES = Path(__file__).parent / "fixtures"
PATIENCE = 60
"""How long a condition may take to come true [s]: generous, for it costs nothing where things work."""


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Allow the loopback network, which Home Assistant's test plugin blocks."""


def reserve_port() -> socket.socket:
    """Take a port that nobody listens on, so that no other program is given it.

    Until the socket is closed connections are refused there, unless a server listens that asks for this very port.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, for as long as the test runs."""
    with reserve_port() as reserved:
        yield reserved.getsockname()[1]


async def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("The awaited condition did not come true.")
        await asyncio.sleep(0.02)


class Broker:
    """A mosquitto of our own, which can be stopped, frozen and started again on the same port."""

    def __init__(self, folder: Path, *, password: bool = False) -> None:
        self._reserved = reserve_port()  # also while the broker is down
        self.port: int = self._reserved.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\n"
            f"allow_anonymous {'false' if password else 'true'}\n"
            "persistence false\n"
            "log_dest none\n"
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start and wait until it listens."""
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._process = await asyncio.create_subprocess_exec(
            binary, "-c", str(self._config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return

    async def stop(self) -> None:
        """Kill it: clients see a broken connection."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close(self) -> None:
        """Stop for good."""
        await self.stop()
        self._reserved.close()

    def freeze(self) -> None:
        """Let it hang: its connections stay open, and it answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def overhear(self, heard: list[str]) -> None:
        """Write down the topic of everything that anybody publishes."""
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            await client.subscribe("#")
            heard.append("listening")
            async for message in client.messages:
                heard.append(message.topic.value)  # noqa: PERF401 - the other one wants to see it at once

    async def publish(self, *messages: tuple[str, str | bytes, bool]) -> None:
        """Publish as a meter does: topic, payload and whether the broker keeps it; it has them all afterwards."""
        async with aiomqtt.Client("127.0.0.1", self.port, timeout=PATIENCE) as client:
            for number, (topic, payload, retain) in enumerate(messages, 1):
                # A broker takes the messages of a client in their order, and acknowledges the last one.
                await client.publish(topic, payload, qos=int(number == len(messages)), retain=retain)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncGenerator[Broker]:
    """A broker as open as a meter's own."""
    server = Broker(tmp_path)
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def locked_broker(tmp_path: Path) -> AsyncGenerator[Broker]:
    """A broker that wants a user name and password."""
    server = Broker(tmp_path, password=True)
    await server.start()
    yield server
    await server.close()


class SampleMeter:
    """One of the sample devices, its time stamps moved to the present."""

    def __init__(self, name: str) -> None:
        self.data: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
        self.did: str = self.data["device"]
        self.shift = int(time.time()) - int(self.data["time0"]) - 15

    @property
    def config(self) -> list[tuple[str, str | bytes, bool]]:
        """Its retained description, in the order in which it publishes."""
        return [message for message in self._messages() if message[0].startswith("/device/") and message[2]]

    @property
    def readings(self) -> list[tuple[str, str | bytes, bool]]:
        """Its sensors' messages."""
        return [message for message in self._messages() if message[0].startswith("/sensor/")]

    def _messages(self) -> list[tuple[str, str | bytes, bool]]:
        messages: list[tuple[str, str | bytes, bool]] = []
        for message in self.data["messages"]:
            payload = message["payload"]
            if message["topic"].startswith("/sensor/"):
                stamp, rest = payload.split(",", 1)
                payload = f"[{int(stamp[1:]) + self.shift},{rest}"
            messages.append((message["topic"], payload, message["retain"]))
        return messages


@pytest.fixture
def flm02() -> SampleMeter:
    """An FLM02B: mains clamp, PV and water pulses, P1."""
    return SampleMeter("flm02_single_phase_pv")


@pytest.fixture
def flm03() -> SampleMeter:
    """An FLM03E with three phases, PV on port 3, and pulse inputs."""
    return SampleMeter("flm03_three_phase")


@pytest.fixture
def flm03_kube() -> SampleMeter:
    """The same with every clamp reversed and two wireless sensors."""
    return SampleMeter("flm03_three_phase_kube")


type Background = Callable[[Awaitable[None]], asyncio.Task[None]]


@pytest.fixture
async def background() -> AsyncGenerator[Background]:
    """Run something beside the test, and end it with the test."""
    tasks: list[asyncio.Task[None]] = []

    def start(work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        tasks.append(task)
        return task

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect and poll without the pauses that a real meter deserves."""
    monkeypatch.setattr(client_module, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(client_module, "MAX_DELAY", 0.2)
    monkeypatch.setattr(fallback, "POLL_INTERVAL", 0.1)


class Ears:
    """Everything that a client tells."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.devices: list[Device] = []
        self.states: list[LinkState] = []

    def client(self, port: int, **options: object) -> FluksoClient:
        """Make a client that tells it all to us."""
        return FluksoClient(
            "127.0.0.1",
            port,
            on_reading=self.readings.append,
            on_device=self.devices.append,
            on_state=self.states.append,
            **options,
        )


@pytest.fixture
def ears() -> Ears:
    """Somebody who listens."""
    return Ears()


def gauge(sid: str = CLAMP, value: float = 412, age: int = 0) -> tuple[str, str, bool]:
    """Write a live gauge message."""
    return f"/sensor/{sid}/gauge", f'[{int(time.time()) - age},{value},"W"]', False
