"""What all simulated meters have in common: identity, one call a second, counters that can be reset and kept."""

from abc import ABC, abstractmethod
from math import sin, tau
from typing import Any

from .config import MeterConfig
from .formats import Message, flm02_message

KUBE_INTERVAL = 64  # a kube reports every so many seconds


class Meter(ABC):
    """One Fluksometer. It knows no broker: it turns seconds into messages."""

    def __init__(self, config: MeterConfig) -> None:
        """Take its identity; `config` stays owned by the meter and changes with it."""
        self.config = config
        self._paired: dict[int, int] = {}  # kube number -> age of the kube [s]
        self._moved = 0

    @abstractmethod
    def second(self, stamp: int, scene: int) -> list[Message]:
        """Measure one second and say what is published. `stamp` is the meter's clock, `scene` that of the household."""

    @abstractmethod
    def reset_counters(self) -> None:
        """Set all counters to zero."""

    def power_on(self) -> None:  # noqa: B027 - a replayed sample has nothing to forget
        """Forget what only the memory of the daemons held."""

    def counters(self) -> dict[str, Any]:
        """All counters, to be kept over a restart of the simulator."""
        return {}

    def restore(self, counters: dict[str, Any]) -> None:  # noqa: B027 - a replayed sample keeps nothing
        """Take counters kept by `counters`."""

    def recorded_gauges(self) -> dict[str, list[tuple[int, int]]]:
        """Gauges of the minute before the start, by sensor id: (age [s], value)."""
        return {}

    def pair_kube(self) -> int:
        """Pair one more kube, which reports from the next second on; return its number."""
        number = self.config.pair_kube()
        self._paired[number] = 0
        return number

    def kube_messages(self, stamp: int) -> list[Message]:
        """Report for the kubes that were paired since the start: compact and retained, every 64 s."""
        messages = []
        for number, age in self._paired.items():
            self._paired[number] = age + 1
            if age % KUBE_INTERVAL:
                continue
            self._moved += 1
            swing = sin(tau * age / 7200)
            readings = {
                "error": ("gauge", "0", ""),
                "battery": ("gauge", "3.3", "V"),
                "temperature": ("gauge", f"{round(20.5 + swing, 2):g}", "°C"),
                "humidity": ("gauge", f"{round(48 - 3 * swing, 1):g}", "%"),
                "pressure": ("gauge", f"{round(101325 + 40 * swing) + 0.25:.2f}", "Pa"),
                "light": ("gauge", f"{round(4 * (180 + 60 * swing)) / 4:g}", "lx"),
                "movement": ("counter", str(self._moved), ""),
            }
            sids = self.config.kube_sensors(number)
            messages += [
                flm02_message(f"/sensor/{sids[quantity]}/{kind}", stamp, text, unit)
                for quantity, (kind, text, unit) in readings.items()
                if quantity in sids
            ]
        return messages


class PulseInput:
    """A pulse input: it sees whole pulses only, and power as the time between two of them."""

    def __init__(self, thousandths: int, start: int) -> None:
        """Take the worth of a pulse in thousandths of Wh or L, and the count of pulses so far."""
        self.thousandths = thousandths
        self.pulses = start
        self.part = 0.0  # pulses since the last whole one
        self.quiet = 0.0  # time since the last whole pulse [s]
        self.seen = False  # the first pulse after the start tells no rate yet

    @property
    def total(self) -> int:
        """Counter in thousandths of Wh or L."""
        return self.pulses * self.thousandths

    def run(self, rate: float) -> list[float]:
        """Let one second pass at `rate` [Wh/s or L/s]; return the time since the one before [s] for each new pulse.

        The first pulse after `forget` has no predecessor: its time is 0.
        """
        per_second = rate * 1000 / self.thousandths
        pulses: list[float] = []
        passed = 0.0
        while per_second > 0 and passed + (wait := (1 - self.part) / per_second) <= 1:
            passed += wait
            pulses.append(self.quiet + wait if self.seen else 0.0)
            self.part, self.quiet, self.seen = 0.0, 0.0, True
            self.pulses += 1
        self.part += per_second * (1 - passed)
        self.quiet += 1 - passed
        return pulses

    def forget(self) -> None:
        """Forget the last pulse, as after a restart."""
        self.seen = False
        self.quiet = 0.0
