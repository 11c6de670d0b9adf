"""What becomes of a quarter-hour's row when the meter supplements it, or an import takes its place."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from .core.quarter_hour import QUARTER, Quality, QuarterHour

ENERGIES: Final = ("offtake", "injection", "production")
QUALITIES: Final = (Quality.MEASURED, Quality.ESTIMATED, Quality.MISSING, Quality.LATE)
"""A quality is kept as its place in this list, which must never change: it is part of the file."""
MICRO: Final = Decimal(1_000_000)
"""A price is kept in millionths of a euro per kWh."""


class Source(StrEnum):
    """Where the current row of a quarter-hour comes from."""

    METER = "meter"
    IMPORT = "import"


SOURCES: Final = (Source.METER, Source.IMPORT)
"""A source is kept as its place in this list, which must never change: it is part of the file."""


class Row(NamedTuple):
    """A row of quarter-hours after its site and start, as it is kept."""

    revision: int
    offtake: int | None
    injection: int | None
    production: int | None
    quality: int
    source: int

    @classmethod
    def of(cls, quarter: QuarterHour, source: Source) -> Row:
        """Return the row of a quarter-hour; the revision is still to be given."""
        energies = quarter.offtake, quarter.injection, quarter.production
        return cls(0, *energies, QUALITIES.index(quarter.quality), SOURCES.index(source))

    def quarter_hour(self, start: int) -> QuarterHour:
        """Return the quarter-hour of this row."""
        return QuarterHour(start, self.offtake, self.injection, self.production, QUALITIES[self.quality])

    @property
    def tells_nothing(self) -> bool:
        """Whether no energy of it is known."""
        return self.offtake is None and self.injection is None and self.production is None

    def says(self, other: Row | None) -> bool:
        """Whether it says the same as another one, whenever that was written."""
        return other is not None and self[1:] == other[1:]


def supplemented(before: Mapping[int, Row], quarters: Iterable[QuarterHour]) -> dict[int, Row]:
    """Return the rows that the meter's quarter-hours change, as they are then.

    What it has booked before is added to. What was imported stays: it holds all of its quarter-hour already.
    """
    after: dict[int, Row] = {}
    for quarter in quarters:
        old, row = after.get(quarter.start) or before.get(quarter.start), Row.of(quarter, Source.METER)
        if old is None:
            after[quarter.start] = row
        elif SOURCES[old.source] is Source.METER:
            changes: dict[str, Any] = {name: _sum(getattr(old, name), getattr(row, name)) for name in ENERGIES}
            # The worse of the two, in the order in which they stand; but what was missing and is told now is not.
            told = any(getattr(old, name) is None and getattr(row, name) is not None for name in ENERGIES)
            if not (told and QUALITIES[old.quality] is Quality.MISSING):
                row = row._replace(quality=max(old.quality, row.quality))
            changes["quality"] = row.quality
            after[quarter.start] = old._replace(**changes)
    return {start: row for start, row in after.items() if not row.says(before.get(start))}


def replaced(before: Mapping[int, Row], quarters: Iterable[QuarterHour]) -> dict[int, Row]:
    """Return the rows that imported quarter-hours change, as they are then.

    An energy that the import does not tell stays what it was: a file of the grid operator knows nothing of the roof.
    A quarter-hour of which it tells no energy at all makes nothing worse that is known.
    """
    after: dict[int, Row] = {}
    for quarter in quarters:
        old, row = before.get(quarter.start), Row.of(quarter, Source.IMPORT)
        if old and row.tells_nothing:
            continue
        if old:
            untold: dict[str, Any] = {name: getattr(old, name) for name in ENERGIES if getattr(row, name) is None}
            row = row._replace(**untold)
        if not row.says(old):
            after[quarter.start] = row
    return after


def micro_price(start: int, price: Decimal) -> int:
    """Return the price of a quarter-hour as it is kept.

    Raises
    ------
    ValueError
        When it is no number, or no quarter-hour begins there.
    """
    if start % QUARTER or not price.is_finite():
        raise ValueError(f"{price} €/kWh from {start} on is not the price of a quarter-hour")
    return int((price * MICRO).to_integral_value())


def _sum(old: int | None, more: int | None) -> int | None:
    return old if more is None else more + (old or 0)
