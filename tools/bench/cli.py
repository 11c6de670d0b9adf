"""The command line of the benchmarks."""

import argparse
from collections.abc import Sequence
from contextlib import suppress
import signal
import sys
import textwrap
from typing import NoReturn, override

from tools.mosquitto import NoMosquittoError

from .benchmarks import BENCHMARKS

WRONG_USAGE = 2
WIDTH = 110
FASTEST = 100.0
QUICK = {"rounds": 1, "seconds": 2}


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {message}\n")


def _positive(text: str) -> int:
    if text.isdecimal() and (number := int(text)) > 0:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")


def _speed(text: str) -> float:
    with suppress(ValueError):
        if 1 < (speed := float(text)) <= FASTEST:
            return speed
    raise argparse.ArgumentTypeError(f"{text!r} is not a speed (above 1, at most {FASTEST:g})")


def _epilog() -> str:
    indent = " " * (2 + max(map(len, BENCHMARKS)) + 3)
    rows = [
        textwrap.fill(f"  {name}".ljust(len(indent)) + each.about, WIDTH, subsequent_indent=indent)
        for name, each in BENCHMARKS.items()
    ]
    exits = "Exit status: 0 measured (targets met or not), 1 could not be measured, 2 wrong usage."
    return "\n".join(["benchmarks:", *rows, "", exits])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bench",
        description="Measure our code side by side with its peers and print a table. Without a name: all benchmarks.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(BENCHMARKS)} (default: all)")
    add("--json", action="store_true", help="one JSON object a line instead of a table")
    add("--rounds", type=_positive, default=3, metavar="N", help="measure so often (default: %(default)s)")
    add("--seconds", type=_positive, default=60, metavar="N", help="ingest: length of a round (default: %(default)s)")
    add(
        "--speed",
        type=_speed,
        default=20.0,
        metavar="X",
        help="ingest: how much faster the sped-up household runs (default: %(default)g)",
    )
    add("--quick", action="store_true", help="one round of 2 s: shows that all works, its figures mean nothing")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}; there are: {', '.join(BENCHMARKS)}")
    if options.quick:
        options.rounds, options.seconds = QUICK["rounds"], QUICK["seconds"]
    # Home Assistant is slow to load, and not needed for a word of help.
    from .result import machine, table  # noqa: PLC0415
    from .worker import WorkerError  # noqa: PLC0415

    # All tidy up as a Ctrl-C does, which a shell lets be ignored by what it starts in the background.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        measured = [BENCHMARKS[name].run(options, _say) for name in dict.fromkeys(options.names or BENCHMARKS)]
    except (NoMosquittoError, WorkerError) as error:
        _say("")
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    _say("")
    for results, notes in measured:
        if options.json:
            print(*(result.as_json() for result in results), sep="\n")
        else:
            print(table(results), "", *notes, "", sep="\n")
    if not options.json:
        print(f"Measured on {machine()}.")
    return 0


def _say(text: str) -> None:
    """Tell a person at a terminal what goes on, in one line."""
    if sys.stderr.isatty() and sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
