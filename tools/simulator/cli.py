"""The command line of the simulator."""

import argparse
import asyncio
from contextlib import suppress
from datetime import datetime
import signal

from .household import ZONE
from .profiles import DEFAULT_PROFILE, PROFILES
from .simulator import Simulator


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    p = argparse.ArgumentParser(prog="flukso-simulator", description="A Fluksometer on this machine.")
    p.add_argument("--profile", default=DEFAULT_PROFILE, choices=PROFILES)
    p.add_argument("--port", type=int, default=1883)
    p.add_argument("--rest-port", type=int, default=8080)
    p.add_argument("--at")
    p.add_argument("--did")
    p.add_argument("--name")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--speed", type=float, default=1)
    p.add_argument("--duration", type=float)
    return p


async def run(options: argparse.Namespace) -> int:
    """Simulate until told to stop."""
    at = datetime.fromisoformat(options.at).replace(tzinfo=ZONE) if options.at else None
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Simulator(options.profile, port=options.port, did=options.did, name=options.name, seed=options.seed,
                         speed=options.speed, at=at) as meter:
        print(f"ready mqtt={meter.host}:{meter.port} rest=- did={meter.did} hostname={meter.hostname}", flush=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), options.duration)
    return 0


def main() -> int:
    """Run the command."""
    return asyncio.run(run(parser().parse_args()))
