"""A connection to a meter's broker: what can go wrong with it, named; and every message without detours."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
import logging
import secrets
import socket
import struct
from typing import NoReturn, override

import aiomqtt

from .exceptions import FluksoAuthError, FluksoConnectionError, NotAFluksoError
from .messages import FILTERS

type Receive = Callable[[str, bytes, bool], None]

KEEPALIVE = 30
"""A broker that says nothing for this long [s] is asked for a sign of life, and given up after as long again."""

# The library calls every broken connection an error, with no word of whose it is. The client tells of it itself, once.
_WIRE_LOG = logging.getLogger("mqtt.energy_neighbours")
_WIRE_LOG.addFilter(lambda _: _WIRE_LOG.isEnabledFor(logging.DEBUG))

_LAST_WORDS = 1.0  # for a closed connection to tell how it ended [s]

_CONNACK = b"\x20\x02"
_CONNACK_LENGTH = 4
_DISCONNECT = b"\xe0\x00"
_REFUSED_LOGINS = (4, 5)


def client_id() -> str:
    """Make up a client id that no other client of the broker uses, short enough for any broker."""
    return f"energy-{secrets.token_hex(6)}"


class Connection:
    """An open connection. Messages go to its receiver from the moment of `subscribe`."""

    def __init__(self, client: aiomqtt.Client, host: str, end: asyncio.Task[None]) -> None:
        self._client = client
        self._host = host
        self._end = end

    async def subscribe(self) -> None:
        """Ask for the topics of a Fluksometer, at most once each and never with QoS above 0.

        Raises
        ------
        FluksoConnectionError
            The link broke, or the broker does not answer.

        """
        try:
            await self._client.subscribe([(topic, 0) for topic in FILTERS])
        except aiomqtt.MqttError as error:
            raise FluksoConnectionError(f"The broker at {self._host} did not accept the subscription.") from error

    async def lost(self) -> NoReturn:
        """Wait for the end of the connection.

        Raises
        ------
        FluksoConnectionError
            Always, once the link is broken.

        """
        await asyncio.wait((self._end,))
        try:
            self._end.result()
        except aiomqtt.MqttError as error:
            raise FluksoConnectionError(f"The connection to {self._host} broke.") from error
        raise FluksoConnectionError(f"The connection to {self._host} ended.")


@asynccontextmanager
async def open_connection(
    host: str, port: int, receive: Receive, *, identifier: str | None = None, limit: float = 10
) -> AsyncGenerator[Connection]:
    """Connect to a meter's broker with MQTT 3.1.1 and a clean session.

    Parameters
    ----------
    host, port
        Where the broker is.
    receive
        Called with topic, payload and retained flag of each message.
    identifier
        The client id; a random one if None.
    limit
        How long each step may take [s].

    Raises
    ------
    FluksoConnectionError
        Nobody answers, or the name is unknown.
    FluksoAuthError
        The broker wants a user name.
    NotAFluksoError
        What answers does not speak MQTT.

    """
    await probe(host, port, limit=limit)

    # aiomqtt waits for each message with a task and two futures of its own, twice the cost of reading it. A queue
    # that never holds anything takes the message at the moment it is read instead.
    class _Sink(asyncio.Queue[aiomqtt.Message]):
        @override
        def put_nowait(self, item: aiomqtt.Message) -> None:
            receive(item.topic.value, item.payload, item.retain)

    client = aiomqtt.Client(
        host,
        port,
        identifier=identifier or client_id(),
        protocol=aiomqtt.ProtocolVersion.V311,  # a meter's broker of 2015 knows nothing newer
        clean_session=True,
        keepalive=KEEPALIVE,
        timeout=limit,
        queue_type=_Sink,
        logger=_WIRE_LOG,
    )
    end = asyncio.create_task(_end_of(client))
    try:
        await _enter(client, host, port)
        try:
            yield Connection(client, host, end)
        finally:
            await _close(client)
            await asyncio.wait((end,), timeout=_LAST_WORDS)
    finally:
        end.cancel()
        await asyncio.gather(end, return_exceptions=True)


async def _end_of(client: aiomqtt.Client) -> None:
    """Wait for the end of a connection, begun before it is made.

    A broker that hangs up in the moment of greeting breaks the connection before anybody listens; aiomqtt forgets
    about that, with an error that nobody fetches.
    """
    first = client._disconnected  # noqa: SLF001 - aiomqtt may take another one while this one ends
    try:
        async for _ in client.messages:  # never yields: the queue passes every message on at once
            pass
    except asyncio.InvalidStateError:
        raise aiomqtt.MqttError("The broker hung up in the moment of greeting.") from first.exception()


async def _enter(client: aiomqtt.Client, host: str, port: int) -> None:
    # It connects in a thread. Left alone there on cancellation, it would go on listening for ever.
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except aiomqtt.MqttError as error:
        raise FluksoConnectionError(f"The broker at {host} port {port} did not accept the connection.") from error
    except asyncio.CancelledError:
        with suppress(aiomqtt.MqttError):
            await entering
            await _close(client)
        raise


async def _close(client: aiomqtt.Client) -> None:
    with suppress(aiomqtt.MqttError):  # it was broken already
        await client.__aexit__(None, None, None)


async def probe(host: str, port: int, *, limit: float) -> None:
    """Greet the broker and hear what it says.

    It costs one short connection and spares us a client that hangs in a thread on an address where nobody answers,
    or waits for the answer of something that is no broker. Raises as `open_connection` does.
    """
    try:
        async with asyncio.timeout(limit):
            reader, writer = await asyncio.open_connection(host, port)
    except TimeoutError as error:
        raise FluksoConnectionError(f"{host} does not answer on port {port}.") from error
    except socket.gaierror as error:
        raise FluksoConnectionError(f"The name {host} is unknown in this network.") from error
    except (OSError, UnicodeError) as error:
        raise FluksoConnectionError(f"{host} refuses connections on port {port}.") from error
    try:
        writer.write(_connect_packet(client_id()))
        async with asyncio.timeout(limit):
            answer = await reader.readexactly(_CONNACK_LENGTH)
            writer.write(_DISCONNECT)
            await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
        raise NotAFluksoError(f"What answers at {host} port {port} is no MQTT broker.") from error
    finally:
        writer.close()
    _check_answer(answer, host, port)


def _connect_packet(identifier: str) -> bytes:
    name = identifier.encode()
    body = b"\x00\x04MQTT\x04\x02" + struct.pack("!HH", KEEPALIVE, len(name)) + name
    return b"\x10" + bytes([len(body)]) + body


def _check_answer(answer: bytes, host: str, port: int) -> None:
    if not answer.startswith(_CONNACK):
        raise NotAFluksoError(f"What answers at {host} port {port} is no MQTT broker.")
    code = answer[-1]
    if code in _REFUSED_LOGINS:
        raise FluksoAuthError(f"The broker at {host} wants a user name and password, so it is not a Fluksometer's own.")
    if code:
        raise FluksoConnectionError(f"The broker at {host} refuses the connection with code {code}.")
