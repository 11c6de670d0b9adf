"""The FLM02's REST service, against a real web server."""

from collections.abc import AsyncGenerator

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.energy_neighbours.flukso.exceptions import (
    FluksoConfigError,
    FluksoConnectionError,
    NotAFluksoError,
)
from custom_components.energy_neighbours.flukso.rest import fetch_window

from .conftest import SampleMeter

CLAMP = "72cdd1df2febb11638dd3106ff5389d5"
SOLAR = "fb51f7dab496da7c45d54a71ae8e2003"


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    """An HTTP session."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def server(flm02: SampleMeter) -> AsyncGenerator[TestServer]:
    """Answer as the sample meter does, byte for byte."""
    answers = {entry["path"]: entry for entry in flm02.data["rest"]}

    async def answer(request: web.Request) -> web.Response:
        entry = answers.get(request.path_qs)
        if entry is None:
            return web.Response(status=404)
        return web.Response(status=entry["status"], text=entry["body"] or "?", content_type="application/json")

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for part in (b"[[17000", b'00000,1],[1700000001,"nan"]', b"]"):
            await response.write(part)
        return response

    async def flood(request: web.Request) -> web.Response:
        return web.Response(body=b"[" + b"[1,2]," * 100_000 + b"[1,2]]")

    application = web.Application()
    application.router.add_get(f"/sensor/{'1' * 32}", stream)
    application.router.add_get(f"/sensor/{'2' * 32}", flood)
    application.router.add_get(f"/sensor/{'3' * 32}", redirect)
    application.router.add_get("/{path:.*}", answer)
    service = TestServer(application)
    await service.start_server()
    yield service
    await service.close()


async def fetch(session: aiohttp.ClientSession, server: TestServer, sid: str) -> object:
    """Read a window from the test's server."""
    return await fetch_window(session, "127.0.0.1", sid, port=server.port or 0)


async def test_last_minute_has_a_value_a_second_and_a_gap_at_the_end(
    session: aiohttp.ClientSession, server: TestServer
) -> None:
    window = await fetch_window(session, "127.0.0.1", CLAMP, port=server.port or 0)
    assert len(window.values) == 59
    assert window.values[0] == (1699999952, 417)
    assert window.gaps == 1


async def test_answer_in_pieces_is_read_whole(session: aiohttp.ClientSession, server: TestServer) -> None:
    assert await fetch(session, server, "1" * 32) == (((1700000000, 1.0),), 1)


async def test_404_means_that_the_sensor_is_not_enabled(session: aiohttp.ClientSession, server: TestServer) -> None:
    with pytest.raises(FluksoConfigError, match="does not know sensor"):
        await fetch(session, server, SOLAR)


async def test_400_means_that_this_is_not_the_service_we_know(
    session: aiohttp.ClientSession, flm02: SampleMeter
) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=400, text="Bad query")

    application = web.Application()
    application.router.add_get("/{path:.*}", refuse)
    service = TestServer(application)
    await service.start_server()
    with pytest.raises(NotAFluksoError, match="status 400"):
        await fetch(session, service, CLAMP)
    await service.close()


async def test_redirection_is_not_followed(session: aiohttp.ClientSession, server: TestServer) -> None:
    with pytest.raises(NotAFluksoError, match="status 302"):
        await fetch(session, server, "3" * 32)


async def test_endless_answer_is_cut_off(session: aiohttp.ClientSession, server: TestServer) -> None:
    with pytest.raises(NotAFluksoError):
        await fetch(session, server, "2" * 32)


@pytest.mark.parametrize("host", ["127.0.0.1", "two words", "x" * 70])
async def test_nobody_there_is_a_connection_error(host: str, closed_port: int, session: aiohttp.ClientSession) -> None:
    with pytest.raises(FluksoConnectionError, match="does not answer"):
        await fetch_window(session, host, CLAMP, port=closed_port)
