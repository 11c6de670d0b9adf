"""A grid of tariff bands: which band each minute of each kind of day belongs to, without a hole or an overlap."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
import re
from types import MappingProxyType
from typing import Any, Final, Self

MINUTES_PER_DAY: Final = 1440
EVERY_DAY: Final = "every_day"
"""Stands in a written grid for all kinds of days at once."""

type Holidays = frozenset[date]

_CLOCK: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::00)?", re.ASCII)


class DayType(StrEnum):
    """Kind of day that can have intervals of its own."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    HOLIDAY = "holiday"


_WEEK: Final = (*(DayType.WEEKDAY,) * 5, DayType.SATURDAY, DayType.SUNDAY)


class GridProblem(StrEnum):
    """What can be wrong with a grid; each is a translation key."""

    HOLE = "hole"
    OVERLAP = "overlap"
    EMPTY_INTERVAL = "empty_interval"
    NOT_A_TIME = "not_a_time"
    NOT_A_DATE = "not_a_date"
    UNKNOWN_BAND = "unknown_band"
    MISSING_DAY = "missing_day"
    MALFORMED = "malformed"


class GridError(ValueError):
    """A grid that cannot be used.

    Parameters
    ----------
    problem
        What is wrong.
    found
        What stands there, or the name of what is missing.
    day_type
        The kind of day it is about.
    minute
        The first minute of the day it is about [min after midnight].
    """

    def __init__(
        self, problem: GridProblem, found: str = "", *, day_type: DayType | None = None, minute: int | None = None
    ) -> None:
        self.problem = problem
        self.found = found
        self.day_type = day_type
        self.minute = minute
        where = " ".join([*([day_type.value] if day_type else []), *([] if minute is None else [clock(minute)])])
        super().__init__(": ".join(part for part in (where, problem.value.replace("_", " "), found) if part))


@dataclass(frozen=True, slots=True)
class Interval:
    """Part of a day.

    Parameters
    ----------
    start, end
        From this minute of the day up to, but not including, that one [min after midnight, 0 to 1440].
    band
        Id of the band that it belongs to.
    solar
        Whether it is the cheap time around noon, made for the hours of the sun.
    """

    start: int
    end: int
    band: str
    solar: bool = False


@dataclass(frozen=True, kw_only=True)
class BandGrid:
    """Which band each minute of each kind of day belongs to.

    Parameters
    ----------
    id
        Stable name; translation key of a shipped grid.
    bands
        Ids of the bands, in the order in which people should see them.
    days
        Intervals of weekday, saturday and sunday, and of holiday where the grid has a rule for it; without one, a
        holiday counts as the day of the week that it is.
    names
        Names that a household gave its bands, by id.
    region
        Where it is in force: a value of `contract.Region`; empty for anywhere.
    valid_from, valid_to
        First and last day on which it is in force; None where there is none.
    source
        Who says so.
    multipliers
        Weight of each band's distribution term, where the tariff is told in such weights; indicative only.
    editable
        Whether it is an example that every household has to adapt.
    uncertain
        What the source leaves open, in a sentence; empty if nothing.

    Raises
    ------
    GridError
        If a kind of day has a minute in no interval or in two, or another thing is wrong.
    """

    id: str
    bands: tuple[str, ...]
    days: Mapping[DayType, Sequence[Interval]] = field(hash=False)
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    region: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    multipliers: Mapping[str, int] = field(default_factory=dict, hash=False)
    editable: bool = False
    uncertain: str = ""

    def __post_init__(self) -> None:
        if len(set(self.bands)) != len(self.bands) or not self.bands:
            raise GridError(GridProblem.MALFORMED, "bands")
        for kind in DayType:
            if kind in self.days:
                _check_partition(self.days[kind], kind, self.bands)
            elif kind is not DayType.HOLIDAY:
                raise GridError(GridProblem.MISSING_DAY, kind.value)
        ordered = {kind: _ordered(self.days[kind]) for kind in DayType if kind in self.days}
        object.__setattr__(self, "days", MappingProxyType(ordered))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a grid as it is written in JSON: times as "HH:MM"; an interval may run over midnight.

        Raises
        ------
        GridError
            If it cannot be read, or has a hole or an overlap.
        """
        try:
            days = data["days"]
            if EVERY_DAY in days:
                others = {kind: parts for kind, parts in days.items() if kind != EVERY_DAY}
                days = dict.fromkeys(_WEEK, days[EVERY_DAY]) | others
            read = {DayType(kind): tuple(_read_intervals(parts, DayType(kind))) for kind, parts in days.items()}
            return cls(
                id=str(data["id"]),
                bands=tuple(data["bands"]),
                days=read,
                names=dict(data.get("names", {})),
                region=str(data.get("region") or ""),
                valid_from=_read_date(data.get("valid_from")),
                valid_to=_read_date(data.get("valid_to")),
                source=str(data.get("source", "")),
                multipliers=dict(data.get("multipliers", {})),
                editable=bool(data.get("editable", False)),
                uncertain=str(data.get("uncertain", "")),
            )
        except GridError:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise GridError(GridProblem.MALFORMED, str(error)) from error

    def as_dict(self) -> dict[str, Any]:
        """Write the grid so that `from_dict` reads it; nothing that has its default is written."""
        days = {kind.value: _write_intervals(parts) for kind, parts in self.days.items()}
        if DayType.HOLIDAY not in self.days and len({tuple(parts) for parts in self.days.values()}) == 1:
            days = {EVERY_DAY: days[DayType.WEEKDAY]}
        optional = {
            "names": dict(self.names),
            "region": self.region,
            "valid_from": self.valid_from and self.valid_from.isoformat(),
            "valid_to": self.valid_to and self.valid_to.isoformat(),
            "source": self.source,
            "multipliers": dict(self.multipliers),
            "editable": self.editable,
            "uncertain": self.uncertain,
        }
        written = {key: value for key, value in optional.items() if value}
        return {"id": self.id, "bands": list(self.bands), "days": days} | written

    @property
    def translation_key(self) -> str:
        """Key of a shipped grid's name in the translations."""
        return self.id

    @property
    def has_solar_time(self) -> bool:
        """Whether some time of some day is made for the sun."""
        return any(part.solar for parts in self.days.values() for part in parts)

    def in_force(self, day: date) -> bool:
        """Tell whether a day lies within the grid's validity."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

    def day_type(self, day: date, holidays: Holidays) -> DayType:
        """Return as which kind of day the grid takes a day."""
        return DayType.HOLIDAY if DayType.HOLIDAY in self.days and day in holidays else _WEEK[day.weekday()]

    def intervals_on(self, day: date, holidays: Holidays) -> Sequence[Interval]:
        """Return the intervals of a day, in order."""
        return self.days[self.day_type(day, holidays)]


def clock(minute: int) -> str:
    """Write a minute of the day as a clock shows it; the end of the day is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def minute_of(text: str) -> int:
    """Read "HH:MM" (or "HH:MM:00") as a minute of the day, "24:00" included.

    Raises
    ------
    GridError
        If it is no time of the day, or has seconds.
    """
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    minute = 60 * int(match[1]) + int(match[2]) if match else MINUTES_PER_DAY + 1
    if minute > MINUTES_PER_DAY:
        raise GridError(GridProblem.NOT_A_TIME, str(text))
    return minute


def _ordered(parts: Iterable[Interval]) -> tuple[Interval, ...]:
    return tuple(sorted(parts, key=lambda part: part.start))


def _check_partition(parts: Iterable[Interval], kind: DayType, bands: Sequence[str]) -> None:
    """Refuse a day with a minute in no interval or in two."""
    covered = 0
    for part in _ordered(parts):
        if not 0 <= part.start <= part.end <= MINUTES_PER_DAY:
            raise GridError(GridProblem.NOT_A_TIME, f"{part.start}-{part.end}", day_type=kind)
        if part.start == part.end:
            raise GridError(GridProblem.EMPTY_INTERVAL, part.band, day_type=kind, minute=part.start)
        if part.band not in bands:
            raise GridError(GridProblem.UNKNOWN_BAND, part.band, day_type=kind, minute=part.start)
        if part.start != covered:
            problem = GridProblem.HOLE if part.start > covered else GridProblem.OVERLAP
            raise GridError(problem, day_type=kind, minute=min(part.start, covered))
        covered = part.end
    if covered < MINUTES_PER_DAY:
        raise GridError(GridProblem.HOLE, day_type=kind, minute=covered)


def _read_intervals(parts: Iterable[Mapping[str, Any]], kind: DayType) -> Iterator[Interval]:
    for part in parts:
        start, end = minute_of(part["start"]), minute_of(part["end"]) or MINUTES_PER_DAY
        band, solar = str(part["band"]), bool(part.get("solar", False))
        if start == end:
            raise GridError(GridProblem.EMPTY_INTERVAL, band, day_type=kind, minute=start)
        if start < end:
            yield Interval(start, end, band, solar)
        else:
            yield Interval(0, end, band, solar)
            if start < MINUTES_PER_DAY:
                yield Interval(start, MINUTES_PER_DAY, band, solar)


def _write_intervals(parts: Sequence[Interval]) -> list[dict[str, Any]]:
    """Write a day's intervals; what ends at midnight and goes on after it is one."""
    whole, first, last = list(parts), parts[0], parts[-1]
    if len(parts) > 2 and (first.band, first.solar) == (last.band, last.solar):  # noqa: PLR2004 - something lies between
        whole = [*parts[1:-1], Interval(last.start, first.end, last.band, last.solar)]
    return [
        {"start": clock(part.start), "end": clock(part.end), "band": part.band}
        | ({"solar": True} if part.solar else {})
        for part in whole
    ]


def _read_date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise GridError(GridProblem.NOT_A_DATE, str(text)) from error
