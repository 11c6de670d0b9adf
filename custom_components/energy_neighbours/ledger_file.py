"""The ledger's file, opened: one transaction at a time for whoever writes, a faithful look for whoever reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from .ledger_schema import BEGIN, BUSY_PATIENCE, open_file, told_of


class LedgerFile:
    """A ledger's file; may be used from several threads, one writing at a time."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine
        self._writing = engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})

    @classmethod
    def open(cls, path: Path | str, *, patience: float = BUSY_PATIENCE) -> Self:
        """Open the ledger in a file; create it, or bring it to the present schema.

        Parameters
        ----------
        path
            The file.
        patience
            How long another process that holds it is waited for, now and at each later use [s].

        Raises
        ------
        LedgerError
            It is newer, damaged, another program's, or cannot be opened; it was not changed then.
        """
        path = Path(path)
        return cls(path, open_file(path, patience))

    def close(self) -> None:
        """Close the file; all of it is then in the one file again."""
        self._engine.dispose()

    def checkpoint(self) -> bool:
        """Bring everything into the one file; return whether no other reader was in the way."""
        with told_of(self.path), self._engine.connect().execution_options(**{BEGIN: ""}) as connection:
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        return not busy

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction: wholly or, when `LedgerError` is raised, not at all."""
        # What fails was not committed. Should the computer stop just then and SQLite find the transaction whole in its
        # log after all, its state comes back with its rows, so that nothing is booked twice.
        with told_of(self.path), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read what is written."""
        with told_of(self.path), self._engine.connect() as connection:
            yield connection
