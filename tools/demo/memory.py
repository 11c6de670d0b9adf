"""What the demo's directory remembers from one start to the next."""

import fcntl
import json
from pathlib import Path
from typing import Any, Self, TextIO


class InUseError(Exception):
    """The directory cannot be the demo's."""


class Memory:
    """A directory of the demo, held by one demo at a time; use it as a context manager.

    `meter` is the address and port that Home Assistant knows the meter by, `dashboard` the one that the demo saved
    last, `past` what the past days hold of each energy entity [kWh] whose sums are yet to be lifted by it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.meter: tuple[str, int] | None = None
        self.dashboard: Any = None
        self.past: dict[str, float] = {}
        self._file = directory / "demo.json"
        self._lock: TextIO | None = None

    def __enter__(self) -> Self:
        try:
            if not self._file.exists() and self.directory.exists() and any(self.directory.iterdir()):
                raise InUseError(f"{self.directory} holds something else; give an empty or a new directory")
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = self._file.open("a+", encoding="utf-8")
        except OSError as error:
            raise InUseError(f"{self.directory} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise InUseError(f"a demo runs in {self.directory} already; stop it, or give another --data-dir") from error
        self._lock.seek(0)
        if text := self._lock.read():
            saved = json.loads(text)
            self.meter = tuple(saved["meter"]) if saved["meter"] else None
            self.dashboard = saved["dashboard"]
            self.past = saved["past"]
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._lock:
            self._lock.close()

    def save(self) -> None:
        """Write it down."""
        if self._lock is None:
            raise RuntimeError("the directory is not held")
        self._lock.seek(0)
        self._lock.truncate()
        json.dump({"meter": self.meter, "dashboard": self.dashboard, "past": self.past}, self._lock)
        self._lock.flush()
