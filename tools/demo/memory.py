"""What the demo's directory remembers from one start to the next."""

from dataclasses import asdict, dataclass, field, fields
import fcntl
import json
from pathlib import Path
import shutil
from typing import Any, Self, TextIO


class InUseError(Exception):
    """The directory cannot be the demo's."""


@dataclass(kw_only=True)
class Notes:
    """What is remembered.

    Parameters
    ----------
    furnished
        Whether the first start came to its end.
    meters
        Address and port that Home Assistant knows each meter by.
    sites
        Their entries.
    community
        The community's entry.
    broker
        Port of its broker.
    since
        From when on the homes far away tell what they used [s, Unix].
    invitations
        Theirs.
    dashboard
        The one that the demo saved last.
    past
        What the past holds of each energy entity [kWh] whose sums are yet to be lifted by it.
    states
        What such an entity itself would have shown at the end of that past [kWh], where it is known.
    shared
        Whether the past of what was shared is in the statistics.
    """

    furnished: bool = False
    meters: list[tuple[str, int]] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)
    community: str = ""
    broker: int = 0
    since: int = 0
    invitations: list[str] = field(default_factory=list)
    dashboard: Any = None
    past: dict[str, float] = field(default_factory=dict)
    states: dict[str, float] = field(default_factory=dict)
    shared: bool = False

    @classmethod
    def read(cls, text: str) -> Notes:
        """Take them from a file's text; `InUseError` if another version of the demo wrote it."""
        kept = json.loads(text)
        if set(kept) != {each.name for each in fields(cls)}:
            raise InUseError("another version of the demo was here; remove its directory, or give another --data-dir")
        return cls(**{**kept, "meters": [(host, port) for host, port in kept["meters"]]})


class Memory:
    """A directory of the demo, held by one demo at a time; use it as a context manager."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.notes = Notes()
        self._file = directory / "demo.json"
        self._lock: TextIO | None = None

    def __enter__(self) -> Self:
        try:
            if not self._file.exists() and self.directory.exists() and any(self.directory.iterdir()):
                raise InUseError(f"{self.directory} holds something else; give an empty or a new directory")
            self.directory.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)  # it will hold invitations
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
            try:
                self.notes = Notes.read(text)
            except InUseError:
                self._lock.close()
                raise
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._lock:
            self._lock.close()

    def clear(self) -> None:
        """Throw everything away, as after a first start that did not come to its end."""
        for path in self.directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != self._file:
                path.unlink()
        self.notes = Notes()
        self.save()

    def save(self) -> None:
        """Write it down."""
        if self._lock is None:
            raise RuntimeError("the directory is not held")
        self._lock.seek(0)
        self._lock.truncate()
        json.dump(asdict(self.notes), self._lock)
        self._lock.flush()
