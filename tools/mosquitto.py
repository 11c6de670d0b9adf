"""A real Mosquitto on a free port of 127.0.0.1."""

from contextlib import suppress
import os
from pathlib import Path
import re
import shutil
import signal
import socket
import time
from typing import Self

from tools.home.child import Child

PATIENCE = 20
_RUNNING, _RELOADING = " running\n", "Reloading config."


class NoMosquittoError(Exception):
    """There is no Mosquitto on this machine."""


class Mosquitto:
    """A broker that keeps its files in `folder`.

    It is open and drops nothing for a client that reads late, or it is the `configured` one whose `mosquitto.conf` is
    there already and has it listen on 127.0.0.1.
    """

    def __init__(self, folder: Path, *, configured: bool = False) -> None:
        program = shutil.which("mosquitto", path=f"/usr/sbin:/usr/local/sbin:{_search_path()}")
        if program is None:
            raise NoMosquittoError("Mosquitto is not installed; on Debian: apt-get install mosquitto")
        if configured:
            config = (folder / "mosquitto.conf").read_text(encoding="utf-8")
        else:
            folder.mkdir(parents=True)
            config = (
                f"listener {free_port()} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"
            )
        listener = re.search(r"^listener (\d+) 127\.0\.0\.1$", config, re.MULTILINE)
        if listener is None:
            raise ValueError(f"the broker in {folder} does not listen on 127.0.0.1")
        self.port = int(listener[1])
        # As root it would become another user, and Linux then forgets that it is to end with its parent.
        started = folder.resolve() / "started.conf"
        started.write_text(f"{config}user root\n", encoding="utf-8")
        # Named whole, so that its command line tells whose it is; the files that it names lie where it runs.
        self._child = Child([program, "-c", str(started)], folder / "mosquitto.log", cwd=folder)
        self._wait()

    def reload(self) -> None:
        """Let it read its files again, and wait until it has."""
        self._wait_for_log(_RUNNING)  # before that, the signal would end it
        seen = self.log.count(_RELOADING)
        os.kill(self._child.pid, signal.SIGHUP)
        self._wait_for_log(_RELOADING, seen + 1)

    @property
    def log(self) -> str:
        """What it has written since it started."""
        return self._child.output

    def _wait_for_log(self, text: str, times: int = 1) -> None:
        end = time.monotonic() + PATIENCE
        while self.log.count(text) < times:
            if self._child.returncode is not None or time.monotonic() > end:
                raise NoMosquittoError(f"Mosquitto did not say '{text.strip()}': {self._child.last_line}")
            time.sleep(0.02)

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
