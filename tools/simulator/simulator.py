"""One running meter: its second hand, its open ports and what can go wrong with it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
import json
import math
from pathlib import Path
import time
from typing import Self

from .blocks import BlockStore
from .broker import EmbeddedBroker, ExternalBroker, MeterBroker
from .clock import CLOCK_SET, DeviceClock
from .faults import FAULTS, Fault, FaultError, StateError
from .formats import Message
from .garbage import garbage
from .household import SECONDS, scene_of
from .mdns import Announcer
from .profiles import DEFAULT_PROFILE, PROFILES, Request
from .rest import RestService

BACKLOG = 5.0  # a simulator that falls behind by more skips what it missed [s]
SHORTEST_PAUSE = 0.05  # at high speed several seconds are told at once [s]
GARBAGE_A_SECOND = 5
STATE_INTERVAL = 10  # the counters are written to the state file every so many seconds


class Simulator:
    """A Fluksometer on this machine.

    >>> async with Simulator("household") as meter:
    ...     print(meter.port, meter.hostname)
    ...     await meter.fault("reboot", 5)
    ...     await meter.recovered()
    """

    def __init__(
        self,
        profile: str = DEFAULT_PROFILE,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rest_port: int = 0,
        broker: tuple[str, int] | None = None,
        did: str | None = None,
        name: str | None = None,
        seed: int = 0,
        kwp: float | None = None,
        days: int = 0,
        speed: float = 1.0,
        at: datetime | None = None,
        alpha: bool = False,
        mdns: bool = False,
        faults: Sequence[Fault] = (),
        state: Path | None = None,
        shift_stamps: bool = True,
        paused: bool = False,
    ) -> None:
        """Choose the meter; nothing is opened before `start`.

        Ports of 0 take free ones. `broker` (host, port) publishes to a broker that runs already. `at` is the moment of
        the household's fortnight to begin with (an aware time). `kwp` is the size of its roof, and with `days` it
        consumes what was recorded so many days later. `state` keeps the counters over a restart. With `speed` X,
        X seconds of the household pass in each second: messages, watts and counters run X times as fast, time stamps
        stay those of the wall clock. `shift_stamps` False replays a sample with its recorded stamps.
        `paused` opens the ports but measures nothing before `resume`, so that a client misses nothing.
        Raises FaultError for a fault that this meter cannot have.
        """
        request = Request(did=did, name=name, seed=seed, kwp=kwp, days=days, alpha=alpha, shift_stamps=shift_stamps)
        self.meter = PROFILES[profile].make(profile, request)
        self.profile = profile
        self.host = host
        self.speed = speed
        self.active: set[str] = set()  # faults that are in effect
        self.seconds = 0  # told since the start
        self.broker: MeterBroker = ExternalBroker(*broker) if broker else EmbeddedBroker(host, port)
        self._rest = None if self.meter.config.is_flm03 else RestService(host, rest_port, self.meter)
        self._announcer = Announcer(host) if mdns else None
        self._clock = DeviceClock()
        self._blocks = BlockStore(self.meter.config)
        self._garbage_round = 0
        self.scene = scene_of(at or datetime.now(UTC))  # second of the household's fortnight
        self._faults = faults
        self._state = state
        self._endings: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._failed = asyncio.Event()
        self._measuring = asyncio.Event()
        if not paused:
            self.resume()
        for fault in faults:
            self._check(fault.kind)

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
    def rest_port(self) -> int | None:
        """TCP port of the REST service; None on an FLM03, which has none."""
        return None if self._rest is None else self._rest.port

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
        """Open the ports and begin to measure.

        Raises OSError when a port is taken or the state file cannot be written, StateError when that is not ours.
        """
        self._load()
        self._save()  # better now than after an hour
        from_the_start = [fault for fault in self._faults if not fault.after and not FAULTS[fault.kind].closes]
        for fault in from_the_start:
            await self._begin(fault.kind)
        try:
            await self.open_ports()
        except OSError:
            await self.stop()
            raise
        await self.publish_config()
        for fault in self._faults:
            if fault in from_the_start:
                self._end_later(fault.kind, fault.seconds)
            else:
                self.later(fault.after, partial(self.fault, fault.kind, fault.seconds))
        self._spawn(self._run())

    async def stop(self) -> None:
        """Close everything. Raises what broke the simulator, if anything did."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.close_ports()
        self._save()
        if self._failure is not None:
            raise self._failure

    def resume(self) -> None:
        """Begin to measure, if `paused` was asked for."""
        self._measuring.set()

    async def failed(self) -> None:
        """Wait until the simulator breaks down, which it never should; `stop` then raises the reason."""
        await self._failed.wait()

    async def fault(self, kind: str, seconds: float | None = None) -> None:
        """Let something go wrong; it is in effect when this returns.

        It ends by itself after `seconds` [s] (None: as long as is usual for its kind; 0: never). Raises FaultError.
        """
        self._check(kind)
        if kind not in self.active:
            await self._begin(kind)
        self._end_later(kind, seconds)

    async def silence(self, seconds: float) -> None:
        """Send nothing for `seconds` [s], broker open."""
        await self.fault("silence", seconds)

    async def repair(self, kind: str) -> None:
        """End a fault now."""
        if (ending := self._endings.pop(kind, None)) is not None:
            ending.cancel()
        if kind in self.active:
            await self._end(kind)

    async def recovered(self) -> None:
        """Wait until the faults that end by themselves are over, and those that follow from them."""
        while self._endings:
            await asyncio.wait(self._endings.values())

    def _check(self, kind: str) -> None:
        fault = FAULTS.get(kind)
        if fault is None:
            raise FaultError(f"unknown fault {kind!r}; known are {', '.join(FAULTS)}")
        if fault.flm02_only and self.meter.config.is_flm03:
            raise FaultError(f"{kind} exists on the FLM02 only")
        if fault.own_broker and not isinstance(self.broker, EmbeddedBroker):
            raise FaultError(f"{kind} needs the simulator's own broker")

    async def _begin(self, kind: str) -> None:
        if FAULTS[kind].end is not None:
            self.active.add(kind)
        await FAULTS[kind].begin(self)

    async def _end(self, kind: str) -> None:
        if (end := FAULTS[kind].end) is not None:
            await end(self)
        self.active.discard(kind)

    def _end_later(self, kind: str, seconds: float | None) -> None:
        fault = FAULTS[kind]
        seconds = fault.seconds if seconds is None else seconds
        if (running := self._endings.pop(kind, None)) is not None:
            running.cancel()
        if fault.end is None or not seconds:
            return

        async def end() -> None:
            await asyncio.sleep(seconds)
            await self._end(kind)
            if self._endings.get(kind) is asyncio.current_task():
                del self._endings[kind]

        self._endings[kind] = self._spawn(end())

    def later(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step after `seconds` [s], unless the simulator is stopped before."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            await step()

        self._spawn(wait())

    def _spawn(self, steps: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(steps)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failure = self._failure or failure
            self._failed.set()

    def clock_unset(self) -> None:
        """Let the clock count from zero while `clock-unset` is active."""
        self._clock.begin_unset()

    def forget_readings(self) -> None:
        """Lose what is only in memory."""
        self._blocks.clear()
        if self._rest is not None:
            self._rest.window.clear()

    async def open_ports(self) -> None:
        """Open broker and REST service and announce them."""
        await self.broker.start()
        if self._rest is not None:
            await self._rest.start()
        await self._announce()

    async def close_ports(self) -> None:
        """Close broker and REST service."""
        if self._announcer is not None:
            await self._announcer.withdraw()
        if self._rest is not None:
            await self._rest.stop()
        await self.broker.stop()

    async def config_changed(self) -> None:
        """Let everybody know of a changed configuration."""
        self._blocks.configure()
        if "reboot" not in self.active:
            await self.publish_config()
            await self._announce()

    async def want_password(self, *, wanted: bool) -> None:
        """Let the own broker refuse (or allow) clients without the right password."""
        if isinstance(self.broker, EmbeddedBroker):
            await self.broker.want_password(wanted=wanted)

    async def publish_config(self, *, hidden: bool | None = None) -> None:
        """Publish the configuration, as the daemons do at their start, unless `no-config` hides it."""
        if not ("no-config" in self.active if hidden is None else hidden):
            await self.broker.publish(self.meter.config.messages())

    async def _announce(self) -> None:
        if self._announcer is not None:
            await self._announcer.announce(self.meter.config, self.port, self.rest_port)

    async def _run(self) -> None:
        """Tell one second after the other, at the turn of the clock's seconds."""
        await self._measuring.wait()
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
        self.scene = (self.scene + 1) % SECONDS
        if self.seconds % STATE_INTERVAL == 0:
            self._save()
        if "reboot" in self.active:
            return
        self._clock.unset = "clock-unset" in self.active
        self._clock.wrong = "clock-wrong" in self.active
        stamp = self._clock.stamp()
        messages = self.meter.second(stamp, self.scene)
        config = self.meter.config
        if "silence" in self.active or (stamp < CLOCK_SET and not config.is_flm03):
            return
        for kind, branch in (("counter", "wan"), ("gauge", "lan")):
            if not config.branch_on(branch):
                messages = [message for message in messages if not message.topic.endswith(kind)]
        if self._rest is not None:
            self._rest.window.note(stamp, messages)
        messages += self._blocks.note(stamp, messages)
        if "garbage" in self.active:
            self._garbage_round += 1
            begin = self._garbage_round * GARBAGE_A_SECOND
            everything = list(garbage(config, stamp))
            messages += islice(cycle(everything), begin % len(everything), begin % len(everything) + GARBAGE_A_SECOND)
        await self.broker.publish(messages)

    def _load(self) -> None:
        if self._state is None or not self._state.is_file():
            return
        try:
            self.meter.restore(json.loads(self._state.read_text(encoding="utf-8")))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            self._state, path = None, self._state  # what is not ours is not overwritten
            raise StateError(f"{path} does not hold the counters of a {self.profile} meter") from error

    def _save(self) -> None:
        """Write the counters to the state file, whole or not at all."""
        if self._state is None:
            return
        fresh = self._state.with_suffix(".new")
        fresh.write_text(json.dumps(self.meter.counters()), encoding="utf-8")
        fresh.replace(self._state)
