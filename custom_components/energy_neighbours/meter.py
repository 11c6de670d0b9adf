"""What every meter has in common, whatever it is: its channels, and what a site asks of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from .core.channel import Assignment, Role, SiteLayout


class Medium(StrEnum):
    """What flows through a channel, as far as we treat it differently."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    WATER = "water"
    HEAT = "heat"
    ROOM = "room"  # a kube: nothing flows


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterChannel:
    """One channel of a site's meter, with the role that the user gave it.

    `quantities` are the values it has beside its power and energy (see `quantities.py`). `counts` tells that it has an
    energy (or volume) register, `has_rate` that it has a momentary power (or flow), `two_way` that it tells offtake
    from injection. A channel without a name is wholly shown by the totals and phases of its site.
    """

    key: str
    name: str
    medium: Medium = Medium.ELECTRICITY
    assignment: Assignment | None = None
    quantities: frozenset[str] = field(default_factory=frozenset)
    has_rate: bool = True
    counts: bool = True
    two_way: bool = False


@dataclass(frozen=True, slots=True)
class MeterDevice:
    """How the meter presents itself in Home Assistant's device list."""

    name: str
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    is_service: bool = False


class MeterListener(Protocol):
    """What a meter tells its site."""

    def touch(self) -> None:
        """Take note that values have changed."""

    def add_energy(self, key: str, forward: float, backward: float, time: float, seconds: float) -> None:
        """Book energy that a channel counted [Wh] in the `seconds` [s] before `time` [s, Unix]; zero is told, too."""

    def add_grid_energy(self, offtake: float, injection: float, time: float, seconds: float) -> None:
        """Book energy that the meter counted for the whole connection, netted over its phases [Wh]."""

    def miss_energy(self, key: str, time: float, seconds: float) -> None:
        """Take note that a counter began anew: what it counted in the `seconds` before `time` is not known."""

    def set_connected(self, *, connected: bool) -> None:
        """Take note that the meter answers, or does not."""


class Meter(Protocol):
    """A site's meter.

    `layout` holds the roles of its channels, `channels` what is shown of them by key, and `last_reading` tells when the
    last live reading came [s, Unix]. `silent_fault` is the translation key of the fault that it tells nothing for long.
    `integrated` are the sides whose power alone is known, and `settle` is how long after its end [s] a quarter-hour may
    still be told of.
    """

    silent_fault: ClassVar[str]
    settle: ClassVar[int]
    integrated: frozenset[Role]
    layout: SiteLayout
    channels: Mapping[str, MeterChannel]
    last_reading: float | None

    @property
    def device(self) -> MeterDevice:
        """How it presents itself."""

    @property
    def messages_dropped(self) -> int:
        """How many messages could not be used since the start."""

    async def async_start(self, site: MeterListener) -> None:
        """Begin to measure. Raise `ConfigEntryNotReady` when the meter cannot be reached."""

    async def async_stop(self) -> None:
        """Stop measuring and release what is held."""

    def power(self, key: str, now: float) -> float | None:
        """Return the power of a channel [W], or its flow [L/min], with the sign of its role; None if not known."""

    def value(self, key: str, quantity: str, now: float) -> float | None:
        """Return another value of a channel, in the unit of `quantities.py`; None if not known."""

    def has_counted(self, key: str) -> bool:
        """Whether all counters of a channel were heard since the start, so that its registers are up to date."""

    def heard_until(self, side: Role) -> float | None:
        """Return the time until which all counters of a side have told what they counted [s, Unix]; None if never."""

    def faults(self, now: float) -> Mapping[str, Mapping[str, str]]:
        """Return the faults that need a hand at the meter, by translation key, with their placeholders."""

    def dump(self) -> dict[str, Any]:
        """Return the JSON-ready state that must survive a restart."""

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take back what `dump` gave before the restart."""

    def diagnostics(self) -> dict[str, Any]:
        """Return what helps to find a fault, without anything that identifies the household."""
