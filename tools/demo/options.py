"""The command line of the demo."""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn, override

from tools.home import CONFIG_LANGUAGES
from tools.simulator.household import ZONE

from .simulated_meter import MIDDAY

WRONG_USAGE = 2
HIGHEST_PORT = 65535
ROOT = Path(__file__).parents[2]


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"scripts/demo: {message}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for. `port` None: 8123, or another free one. `at` None: the record at the present time."""

    port: int | None
    directory: Path
    duration: float | None
    browser: bool
    lan: bool
    language: str
    at: datetime | None


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; a wrong one ends the program with status 2."""
    parser = _Parser(
        prog="scripts/demo",
        description="Starts three simulated Fluksometers, a real Home Assistant that shows what they measure, and a"
        " community that they share with twelve homes far away, over a broker of its own. Prints the address of the"
        " dashboard when it is ready. Ctrl-C stops everything that was started.",
        epilog="The exit status is 0, or 1 if something failed; with --duration it is 1 too if the watts did not move,"
        " or nothing was shared.",
    )
    add = parser.add_argument
    add("--port", type=_port, help="of Home Assistant on 127.0.0.1 (default: 8123, or another one if that is taken)")
    add("--data-dir", type=Path, default=ROOT / ".demo", metavar="DIR",
        help="where everything lives; a second start takes it up again (default: .demo in the repository)")  # fmt: skip
    add("--duration", type=_duration, metavar="SECONDS",
        help="end so long after all is ready (default: at Ctrl-C)")  # fmt: skip
    add("--no-browser", action="store_true", help="do not open a browser")
    add("--language", choices=CONFIG_LANGUAGES, default="en", help="of the demo's user and home (default: %(default)s)")
    add("--at", type=_moment, default=MIDDAY, metavar="MOMENT",
        help="where the recorded household begins: a moment such as 2017-10-20T18:30, whose weekday and time of day"
        " count, or 'now' (default: a Sunday at noon, so that there is sun at night too)")  # fmt: skip
    add("--lan", action="store_true",
        help="announce the first meter on the network and let Home Assistant discover it there (default: all stay on"
        " 127.0.0.1, silent on the network, and the meters are added by their addresses)")  # fmt: skip
    read = parser.parse_args(arguments)
    return Options(
        port=read.port,
        directory=read.data_dir.resolve(),
        duration=read.duration,
        browser=not read.no_browser,
        lan=read.lan,
        language=read.language,
        at=read.at,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to {HIGHEST_PORT})")
    return int(text)


def _duration(text: str) -> float:
    with suppress(ValueError):
        if 0 < (duration := float(text)) < float("inf"):
            return duration
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")


def _moment(text: str) -> datetime | None:
    if text == "now":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 'now' nor a moment such as 2017-10-20T18:30") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
