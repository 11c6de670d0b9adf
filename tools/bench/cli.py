"""The command line of the benchmarks."""

import argparse
from collections.abc import Sequence
from contextlib import suppress
import signal
import sys
from typing import NoReturn, override

from tools.mosquitto import NoMosquittoError

WRONG_USAGE = 2
NAMES = ("ingest",)
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


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bench",
        description="Measure our code side by side with its peers and print a table. Without a name: all benchmarks.",
        epilog="benchmarks:\n"
        "  ingest   a meter's messages, from the broker to entity states: our site beside Home Assistant's built-in\n"
        "           MQTT sensors and a bare MQTT client, at the meter's own pace and sped up\n\n"
        "Exit status: 0 measured (targets met or not), 1 could not be measured, 2 wrong usage.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(NAMES)} (default: all)")
    add("--json", action="store_true", help="one JSON object a line instead of a table")
    add("--rounds", type=_positive, default=3, metavar="N", help="measure so often (default: %(default)s)")
    add("--seconds", type=_positive, default=60, metavar="N", help="length of a round (default: %(default)s)")
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
        if name not in NAMES:
            parser.error(f"there is no benchmark {name!r}; there are: {', '.join(NAMES)}")
    if options.quick:
        options.rounds, options.seconds = QUICK["rounds"], QUICK["seconds"]
    # Home Assistant is slow to load, and not needed for a word of help.
    from .ingest.results import run  # noqa: PLC0415
    from .result import machine, table  # noqa: PLC0415
    from .worker import WorkerError  # noqa: PLC0415

    # All tidy up as a Ctrl-C does, which a shell lets be ignored by what it starts in the background.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        results, notes = run(speeds=(1.0, options.speed), seconds=options.seconds, rounds=options.rounds, say=_say)
    except (NoMosquittoError, WorkerError) as error:
        _say("")
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    _say("")
    if options.json:
        for result in results:
            print(result.as_json())
    else:
        print(table(results), "", *notes, f"Measured on {machine()}.", sep="\n")
    return 0


def _say(text: str) -> None:
    """Tell a person at a terminal what goes on, in one line."""
    if sys.stderr.isatty() and sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
