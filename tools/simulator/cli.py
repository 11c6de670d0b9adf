"""The command line of the simulator."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path
import re
import signal
import sys
import textwrap
from typing import TYPE_CHECKING, NoReturn, override

from .faults import FAULTS, Fault, FaultError, StateError
from .household import ZONE, moment_of
from .profiles import DEFAULT_PROFILE, PROFILES

if TYPE_CHECKING:
    from .simulator import Simulator

WRONG_USAGE = 2
HIGHEST_PORT = 65535
LARGEST_ROOF = 1000
SLOWEST, FASTEST = 0.01, 1000.0
ID = re.compile(r"[0-9a-f]{32}")


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {message}\n")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to {HIGHEST_PORT}; 0 takes a free one)")
    return int(text)


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IPv4 address") from None


def _broker(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), _port(port)


def _did(text: str) -> str:
    if not ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a device id (32 digits of 0-9a-f)")
    return text


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a moment such as 2017-10-12T13:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


def _speed(text: str) -> float:
    with suppress(ValueError):
        if SLOWEST <= (speed := float(text)) <= FASTEST:
            return speed
    raise argparse.ArgumentTypeError(f"{text!r} is not a speed ({SLOWEST:g} to {FASTEST:g})")


def _duration(text: str) -> float:
    with suppress(ValueError):
        if (duration := float(text)) > 0:
            return duration
    raise argparse.ArgumentTypeError(f"{text!r} is not a duration in seconds")


def _power(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (power := float(text)) <= LARGEST_ROOF:
            return power
    raise argparse.ArgumentTypeError(f"{text!r} is not the size of a roof (0 to {LARGEST_ROOF} kWp)")


def _fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except FaultError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _list_of_faults() -> str:
    lines = ["faults (KIND, KIND@START or KIND@START+DURATION, in seconds; DURATION 0 lasts to the end):"]
    for name, kind in FAULTS.items():
        text = f"{kind.description} ({kind.duration})"
        lines.append(textwrap.fill(text, 100, initial_indent=f"  {name:<16}", subsequent_indent=" " * 18))
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="flukso-simulator",
        description="A Fluksometer on this machine: MQTT broker, REST (FLM02) and, if wanted, mDNS.",
        epilog=_list_of_faults(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--profile", default=DEFAULT_PROFILE, choices=PROFILES, metavar="NAME", help="which meter (see --list)")
    add("--list", action="store_true", help="list the profiles and exit")
    add(
        "--host",
        type=_address,
        default="127.0.0.1",
        metavar="ADDRESS",
        help="IPv4 address to listen on (default: %(default)s)",
    )
    add("--port", type=_port, default=1883, help="of the broker; 0 takes a free one (default: %(default)s)")
    add("--rest-port", type=_port, default=8080, metavar="PORT", help="of the REST service (default: %(default)s)")
    add("--broker", type=_broker, metavar="HOST:PORT", help="publish to this broker instead of an own one")
    add("--mdns", choices=("on", "off"), default="off", help="announce the meter at --host (default: %(default)s)")
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="KIND[@START[+DURATION]]",
        dest="faults",
        help="let something go wrong, see below; may be repeated",
    )
    add(
        "--at",
        type=_moment,
        metavar="MOMENT",
        help="begin the household here, e.g. 2017-10-12T13:00 for sun at night (Europe/Brussels; weekday and time of "
        "day count; default: now)",
    )
    add(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="X",
        help="X seconds of the household in each second: X times the messages, watts that move and counters that count "
        "X times as fast, under the wall clock's time stamps",
    )
    add("--duration", type=_duration, metavar="SECONDS", help="stop after so long (default: at Ctrl-C)")
    add("--seed", type=int, default=0, help="another seed, other noise and other taps")
    add("--kwp", type=_power, metavar="KWP", help="size of the roof (live profiles; default: that of the profile)")
    add(
        "--days-later",
        type=int,
        default=0,
        metavar="DAYS",
        help="consume what was recorded so many days later, under the same sun: another household",
    )
    add("--did", type=_did, help="device id, 32 hex digits; all sensor ids follow from it")
    add("--name", help="makes another meter of the same profile, with ids of its own")
    add("--state", type=Path, metavar="FILE", help="keep the counters here over a restart (live profiles)")
    add("--alpha", action="store_true", help="household: enable the phase angle, whose negative values are misprinted")
    return parser


def _print_profiles() -> None:
    width = max(map(len, PROFILES))
    for name, profile in PROFILES.items():
        print(f"{name:<{width}}  {profile.description}")


async def _run(options: argparse.Namespace) -> int:
    from .simulator import Simulator  # noqa: PLC0415 - takes a second, which --help and wrong usage need not wait

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    simulator = Simulator(
        options.profile,
        host=options.host,
        port=options.port,
        rest_port=options.rest_port,
        broker=options.broker,
        did=options.did,
        name=options.name,
        seed=options.seed,
        kwp=options.kwp,
        days=options.days_later,
        speed=options.speed,
        at=options.at,
        alpha=options.alpha,
        mdns=options.mdns == "on",
        faults=options.faults,
        state=options.state,
    )
    async with simulator:
        mqtt = "{}:{}".format(*options.broker) if options.broker else f"{options.host}:{simulator.port}"
        rest = "-" if simulator.rest_port is None else f"{options.host}:{simulator.rest_port}"
        print(f"ready mqtt={mqtt} rest={rest} did={simulator.did} hostname={simulator.hostname}", flush=True)
        status = asyncio.create_task(_show_status(simulator)) if sys.stdout.isatty() else None
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(simulator.failed())]
        await asyncio.wait(waits, timeout=options.duration, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        if status is not None:
            status.cancel()
            print()
    return 0


async def _show_status(simulator: Simulator) -> None:
    """Show one calm line on a terminal."""
    while True:
        live = PROFILES[simulator.profile].live
        scene = f"household of {moment_of(simulator.scene):%a %H:%M}" if live else "sample"
        faults = f", fault: {', '.join(sorted(simulator.active))}" if simulator.active else ""
        print(
            f"\r\x1b[K{simulator.meter.config.model} {simulator.hostname}: {scene}, "
            f"{simulator.seconds} s told{faults}  (Ctrl-C stops)",
            end="",
            flush=True,
        )
        await asyncio.sleep(5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        _print_profiles()
        return 0
    try:
        return asyncio.run(_run(options))
    except FaultError as error:
        parser.error(str(error))
    except (OSError, StateError) as error:
        file = getattr(error, "filename", None)
        reason = getattr(error, "strerror", None) or error
        print(f"{parser.prog}: {f'{file}: ' if file else ''}{reason}", file=sys.stderr)
        return 1
