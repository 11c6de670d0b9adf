"""What the demo says while it works: one line a step on standard error, with a moving clock on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
import sys
import threading
import time

_INTERVAL = 0.1
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress:
    """Steps of a work that takes seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that a step runs, and then how long it took."""
        begun = time.monotonic()
        over = threading.Event()
        clock = threading.Thread(target=self._run, args=(text, begun, over), daemon=True)
        if self._terminal:
            clock.start()
        mark = "✗"
        try:
            yield
            mark = "✓"
        finally:
            over.set()
            if self._terminal:
                clock.join()
            self._write(f"{mark} {text} ({time.monotonic() - begun:.1f} s)\n")

    def say(self, text: str) -> None:
        """Show a remark."""
        self._write(f"  {text}\n")

    def _run(self, text: str, begun: float, over: threading.Event) -> None:
        turn = 0
        while not over.wait(_INTERVAL):
            self._write(f"{_SPINNER[turn % len(_SPINNER)]} {text} … {time.monotonic() - begun:.0f} s")
            turn += 1

    def _write(self, text: str) -> None:
        sys.stderr.write(("\r\x1b[K" if self._terminal else "") + text)
        sys.stderr.flush()
