"""What a client does while the broker of an FLM02 is down, against a real web server."""

from collections.abc import AsyncGenerator
import time

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.energy_neighbours.flukso.client import FluksoClient, LinkState
from custom_components.energy_neighbours.flukso.messages import DropReason
from custom_components.energy_neighbours.flukso.models import MessageKind, Reading

from .conftest import CLAMP, Background, Broker, Ears, SampleMeter, eventually, gauge

pytestmark = pytest.mark.usefixtures("impatience")


class RestService:
    """An FLM02's REST service with what its sensors measured in the last minute."""

    def __init__(self) -> None:
        self.windows: dict[str, list[list[object]]] = {}
        self.status = 200
        application = web.Application()
        application.router.add_get("/sensor/{sid}", self._answer)
        self.server = TestServer(application)

    async def _answer(self, request: web.Request) -> web.Response:
        assert dict(request.query) == {"version": "1.0", "interval": "minute", "unit": "watt"}
        sid = request.match_info["sid"]
        if sid not in self.windows:
            return web.Response(status=404)
        return web.json_response(self.windows[sid], status=self.status)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self.server.port is not None
        return self.server.port


@pytest.fixture
async def rest() -> AsyncGenerator[RestService]:
    """A REST service without any sensor yet."""
    service = RestService()
    await service.server.start_server()
    yield service
    await service.server.close()


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    """An HTTP session."""
    async with aiohttp.ClientSession() as opened:
        yield opened


async def test_rest_takes_over_while_the_broker_of_an_flm02_is_down(
    broker: Broker,
    flm02: SampleMeter,
    background: Background,
    ears: Ears,
    rest: RestService,
    session: aiohttp.ClientSession,
) -> None:
    await broker.publish(*flm02.config)
    client = ears.client(broker.port, session=session, rest_port=rest.port)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.publish(gauge(value=1, age=5))
    await eventually(lambda: ears.readings)
    known = int(client.statistics.last_message or 0)
    rest.windows[CLAMP] = [[known - 1, 1], [known + 1, 640], [known + 2, 650], [known + 3, "nan"]]
    rest.windows["4dce2920b68c4c0797b34b273c08cbea"] = [[known + 1, 8640]]
    await broker.stop()
    await eventually(lambda: client.state is LinkState.FALLBACK)
    assert ears.readings[1:] == [
        Reading(CLAMP, MessageKind.GAUGE, 640, "W", known + 1),
        Reading(CLAMP, MessageKind.GAUGE, 650, "W", known + 2),
        Reading("4dce2920b68c4c0797b34b273c08cbea", MessageKind.GAUGE, 8640, "L/day", known + 1),
    ]
    rest.windows[CLAMP].append([known + 3, 660])
    await eventually(lambda: len(ears.readings) == 5)
    rest.status = 500
    await eventually(lambda: client.state is LinkState.OFFLINE)
    rest.status = 200
    await eventually(lambda: client.state is LinkState.FALLBACK)
    await broker.start()
    await eventually(lambda: client.state is LinkState.ONLINE)
    assert client.statistics.rest_values == 4
    await broker.publish(gauge(value=670))
    await eventually(lambda: ears.readings[-1].value == 670)


async def test_rest_serves_known_sensors_before_any_configuration(
    closed_port: int, background: Background, ears: Ears, rest: RestService, session: aiohttp.ClientSession
) -> None:
    now = int(time.time())
    rest.windows[CLAMP] = [[now, 412], [now + 100_000, 5]]
    client = ears.client(closed_port, session=session, rest_port=rest.port, rest_sensors={CLAMP: "W", "9" * 32: None})
    background(client.run())
    await eventually(lambda: client.state is LinkState.FALLBACK)
    await eventually(lambda: client.statistics.failures >= 3)
    assert [(reading.value, reading.unit) for reading in ears.readings] == [(412, "W")]


async def test_flm03_has_no_rest_service_to_fall_back_on(
    broker: Broker,
    flm03: SampleMeter,
    background: Background,
    ears: Ears,
    rest: RestService,
    session: aiohttp.ClientSession,
) -> None:
    await broker.publish(*flm03.config)
    client = ears.client(broker.port, session=session, rest_port=rest.port)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.stop()
    await eventually(lambda: client.statistics.failures >= 3)
    assert client.state is LinkState.OFFLINE


async def test_fallback_survives_a_receiver_that_fails(
    closed_port: int, background: Background, rest: RestService, session: aiohttp.ClientSession
) -> None:
    def fail(_: object) -> None:
        raise LookupError

    now = int(time.time())
    rest.windows[CLAMP] = [[now, 412], [now + 1, 413]]
    client = FluksoClient(
        "127.0.0.1", closed_port, on_reading=fail, session=session, rest_port=rest.port, rest_sensors={CLAMP: "W"}
    )
    background(client.run())
    await eventually(lambda: client.statistics.dropped.get(DropReason.CONSUMER) == 2)
