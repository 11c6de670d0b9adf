"""A real Mosquitto on a free port of 127.0.0.1."""

from contextlib import suppress
import os
from pathlib import Path
import shutil
import socket
import time
from typing import Self

from tools.home.child import Child

PATIENCE = 20


class NoMosquittoError(Exception):
    """There is no Mosquitto on this machine."""


class Mosquitto:
    """A broker that keeps its files in `folder`. It drops nothing for a client that reads late."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto", path=f"/usr/sbin:/usr/local/sbin:{_search_path()}")
        if program is None:
            raise NoMosquittoError("Mosquitto is not installed; on Debian: apt-get install mosquitto")
        folder.mkdir(parents=True)
        self.port = free_port()
        config = folder / "mosquitto.conf"
        # As root it would become another user, and Linux then forgets that it is to end with its parent.
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"
            "user root\n",
            encoding="utf-8",
        )
        self._child = Child([program, "-c", str(config)], folder / "mosquitto.log")
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            if self._child.returncode is not None or time.monotonic() > end:
                self._child.stop()
                raise NoMosquittoError(f"Mosquitto did not start: {self._child.last_line}")
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._child.stop()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _search_path() -> str:
    return os.environ.get("PATH", "")
