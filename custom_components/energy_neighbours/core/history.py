"""Past quarter-hours that come from elsewhere, and what is to be known of them before they are taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from .quarter_hour import QUARTER, QuarterHour, Span, day_of, local_day


class ProblemKind(StrEnum):
    """What can be wrong with a row, or with a whole source; each is a translation key."""

    NOT_A_TIME = "not_a_time"
    NOT_ON_GRID = "not_on_grid"
    NOT_A_QUARTER_HOUR = "not_a_quarter_hour"  # the row covers an hour, a day or a month
    NOT_A_NUMBER = "not_a_number"
    MIXED_DECIMALS = "mixed_decimals"
    NEGATIVE = "negative"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_QUALITY = "unknown_quality"
    MISSING_COLUMN = "missing_column"
    TOO_FEW_CELLS = "too_few_cells"
    AMBIGUOUS_HOUR = "ambiguous_hour"
    NO_SUCH_HOUR = "no_such_hour"
    CONTRADICTION = "contradiction"  # the same quarter-hour twice, with different energy
    WRONG_DAY_LENGTH = "wrong_day_length"
    IN_FUTURE = "in_future"
    BAD_BLOCK = "bad_block"
    TOO_MUCH = "too_much"  # more than a household can take: a meter's reading, perhaps
    NO_ACCESS_POINT = "no_access_point"  # among rows that name theirs
    PART_MISSING = "part_missing"  # one of several access points says nothing where the others do
    # Of the coefficients of a community's quarter-hours:
    NO_OFFSET = "no_offset"  # a local time that does not say how far it is ahead of UTC
    UNKNOWN_MEMBER = "unknown_member"
    UNKNOWN_PRODUCER = "unknown_producer"
    NOT_MEMBER_THEN = "not_member_then"
    EMPTY_CELL = "empty_cell"
    BELOW_ZERO = "below_zero"
    TOO_FINE = "too_fine"
    TWICE = "twice"
    OVER_WHOLE = "over_whole"
    MIXED_FORMS = "mixed_forms"  # for all producers, and for one of them
    SETTLED = "settled"


class HistoryError(Exception):
    """A source in which no history can be found at all.

    Parameters
    ----------
    key
        Translation key of the one sentence that says why.
    placeholders
        What that sentence names.
    """

    def __init__(self, key: str, **placeholders: str) -> None:
        super().__init__(f"{key}: {placeholders}" if placeholders else key)
        self.key = key
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    kind
        What it is.
    where
        Line of the file (1 is its first), or the name of the block or entity.
    found
        What stands there, shortened.
    accepted
        What would be accepted, if that can be said in a few signs.
    column
        Heading of the column, where that helps.
    """

    kind: ProblemKind
    where: str
    found: str = ""
    accepted: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a source holds for one site: good quarter-hours in order, and what is wrong with the rest."""

    quarter_hours: Sequence[QuarterHour]
    rows: int
    duplicates: int = 0
    problems: Sequence[Problem] = ()
    format: str = ""
    eans: Sequence[str] = ()
    """Access points that the source holds. While none of several is chosen there are no quarter-hours."""
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A day on which the clocks changed, and how many of its quarter-hours the source holds."""

    day: date
    expected: int
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What is shown before anything is kept."""

    rows: int
    quarter_hours: int
    span: Span | None
    gaps: Sequence[Span]
    duplicates: int
    clock_changes: Sequence[ClockChange]
    problems: Sequence[Problem]
    offtake: int | None
    injection: int | None
    production: int | None
    """Sums [Wh]."""


def preview(history: History, zone: ZoneInfo) -> Preview:
    """Sum up a history: how much there is, what is not there, and whether the clock changes were read right."""
    starts = [quarter.start for quarter in history.quarter_hours]
    span = Span(starts[0], starts[-1] + QUARTER) if starts else None
    return Preview(
        rows=history.rows,
        quarter_hours=len(starts),
        span=span,
        gaps=list(gaps(starts)),
        duplicates=history.duplicates,
        clock_changes=list(_clock_changes(starts, span, zone)) if span else [],
        problems=history.problems,
        offtake=_total(quarter.offtake for quarter in history.quarter_hours),
        injection=_total(quarter.injection for quarter in history.quarter_hours),
        production=_total(quarter.production for quarter in history.quarter_hours),
    )


def gaps(starts: Sequence[int]) -> Iterable[Span]:
    """Return the spans between the first and the last of some rising starts that none of them covers."""
    for before, after in pairwise(starts):
        if after > before + QUARTER:
            yield Span(before + QUARTER, after)


def _clock_changes(starts: Sequence[int], span: Span, zone: ZoneInfo) -> Iterable[ClockChange]:
    day, last = day_of(span.start, zone), day_of(span.end - 1, zone)
    known = set(starts)
    while day <= last:
        quarters = local_day(day, zone).quarter_hours
        if len(quarters) != 96:  # noqa: PLR2004 - an ordinary day
            yield ClockChange(day, len(quarters), sum(start in known for start in quarters))
        day += timedelta(days=1)


def _total(energies: Iterable[int | None]) -> int | None:
    known = [energy for energy in energies if energy is not None]
    return sum(known) if known else None
