"""Quarter-hours to book, and a look at what a ledger's file holds."""

from pathlib import Path
from typing import Final

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, Span
from custom_components.energy_neighbours.ledger import Ledger

T: Final = 1_767_222_000  # 2026-01-01T00:00 in Brussels
ALL: Final = Span(0, 1 << 33)
BIG: Final = "x" * 20_000
"""A state that needs several pages of the file."""


def at(number: int, offtake: int | None = 100, **values) -> QuarterHour:
    """Return the quarter-hour so many after the first."""
    return QuarterHour(
        T + number * QUARTER, offtake, values.pop("injection", 0), values.pop("production", None), **values
    )


def stored(path: Path, site: str = "site") -> list[QuarterHour]:
    """Return what another reader finds in a file."""
    ledger = Ledger.open(path)
    found = ledger.read(site, ALL)
    ledger.close()
    return found
