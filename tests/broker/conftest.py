"""A community's broker as scripts/broker makes it, run by a real Mosquitto, and its clients."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
import socket
import ssl

import aiomqtt
import pytest

from tools.broker import ORGANISER, add_member, create
from tools.mosquitto import Mosquitto

COMMUNITY = "oakstreet"
TREE = f"energy-neighbours/v1/{COMMUNITY}"
ANNA, BEN = "anna12", "ben99"
PATIENCE = 60
"""How long a message may take to come [s]: generous, for it costs nothing where things work."""


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Allow the loopback network, which Home Assistant's test plugin blocks."""


class Ear:
    """What a client has heard: topics and payloads, each once, as overlapping filters may bring it twice."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: set[tuple[str, bytes]] = set()
        self._news = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.client.messages:
            self.heard.add((str(message.topic).removeprefix(f"{TREE}/"), bytes(message.payload)))
            self._news.set()

    async def until(self, topic: str, payload: bytes = b"end") -> None:
        async with asyncio.timeout(PATIENCE):
            while (topic, payload) not in self.heard:
                self._news.clear()
                await self._news.wait()

    async def tell(self, topic: str, payload: bytes = b"end", *, qos: int = 1, retain: bool = False) -> None:
        """Publish; with QoS 1 the broker has dealt with it when this returns, and with all that was told before."""
        await self.client.publish(f"{TREE}/{topic}", payload, qos=qos, retain=retain)


class Community:
    """The organiser, two members, and their broker."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.passwords = {ORGANISER: create(folder, community=COMMUNITY, host="127.0.0.1", port=port, bind="127.0.0.1")}
        for code in (ANNA, BEN):
            self.passwords[code] = add_member(folder, code)
        self.start()

    def start(self) -> None:
        self.mosquitto = Mosquitto(self.folder, configured=True)

    def stop(self) -> None:
        self.mosquitto.__exit__()

    def restart(self) -> None:
        self.stop()
        self.start()

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "ca.pem")

    def client(self, user: str | None, **options: object) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1",
            self.port,
            **{
                "username": user,
                "password": self.passwords.get(user),
                "tls_context": self.trust(),
                "timeout": PATIENCE,
                **options,
            },
        )

    @asynccontextmanager
    async def ear(self, user: str, *filters: str, **options: object) -> AsyncGenerator[Ear]:
        """Connect and listen, to everything if nothing else is said."""
        async with self.client(user, **options) as client:
            ear = Ear(client)
            task = asyncio.create_task(ear.listen())
            await client.subscribe([(topic, 1) for topic in filters or ("#",)])
            try:
                yield ear
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def lets_in(self, user: str | None, **options: object) -> bool:
        try:
            async with self.client(user, **options):
                return True
        except aiomqtt.MqttError:
            return False


@pytest.fixture
def port() -> Iterator[int]:
    """A port that no other program is given while the test runs."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture
def community(tmp_path: Path, port: int) -> Iterator[Community]:
    """A broker that runs."""
    made = Community(tmp_path / "broker", port)
    yield made
    made.stop()
