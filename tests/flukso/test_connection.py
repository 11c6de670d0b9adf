"""One connection to a broker, which may end at any moment without leaving an unheard error behind."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
import gc
import logging
import socket
import struct
from typing import Any

import aiomqtt
import pytest

from custom_components.energy_neighbours.flukso.connection import open_connection
from custom_components.energy_neighbours.flukso.exceptions import FluksoConnectionError

from .conftest import Broker

ACCEPTED = b"\x20\x02\x00\x00"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@pytest.fixture
async def unheard() -> AsyncGenerator[Callable[[], list[str]]]:
    """What nobody fetched of the loop's futures and tasks, once they are gone."""
    heard: list[str] = []

    def hear(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        heard.append(f"{context['message']}: {context.get('exception')}")

    def after_all() -> list[str]:
        gc.collect()
        return heard

    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(hear)
    yield after_all
    loop.set_exception_handler(before)


@asynccontextmanager
async def curt_broker(pause: float, *, reset: bool = False) -> AsyncGenerator[int]:
    """Greet whoever comes, and hang up after a pause [s]; yields the port."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(ACCEPTED)
        await writer.drain()
        await asyncio.sleep(pause)
        if reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("pause", [0, 0.001, 0.01])
async def test_broker_that_greets_and_hangs_up(pause: float, unheard: Callable[[], list[str]]) -> None:
    async with curt_broker(pause) as port:
        for _ in range(10):
            with pytest.raises(FluksoConnectionError):
                async with open_connection("127.0.0.1", port, print) as connection:
                    await connection.lost()
    assert unheard() == []


async def test_broker_that_hangs_up_in_the_very_moment_of_greeting(
    unheard: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for = aiomqtt.Client._wait_for

    async def until_the_end_is_noticed(client: Any, awaited: asyncio.Future[None], **options: Any) -> Any:
        result = await wait_for(client, awaited, **options)
        while awaited is client._connected and not client._disconnected.done():  # noqa: ASYNC110 - a turn of the loop
            await asyncio.sleep(0)
        return result

    monkeypatch.setattr(aiomqtt.Client, "_wait_for", until_the_end_is_noticed)
    async with curt_broker(0) as port:
        with pytest.raises(FluksoConnectionError):
            async with open_connection("127.0.0.1", port, print) as connection:
                await connection.lost()
    assert unheard() == []


async def test_connection_that_broke_before_anybody_asked(broker: Broker, unheard: Callable[[], list[str]]) -> None:
    async with open_connection("127.0.0.1", broker.port, print) as connection:
        await connection.subscribe()
        await broker.stop()
        await asyncio.sleep(0.1)
    assert unheard() == []


async def test_connection_that_breaks_is_lost_however_often_it_was_asked(
    broker: Broker, unheard: Callable[[], list[str]]
) -> None:
    async with open_connection("127.0.0.1", broker.port, print) as connection:
        await connection.subscribe()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await connection.lost()
        await broker.stop()
        for _ in range(2):
            with pytest.raises(FluksoConnectionError, match="broke"):
                await connection.lost()
    assert unheard() == []


@pytest.mark.parametrize(("level", "told"), [(logging.INFO, False), (logging.DEBUG, True)])
async def test_broken_connection_is_told_to_the_caller_alone(
    level: int, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, "mqtt")
    async with curt_broker(0.05, reset=True) as port, open_connection("127.0.0.1", port, print) as connection:
        with pytest.raises(FluksoConnectionError):
            await connection.lost()
    assert any("reset by peer" in record.getMessage() for record in caplog.records) is told
