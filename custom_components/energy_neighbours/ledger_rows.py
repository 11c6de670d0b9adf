"""What becomes of a quarter-hour's row when the meter supplements it, or an import takes its place."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from .core.quarter_hour import QUARTER, Quality, QuarterHour

ENERGIES: Final = ("offtake", "injection", "production")
"""An energy's place in this list is its bit in `imported` and `doubtful`; it must never change, like the qualities'."""
QUALITIES: Final = (Quality.MEASURED, Quality.ESTIMATED, Quality.MISSING, Quality.LATE)
"""A quality is kept as its place in this list, which must never change: it is part of the file."""
MICRO: Final = Decimal(1_000_000)
"""A price is kept in millionths of a euro per kWh."""

_BITS: Final = {name: 1 << number for number, name in enumerate(ENERGIES)}
_GRID: Final = ENERGIES[:2]
_GRID_BITS: Final = _BITS["offtake"] | _BITS["injection"]
_WORST_LAST: Final = (Quality.MEASURED, Quality.LATE, Quality.ESTIMATED, Quality.MISSING)
_SURE: Final = frozenset({Quality.MEASURED, Quality.LATE})


class Row(NamedTuple):
    """A row of quarter-hours after its site and start, as it is kept.

    Its quality is that of the grid's energies, unless none is known. `imported` has a bit for each energy that an
    import told, `doubtful` one for each of these that it told as an estimate, or as a part of what flowed.
    """

    revision: int
    offtake: int | None
    injection: int | None
    production: int | None
    quality: int
    imported: int
    doubtful: int

    @classmethod
    def of(cls, quarter: QuarterHour, *, imported: bool = False) -> Row:
        """Return the row of a quarter-hour; the revision is still to be given."""
        energies = quarter.offtake, quarter.injection, quarter.production
        told = sum(_BITS[name] for name, energy in zip(ENERGIES, energies, strict=True) if energy is not None)
        told = told if imported else 0
        doubtful = 0 if quarter.quality in _SURE else told
        return cls(0, *energies, QUALITIES.index(quarter.quality), told, doubtful)

    def quarter_hour(self, start: int) -> QuarterHour:
        """Return the quarter-hour of this row."""
        return QuarterHour(start, self.offtake, self.injection, self.production, QUALITIES[self.quality])

    @property
    def known(self) -> set[str]:
        """The names of its energies that are known."""
        return {name for name in ENERGIES if getattr(self, name) is not None}

    @property
    def imported_energies(self) -> frozenset[str]:
        """The names of its energies that an import told."""
        return frozenset(name for name in ENERGIES if self.imported & _BITS[name])

    def says(self, other: Row | None) -> bool:
        """Whether it says the same as another one, whenever that was written."""
        return other is not None and self[1:] == other[1:]

    def taking(self, names: Iterable[str], other: Row) -> Row:
        """Return it with some energies, and where they come from, of another one."""
        mask = sum(_BITS[name] for name in names)
        energies: dict[str, Any] = {name: getattr(other, name) for name in names}
        return self._replace(
            **energies,
            imported=self.imported & ~mask | other.imported & mask,
            doubtful=self.doubtful & ~mask | other.doubtful & mask,
        )


class Merged(NamedTuple):
    """What an import makes of a site's rows.

    Parameters
    ----------
    after
        The rows that it changes, by start, as they are then.
    stay
        The starts of those in which something else stays that is known better.
    """

    after: dict[int, Row]
    stay: set[int]


def supplemented(before: Mapping[int, Row], quarters: Iterable[QuarterHour]) -> dict[int, Row]:
    """Return the rows that the meter's quarter-hours change, as they are then.

    What it has booked before is added to. Energy that was imported stays, for it is that of the whole quarter-hour
    already; but what the meter measured itself, from beginning to end, takes the place of an import's estimate. (A
    supplement, and a quarter-hour that comes again, are never booked as measured.)
    """
    after: dict[int, Row] = {}
    for quarter in quarters:
        old, row = after.get(quarter.start) or before.get(quarter.start), Row.of(quarter)
        after[quarter.start] = _supplemented(old, row) if old else row
    return {start: row for start, row in after.items() if not row.says(before.get(start))}


def _supplemented(old: Row, row: Row) -> Row:
    measured = QUALITIES[row.quality] is Quality.MEASURED
    taken = {n for n in row.known if n not in old.known or (measured and old.doubtful & _BITS[n])}
    added = {n for n in row.known - taken if not old.imported & _BITS[n]}
    sums: dict[str, Any] = {name: getattr(old, name) + getattr(row, name) for name in added}
    after = old.taking(taken, row)._replace(**sums)
    if old.imported:
        return after._replace(quality=_quality(old, after, taken, added, row))
    # All of it is the meter's: the worse of the two, but what was missing and is told now is not.
    if taken and QUALITIES[old.quality] is Quality.MISSING:
        return after._replace(quality=row.quality)
    return after._replace(quality=_worse(old.quality, row.quality))


def replaced(before: Mapping[int, Row], quarters: Iterable[QuarterHour]) -> Merged:
    """Return what imported quarter-hours, each given once, change.

    Energy that the import does not tell stays what it was: a file of the grid operator knows nothing of the roof. An
    estimate fills what is not known, but replaces no measurement; a part of what flowed replaces nothing at all.
    """
    merged = Merged({}, set())
    for quarter in quarters:
        old, row = before.get(quarter.start), Row.of(quarter, imported=True)
        if old is None:
            merged.after[quarter.start] = row
            continue
        taken = {name for name in row.known if _gives_way(old, name, QUALITIES[row.quality])}
        if any(getattr(old, name) != getattr(row, name) for name in row.known - taken):
            merged.stay.add(quarter.start)
        after = old.taking(taken, row)
        after = after._replace(quality=_quality(old, after, taken, set(), row))
        if not after.says(old):
            merged.after[quarter.start] = after
    return merged


def _gives_way(old: Row, name: str, quality: Quality) -> bool:
    """Whether an energy of a row gives way to that of an import of some quality."""
    if name not in old.known or quality in _SURE:
        return True
    if quality is Quality.MISSING:
        return False
    if old.imported & _BITS[name]:
        return bool(old.doubtful & _BITS[name])
    # Where the grid's other energy is doubtful the row's quality may be due to that alone: this one was measured then.
    return QUALITIES[old.quality] not in _SURE and not old.doubtful & _GRID_BITS


def _quality(old: Row, after: Row, taken: set[str], added: set[str], told: Row) -> int:
    """Return the quality of a row after some of its energies were `taken` from, or `added` to by, what was told."""
    known = after.known.intersection(_GRID)
    if not known:
        return told.quality if taken else old.quality
    if not known & (taken | added):
        return old.quality
    others = known - taken
    if not others:
        return told.quality
    before = old.quality
    if QUALITIES[before] not in _SURE and all(after.imported & ~after.doubtful & _BITS[name] for name in others):
        before = QUALITIES.index(Quality.MEASURED)  # by another import; what made the row worse is gone
    return _worse(before, told.quality)


def _worse(one: int, other: int) -> int:
    return max(one, other, key=lambda code: _WORST_LAST.index(QUALITIES[code]))


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
