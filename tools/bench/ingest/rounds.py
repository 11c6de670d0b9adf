"""The rounds of the benchmark: all sides hear the same seconds of the same household, each in its own process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
import sqlite3
from tempfile import TemporaryDirectory
import time

from tools.bench.worker import Worker, WorkerError
from tools.mosquitto import Mosquitto

from .stream import LEAD

SIDES = ("site", "mqtt", "bare")
HOURS = (7.0, 12.5, 19.0, 3.0, 15.5, 22.0)
"""When the windows of the rounds begin, hours after the household's Monday: breakfast, sun, dinner, night, …"""
PATIENCE = 60
"""How long a side may take to work off what it was sent [s]."""

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What one side used up in one window.

    `cpu` is processor time [s], of a Home Assistant without what an idle one used at the same time. `simulated` is the
    length of the window in the household's seconds.
    """

    cpu: float
    messages: int
    rows: int
    simulated: int

    @property
    def cpu_per_message(self) -> float:
        """Processor time of a message [µs]."""
        return self.cpu / self.messages * 1e6

    @property
    def share(self) -> float:
        """Share of one core that a meter takes at its own pace [%]."""
        return self.cpu / self.simulated * 100

    @property
    def rows_per_day(self) -> float:
        """Rows of the recorder in a day of the household, at this window's pace; no row counts as one."""
        return max(self.rows, 1) / self.simulated * 86_400


type Round = Mapping[str, Window]


@dataclass(frozen=True, slots=True)
class _Mark:
    cpu: float
    clock: float
    messages: int
    rows: int


class Bench:
    """All processes of the benchmark at one speed."""

    def __init__(self, folder: Path, stack: ExitStack, speed: float) -> None:
        self._speed = speed
        brokers = {side: stack.enter_context(Mosquitto(folder / f"{side}-broker")) for side in SIDES}
        ports = {side: broker.port for side, broker in brokers.items()}

        def work(module: str, name: str, **arguments: object) -> Worker:
            return stack.enter_context(Worker(f"tools.bench.ingest.{module}", arguments, folder / f"{name}.log"))

        self._stream = work("stream", "stream", ports=ports)
        topics = self._stream.answer()["topics"]
        self._folders = {kind: folder / kind for kind in ("site", "mqtt", "idle")}
        self._sides = {
            kind: work("home", kind, kind=kind, folder=str(home), port=ports.get(kind, 0), speed=speed, topics=topics)
            for kind, home in self._folders.items()
        }
        self._sides["bare"] = work("bare", "bare", port=ports["bare"])
        ready = {side: worker.answer() for side, worker in self._sides.items()}
        self.enabled: Sequence[str] = ready["site"]["enabled"]
        self.topics = len(topics)

    def window(self, number: int, seconds: int) -> Round:
        """Play the window of the round `number`, of `seconds` [s] on the wall clock."""
        order = [*SIDES[number % len(SIDES) :], *SIDES[: number % len(SIDES)]]
        day, place = divmod(number, len(HOURS))
        hour = HOURS[place] + 24 * day
        lead = max(LEAD, round(self._speed))
        simulated = round(seconds * self._speed)
        self._play(hour - lead / 3600, lead, order)
        before = self._settled(None, 0)
        sent = self._play(hour, simulated, order)
        after = self._settled(before, sent)
        used = {side: (after[side].cpu - before[side].cpu, after[side].clock - before[side].clock) for side in after}
        idle = used["idle"][0] / used["idle"][1]
        return {
            side: Window(
                # In a very short window the idle one may have had more to do.
                cpu=max(used[side][0] - (idle * used[side][1] if side in self._folders else 0), 1e-6),
                messages=sent,
                rows=after[side].rows - before[side].rows,
                simulated=simulated,
            )
            for side in SIDES
        }

    def _play(self, hour: float, seconds: int, order: Sequence[str]) -> int:
        self._stream.ask("play", hour=hour, seconds=seconds, speed=self._speed, order=order)
        sent: int = self._stream.answer()["sent"]
        return sent

    def _settled(self, before: Mapping[str, _Mark] | None, sent: int) -> dict[str, _Mark]:
        """Mark where each side stands when it has worked off all that was sent; every message must have arrived."""
        end = time.monotonic() + PATIENCE
        while True:
            time.sleep(1)
            marks = self._marks()
            if before is None:
                return marks
            missing = {side: sent - (marks[side].messages - before[side].messages) for side in SIDES}
            if not any(missing.values()):
                return marks
            if time.monotonic() > end:
                raise WorkerError(f"of {sent} messages some were lost: {missing}")

    def _marks(self) -> dict[str, _Mark]:
        for worker in self._sides.values():
            worker.ask("mark")
        marks = {}
        for side, worker in self._sides.items():
            answer = worker.answer()
            rows = self._rows(side)
            # Each message forces a state, so with the built-in sensors the rows are the messages.
            messages = answer["messages"] if answer["messages"] is not None else rows
            marks[side] = _Mark(answer["cpu"], answer["clock"], messages, rows)
        return marks

    def _rows(self, side: str) -> int:
        if side not in self._folders:
            return 0
        database = self._folders[side] / "home-assistant_v2.db"
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            rows: int = connection.execute("SELECT COUNT(*) FROM states").fetchone()[0]
            return rows


@contextmanager
def bench(speed: float) -> Iterator[Bench]:
    """Start all processes in a folder of their own, and end them."""
    with TemporaryDirectory(prefix="bench-ingest-") as folder, ExitStack() as stack:
        yield Bench(Path(folder), stack, speed)


def measure(speed: float, seconds: int, rounds: int, say: Say) -> tuple[list[Round], Bench]:
    """Measure all rounds at one speed."""
    say(f"starting three Home Assistants for {speed:g} bursts a second")
    with bench(speed) as running:
        results = []
        for number in range(rounds):
            say(f"{speed:g} bursts a second: round {number + 1} of {rounds}, {seconds} s")
            results.append(running.window(number, seconds))
        return results, running
