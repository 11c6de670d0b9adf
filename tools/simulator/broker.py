"""Where the meter's messages go: the broker inside the meter (amqtt), or one that already runs."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
import logging
from typing import Any, Protocol, override

from aiomqtt import Client, MqttError, ProtocolVersion
from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter  # type: ignore[import-untyped]
from amqtt.broker import Broker  # type: ignore[import-untyped]
from amqtt.contexts import BaseContext  # type: ignore[import-untyped]
from amqtt.plugins.base import BaseAuthPlugin, BasePlugin  # type: ignore[import-untyped]
from amqtt.session import ApplicationMessage, Session  # type: ignore[import-untyped]

from .formats import Message

LISTENER = "default"
BACKLOG = 1 << 20  # a client that lets this much pile up loses messages, as QoS 0 allows [bytes]
PUBLISH = 0x30
RETAIN = 0x01
LONGEST_LENGTH_BYTE = 0x7F


class MeterBroker(Protocol):
    """A place to publish to."""

    @property
    def port(self) -> int:
        """TCP port of the broker."""

    async def start(self) -> None:
        """Begin to serve, or connect."""

    async def stop(self) -> None:
        """Stop serving, and forget what was retained."""

    async def publish(self, messages: Iterable[Message]) -> None:
        """Publish at QoS 0, in this order."""

    async def forget(self, topics: Iterable[str]) -> None:
        """Drop what is retained on `topics`."""


@dataclass
class _Door:
    """Who may come in, and what clients published; shared with the plugins that amqtt makes by itself."""

    password: bool = False
    received: list[Message] = field(default_factory=list)


class DoorPlugin(BaseAuthPlugin):  # type: ignore[misc]
    """Lets everybody in, like the meter, unless a password is wanted (of which there is none that fits)."""

    @dataclass
    class Config:
        """The broker's door."""

        door: _Door

    @override
    async def authenticate(self, *, session: Session) -> bool:
        session.is_anonymous = True
        return not self.config.door.password


class WitnessPlugin(BasePlugin[BaseContext]):  # type: ignore[misc]
    """Writes down what clients publish: a good client of a meter publishes nothing."""

    @dataclass
    class Config:
        """The broker's door."""

        door: _Door

    async def on_broker_message_received(self, *, client_id: str, message: ApplicationMessage) -> None:
        """Note one message of a client."""
        if message is not None and message.topic:
            retain = bool(message.publish_packet and message.publish_packet.retain_flag)
            self.config.door.received.append(Message(message.topic, bytes(message.data or b""), retain))


class _ClientWriter(StreamWriterAdapter):  # type: ignore[misc]
    """The way to one client, which knows how much the client has not taken yet."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer)
        self._transport = writer.transport

    @property
    def is_slow(self) -> bool:
        """Whether too much has piled up."""
        return self._transport.get_write_buffer_size() > BACKLOG


class _Store(Broker):  # type: ignore[misc]
    """Hands out what is retained in one piece, and to subscribers only.

    amqtt's own way also sends a client that has just connected what others have subscribed to.
    """

    @override
    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        a_filter = subscription[0]
        if all(subscriber is not session for subscriber, _ in self.subscriptions.get(a_filter, ())):
            return
        _, handler = self.sessions.get(session.client_id, (None, None))
        if handler is not None and handler.writer is not None:
            handler.writer.write(
                b"".join(
                    _packet(Message(topic, bytes(kept.data), retain=True), PUBLISH | RETAIN)
                    for topic, kept in self.retained_messages.items()
                    if matches(topic, a_filter)
                )
            )


class EmbeddedBroker:
    """The meter's own broker: MQTT 3.1.1, no password, retained messages in memory.

    Publishing goes past amqtt's broadcast queue, which costs three tasks a message: one second of a meter is encoded
    once and written to each client in one piece.
    """

    def __init__(self, host: str, port: int) -> None:
        """Prepare to listen on `host`:`port`; port 0 takes a free one at the first start and keeps it."""
        self._host = host
        self._port = port
        self._door = _Door()
        self._broker: Any = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._matches: dict[tuple[str, str], bool] = {}

    @property
    def port(self) -> int:
        """TCP port; 0 before the first start when a free one was asked for."""
        return self._port

    @property
    def received(self) -> list[Message]:
        """What clients have published so far."""
        return self._door.received

    @property
    def slow_clients(self) -> list[str]:
        """Clients that lose messages because they do not read."""
        sessions = self._broker.sessions if self._broker is not None else {}
        return [client for client, (_, handler) in sessions.items() if handler.writer and handler.writer.is_slow]

    async def start(self) -> None:
        """Begin to listen. Raises OSError when the port is taken."""
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        broker = _Store(
            {
                "listeners": {LISTENER: {"type": "external", "bind": f"{self._host}:{self._port}"}},
                "plugins": {
                    f"{__name__}.DoorPlugin": {"door": self._door},
                    f"{__name__}.WitnessPlugin": {"door": self._door},
                },
            }
        )
        server = await asyncio.start_server(self._connected, self._host, self._port, start_serving=False)
        await broker.start()
        await server.start_serving()
        self._broker, self._server = broker, server
        self._port = server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the door and throw everybody out."""
        server, broker = self._server, self._broker
        if server is None:
            return
        self._server = self._broker = None
        server.close()
        server.abort_clients()
        await broker.shutdown()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await server.wait_closed()

    async def want_password(self, *, wanted: bool) -> None:
        """Refuse (or allow) clients without the right password; those inside are thrown out when it begins."""
        self._door.password = wanted
        if wanted and self._server is not None:
            self._server.abort_clients()

    async def forget(self, topics: Iterable[str]) -> None:
        """Drop retained messages."""
        if self._broker is not None:
            for topic in topics:
                await self._broker.retain_message(None, topic, b"")

    async def publish(self, messages: Iterable[Message]) -> None:
        """Publish to all clients; nobody hears it while the broker is down."""
        broker = self._broker
        if broker is None:
            return
        messages = list(messages)
        for message in messages:
            if message.retain:
                await broker.retain_message(None, message.topic, message.payload, 0)
        packets = [_packet(message) for message in messages]
        for session, handler in broker.sessions.values():
            writer: _ClientWriter | None = handler.writer
            if writer is None or session.transitions.state != "connected" or writer.is_slow:
                continue
            filters = [
                a_filter
                for a_filter, subscribers in broker.subscriptions.items()
                if any(subscriber is session for subscriber, _ in subscribers)
            ]
            chunk = b"".join(
                packet
                for message, packet in zip(messages, packets, strict=True)
                if any(self._match(message.topic, a_filter) for a_filter in filters)
            )
            if chunk:
                writer.write(chunk)

    def _match(self, topic: str, a_filter: str) -> bool:
        key = (topic, a_filter)
        if (known := self._matches.get(key)) is None:
            known = self._matches[key] = matches(topic, a_filter)
        return known

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        broker = self._broker
        if broker is None:
            writer.close()
            return
        with suppress(OSError, asyncio.CancelledError):
            await broker.external_connected(StreamReaderAdapter(reader), _ClientWriter(writer), LISTENER)


class ExternalBroker:
    """A broker that already runs: the meter publishes to it like any client."""

    def __init__(self, host: str, port: int) -> None:
        """Prepare to connect to `host`:`port`."""
        self._host = host
        self._port = port
        self._client: Client | None = None

    @property
    def port(self) -> int:
        """TCP port."""
        return self._port

    async def start(self) -> None:
        """Connect. Raises OSError when there is no broker."""
        client = self._new_client()
        try:
            await client.__aenter__()
        except MqttError as error:
            raise ConnectionError(str(error)) from error
        self._client = client

    async def stop(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(MqttError):
                await client.__aexit__(None, None, None)

    async def forget(self, topics: Iterable[str]) -> None:
        """Drop retained messages, by empty ones."""
        await self.publish([Message(topic, b"", retain=True) for topic in topics])

    async def publish(self, messages: Iterable[Message]) -> None:
        """Publish; a lost connection is made again at the next second, what falls between is lost."""
        if self._client is None:
            with suppress(OSError):
                await self.start()
        client = self._client
        if client is None:
            return
        try:
            for message in messages:
                if not message.topic.startswith("$"):  # only a broker itself may publish there
                    await client.publish(message.topic, message.payload, qos=0, retain=message.retain)
        except MqttError:
            await self.stop()

    def _new_client(self) -> Client:
        return Client(self._host, self._port, protocol=ProtocolVersion.V311, timeout=5)


def _packet(message: Message, kind: int = PUBLISH) -> bytes:
    """Encode a PUBLISH packet at QoS 0; its retain flag is set for new subscribers only (MQTT-3.3.1-9)."""
    topic = message.topic.encode()
    length = 2 + len(topic) + len(message.payload)
    header = bytearray([kind])
    while length > LONGEST_LENGTH_BYTE:
        header.append(length & LONGEST_LENGTH_BYTE | 0x80)
        length >>= 7
    header.append(length)
    return bytes(header) + len(topic).to_bytes(2) + topic + message.payload


def matches(topic: str, a_filter: str) -> bool:
    """Tell whether an MQTT topic falls under a topic filter."""
    if topic.startswith("$") != a_filter.startswith("$"):
        return False
    levels = topic.split("/")
    wanted = a_filter.split("/")
    for position, want in enumerate(wanted):
        if want == "#":
            return True
        if position >= len(levels) or want not in {"+", levels[position]}:
            return False
    return len(levels) == len(wanted)
