"""The hours of a tariff as people write them: a line for each part of the day, `22:00-06:00 night`.

A star after the name marks the hours made for the sun. A line with a name alone is the rest of the day.
"""

from collections.abc import Iterator, Mapping, Sequence
import re
from types import MappingProxyType
from typing import Final
import unicodedata

from .band_grid import MINUTES_PER_DAY, BandGrid, DayType, GridError, GridProblem, Interval, clock

SOLAR_MARK: Final = "*"
LONGEST_NAME: Final = 60
_NO_NAMES: Final = ("unknown", "unavailable")
"""What automation systems write where there is no band."""
_TIME: Final = r"(\d{1,2})(?:\s*(?::|\.|uhr|uur|h|u)\s*(\d{2}))?(?:\s*(?:uhr|uur|h|u)\b)?"
_LINE: Final = re.compile(
    rf"{_TIME}\s*(?:-|–|—|→|à|a|to|until|tot|bis)\s*{_TIME}(?:\s*[:=,;]\s*|\s+)([^\s\d].*)",  # noqa: RUF001 - what people type
    re.IGNORECASE,
)


class BandNames:
    """What bands are called, both ways.

    Parameters
    ----------
    known
        Names of the bands that grids ship with, by id, in the reader's language.
    others
        Further names of these bands, by id: somebody may write them in another language.
    own
        Names that a household gave its bands before, by id.
    """

    def __init__(
        self,
        known: Mapping[str, str],
        others: Sequence[Mapping[str, str]] = (),
        own: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._names = dict(known)
        self.own = dict(own)
        """Names that are none of the known ones, by the ids made for them."""
        self._ids: dict[str, str] = {}
        for names in (own, known, *others):
            for band, name in names.items():
                self._ids.setdefault(_key(name), band)
        # Last, so that a word of some language is never mistaken for an id that means something else.
        for band in known:
            self._ids.setdefault(_key(band), band)

    def name(self, band: str) -> str:
        """Return what to call a band: the name that the household gave it, else the known one, else its id."""
        return self.own.get(band) or self._names.get(band) or band

    def band(self, name: str) -> str:
        """Return the id of a band; a name that is not known yet gets one."""
        key = _key(name)
        if key not in self._ids:
            free = (f"band_{n}" for n in range(1, len(self.own) + 2))
            plain = _plain(name)
            band = plain if plain and plain not in self.own else next(each for each in free if each not in self.own)
            self._ids[key] = band
            self.own[band] = name
        return self._ids[key]


def _plain(name: str) -> str:
    """Return a name as an id: without accents, capitals, and what is neither letter nor digit."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in letters if not unicodedata.combining(c))).strip("_")


def _key(name: str) -> str:
    """Return what names that mean the same have in common; one in other letters than ours is its own."""
    return _plain(name) or name.casefold()


def read_day(text: str, day_type: DayType, names: BandNames) -> tuple[Interval, ...]:
    """Read the lines of one kind of day.

    Raises
    ------
    GridError
        If a line cannot be read; its `found` is the line. Holes and overlaps are found by the grid itself.
    """
    parts: list[Interval] = []
    rest: tuple[str, bool] | None = None
    for line in filter(None, (line.strip() for line in text.splitlines())):
        timed = _LINE.fullmatch(line)
        if timed is None:
            if line[0].isdigit() or rest:
                raise GridError(GridProblem.MALFORMED, line, day_type=day_type)
            rest = _band(line, day_type, names)
            continue
        hour, minute, end_hour, end_minute, name = timed.groups()
        start, end = _minute(hour, minute, line, day_type), _minute(end_hour, end_minute, line, day_type)
        band, solar = _band(name, day_type, names)
        if start in {end, MINUTES_PER_DAY}:
            raise GridError(GridProblem.EMPTY_INTERVAL, line, day_type=day_type, minute=start)
        if start < end:
            parts.append(Interval(start, end, band, solar))
        else:
            parts.append(Interval(start, MINUTES_PER_DAY, band, solar))
            if end:
                parts.append(Interval(0, end, band, solar))
    parts.sort(key=lambda part: part.start)
    if rest:
        parts.extend([Interval(start, end, *rest) for start, end in _holes(parts)])
    return tuple(sorted(parts, key=lambda part: part.start))


def _minute(hour: str, minute: str | None, line: str, day_type: DayType) -> int:
    time = 60 * int(hour) + int(minute or 0)
    if time > MINUTES_PER_DAY or int(minute or 0) >= 60:  # noqa: PLR2004 - minutes of an hour
        raise GridError(GridProblem.NOT_A_TIME, line, day_type=day_type)
    return time


def _band(name: str, day_type: DayType, names: BandNames) -> tuple[str, bool]:
    solar = name.endswith((SOLAR_MARK, "☀", "☀️"))
    name = name.rstrip(f"{SOLAR_MARK}☀\ufe0f ")
    if not name or len(name) > LONGEST_NAME or name.casefold() in _NO_NAMES:
        raise GridError(GridProblem.MALFORMED, name or SOLAR_MARK, day_type=day_type)
    return names.band(name), solar


def _holes(parts: Sequence[Interval]) -> Iterator[tuple[int, int]]:
    reached = 0
    for part in parts:
        if part.start > reached:
            yield reached, part.start
        reached = max(reached, part.end)
    if reached < MINUTES_PER_DAY:
        yield reached, MINUTES_PER_DAY


def write_day(parts: Sequence[Interval], names: BandNames) -> str:
    """Write one kind of day so that `read_day` reads it; a part that runs over midnight is one line."""
    lines = [(part.start, part.end, part.band, part.solar) for part in parts]
    joins = lines[0][2:] == lines[-1][2:] and lines[0][0] == 0 and lines[-1][1] == MINUTES_PER_DAY
    if joins and len(lines) > 2:  # noqa: PLR2004 - something lies between
        lines[-1] = (lines[-1][0], lines[0][1], *lines[0][2:])
        del lines[0]
    return "\n".join(
        f"{clock(start)}-{clock(end)} {names.name(band)}{f' {SOLAR_MARK}' if solar else ''}"
        for start, end, band, solar in lines
    )


def read_grid(grid_id: str, texts: Mapping[DayType, str], names: BandNames, *, region: str, source: str) -> BandGrid:
    """Read a whole grid. A day of the week without a text is like a weekday; holidays without one follow the week.

    Raises
    ------
    GridError
        If a line cannot be read, or a kind of day has a minute in no band or in two.
    """
    days = {
        day_type: read_day(text, day_type, names) for day_type in DayType if (text := texts.get(day_type, "").strip())
    }
    if DayType.WEEKDAY not in days:
        raise GridError(GridProblem.MISSING_DAY, day_type=DayType.WEEKDAY)
    days = {**dict.fromkeys((DayType.SATURDAY, DayType.SUNDAY), days[DayType.WEEKDAY]), **days}
    bands = tuple(dict.fromkeys(part.band for parts in days.values() for part in parts))
    own = {band: name for band, name in names.own.items() if band in bands}
    return BandGrid(id=grid_id, bands=bands, days=days, region=region, source=source, names=own)


def write_grid(grid: BandGrid, names: BandNames) -> dict[DayType, str]:
    """Write a whole grid so that `read_grid` reads it; a day that is like a weekday stays empty."""
    weekday = grid.days[DayType.WEEKDAY]
    return {
        day_type: write_day(parts, names)
        for day_type, parts in grid.days.items()
        if day_type in (DayType.WEEKDAY, DayType.HOLIDAY) or parts != weekday
    }
