"""The standing link to one Fluksometer: it listens, notices silence, reconnects, and falls back to REST."""

import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum
import logging
import random
import time

import aiohttp

from .connection import Connection, client_id as new_client_id, open_connection
from .discovery import SETTLE_CONFIG
from .dispatch import Dispatcher
from .exceptions import FluksoError
from .fallback import RestFallback, gauge_units
from .models import ChannelKind, Device, Model, Reading
from .rest import REST_PORT
from .statistics import Statistics

FIRST_DELAY = 1.0
MAX_DELAY = 300.0
MAX_DELAY_IN_FALLBACK = 30.0
"""The meter is up when its REST service answers, so its broker will be back soon [s]."""

CONNECT_LIMIT = 10.0
"""How long each step of connecting may take [s]."""

STABLE_AFTER = 60.0
"""A connection that lasted this long [s] was a good one: the next attempt comes at once again."""

RECONNECT_AFTER_SILENCES = 5
"""After so many times `silent_after` a connection that seems alive is made anew: the broker may have forgotten us."""

_CHECKS_PER_SILENCE = 6

_LOGGER = logging.getLogger(__name__)


class LinkState(StrEnum):
    """How the link stands."""

    CONNECTING = "connecting"  # nothing has failed yet
    ONLINE = "online"
    SILENT = "silent"  # the broker answers, but no reading is sent
    FALLBACK = "fallback"  # no broker; live values come by REST
    OFFLINE = "offline"


class FluksoClient:
    """Listens to one meter for as long as `run` runs. It never publishes anything.

    Parameters
    ----------
    host, port
        Where the meter's broker is.
    did
        The meter's id. The broker may be bridged and carry several meters: any other one is refused. If None, the
        first device that describes its sensors is taken.
    on_reading
        Called with each reading of an enabled sensor.
    on_device
        Called with the device when its configuration is known, and again only when it changed.
    on_state
        Called when the state of the link changes.
    session
        For the FLM02's REST service, used while the broker cannot be reached; without it there is no such fallback.
    rest_port
        Port of the REST service.
    rest_sensors
        Sensors to ask by REST before the first configuration: sid to unit (W or L/day; None if not known).
    client_id
        MQTT client id; made up if None. It must be unique on the broker.
    silent_after
        After how long without any live reading [s] the meter counts as silent. Meters with nothing but pulse inputs
        and room sensors may rightly send nothing for hours and never count as silent.
    clock
        Our own time [s, Unix].

    """

    def __init__(
        self,
        host: str,
        port: int = 1883,
        *,
        did: str | None = None,
        on_reading: Callable[[Reading], None] | None = None,
        on_device: Callable[[Device], None] | None = None,
        on_state: Callable[[LinkState], None] | None = None,
        session: aiohttp.ClientSession | None = None,
        rest_port: int = REST_PORT,
        rest_sensors: Mapping[str, str | None] | None = None,
        client_id: str | None = None,
        silent_after: float = 60,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host = host
        self.port = port
        self._client_id = client_id or new_client_id()
        self._on_device = on_device
        self._on_state = on_state
        self._silent_after = silent_after
        self._state = LinkState.CONNECTING
        self._failures = 0
        self._announcement: asyncio.TimerHandle | None = None
        self._dispatcher = Dispatcher(
            did=did,
            on_reading=on_reading or _ignore,
            on_live=self._come_alive,
            on_config=self._announce_soon,
            clock=clock,
        )
        self._rest_sensors = rest_sensors or {}
        self._fallback = (
            RestFallback(
                session,
                host,
                port=rest_port,
                statistics=self.statistics,
                on_reading=self._dispatcher.pass_on,
                on_working=self._note_fallback,
                clock=clock,
            )
            if session is not None
            else None
        )

    @property
    def state(self) -> LinkState:
        """How the link stands."""
        return self._state

    @property
    def device(self) -> Device | None:
        """The device by its last good configuration."""
        return self._dispatcher.device

    @property
    def did(self) -> str | None:
        """The device's id, given or learnt."""
        return self._dispatcher.did

    @property
    def statistics(self) -> Statistics:
        """What happened since the client was made."""
        return self._dispatcher.statistics

    async def run(self) -> None:
        """Keep the link up until cancelled; no failure of the network or the meter ends it."""
        try:
            while True:
                await self._connect_and_listen()
                await asyncio.sleep(self._delay())
        finally:
            self._stop_announcement()
            if self._fallback is not None:
                await self._fallback.stop()

    async def _connect_and_listen(self) -> None:
        loop = asyncio.get_running_loop()
        connected_at: float | None = None
        try:
            async with open_connection(
                self.host, self.port, self._dispatcher.receive, identifier=self._client_id, limit=CONNECT_LIMIT
            ) as connection:
                await connection.subscribe()
                connected_at = loop.time()
                self.statistics.connects += 1
                if self._fallback is not None:
                    await self._fallback.stop()
                if self._state is not LinkState.SILENT:
                    self._set_state(LinkState.ONLINE)
                await self._listen(connection)
        except FluksoError as error:
            self.statistics.failures += 1
            if connected_at is None:
                self._note_failure(error)
            else:
                _LOGGER.debug("%s", error)
                self._set_state(LinkState.CONNECTING)
        finally:
            self._dispatcher.watch_life(on=False)
        if connected_at is not None and loop.time() - connected_at >= STABLE_AFTER:
            self._failures = 0
        else:
            self._failures += 1

    async def _listen(self, connection: Connection) -> None:
        """Watch over an open connection until it breaks, or until silence makes a new one the better choice."""
        silence = 0.0
        live = self._dispatcher.live
        interval = self._silent_after / _CHECKS_PER_SILENCE
        self._dispatcher.watch_life(on=self._state is LinkState.SILENT)
        while silence < RECONNECT_AFTER_SILENCES * self._silent_after:
            try:
                async with asyncio.timeout(interval):
                    await connection.lost()
            except TimeoutError:
                pass
            if live != self._dispatcher.live or not self._expects_readings():
                live = self._dispatcher.live
                silence = 0.0
                continue
            silence += interval
            if silence >= self._silent_after and self._state is not LinkState.SILENT:
                self._set_state(LinkState.SILENT)
                self._dispatcher.watch_life(on=True)
        _LOGGER.debug("%s stays silent, connecting anew", self.host)

    def _expects_readings(self) -> bool:
        """Whether a sound meter of this configuration sends something all the time."""
        device = self._dispatcher.device
        if device is None:
            return True
        return device.sends_gauges and any(
            channel.kind in (ChannelKind.CLAMP, ChannelKind.P1) for channel in device.channels
        )

    def _come_alive(self) -> None:
        self._dispatcher.watch_life(on=False)
        self._set_state(LinkState.ONLINE)

    def _note_failure(self, error: FluksoError) -> None:
        level = logging.DEBUG if self._state in (LinkState.OFFLINE, LinkState.FALLBACK) else logging.INFO
        _LOGGER.log(level, "%s", error)
        if self._fallback is not None and self._rest_is_possible():
            self._fallback.start(self._rest_units())
        if self._state is not LinkState.FALLBACK:
            self._set_state(LinkState.OFFLINE)

    def _rest_is_possible(self) -> bool:
        device = self._dispatcher.device
        return bool(self._rest_sensors) if device is None else device.model is Model.FLM02

    def _rest_units(self) -> dict[str, str | None]:
        device = self._dispatcher.device
        return gauge_units(device) if device is not None else dict(self._rest_sensors)

    def _note_fallback(self, works: bool) -> None:
        self._set_state(LinkState.FALLBACK if works else LinkState.OFFLINE)

    def _delay(self) -> float:
        """How long to wait [s]: exponential back-off with full jitter, so that clients do not return in step."""
        limit = MAX_DELAY_IN_FALLBACK if self._state is LinkState.FALLBACK else MAX_DELAY
        return random.uniform(0, min(limit, FIRST_DELAY * 2 ** min(self._failures, 16)))  # noqa: S311 - no secret

    def _set_state(self, state: LinkState) -> None:
        if state is self._state:
            return
        self._state = state
        if self._on_state is not None:
            self._call(self._on_state, state)

    def _announce_soon(self) -> None:
        """Wait for the other parts of the configuration, which come together and in any order."""
        if self._announcement is None:
            self._announcement = asyncio.get_running_loop().call_later(SETTLE_CONFIG, self._announce)

    def _announce(self) -> None:
        self._announcement = None
        device = self._dispatcher.announce()
        if device is not None and self._on_device is not None:
            self._call(self._on_device, device)
        self._dispatcher.release()

    def _stop_announcement(self) -> None:
        if self._announcement is not None:
            self._announcement.cancel()
            self._announcement = None

    @staticmethod
    def _call[T](callback: Callable[[T], None], argument: T) -> None:
        """Call somebody else's code, which must not be able to end the link."""
        try:
            callback(argument)
        except Exception:
            _LOGGER.exception("A receiver of the link failed")


def _ignore(reading: Reading) -> None:
    """Take a reading that nobody wants."""
