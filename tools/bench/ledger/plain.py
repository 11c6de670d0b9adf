"""The peer: the same rows of the same file by Python's own sqlite3, without types and without the rules of a row."""

import json
from pathlib import Path
import sqlite3
from typing import Any

from custom_components.energy_neighbours.core.quarter_hour import QuarterHour, Span


class PlainFile:
    """What one would write by hand for this one purpose."""

    def __init__(self, path: Path, site: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA secure_delete = ON")
        (self._number,) = self._connection.execute("SELECT id FROM site WHERE entry = ?", [site]).fetchone()

    def read(self, span: Span) -> list[Any]:
        """Return a span as bare tuples."""
        return self._connection.execute(
            "SELECT start, offtake, injection, production, quality FROM quarter_hour "
            "WHERE site = ? AND start >= ? AND start < ? ORDER BY start",
            [self._number, *span],
        ).fetchall()

    def book(self, quarter: QuarterHour, state: dict[str, Any]) -> None:
        """Write one new quarter-hour and the state, in one transaction."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        run(
            "INSERT INTO quarter_hour VALUES (?, ?, 1, ?, ?, ?, 0, 0, 0)",
            [self._number, quarter.start, quarter.offtake, quarter.injection, quarter.production],
        )
        run("UPDATE site SET state = ? WHERE id = ?", [json.dumps(state), self._number])
        run("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
