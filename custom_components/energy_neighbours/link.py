"""A lasting connection to a community's broker: found again after every loss, and honest about what was delivered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
import logging
import random
import ssl
import time
from typing import Any, Final, Self, override

import aiomqtt
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .core.messages import MAX_PAYLOAD

_LOGGER = logging.getLogger(__name__)
# The library calls every broken connection an error; the link tells of it itself, once.
_WIRE_LOG = logging.getLogger("mqtt.energy_neighbours.link")
_WIRE_LOG.addFilter(lambda _: _WIRE_LOG.isEnabledFor(logging.DEBUG))

KEEPALIVE: Final = 60
LIMIT: Final = 20.0
"""How long a connection, or the broker's confirmation of a message, may take [s]."""
FIRST_WAIT: Final = 2.0
LONGEST_WAIT: Final = 300.0
"""A lost connection is tried again after these waits [s], each twice the one before, and some more by chance."""
STEADY: Final = 60.0
"""A connection that lasted so long [s] was a good one: the next loss begins with the first wait again."""
PATIENCE: Final = 3600
"""A broker that cannot be reached for this long [s] needs a hand."""
THROWN_OUT: Final = 5
"""So many connections in a row that were made and did not last are no accident."""
_REFUSED: Final = (4, 5, 134, 135)
"""What a broker answers to a wrong user name or password; paho tells it in the words of MQTT 5, too."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a community's broker is, and who we are there.

    Parameters
    ----------
    host, port
        Its address.
    tls
        Whether the connection is encrypted.
    ca
        Certificate of the authority that vouches for it (DER); None if any public one does.
    username, password
        Ours.
    """

    host: str
    port: int
    tls: bool
    ca: bytes | None = field(repr=False)
    username: str
    password: str = field(repr=False)


class _Client(aiomqtt.Client):
    """A client that leaves nothing behind.

    The library asks to write in the next moment; when it says goodbye, the socket may be closed by then, or be
    another's. It keeps the socket of a connection that was given up while it was being made. And where nobody waits for
    a connection's end, it has asyncio complain that nobody heard of it.
    """

    @override
    async def __aenter__(self) -> Self:
        self._disconnected.add_done_callback(_hear)
        try:
            await super().__aenter__()
        except BaseException:
            self._connected = asyncio.Future()  # nobody waits for it any more
            self._client.disconnect()
            raise
        self._disconnected.add_done_callback(_hear)  # it may be another one by now
        return self

    @override
    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        self._loop.call_soon_threadsafe(self._write_when_ready, client, sock)

    def _write_when_ready(self, client: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write, client)

    def _write(self, client: Any) -> None:
        try:
            client.loop_write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection is broken
            if not self._disconnected.done():
                self._disconnected.set_exception(error)


def _hear(end: asyncio.Future[None]) -> None:
    """Take note of how a connection ended; whoever uses it is told in other ways, too."""
    if not end.cancelled():
        end.exception()


class Link:
    """A connection to a broker that comes back by itself.

    Parameters
    ----------
    hass
        Home Assistant.
    broker
        Where.
    filters
        What is listened to.
    receive
        Called with topic and payload of each message.
    greet
        Called after each connection, when messages are heard already.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        broker: Broker,
        filters: Sequence[str],
        receive: Callable[[str, bytes], None],
        greet: Callable[[], Awaitable[None]],
    ) -> None:
        self._hass = hass
        self._broker = broker
        self._filters = filters
        self._receive = receive
        self._greet = greet
        self._client: _Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self.fault: str | None = None
        """Why there is no connection, as a translation key; None while there is one."""
        self.since = time.time()
        """Since when that is so [s, Unix]."""
        self._thrown_out = 0
        """How many connections in a row did not last."""
        self.oversized = 0
        """How many messages were too large to be looked at."""

    @property
    def lasting_fault(self) -> str | None:
        """What needs a hand, as a translation key: short silences mend themselves."""
        if self._thrown_out >= THROWN_OUT:
            return "broker_throws_out"
        if self.fault == "broker_unreachable" and time.time() - self.since < PATIENCE:
            return None
        return self.fault

    @property
    def connected(self) -> bool:
        """Whether messages come and go."""
        return self._client is not None

    @callback
    def async_start(self, entry: ConfigEntry[Any]) -> None:
        """Connect, and stay connected until `async_stop`."""
        self._task = entry.async_create_background_task(self._hass, self._run(), f"{DOMAIN} link {entry.entry_id}")

    async def async_stop(self) -> None:
        """Hang up."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when the connection was made or lost."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def async_publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Send a message; return whether the broker has taken it. Who it is for may not have it for all that."""
        if (client := self._client) is None:
            return False
        try:
            await client.publish(topic, payload, qos=qos, retain=retain)
        except aiomqtt.MqttError as error:
            _LOGGER.debug("A message could not be sent: %s", error)
            return False
        return True

    async def _run(self) -> None:
        wait = FIRST_WAIT
        context = await self._hass.async_add_executor_job(_make_context, self._broker)
        while True:
            begin = time.monotonic()
            try:
                await self._stay(context)
            except (aiomqtt.MqttError, ssl.SSLError) as error:
                self._lose(_fault_of(error), error)
            if time.monotonic() - begin > STEADY:
                wait = FIRST_WAIT
                self._thrown_out = 0
            # By chance, for a broker that comes back is greeted by all members at once.
            await asyncio.sleep(wait * (1 + random.random()))  # noqa: S311 - nothing to guess
            wait = min(2 * wait, LONGEST_WAIT)

    async def _stay(self, context: ssl.SSLContext | None) -> None:
        """Connect, and listen until the connection breaks."""
        client = _make_client(self._broker, context)
        async with client:
            await client.subscribe([(topic, 1) for topic in self._filters])
            self._client, self.fault, self.since = client, None, time.time()
            self._thrown_out += 1
            self._tell()
            greeting = asyncio.create_task(self._greeting())
            try:
                async for message in client.messages:
                    payload = message.payload
                    if not payload:
                        continue  # what the broker kept was taken away
                    if not isinstance(payload, bytes) or len(payload) > MAX_PAYLOAD:
                        self.oversized += 1
                        continue
                    self._receive(message.topic.value, payload)
            finally:
                self._client = None
                greeting.cancel()
                await asyncio.gather(greeting, return_exceptions=True)

    async def _greeting(self) -> None:
        with suppress(aiomqtt.MqttError):
            await self._greet()

    @callback
    def _lose(self, fault: str, error: Exception) -> None:
        if self.fault != fault:
            _LOGGER.info("No connection to the community's broker (%s): %s", fault, error)
            self.fault, self.since = fault, time.time()
        self._tell()

    @callback
    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _make_context(broker: Broker) -> ssl.SSLContext | None:
    """Return whom to trust; reading the system's certificates takes a while."""
    if not broker.tls:
        return None
    if broker.ca is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=broker.ca)
    return context


def _make_client(broker: Broker, context: ssl.SSLContext | None) -> _Client:
    return _Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        # The broker allows one connection for each user, known by its name: a second one takes the first's place.
        identifier=broker.username,
        protocol=aiomqtt.ProtocolVersion.V311,
        clean_session=True,
        keepalive=KEEPALIVE,
        timeout=LIMIT,
        tls_context=context,
        logger=_WIRE_LOG,
    )


async def async_try_broker(hass: HomeAssistant, broker: Broker) -> str | None:
    """Connect once; return why that failed, as a translation key, or None."""
    try:
        context = await hass.async_add_executor_job(_make_context, broker)
        async with _make_client(broker, context):
            return None
    except (aiomqtt.MqttError, ssl.SSLError) as error:
        return _fault_of(error)


async def async_publish_once(hass: HomeAssistant, broker: Broker, topic: str, payload: bytes, *, retain: bool) -> bool:
    """Connect, send one message and hang up; return whether the broker has taken it."""
    try:
        context = await hass.async_add_executor_job(_make_context, broker)
        async with _make_client(broker, context) as client:
            await client.publish(topic, payload, qos=1, retain=retain)
    except (aiomqtt.MqttError, ssl.SSLError) as error:
        _LOGGER.info("A last message could not be sent: %s", error)
        return False
    return True


def _fault_of(error: Exception) -> str:
    """Return why a connection failed, as a translation key."""
    if isinstance(error, aiomqtt.MqttCodeError) and getattr(error.rc, "value", error.rc) in _REFUSED:
        return "broker_refuses_member"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "broker_certificate"
        cause = cause.__cause__ or cause.__context__
    return "broker_unreachable"
