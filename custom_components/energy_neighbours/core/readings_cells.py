"""Cells of a table of readings: what is written in them, as text, words and times."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
import re
from typing import Final, NamedTuple
import unicodedata

type Cell = str | float | date | time | timedelta | None
"""What a cell holds: text from a CSV file, already typed (number, date, time) from a spreadsheet."""
type NumberedRow = tuple[int, Sequence[Cell]]
"""A line of a file (1 is its first) and its cells."""

SHOWN: Final = 40
"""So many signs of a cell are shown when something is wrong with it."""
_NOTHING: Final = frozenset({"", "-", "--", "n/a", "#n/a", "na", "nan", "null", "none", "nil"})
_AS_FORMULA: Final = re.compile(r'^="(.*)"$')
_WORDS: Final = re.compile(r"[^a-z0-9]+")
_DAY: Final = r"(?:(?P<y>\d{4})[-/](?P<m>\d\d?)[-/](?P<d>\d\d?)|(?P<d2>\d\d?)[-/.](?P<m2>\d\d?)[-/.](?P<y2>\d{4}))"
_CLOCK: Final = r"(?P<hour>\d\d?)[:hu](?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]0+)?)?"
_ZONE: Final = r"(?P<zone>Z|UTC|GMT|CET|CEST|MEZ|MESZ|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)"
_STAMP: Final = re.compile(rf"^{_DAY}(?:(?:T|,?\s+){_CLOCK}\s*{_ZONE}?)?$", re.IGNORECASE)
_TIME: Final = re.compile(rf"^{_CLOCK}\s*{_ZONE}?$", re.IGNORECASE)
_HOUR: Final = 3600
_OFFSETS: Final = {"Z": 0, "UTC": 0, "GMT": 0, "CET": _HOUR, "MEZ": _HOUR, "CEST": 2 * _HOUR, "MESZ": 2 * _HOUR}
_FIRST_YEAR: Final = 1990
_LAST_YEAR: Final = 2200
_LAST_SPREADSHEET_DAY: Final = 100_000
_SPREADSHEET_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones


type _Day = tuple[date, int | None, int | None]
"""A day, a time of day [s] and its offset from UTC [s], as far as a cell tells them."""


class Stamp(NamedTuple):
    """A time as it is written: on the clock of its place, and how far [s] that clock is ahead of UTC, if it is told."""

    clock: datetime
    offset: int | None


def text(cell: Cell) -> str:
    """Return what a cell shows, without the signs that make a spreadsheet take a number for text."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    shown = str(cell).strip().strip("\ufeff")
    wrapped = _AS_FORMULA.match(shown)
    return wrapped[1].strip() if wrapped else shown


def shorten(cell: Cell) -> str:
    """Return what a cell shows, short enough to be named in a sentence."""
    shown = text(cell)
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


def is_empty(cell: Cell) -> bool:
    """Whether a cell says that nothing is known."""
    return cell is None or (isinstance(cell, str) and text(cell).lower() in _NOTHING)


def plain(written: str) -> str:
    """Return text in small letters without accents, its words parted by single blanks."""
    decomposed = unicodedata.normalize("NFKD", written.lower().replace("ß", "ss"))
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _WORDS.sub(" ", bare).strip()


def read_stamp(day: Cell, clock: Cell = None) -> Stamp | None:
    """Read a time from one cell, or from a day and a time of day; None if it is none.

    Days come as year-month-day or as day-month-year, never in the American order. 24:00 is the end of a day.
    """
    found = _read_day(day)
    if found is None:
        return None
    date_, seconds, offset = found
    if not is_empty(clock):
        of_day = _read_clock(clock)
        if of_day is None or (seconds and isinstance(day, str)):
            return None
        seconds, offset = of_day
    if seconds is None:
        return None
    return Stamp(datetime(date_.year, date_.month, date_.day) + timedelta(seconds=seconds), offset)  # noqa: DTZ001


def _read_day(cell: Cell) -> _Day | None:
    found: _Day | None
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        cell = _SPREADSHEET_EPOCH + timedelta(days=cell) if 0 < cell < _LAST_SPREADSHEET_DAY else None
    if isinstance(cell, datetime):
        # Spreadsheets keep times as fractions of a day, which miss the second by a little.
        near = cell + timedelta(milliseconds=500)
        offset = cell.utcoffset()
        found = near.date(), _seconds(near.time()), None if offset is None else int(offset.total_seconds())
    elif isinstance(cell, date):
        found = cell, None, None
    else:
        found = _read_written_day(text(cell))
    return found if found and _FIRST_YEAR <= found[0].year < _LAST_YEAR else None


def _read_written_day(written: str) -> _Day | None:
    found = _STAMP.match(written)
    if not found:
        return None
    try:
        day = date(*(int(found[part] or found[f"{part}2"]) for part in "ymd"))
    except ValueError:
        return None
    if found["hour"] is None:
        return day, None, None
    of_day = _of_match(found)
    return None if of_day is None else (day, *of_day)


def _read_clock(cell: Cell) -> tuple[int, int | None] | None:
    if isinstance(cell, timedelta):
        return round(cell.total_seconds()), None
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return _seconds(cell), None
    if isinstance(cell, (int, float)):
        return (round(cell * 24 * _HOUR), None) if 0 <= cell <= 1 else None
    found = _TIME.match(text(cell))
    return _of_match(found) if found else None


def _of_match(found: re.Match[str]) -> tuple[int, int | None] | None:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    seconds = hour * _HOUR + minute * 60 + second
    if seconds > 24 * _HOUR or minute >= 60 or second >= 60:  # noqa: PLR2004 - a clock's
        return None
    return seconds, _offset(found["zone"])


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone.upper() in _OFFSETS:
        return _OFFSETS[zone.upper()]
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * _HOUR + int(digits[2:]) * 60)


def _seconds(of_day: time) -> int:
    return of_day.hour * _HOUR + of_day.minute * 60 + of_day.second
