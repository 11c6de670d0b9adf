"""Files that a running broker reads: replaced whole, and still its own afterwards."""

import os
from pathlib import Path
import tempfile

SECRET, PUBLIC = 0o600, 0o644
"""Modes: for keys, passwords and the access control list, of which Mosquitto wants it; and for all else."""


def replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file so that nobody ever reads half of it."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            # When root replaces it: the broker that owns the old file has to read the new one.
            old = path.stat()
            if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(new, old.st_uid, old.st_gid)
        new.chmod(mode)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
