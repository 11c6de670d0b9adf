"""From readings with the times that a file writes to a history: clock changes, duplicates, whole Wh, days."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
import math
from typing import Final
from zoneinfo import ZoneInfo

from .history import History, Problem, ProblemKind
from .quarter_hour import QUARTER, QUARTERS_PER_HOUR, Quality, QuarterHour, day_of, iso, local_day
from .readings_cells import Stamp

type Energies = tuple[Decimal | None, Decimal | None, Decimal | None]
"""Offtake, injection and production [Wh], not rounded; None if not known."""
UNKNOWN: Final[Energies] = (None, None, None)
LARGEST_POWER: Final = 100_000
"""No household takes or gives more on average over a quarter-hour [W]; the reading of a meter is soon more."""
_LARGEST: Final = LARGEST_POWER // QUARTERS_PER_HOUR
_QUALITIES: Final = list(Quality)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line tells: the energy of one part (a register, a meter, an access point) in one step.

    `stamp` is the beginning of the step, or its end.
    """

    line: int
    part: str
    stamp: Stamp
    energies: Energies
    quality: Quality = Quality.MEASURED


@dataclass(slots=True)
class _Cell:
    """What is known of one quarter-hour, by part."""

    parts: dict[str, Entry] = field(default_factory=dict)
    spoiled: bool = False
    """Whether a line of it cannot be used: a sum over the others would be too little."""


class Clock:
    """Reads local times, also where the clocks change: of two equal times the first is summer time."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self.problems: list[Problem] = []
        self.unsure: set[date] = set()
        """Days on which the hour that comes twice cannot be told apart."""

    def read(self, entries: Sequence[Entry]) -> list[tuple[int, Entry]]:
        """Return the entries with the time of their stamp [s, Unix], without those whose time nobody can know."""
        read = []
        twice: dict[date, list[Entry]] = defaultdict(list)
        for entry in entries:
            clock, offset = entry.stamp
            if offset is not None:
                read.append((int(clock.replace(tzinfo=UTC).timestamp()) - offset, entry))
                continue
            early, late = (int(clock.replace(tzinfo=self._zone, fold=fold).timestamp()) for fold in (0, 1))
            if early == late:
                read.append((early, entry))
            elif early > late:  # the hour that the clocks skip
                self._report(ProblemKind.NO_SUCH_HOUR, entry)
            else:
                twice[clock.date()].append(entry)
        for day, of_hour in twice.items():
            read += self._tell_apart(day, of_hour if _is_rising(day, entries) else of_hour[::-1])
        return read

    def _tell_apart(self, day: date, entries: list[Entry]) -> Iterable[tuple[int, Entry]]:
        seen: dict[tuple[datetime, str], int] = defaultdict(int)
        for entry in entries:
            seen[entry.stamp.clock, entry.part] += 1
        if 1 in seen.values():
            self.unsure.add(day)
            expected = len(local_day(day, self._zone).quarter_hours)
            missing = sum(count == 1 for count in seen.values())
            first = min(entries, key=lambda entry: entry.line)
            shown = f"{first.stamp.clock:%Y-%m-%d %H:%M}"
            self.problems.append(
                Problem(ProblemKind.AMBIGUOUS_HOUR, str(first.line), shown, f"+01:00, +02:00; {expected}")
            )
            if missing == len(seen):
                return
        told: dict[tuple[datetime, str], int] = defaultdict(int)
        for entry in entries:
            key = entry.stamp.clock, entry.part
            if seen[key] > 1:
                local = entry.stamp.clock.replace(tzinfo=self._zone, fold=told[key] % 2)
                told[key] += 1
                yield int(local.timestamp()), entry

    def _report(self, kind: ProblemKind, entry: Entry) -> None:
        self.problems.append(Problem(kind, str(entry.line), f"{entry.stamp.clock:%Y-%m-%d %H:%M}"))


class Series:
    """Gathers the quarter-hours of one site.

    Parameters
    ----------
    zone
        Of the site's days.
    now
        Nothing later than this [s, Unix] can have been measured.
    """

    def __init__(self, zone: ZoneInfo, now: float) -> None:
        self._zone = zone
        self._now = now
        self._cells: dict[int, _Cell] = defaultdict(_Cell)
        self._lines: dict[int, int] = {}
        self.problems: list[Problem] = []
        self.duplicates = 0

    def add(self, start: int, entry: Entry) -> None:
        """Take what a line tells of a quarter-hour, unless it is off the grid, in the future or beyond belief."""
        if start % QUARTER:
            self._report(ProblemKind.NOT_ON_GRID, entry, iso(start), ":00, :15, :30, :45")
            return
        if start + QUARTER > self._now:
            self._report(ProblemKind.IN_FUTURE, entry, iso(start))
            return
        self._lines.setdefault(start, entry.line)
        cell = self._cells[start]
        if any(energy is not None and energy > _LARGEST for energy in entry.energies):
            cell.spoiled = True
            self._report(ProblemKind.TOO_MUCH, entry, _shown(entry), f"{LARGEST_POWER // 1000} kW")
            return
        before = cell.parts.get(entry.part)
        if before is None:
            cell.parts[entry.part] = entry
        elif before.energies == entry.energies:
            self.duplicates += 1
            if _QUALITIES.index(entry.quality) > _QUALITIES.index(before.quality):
                cell.parts[entry.part] = entry
        else:
            cell.spoiled = True
            self._report(ProblemKind.CONTRADICTION, entry, _shown(entry), _shown(before) + f" ({before.line})")

    def note(self, start: int, line: int) -> None:
        """Take note that the source has a line for a quarter-hour, though its energy cannot be used."""
        self._lines.setdefault(start, line)

    def spoil(self, start: int, line: int) -> None:
        """Take note of a line that cannot be used, without which the others of its quarter-hour are too little."""
        self.note(start, line)
        self._cells[start].spoiled = True

    def _report(self, kind: ProblemKind, entry: Entry, found: str, accepted: str = "") -> None:
        self.problems.append(Problem(kind, str(entry.line), found, accepted))

    def finish(
        self,
        *,
        rows: int,
        layout: str,
        problems: Iterable[Problem] = (),
        unsure: Iterable[date] = (),
        eans: Sequence[str] = (),
        notes: Mapping[str, str] | None = None,
    ) -> History:
        """Return the history; energies finer than a Wh are carried on, so that the sums of days are kept.

        Each local day begins anew: the same day in a longer file is the same. Where a file begins amid a day, single
        quarter-hours of that day may differ by a Wh.
        """
        quarter_hours = []
        carried: list[Decimal] = []
        day_end = 0
        for start in sorted(self._cells):
            if start >= day_end:
                day_end = local_day(day_of(start, self._zone), self._zone).end
                carried = [Decimal("0.5")] * len(UNKNOWN)  # rounds the running sum to the nearest Wh
            cell = self._cells[start]
            if cell.spoiled:
                continue
            entries = cell.parts.values()
            whole: list[int | None] = []
            for series, carry in enumerate(carried):
                known = [energy for entry in entries if (energy := entry.energies[series]) is not None]
                if not known:
                    whole.append(None)
                    continue
                total = sum(known, carry)
                whole.append(math.floor(total))
                carried[series] = total - math.floor(total)
            if whole != list(UNKNOWN):
                quality = max((entry.quality for entry in entries), key=_QUALITIES.index)
                quarter_hours.append(QuarterHour(start, whole[0], whole[1], whole[2], quality))
        found = [*problems, *self.problems, *self._wrong_days(frozenset(unsure))]
        return History(
            quarter_hours=quarter_hours,
            rows=rows,
            duplicates=self.duplicates,
            problems=sorted(found, key=lambda problem: int(problem.where)),
            format=layout,
            eans=tuple(eans),
            notes=notes or {},
        )

    def _wrong_days(self, unsure: frozenset[date]) -> Iterable[Problem]:
        """Report days of which some quarter-hours are there, but not all; the first and the last may be cut off."""
        if not self._lines:
            return
        first, last = (day_of(time, self._zone) for time in (min(self._lines), max(self._lines)))
        day = first + timedelta(days=1)
        while day < last:
            starts = local_day(day, self._zone).quarter_hours
            there = [start for start in starts if start in self._lines]
            if 0 < len(there) < len(starts) and day not in unsure:
                line = min(self._lines[start] for start in there)
                yield Problem(ProblemKind.WRONG_DAY_LENGTH, str(line), f"{day}: {len(there)}", str(len(starts)))
            day += timedelta(days=1)


def _is_rising(day: date, entries: Iterable[Entry]) -> bool:
    """Whether the times of a day mostly go on; those of another day may go backwards, where the newest is first."""
    clocks = [entry.stamp.clock for entry in entries if entry.stamp.clock.date() == day]
    return sum((before < after) - (before > after) for before, after in pairwise(clocks)) >= 0


def commonest_step(starts: Iterable[int]) -> int:
    """Return how far most readings are apart [s]: a quarter-hour, unless they are clearly something else.

    Parameters
    ----------
    starts
        Of readings, in any order, also several times the same [s, Unix].
    """
    every = set(starts)
    grid = sorted(start for start in every if start % QUARTER == 0)
    if len(every) > 2 * len(grid):  # every tenth minute, for example, of which each third is on the grid
        grid = sorted(every)
    steps = Counter(after - before for before, after in pairwise(grid))
    if not steps:
        return QUARTER
    step, count = steps.most_common(1)[0]
    return QUARTER if steps[QUARTER] == count else step


def _shown(entry: Entry) -> str:
    return " / ".join("-" if energy is None else f"{energy.normalize():f} Wh" for energy in entry.energies)
