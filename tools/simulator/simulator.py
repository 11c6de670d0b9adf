"""One running meter: its second hand, its broker and what can go wrong with it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
import math
import time
from typing import Self

from .broker import EmbeddedBroker, ExternalBroker, MeterBroker
from .formats import Message
from .household import SECONDS, scene_of
from .profiles import DEFAULT_PROFILE, PROFILES, Request

BACKLOG = 5.0  # a simulator that falls behind by more skips what it missed [s]
SHORTEST_PAUSE = 0.05  # at high speed several seconds are told at once [s]


class Simulator:
    """A Fluksometer on this machine.

    >>> async with Simulator("household") as meter:
    ...     print(meter.port, meter.hostname)
    """

    def __init__(
        self,
        profile: str = DEFAULT_PROFILE,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        broker: tuple[str, int] | None = None,
        did: str | None = None,
        name: str | None = None,
        seed: int = 0,
        speed: float = 1.0,
        at: datetime | None = None,
        alpha: bool = False,
        shift_stamps: bool = True,
    ) -> None:
        """Choose the meter; nothing is opened before `start`."""
        request = Request(did=did, name=name, seed=seed, alpha=alpha, shift_stamps=shift_stamps)
        self.meter = PROFILES[profile].make(profile, request)
        self.profile = profile
        self.host = host
        self.speed = speed
        self.broker: MeterBroker = ExternalBroker(*broker) if broker else EmbeddedBroker(host, port)
        self._scene = scene_of(at or datetime.now(UTC))
        self._beat: asyncio.Task[None] | None = None
        self.seconds = 0  # told since the start

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """TCP port of the broker."""
        return self.broker.port

    @property
    def did(self) -> str:
        """Device id, 32 hex digits."""
        return self.meter.config.did

    @property
    def hostname(self) -> str:
        """Host name, `flukso-` and six hex digits."""
        return self.meter.config.hostname

    @property
    def received(self) -> Sequence[Message]:
        """What clients published to the embedded broker; a meter's client should publish nothing."""
        return self.broker.received if isinstance(self.broker, EmbeddedBroker) else ()

    async def start(self) -> None:
        """Open the ports and begin to measure. Raises OSError when a port is taken."""
        await self.broker.start()
        await self.broker.publish(self.meter.config.messages())
        self._beat = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Close everything."""
        if self._beat is not None:
            self._beat.cancel()
            with suppress(asyncio.CancelledError):
                await self._beat
            self._beat = None
        await self.broker.stop()

    async def _run(self) -> None:
        """Tell one second after the other, at the turn of the clock's seconds."""
        begun = math.floor(time.time()) - 1.0 / self.speed
        told = 0
        while True:
            due = int((time.time() - begun) * self.speed)
            if not told <= due <= told + BACKLOG * max(1.0, self.speed):
                begun, told, due = time.time() - 1 / self.speed, 0, 1  # the clock was set, or the machine slept
            while told < due:
                told += 1
                await self._second()
            await asyncio.sleep(max(begun + (told + 1) / self.speed - time.time(), SHORTEST_PAUSE))

    async def _second(self) -> None:
        self.seconds += 1
        self._scene = (self._scene + 1) % SECONDS
        await self.broker.publish(self.meter.second(int(time.time()), self._scene))
