"""What is compared, with the targets of the project, and the sentences that belong below the table."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
import time
from typing import Any, Final

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, Span
from custom_components.energy_neighbours.ledger import Ledger
from custom_components.energy_neighbours.shared_ledger import FILE
from tools.bench.result import Result, compare
from tools.bench.worker import Worker

from .plain import PlainFile
from .year import MONTH, SITE, quarter_hours, state, write_imported, write_measured, year_until_now

NAME = "ledger"
READ_LIMIT: Final = 10.0
"""A month is to be read within this [ms]."""
SIZE_LIMIT: Final = 6.0
"""A year is to need no more than this [MB]."""
SET_UP_LIMIT: Final = 500.0
"""The event loop is to be busy no longer than this until a site with a year is set up [ms]."""
READS, BOOKINGS = 30, 200
FEW: Final = 5
"""Reads and bookings of a round, and those of a quick one."""

type Say = Callable[[str], None]


def run(*, rounds: int, quick: bool, say: Say) -> tuple[list[Result], list[str]]:
    """Measure; return the comparisons and the notes."""
    year = year_until_now()
    quarters = quarter_hours(year)
    reads, bookings, starts = [], [], []
    with TemporaryDirectory(prefix="bench-ledger-") as name:
        folder = Path(name)
        file = folder / "year.db"
        write_measured(file, quarters)
        size = file.stat().st_size / 1e6
        for number in range(rounds):
            say(f"ledger, round {number + 1} of {rounds}: a month")
            reads.append(_read(file, year, FEW if quick else READS))
            say(f"ledger, round {number + 1} of {rounds}: quarter-hours")
            bookings.append(_book(folder / f"round{number}", quarters, FEW if quick else BOOKINGS))
            say(f"ledger, round {number + 1} of {rounds}: set-up")
            starts.append((_set_up(folder / f"year{number}", quarters), _set_up(folder / f"empty{number}", ())))
    return _compare(size, reads, bookings, starts), _notes(rounds, starts)


def _read(file: Path, year: Span, times: int) -> tuple[float, float]:
    """Read months of the year, ours and the peer's in turn; return the median times [ms]."""
    with closing(Ledger.open(file)) as ledger, closing(PlainFile(file, SITE)) as plain:
        ours, peer = [], []
        for number in range(times):
            begin = year.start + (number * 7 * 86_400) % (year.end - year.start - MONTH)
            span = Span(begin, begin + MONTH)
            ours.append(_time(ledger.read, SITE, span))
            peer.append(_time(plain.read, span))
    return median(ours), median(peer)


def _book(folder: Path, quarters: Sequence[QuarterHour], times: int) -> tuple[float, float]:
    """Book the last quarter-hours after the others, ours and the peer's in turn; return the median times [ms]."""
    folder.mkdir()
    files = folder / "ours.db", folder / "plain.db"
    for file in files:
        write_measured(file, quarters[:-times])
    with closing(Ledger.open(files[0])) as ledger, closing(PlainFile(files[1], SITE)) as plain:
        ours, peer = [], []
        for quarter in quarters[-times:]:
            ours.append(_time(ledger.book, SITE, [quarter], state(quarter.start)))
            peer.append(_time(plain.book, quarter, state(quarter.start)))
    return median(ours), median(peer)


def _time(call: Callable[..., object], *arguments: object) -> float:
    begin = time.perf_counter()
    call(*arguments)
    return 1000 * (time.perf_counter() - begin)


def _set_up(folder: Path, quarters: Sequence[QuarterHour]) -> dict[str, float]:
    """Set a site up in a fresh Home Assistant; return times of its event loop [ms]."""
    folder.mkdir()
    write_imported(folder / FILE, quarters)
    with Worker("tools.bench.ledger.home", {"folder": str(folder)}, folder / "bench.log") as worker:
        told: dict[str, Any] = worker.answer()
    known = told.pop("known")
    if quarters and known[1] - known[0] < len(quarters) * QUARTER:
        raise RuntimeError(f"the site knows {known} of its year")
    return {key: 1000 * seconds for key, seconds in told.items()}


def _compare(
    size: float,
    reads: Sequence[tuple[float, float]],
    bookings: Sequence[tuple[float, float]],
    starts: Sequence[tuple[dict[str, float], dict[str, float]]],
) -> list[Result]:
    def case(
        what: str, unit: str, ours: Sequence[float], peer: float | Sequence[float], target: float | None = None
    ) -> Result:
        peers = [peer] * len(ours) if isinstance(peer, float) else peer
        return compare(NAME, what, unit, ours=ours, peer=peers, target=target)

    def starting(key: str, side: int) -> list[float]:
        return [each[side][key] for each in starts]

    month = [ours for ours, _ in reads]
    return [
        case("read a month, limit", "ms", month, READ_LIMIT, 1),
        case("read a month, plain sqlite3", "ms", month, [peer for _, peer in reads]),
        case("book a quarter-hour, plain sqlite3", "ms", [o for o, _ in bookings], [peer for _, peer in bookings]),
        case("file of a year, limit", "MB", [size] * len(reads), SIZE_LIMIT, 1),
        case("set-up with a year: event loop, limit", "ms", starting("loaded", 0), SET_UP_LIMIT, 1),
        case("set-up with a year: event loop, empty ledger", "ms", starting("loaded", 0), starting("loaded", 1)),
        case("and until all is at rest, empty ledger", "ms", starting("settled", 0), starting("settled", 1)),
        case("longest step of the event loop, empty ledger", "ms", starting("longest", 0), starting("longest", 1)),
    ]


def _notes(rounds: int, starts: Sequence[tuple[dict[str, float], dict[str, float]]]) -> list[str]:
    waited = median(with_year["waited"] for with_year, _ in starts)
    return [
        f"Median of the rounds ({rounds}), least and most; ratio is peer / ours of the same round. A limit is no peer.",
        "Plain sqlite3: the same rows of the same file as bare tuples, the same pragmas, no check of what is booked.",
        "Event loop: all its steps, imports left to other threads; first set-up in a new process, with a contract.",
        f"Set-up took {waited:.0f} ms by the clock. Home Assistant's detector of blocking calls was on, and silent.",
    ]
