"""Finding a meter, and a first look at it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
import json
import socket

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.energy_neighbours.flukso.connection import client_id, open_connection
from custom_components.energy_neighbours.flukso.discovery import (
    hostname_of_service,
    is_placeholder,
    sensors_of_service,
    survey,
)
from custom_components.energy_neighbours.flukso.dispatch import Dispatcher
from custom_components.energy_neighbours.flukso.exceptions import (
    FluksoAuthError,
    FluksoConfigError,
    FluksoConnectionError,
    FluksoError,
    NotAFluksoError,
)
from custom_components.energy_neighbours.flukso.models import Device, MessageKind, Model, Quantity

from .conftest import PATIENCE, Background, Broker, SampleMeter, eventually

HOST = "127.0.0.1"
SHORT = 2
"""How long to wait for what does not come [s]; whatever comes at all is here long before."""


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Tells when a first look has found a configuration and looks on."""
    event = asyncio.Event()
    announce = Dispatcher.announce

    def announce_and_tell(dispatcher: Dispatcher) -> Device | None:
        event.set()
        return announce(dispatcher)

    monkeypatch.setattr(Dispatcher, "announce", announce_and_tell)
    return event


def test_meters_are_known_by_the_names_of_their_services(flm02: SampleMeter, flm03: SampleMeter) -> None:
    names = {entry["name"]: hostname_of_service(f"{entry['name']}.{entry['type']}") for entry in flm02.data["mdns"]}
    assert names == {
        "Flukso RESTful API on flukso-faa6d3": "flukso-faa6d3",
        "MQTT Broker on flukso-faa6d3": "flukso-faa6d3",
        "Web Server on flukso-faa6d3": None,
        "MQTT over Websockets on flukso-faa6d3": None,
    }
    assert hostname_of_service(flm03.data["mdns"][0]["name"]) == flm03.data["hostname"]


@pytest.mark.parametrize(
    "name",
    ["Mosquitto MQTT server on flukso-faa6d3", "MQTT Broker on flukso-FAA6D3", "MQTT Broker on flukso-faa6d3x", ""],
)
def test_other_services_are_no_meters(name: str) -> None:
    assert hostname_of_service(name) is None


def test_announced_sensors_are_listed_without_placeholders(flm02: SampleMeter) -> None:
    properties = flm02.data["mdns"][0]["properties"]
    assert set(sensors_of_service(properties)) == {1, 4, 5, 7}
    assert sensors_of_service({"id3": b"4" * 32, "id1": "0123456789abcdef" * 2, "id2": None, "idx": "5" * 32}) == {
        3: "4" * 32
    }
    assert is_placeholder("0123456789abcdef0123456789abcde1")


async def test_first_look_finds_an_flm02_with_its_latest_readings(broker: Broker, flm02: SampleMeter) -> None:
    await broker.publish(*flm02.config, *flm02.readings)
    found = await survey(HOST, broker.port, settle=0.6)
    assert (found.device.did, found.device.model) == (flm02.did, Model.FLM02)
    assert found.dids == {flm02.did}
    assert {channel.sensors[next(iter(channel.sensors))] for channel in found.device.channels} == set(found.readings)
    p1 = next(channel for channel in found.device.channels if Quantity.NET in channel.sensors)
    kinds = found.readings[p1.sensors[Quantity.NET]]
    assert kinds[MessageKind.GAUGE].value == -788
    assert kinds[MessageKind.COUNTER].value == -154325


async def test_first_look_waits_for_every_part_of_an_flm03(
    broker: Broker, flm03_kube: SampleMeter, background: Background, announced: asyncio.Event
) -> None:
    parts = sorted(flm03_kube.config, key=lambda message: "config/sensor" not in message[0])

    async def send_in_an_awkward_order() -> None:
        await broker.publish(parts[0])
        await announced.wait()
        await broker.publish(*parts[1:])
        await broker.publish(*flm03_kube.readings)

    background(send_in_an_awkward_order())
    found = await survey(HOST, broker.port, settle=3)
    assert [channel.name for channel in found.device.channels[:3]] == ["main L1", "main L2", "main L3"]
    assert found.device.serial == flm03_kube.data["serial"]
    leads = {channel.sensors[Quantity.IMPORT] for channel in found.device.channels[:3]}
    assert leads <= set(found.readings)


async def test_one_of_several_meters_can_be_asked_for(broker: Broker, flm02: SampleMeter, flm03: SampleMeter) -> None:
    await broker.publish(*flm02.config, *flm03.config, *flm02.readings)
    found = await survey(HOST, broker.port, did=flm03.did, settle=0.6)
    assert found.device.did == flm03.did
    assert found.dids == {flm02.did, flm03.did}
    assert found.readings == {}


async def test_meter_that_is_not_there_is_named(broker: Broker, flm02: SampleMeter) -> None:
    await broker.publish(*flm02.config)
    with pytest.raises(FluksoConfigError, match="other Fluksometers, but not bbbb"):
        await survey(HOST, broker.port, did="b" * 32, timeout=SHORT)


async def test_broker_without_a_meter_is_not_a_flukso(broker: Broker) -> None:
    await broker.publish(("homeassistant/status", "online", True), ("/sensor/fakesensor/gauge", "1", True))
    with pytest.raises(NotAFluksoError, match="carries no Fluksometer"):
        await survey(HOST, broker.port, timeout=SHORT)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("/device/{did}/config/flx", '{"1":{"enable":1}}'),
        ("/device/{did}/config/sensor", '{"1":{"id"'),
        ("/device/{did}/config/sensor", "{}"),
        ("/sensor/{did}/gauge", '[1700000000,412,"W"]'),
    ],
)
async def test_meter_without_a_usable_configuration_is_told(topic: str, payload: str, broker: Broker) -> None:
    await broker.publish((topic.format(did="c" * 32), payload, True))
    with pytest.raises(FluksoConfigError, match="did not publish a usable configuration in time"):
        await survey(HOST, broker.port, timeout=SHORT)


async def test_broker_that_wants_a_password_is_told(locked_broker: Broker) -> None:
    with pytest.raises(FluksoAuthError, match="wants a user name and password"):
        await survey(HOST, locked_broker.port)


async def test_closed_port_is_told(closed_port: int) -> None:
    with pytest.raises(FluksoConnectionError, match="refuses connections"):
        await survey(HOST, closed_port)


@pytest.mark.parametrize(
    ("error", "message"),
    [(socket.gaierror("Name or service not known"), "is unknown"), (UnicodeError("label too long"), "refuses")],
)
async def test_unknown_name_is_told(error: Exception, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that cannot be real here: tests must not ask the network for names."""

    def resolve(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(FluksoConnectionError, match=message):
        await survey("flukso-ffffff.local", 1883)


async def test_web_server_is_no_broker() -> None:
    server = TestServer(web.Application())
    await server.start_server()
    with pytest.raises(NotAFluksoError, match="no MQTT broker"):
        async with asyncio.timeout(PATIENCE):  # told by its answer, not by its silence
            await survey(HOST, server.port or 0, timeout=10 * PATIENCE)
    await server.close()


type Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listener(conversation: Conversation) -> AsyncGenerator[int]:
    """Something that answers on a port as we please."""
    server = await asyncio.start_server(conversation, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def answering(*answers: bytes) -> Conversation:
    """Answer each connection's first words with the next of these, then hang up."""
    remaining = list(answers)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(remaining.pop(0) if remaining else b"")
        await writer.drain()
        await reader.read(100)
        writer.close()

    return converse


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"SSH-2.0-x\r\n", NotAFluksoError),
        (b"\x20", NotAFluksoError),
        (b"\x20\x02\x00\x03", FluksoConnectionError),
        (b"\x20\x02\x00\x01", FluksoConnectionError),
        (b"\x20\x02\x00\x04", FluksoAuthError),
        (b"\x20\x02\x00\x05", FluksoAuthError),
    ],
)
async def test_answer_to_the_greeting_tells_what_is_there(answer: bytes, error: type[FluksoError]) -> None:
    async with listener(answering(answer)) as port:
        with pytest.raises(error) as raised:
            await survey(HOST, port, timeout=SHORT)
    assert type(raised.value) is error
    assert str(raised.value).endswith(".")


async def test_address_that_swallows_everything_is_told() -> None:
    with socket.socket() as full:
        full.bind((HOST, 0))
        full.listen(0)
        port = full.getsockname()[1]
        with pytest.raises(FluksoError):
            await survey(HOST, port, timeout=SHORT)


async def test_broker_that_refuses_the_second_connection_is_told() -> None:
    async with listener(answering(b"\x20\x02\x00\x00", b"\x20\x02\x00\x03")) as port:
        with pytest.raises(FluksoConnectionError, match="did not accept the connection"):
            await survey(HOST, port, timeout=10)


async def test_broker_that_does_not_accept_the_subscription_is_told() -> None:
    async with listener(answering(b"\x20\x02\x00\x00", b"\x20\x02\x00\x00")) as port:
        with pytest.raises(FluksoConnectionError, match="subscription"):
            await survey(HOST, port, timeout=SHORT)


async def test_link_that_breaks_during_the_first_look_is_told(
    broker: Broker, flm02: SampleMeter, announced: asyncio.Event
) -> None:
    await broker.publish(*flm02.config)
    looking = asyncio.ensure_future(survey(HOST, broker.port, settle=10 * PATIENCE))
    await eventually(lambda: announced.is_set() or looking.done())
    await broker.stop()
    with pytest.raises(FluksoConnectionError, match="broke"):
        await looking


async def test_messages_are_passed_on_as_they_come(broker: Broker) -> None:
    heard: list[tuple[str, bytes, bool]] = []
    await broker.publish((f"/sensor/{'1' * 32}/gauge", "[1,2]", True))
    async with open_connection(HOST, broker.port, lambda *message: heard.append(message)) as connection:
        await connection.subscribe()
        await eventually(lambda: heard)
        await broker.publish((f"/sensor/{'1' * 32}/gauge", "[3,4]", False), ("/sensor/1/tmpo/0/8/0/gz", b"\x1f", False))
        await eventually(lambda: len(heard) == 2)
    assert heard == [(f"/sensor/{'1' * 32}/gauge", b"[1,2]", True), (f"/sensor/{'1' * 32}/gauge", b"[3,4]", False)]


def test_client_ids_are_short_and_differ() -> None:
    ids = {client_id() for _ in range(50)}
    assert len(ids) == 50
    assert max(map(len, ids)) <= 23


async def test_survey_is_not_spoilt_by_many_devices_on_one_broker(broker: Broker, flm02: SampleMeter) -> None:
    crowd = [(f"/device/{number:032x}/config/kube", json.dumps({"1": {"enable": 1}}), True) for number in range(200)]
    await broker.publish(*crowd, *flm02.config)
    found = await survey(HOST, broker.port, did=flm02.did, settle=0.6)
    assert found.device.did == flm02.did
