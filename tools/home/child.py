"""Child processes that never outlive the program that started them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Self

_TETHER = Path(__file__).with_name("tether.py")


def tethered(command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` and ends it when this process ends, however that happens.

    Start it from the main thread: Linux ties its life to the thread that started it.
    """
    return [sys.executable, "-I", str(_TETHER), str(os.getpid()), *command]


class Child:
    """A tethered process in a session of its own, so that a Ctrl-C in the terminal reaches only its parent.

    Output goes to `log`.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._start_of_log = output.tell()
            self._process = subprocess.Popen(
                tethered(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=None if env is None else {**os.environ, **env},
                cwd=cwd,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    @property
    def output(self) -> str:
        """What it has written since it started."""
        with self.log.open("rb") as log:
            log.seek(self._start_of_log)
            return log.read().decode(errors="replace")

    def wait_for_line(self, prefix: str, timeout: float) -> str:
        """Return its first line of output that begins with `prefix`.

        Raises
        ------
        RuntimeError
            It ended without that line.
        TimeoutError
            The line did not come within `timeout` [s].
        """
        end = time.monotonic() + timeout
        while True:
            ended = self.returncode is not None
            for line in self.output.splitlines(keepends=True):
                if line.startswith(prefix) and line.endswith("\n"):
                    return line.rstrip()
            if ended:
                raise RuntimeError(f"it ended with status {self.returncode}: {self.last_line}")
            if time.monotonic() > end:
                raise TimeoutError(f"no line '{prefix}…' within {timeout:.0f} s")
            time.sleep(0.05)

    @property
    def last_line(self) -> str:
        """The last line it wrote, which most often tells why it ended."""
        return (self.output.strip() or "it wrote nothing").splitlines()[-1]

    def stop(self, timeout: float = 20) -> None:
        """End it and what it started: politely first, by force after `timeout` [s]."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        with suppress(ProcessLookupError):  # what it started and left behind; the group is its own
            os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it and what it started without a chance to tidy up."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
