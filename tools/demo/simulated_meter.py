"""The demo's meter: the simulator as a child process."""

from datetime import datetime
from pathlib import Path
import socket
import sys

from tools.home import Child
from tools.simulator.household import ZONE

from .houses import ALONE, House

MIDDAY = datetime(2017, 10, 15, 12, 58, tzinfo=ZONE)
"""A Sunday at noon: the sun shines, and in two minutes the oven goes on, so that the grid's direction turns."""

MQTT_PORT = 1883
READY = 60  # [s]


class SimulatedMeter:
    """A Fluksometer on this machine; use it as a context manager."""

    def __init__(
        self,
        directory: Path,
        host: str,
        port: int,
        *,
        at: datetime | None,
        announced: bool,
        house: House = ALONE,
    ) -> None:
        """Start it. `at` is the moment of the record to begin with (None: now), `announced` adds mDNS."""
        self.host = host
        self.port = port
        command = [sys.executable, "-m", "tools.simulator", *house.simulator_options]
        command += ["--host", host, "--port", str(port), "--rest-port", "0"]
        command += ["--state", str(directory / f"{house.key}.json")]
        command += ["--mdns", "on" if announced else "off"]
        if at is not None:
            command += ["--at", at.isoformat()]
        self._child = Child(command, directory / f"{house.key}.log", cwd=Path(__file__).parents[2])

    def wait(self) -> None:
        """Wait until it measures."""
        self._child.wait_for_line("ready ", READY)

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._child.returncode is None

    @property
    def last_line(self) -> str:
        """What it said last."""
        return self._child.last_line

    def stop(self) -> None:
        """Switch it off; its counters are kept."""
        self._child.stop()


def free_port(host: str, wanted: int) -> int:
    """Return `wanted` if it is free on `host`, else a free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no port is free on {host}")


def network_address() -> str:
    """Return this machine's address on its network; 127.0.0.1 when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: only asks for the route, nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
