"""The command line of the community's broker."""

import argparse
from collections.abc import Sequence
from getpass import getpass
from ipaddress import ip_address
import os
from pathlib import Path
import re
import shlex
import sys
from typing import NoReturn, override

from .configuration import ORGANISER
from .folder import BrokerError, add_member, create, ends, ends_soon, remove_member, renew, renew_organiser

WRONG_USAGE = 2
HIGHEST_PORT = 65535
COMMUNITY = re.compile(r"[a-z0-9]{6,32}")
CODE = re.compile(r"[a-z0-9]{4,16}")
LONGEST_HOST = 253
HOST = re.compile(r"(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)[a-z0-9-]{1,63}(?<!-)\.?")

DESCRIPTION = """\
The community's broker: a folder from which Mosquitto runs with TLS, passwords and an access control list. A member
writes only under its own code, and reads only what is meant for it or for all. docs/organiser.md tells the rest."""


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {message}\n")


def _community(text: str) -> str:
    if not COMMUNITY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the id of a community (6 to 32 of a-z and 0-9)")
    return text


def _code(text: str) -> str:
    if text == ORGANISER or not CODE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a member's code (4 to 16 of a-z and 0-9, and not {ORGANISER!r})"
        )
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to {HIGHEST_PORT})")
    return int(text)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IP address") from None


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        host = text.lower().removesuffix(".")
    # Digits and dots alone are an address with a slip of the pen.
    if len(host) > LONGEST_HOST or not HOST.fullmatch(host) or not re.search("[a-z]", host):
        raise argparse.ArgumentTypeError(f"{text!r} is not a host name or IP address, such as broker.example.org")
    return host


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="broker", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")

    making = command("create", "make the folder of a new broker, and print the organiser's password")
    making.add_argument("--community", type=_community, required=True, metavar="ID", help="6 to 32 of a-z and 0-9")
    making.add_argument(
        "--host", type=_host, required=True, metavar="NAME", help="host name or IP address that members connect to"
    )
    making.add_argument("--port", type=_port, default=8883, help="to listen on (default: %(default)s)")
    making.add_argument("--bind", type=_address, metavar="ADDRESS", help="listen on this address only (default: all)")
    adding = command("member", "let a member in, or give it another password, and print the password")
    adding.add_argument(
        "--ask", action="store_true", help="ask for the password, that of the invitation, instead of making one"
    )
    removing = command("remove", "let a member in no more")
    for one in (adding, removing):
        one.add_argument("code", type=_code, metavar="CODE", help="the member's code: 4 to 16 of a-z and 0-9")
    again = command("organiser", "give the organiser another password, and print it")
    renewing = command("renew", "renew the server's certificate")
    renewing.add_argument(
        "--host", type=_host, metavar="NAME", help="for this host name or IP address (default: as before)"
    )
    for one in (making, adding, removing, again, renewing):
        one.add_argument("folder", type=Path, metavar="DIR", help="the broker's folder")
    return parser


def _create(options: argparse.Namespace) -> None:
    password = create(
        options.folder, community=options.community, host=options.host, port=options.port, bind=options.bind
    )
    authority, server = ends(options.folder)
    folder = shlex.quote(str(options.folder.absolute()))
    print(f"The broker of community {options.community} is in {options.folder}.")
    _print_login(ORGANISER, password)
    print(f"Members connect to {options.host}, port {options.port}, and trust ca.pem (until {authority:%Y-%m-%d}).")
    print(f"The server's certificate ends on {server:%Y-%m-%d}: renew it before, with scripts/broker renew.")
    if os.geteuid() == 0:
        print(f"Mosquitto does not run as root. Give it the folder: chown -R mosquitto: {folder}")
    print(f"Start it: cd {folder} && mosquitto -c mosquitto.conf")


def _print_login(user: str, password: str) -> None:
    print(f"user name: {user}\npassword:  {password}")
    print("The password is kept nowhere and shown only now.")


def _ask_password() -> str:
    return getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _print_reload(folder: Path) -> None:
    print("A running Mosquitto takes this up when it gets SIGHUP: kill -HUP and its process id, or systemctl reload.")
    if end := ends_soon(folder):
        command = f"scripts/broker renew {shlex.quote(str(folder))}"
        print(f"Note: the server's certificate ends on {end:%Y-%m-%d}. Renew it: {command}")


def _run(options: argparse.Namespace) -> None:
    folder: Path = options.folder
    match options.command:
        case "create":
            _create(options)
            return
        case "member":
            if options.ask:
                add_member(folder, options.code, _ask_password())
                print(f"Member {options.code} may come in.")
            else:
                _print_login(options.code, add_member(folder, options.code))
        case "organiser":
            _print_login(ORGANISER, renew_organiser(folder))
        case "remove":
            remove_member(folder, options.code)
            print(f"Member {options.code} is removed.")
        case _:
            host = renew(folder, options.host)
            print(f"The certificate of {host} is renewed until {ends(folder)[1]:%Y-%m-%d}.")
    _print_reload(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.error("a COMMAND is missing: create, member, remove, organiser or renew (see --help)")
    try:
        _run(options)
    except BrokerError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{parser.prog}: {error.filename or options.folder}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0
