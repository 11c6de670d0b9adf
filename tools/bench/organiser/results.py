"""What is measured, with the limits of the project, and the sentences that belong below the table."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from math import log
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
import time
from typing import Any, Final, NamedTuple, Self

import numpy as np

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, quarter_start
from custom_components.energy_neighbours.shared_ledger import FILE
from tools.bench.result import Result, compare
from tools.bench.worker import Worker
from tools.broker import ORGANISER, add_member, create
from tools.mosquitto import Mosquitto, free_port

from .street import COMMUNITY, Shares, Street

NAME: Final = "organiser"
CPU_LIMIT: Final = 2.0
"""A quarter-hour of the largest community is to be closed within this processor time [s]."""
STEP_LIMIT: Final = 50.0
"""No step of the event loop is to take longer [ms]."""
SIZES: Final = (50, 200, 500)
FEW: Final = 8
"""Members of a quick round."""
DAY: Final = 96
BEFORE: Final = 960
"""The organiser starts so long before the end of the last quarter-hour [s]: all may be asked again what it lacks."""
JUST_OVER: Final = 20
"""Members send it so long after its end [s]."""
SPREAD: Final = 10.0
"""Members send a quarter-hour within this time [s], as meters close it and Home Assistants write it."""
EVERY: Final = 10.0
"""Members tell their power so often [s]."""
REST: Final = 0.1
"""An organiser that uses less than this of a core rests."""
TAIL: Final = 5.0
"""After this time [s] all that follows is done, too: the sums for all are told after two seconds."""
CROWD: Final = "crowd"
_RIGHTS: Final = """
user {crowd}
topic write {root}/reading
topic write {root}/live
topic write {root}/consent
topic read {root}/request
topic read {root}/share
topic read {root}/share_now
"""

type Say = Callable[[str], None]


class Used(NamedTuple):
    """What serving all members took.

    Parameters
    ----------
    cpu
        Processor time of the organiser until all are served, less what it uses when nothing comes [s].
    whole
        The same until it rests again [s].
    longest
        The longest step of its event loop until then [s].
    seconds
        By the clock, from the first reading until all are served [s].
    idle
        What it uses when nothing comes, of a core.
    """

    cpu: float
    whole: float
    longest: float
    seconds: float
    idle: float


def run(*, rounds: int, quick: bool, say: Say) -> tuple[list[Result], list[str]]:
    """Measure; return the comparisons and the notes.

    Raises
    ------
    RuntimeError
        If a member is told another share than the pure engine makes of the readings.
    """
    sizes = (FEW,) if quick else SIZES
    spread = 1.0 if quick else SPREAD
    closed: dict[int, list[Used]] = {size: [] for size in sizes}
    again, live = [], []
    with TemporaryDirectory(prefix="bench-organiser-") as name:
        for number in range(rounds):
            folder = Path(name) / str(number)
            for size in sizes:
                say(f"round {number + 1} of {rounds}: {size} members, a quarter-hour")
                with _Case(folder / f"quarter-{size}", size, 1) as case:
                    closed[size].append(case.close(spread))
                    if size == sizes[-1]:
                        say(f"round {number + 1} of {rounds}: {size} members, their power")
                        live.append(case.tell_power(1.2 * EVERY if quick else 3 * EVERY))
            say(f"round {number + 1} of {rounds}: {size} members, a day again")
            with _Case(folder / "day", sizes[-1], DAY) as case:
                again.append(case.close(0))
    return _compare(closed, again, sizes[-1]), _notes(closed, again, live, rounds)


class _Case:
    """A community with its broker, its organiser and its members, each a process of its own."""

    def __init__(self, folder: Path, members: int, told: int) -> None:
        now = time.time()
        end = quarter_start(now) + QUARTER
        self._street = Street(members, told, end)
        self._ahead = end + JUST_OVER - now
        """How far the clocks of all are ahead of the real one when members send [s]."""
        self._folder = folder

    def __enter__(self) -> Self:
        folder = self._folder
        (folder / "home").mkdir(parents=True)
        self._street.write(folder / "home" / FILE)
        with ExitStack() as stack:
            self._home, self._crowd = stack.enter_context(_workers(folder, self._street, self._ahead))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def _read(self) -> dict[str, float]:
        self._home.ask("used")
        used: dict[str, float] = self._home.answer()
        return used

    def _rest(self) -> float:
        """Wait until the organiser has nothing to do; return what it uses then, of a core."""
        while True:
            self._read()
            time.sleep(2)
            used = self._read()
            if (idle := used["cpu"] / used["clock"]) < REST:
                return idle

    def close(self, spread: float) -> Used:
        """Let all send what they have."""
        expected = self._street.expected()
        self._rest()
        self._home.ask("go on", ahead=self._ahead)
        self._home.answer()
        idle = self._rest()
        self._read()
        self._crowd.ask("send", seconds=spread)
        served = self._crowd.answer()
        until = self._read()
        time.sleep(TAIL)
        after = self._read()
        _check(served["shares"], expected)
        cpu = until["cpu"] - idle * until["clock"]
        return Used(
            cpu,
            cpu + after["cpu"] - idle * after["clock"],
            max(until["longest"], after["longest"]),
            served["seconds"],
            idle,
        )

    def tell_power(self, seconds: float) -> tuple[float, float]:
        """Let all tell their power; return what the organiser uses of a core, and the longest step [s]."""
        idle = self._rest()
        self._read()
        self._crowd.ask("power", seconds=seconds, every=EVERY)
        told = self._crowd.answer()["told"]
        used = self._read()
        if told < self._street.members:
            raise RuntimeError(f"{self._street.members} members were told {told} live shares")
        return used["cpu"] / used["clock"] - idle, used["longest"]


@contextmanager
def _workers(folder: Path, street: Street, ahead: float) -> Iterator[tuple[Worker, Worker]]:
    broker = folder / "broker"
    port = free_port()
    password = create(broker, community=COMMUNITY, host="127.0.0.1", port=port, bind="127.0.0.1")
    with (broker / "acl").open("a", encoding="utf-8") as acl:
        acl.write(_RIGHTS.format(crowd=CROWD, root=f"energy-neighbours/v1/{COMMUNITY}/members/+"))
    where = {"host": "127.0.0.1", "port": port, "tls": True, "ca": (broker / "ca.pem").read_text(encoding="utf-8")}
    organiser = {**where, "username": ORGANISER, "password": password}
    crowd = {**where, "username": CROWD, "password": add_member(broker, CROWD)}
    given: dict[str, Any] = {"street": asdict(street), "ahead": ahead}
    at_home = {
        **given,
        "ahead": ahead - BEFORE - JUST_OVER,
        "broker": organiser,
        "folder": str(folder / "home"),
    }
    with (
        Mosquitto(broker, configured=True),
        Worker("tools.bench.organiser.crowd", {**given, "broker": crowd}, folder / "crowd.log") as members,
        Worker("tools.bench.organiser.home", at_home, folder / "home.log") as keeper,
    ):
        members.answer()  # they listen from now on
        keeper.answer()
        keeper.ask("organise")
        keeper.answer()
        yield keeper, members


def _check(told: Shares, expected: Shares) -> None:
    """Refuse to measure an organiser that tells something else than the engine."""
    if wrong := [code for code in expected if told.get(code) != expected[code]]:
        raise RuntimeError(f"{len(wrong)} of {len(expected)} members were told wrong shares, {wrong[0]} among them")


def _compare(closed: dict[int, list[Used]], again: Sequence[Used], most: int) -> list[Result]:
    def case(what: str, unit: str, values: Sequence[float], limit: float, *, target: bool) -> Result:
        return compare(NAME, what, unit, values, [limit] * len(values), 1 if target else None)

    results = []
    for size, used in closed.items():
        what, last = f"{size} members, a quarter-hour", size == most
        results += [
            case(f"{what}: CPU, limit", "s", [each.cpu for each in used], CPU_LIMIT, target=last),
            case(f"{what}: and until all is at rest", "s", [each.whole for each in used], CPU_LIMIT, target=last),
            case(f"{what}: longest step, limit", "ms", _longest(used), STEP_LIMIT, target=last),
        ]
    what = f"{most} members, a day again"
    one = [1e6 * each.cpu / (most * DAY) for each in again]
    return [
        *results,
        case(f"{what}: CPU of one's quarter-hour, limit", "us", one, 1e6 * CPU_LIMIT / SIZES[-1], target=True),
        case(f"{what}: longest step, limit", "ms", _longest(again), STEP_LIMIT, target=True),
    ]


def _longest(used: Sequence[Used]) -> list[float]:
    return [1e3 * each.longest for each in used]


def _notes(
    closed: dict[int, list[Used]], again: Sequence[Used], live: Sequence[tuple[float, float]], rounds: int
) -> list[str]:
    most = max(closed)
    clock = median(each.seconds for each in closed[most]), median(each.seconds for each in again)
    core = median(each[0] for each in live), median(each.idle for each in closed[most])
    notes = [
        f"Median of the rounds ({rounds}), least and most; ratio is limit / ours. Every share is the pure engine's.",
        f"By the clock {clock[0]:.1f} s for the quarter-hour of {most} members, {clock[1]:.1f} s for a day of all.",
        (
            f"While all tell their power each {EVERY:.0f} s: {core[0]:.1%} of a core, longest step "
            f"{1e3 * max(each[1] for each in live):.0f} ms; with nothing to do {core[1]:.1%}."
        ),
    ]
    if len(closed) > 1:
        x, y = ([log(each) for each in values] for values in (closed, map(_middle, closed.values())))
        slope = float(np.polyfit(x, y, 1)[0])
        notes.append(f"The processor time of a quarter-hour grows with the power {slope:.2f} of the members.")
    return notes


def _middle(used: Sequence[Used]) -> float:
    return median(each.cpu for each in used)
