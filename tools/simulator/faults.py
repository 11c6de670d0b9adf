"""What can go wrong with a meter, on demand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .simulator import Simulator

BOOT_WITHOUT_CLOCK = 3.0  # after a reboot the clock is unset for so long, until network time arrives [s]
DAEMON_RESTART = 2.0  # after the broker came back the daemons publish their configuration so much later [s]


class FaultError(ValueError):
    """A fault that is not known, or that this meter cannot have. Its text says why in one sentence."""


class StateError(ValueError):
    """The state file holds something else than this meter's counters."""


@dataclass(frozen=True)
class Fault:
    """A fault to come: `after` [s] from the start, for `seconds` [s] (None: as long as is usual for its kind)."""

    kind: str
    after: float = 0.0
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `KIND[@SECONDS][+SECONDS]`. Raises FaultError."""
        start, _, seconds = text.partition("+")
        kind, _, after = start.partition("@")
        if kind not in FAULTS:
            raise FaultError(f"unknown fault {kind!r}; known are {', '.join(FAULTS)}")
        try:
            fault = cls(kind, float(after or 0), float(seconds) if seconds else None)
        except ValueError:
            raise FaultError(f"{text!r} is not a fault: write KIND, KIND@START or KIND@START+DURATION [s]") from None
        if not (0 <= fault.after < inf and 0 <= (fault.seconds or 0) < inf):
            raise FaultError(f"{text!r} has an impossible time")
        return fault


type Step = Callable[[Simulator], Awaitable[None]]


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault. `seconds` is its usual duration [s]; 0: it happens in an instant or stays to the end."""

    description: str
    begin: Step
    end: Step | None = None
    seconds: float = 0.0
    flm02_only: bool = False
    own_broker: bool = False  # impossible when the messages go to somebody else's broker
    closes: bool = False  # ports are shut, so it cannot begin before they were open

    @property
    def duration(self) -> str:
        """How long it lasts, for people."""
        if self.end is None:
            return "at once"
        return f"{self.seconds:g} s" if self.seconds else "to the end"


async def _nothing(sim: Simulator) -> None:
    """Do nothing more: what a second tells depends on the faults that are active."""


async def _power_off(sim: Simulator) -> None:
    await sim.close_ports()


async def _power_on(sim: Simulator) -> None:
    sim.meter.power_on()
    sim.forget_readings()
    await sim.fault("clock-unset", BOOT_WITHOUT_CLOCK)
    await sim.open_ports()
    await sim.publish_config()


async def _reset_counters(sim: Simulator) -> None:
    sim.meter.reset_counters()


async def _unset_clock(sim: Simulator) -> None:
    sim.clock_unset()


async def _broker_down(sim: Simulator) -> None:
    await sim.broker.stop()


async def _broker_up(sim: Simulator) -> None:
    await sim.broker.start()
    sim.later(DAEMON_RESTART, sim.publish_config)


async def _rename(sim: Simulator) -> None:
    sim.meter.config.rename_port()
    await sim.config_changed()


async def _pair(sim: Simulator) -> None:
    sim.meter.pair_kube()
    await sim.config_changed()


async def _hide_config(sim: Simulator) -> None:
    await sim.broker.forget(message.topic for message in sim.meter.config.messages() if message.retain)


async def _show_config(sim: Simulator) -> None:
    await sim.publish_config(hidden=False)


async def _want_password(sim: Simulator) -> None:
    await sim.want_password(wanted=True)


async def _welcome(sim: Simulator) -> None:
    await sim.want_password(wanted=False)


def _branch(branch: str, *, on: bool) -> Step:
    async def switch(sim: Simulator) -> None:
        sim.meter.config.switch_branch(branch, on=on)
        await sim.config_changed()

    return switch


FAULTS = {
    "reboot": FaultKind(
        "power fails: all ports closed, what was retained is lost, and the clock is unset for 3 s afterwards",
        _power_off,
        _power_on,
        20,
        closes=True,
    ),
    "counter-reset": FaultKind("all counters start again from zero", _reset_counters),
    "clock-unset": FaultKind(
        "no network time: the FLM03 sends tiny time stamps, -1 too; the FLM02 sends nothing", _unset_clock, _nothing, 30
    ),
    "clock-wrong": FaultKind("time stamps two hours ahead", _nothing, _nothing, 60),
    "silence": FaultKind("broker open, but the daemons send nothing", _nothing, _nothing, 30),
    "garbage": FaultKind("among the true messages broken, foreign and absurd ones", _nothing, _nothing, 30),
    "broker-down": FaultKind(
        "broker closed; it comes back empty and 2 s later the configuration again",
        _broker_down,
        _broker_up,
        20,
        own_broker=True,
        closes=True,
    ),
    "config-change": FaultKind("the owner renames a port", _rename),
    "kube-paired": FaultKind("the owner pairs a kube: nine new sensors", _pair),
    "lan-branch-off": FaultKind(
        "FLM02: LAN branch off, so no gauges and no _flukso._tcp",
        _branch("lan", on=False),
        _branch("lan", on=True),
        flm02_only=True,
    ),
    "wan-branch-off": FaultKind(
        "FLM02: cloud branch off, so no counters", _branch("wan", on=False), _branch("wan", on=True), flm02_only=True
    ),
    "no-config": FaultKind("no configuration on the broker, only readings", _hide_config, _show_config),
    "password": FaultKind("the broker refuses everybody without a password", _want_password, _welcome, own_broker=True),
}
