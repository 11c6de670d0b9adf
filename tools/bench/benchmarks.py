"""The benchmarks by name: what each compares, and what runs it."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .result import Result

type Say = Callable[[str], None]
type Measured = tuple[list[Result], list[str]]
"""The comparisons, and the sentences that belong below their table."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark.

    Parameters
    ----------
    about
        What it compares, in one sentence.
    run
        Measures with the options of the command line. It imports what it needs when it is called: Home Assistant is
        slow to load, and not needed for a word of help.
    """

    about: str
    run: Callable[[Namespace, Say], Measured]


def _ingest(options: Namespace, say: Say) -> Measured:
    from .ingest.results import run  # noqa: PLC0415 - see Benchmark.run

    return run(speeds=(1.0, options.speed), seconds=options.seconds, rounds=options.rounds, say=say)


def _ledger(options: Namespace, say: Say) -> Measured:
    from .ledger.results import run  # noqa: PLC0415 - see Benchmark.run

    return run(rounds=options.rounds, quick=options.quick, say=say)


def _organiser(options: Namespace, say: Say) -> Measured:
    from .organiser.results import run  # noqa: PLC0415 - see Benchmark.run

    return run(rounds=options.rounds, quick=options.quick, say=say)


def _repartition(options: Namespace, say: Say) -> Measured:
    from .repartition.results import run  # noqa: PLC0415 - see Benchmark.run

    return run(options.rounds, quick=options.quick, say=say)


def _tariff(options: Namespace, say: Say) -> Measured:
    from .tariff import run  # noqa: PLC0415 - see Benchmark.run

    return run(options.rounds, quick=options.quick, say=say)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "ingest": Benchmark(
        "a meter's messages, from the broker to entity states: our site beside Home Assistant's built-in MQTT sensors "
        "and a bare MQTT client, at the meter's own pace and sped up",
        _ingest,
    ),
    "ledger": Benchmark(
        "a year of quarter-hours on the disk: reading a month and booking a quarter-hour beside plain sqlite3, how big "
        "the file is, and the event loop's time when a site with a year is set up",
        _ledger,
    ),
    "organiser": Benchmark(
        "an organiser with up to 500 members over a real broker: the processor time in which it closes a quarter-hour, "
        "and takes in a day that all send again, and the longest step of its event loop",
        _organiser,
    ),
    "repartition": Benchmark(
        "dividing production among members, in whole Wh: beside EnergyID's library with three keys, a long table of "
        "pandas in floats, its memory, and a plain copy of the energies; and how it grows",
        _repartition,
    ),
    "tariff": Benchmark(
        "cutting a year of quarter-hours into tariff bands and pricing it: beside a loop that asks for the local time "
        "of each, and beside a bare numpy gather",
        _tariff,
    ),
}
