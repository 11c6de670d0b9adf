"""`python -m tools.neighbourhood`: the demo's neighbours, or the broker between them; ends at SIGTERM."""

import argparse
import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
import signal
import sys
from typing import Any


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="neighbourhood", description="The demo's neighbours, or their broker.")
    commands = parser.add_subparsers(dest="command", required=True)
    homes = commands.add_parser("homes", help="twelve homes that take part in a community from afar")
    homes.add_argument("cast", type=Path, metavar="FILE", help="their invitations, as the demo writes them")
    broker = commands.add_parser("broker", help="the community's broker on 127.0.0.1")
    broker.add_argument("folder", type=Path, metavar="DIR", help="made by scripts/broker")
    broker.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    # Each of the two loads only what it needs.
    if options.command == "broker":
        from .broker import serve  # noqa: PLC0415

        asyncio.run(_until_told(serve(options.folder, options.port)))
    else:
        from .cast import Cast  # noqa: PLC0415
        from .street import live  # noqa: PLC0415

        asyncio.run(_until_told(live(Cast.read(options.cast))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
