"""How values stand in JSON: each field of a message names its form, which writes it and reads it with all checks.

A field names it in its annotation, ``Annotated[int, whole()]``; `record` and `row` make of a class with such fields
the form of a JSON object and of a compact list.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
import re
from typing import Any, Final, get_type_hints

from .quarter_hour import QUARTER, Span

MAX_INT: Final = (1 << 63) - 1
"""The largest number that the ledger and the engine can hold."""

MAX_TIME: Final = 1 << 36
"""Times end here [s, Unix], in the year 4147: calendars can still write it."""

_LIST_WANTED: Final = "a list is wanted"
_TEXT_WANTED: Final = "a text is wanted"


class Refusal(StrEnum):
    """Why a message is refused; each is a translation key."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    UNKNOWN_VERSION = "unknown_version"
    NOT_SIGNED = "not_signed"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    WRONG_FORM = "wrong_form"
    OUT_OF_RANGE = "out_of_range"
    NEGATIVE = "negative"
    OFF_GRID = "off_grid"
    WRONG_ORDER = "wrong_order"
    DUPLICATE = "duplicate"
    TOO_MANY = "too_many"
    REPLAYED = "replayed"


class MessageError(ValueError):
    """A message is not what it has to be.

    Parameters
    ----------
    reason
        Why; a translation key.
    detail
        What is wrong and where, for the log: it never tells what was found, for that may be an energy or a name.
    """

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of value stands in JSON.

    Parameters
    ----------
    read
        Return the value of what stands in the JSON; raises `MessageError`.
    write
        Return what is to stand in the JSON.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = _same


def whole(least: int = 0, most: int = MAX_INT) -> Form:
    """Whole numbers, as they are; true, 1.0 and "1" are none."""

    def read(value: Any) -> int:
        # The exact type, for a bool is an int to isinstance.
        if type(value) is not int:
            raise MessageError(Refusal.WRONG_TYPE, "a whole number is wanted")
        if value < 0 <= least:
            raise MessageError(Refusal.NEGATIVE, "a whole number that is not negative is wanted")
        if not least <= value <= most:
            raise MessageError(Refusal.OUT_OF_RANGE, f"a whole number from {least} to {most} is wanted")
        return value

    return Form(read)


TIME: Final = whole(0, MAX_TIME)


def _read_start(value: Any) -> int:
    start: int = TIME.read(value)
    if start % QUARTER:
        raise MessageError(Refusal.OFF_GRID, "a quarter-hour begins at :00, :15, :30 or :45")
    return start


START: Final = Form(_read_start)


def _read_moment(value: Any) -> int | float:
    if type(value) not in {int, float}:
        raise MessageError(Refusal.WRONG_TYPE, "a number is wanted")
    # So that what is no number at all fails too.
    if not 0 <= value <= MAX_TIME:
        raise MessageError(Refusal.OUT_OF_RANGE, "a time in seconds since 1970 is wanted")
    moment: int | float = value
    return moment


MOMENT: Final = Form(_read_moment)


def _read_flag(value: Any) -> bool:
    if type(value) is not bool:
        raise MessageError(Refusal.WRONG_TYPE, "true or false is wanted")
    return value


FLAG: Final = Form(_read_flag)


def text(pattern: str, wanted: str) -> Form:
    """Texts of a pattern, described in words for the log."""
    compiled = re.compile(pattern)

    def read(value: Any) -> str:
        if type(value) is not str:
            raise MessageError(Refusal.WRONG_TYPE, _TEXT_WANTED)
        if not compiled.fullmatch(value):
            raise MessageError(Refusal.WRONG_FORM, f"{wanted} is wanted")
        return value

    return Form(read)


NAME_LENGTH: Final = 100


def _read_name(value: Any) -> str:
    if type(value) is not str:
        raise MessageError(Refusal.WRONG_TYPE, _TEXT_WANTED)
    if not (0 < len(value) <= NAME_LENGTH and value.isprintable() and value == value.strip()):
        raise MessageError(Refusal.WRONG_FORM, f"a name of 1 to {NAME_LENGTH} signs on one line is wanted")
    return value


NAME: Final = Form(_read_name)


def word[E: StrEnum](words: type[E]) -> Form:
    """One of some agreed words."""

    def read(value: Any) -> E:
        if type(value) is not str:
            raise MessageError(Refusal.WRONG_TYPE, _TEXT_WANTED)
        try:
            return words(value)
        except ValueError:
            raise MessageError(Refusal.WRONG_FORM, f"one of {', '.join(words)} is wanted") from None

    return Form(read, str)


_PRICE: Final = text(r"-?[0-9]{1,9}(\.[0-9]{1,12})?", "a decimal number as text")
PRICE: Final = Form(lambda value: Decimal(_PRICE.read(value)), lambda price: f"{price:f}")

_DAY: Final = text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a day as YYYY-MM-DD")


def _read_day(value: Any) -> date:
    try:
        return date.fromisoformat(_DAY.read(value))
    except MessageError:
        raise
    except ValueError:
        raise MessageError(Refusal.OUT_OF_RANGE, "a day of the calendar is wanted") from None


DAY: Final = Form(_read_day, date.isoformat)

_BASE64: Final = text(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", "base64")
BYTES: Final = Form(lambda value: b64decode(_BASE64.read(value)), lambda data: b64encode(data).decode())


def _read_object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise MessageError(Refusal.WRONG_TYPE, "a JSON object is wanted")
    return value


OBJECT: Final = Form(_read_object)
"""A JSON object that is understood elsewhere."""


def _read_span(value: Any) -> Span:
    if type(value) is not list or len(value) < len(Span._fields):
        raise MessageError(Refusal.WRONG_TYPE, "a list of a start and an end is wanted")
    span = Span(START.read(value[0]), START.read(value[1]))
    if span.start >= span.end:
        raise MessageError(Refusal.WRONG_ORDER, "the end comes after the start")
    return span


SPAN: Final = Form(_read_span, list)


def perhaps(form: Form) -> Form:
    """Values, or null where nothing is known."""
    read, write = form.read, form.write
    return Form(
        lambda value: None if value is None else read(value),
        lambda value: None if value is None else write(value),
    )


def listed(form: Form, most: int, *, unique: bool = True) -> Form:
    """Lists of at most so many; of unique ones the first part, as of a row its start, stands once."""

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise MessageError(Refusal.WRONG_TYPE, _LIST_WANTED)
        if len(value) > most:
            raise MessageError(Refusal.TOO_MANY, f"at most {most} are accepted at once")
        try:
            found = tuple(map(form.read, value))
        except MessageError:  # once more, for the place
            found = tuple(_read_at(form, each, f"[{place}]") for place, each in enumerate(value))
        if unique and len({each[0] for each in found}) != len(found):
            raise MessageError(Refusal.DUPLICATE, "the same stands twice")
        return found

    return Form(read, lambda values: list(map(form.write, values)))


def mapped(key: Form, form: Form) -> Form:
    """JSON objects whose names are no field names but themselves data."""

    def read(value: Any) -> dict[str, Any]:
        pairs = enumerate(_read_object(value).items())
        return {_read_at(key, name, f"[{n}]"): _read_at(form, each, f"[{n}]") for n, (name, each) in pairs}

    return Form(read, lambda values: {name: form.write(value) for name, value in values.items()})


def record(cls: type) -> Form:
    """Objects of a class, as JSON objects; fields that are not known are ignored."""
    forms = _forms(cls)

    def read(value: Any) -> Any:
        data = _read_object(value)
        return cls(**{name: _read_at(form, _field(data, name), f".{name}") for name, form in forms.items()})

    return Form(read, lambda of: {name: form.write(getattr(of, name)) for name, form in forms.items()})


def row(cls: type) -> Form:
    """Objects of a class, as lists of their fields; what stands behind the last one is ignored."""
    forms = _forms(cls)
    reads, writes = ([getattr(form, way) for form in forms.values()] for way in ("read", "write"))

    def read(value: Any) -> Any:
        if type(value) is not list:
            raise MessageError(Refusal.WRONG_TYPE, _LIST_WANTED)
        if len(value) < len(forms):
            raise MessageError(Refusal.MISSING_FIELD, f"a list of {', '.join(forms)} is wanted")
        # What is left over is a newer sender's.
        try:
            return cls(*[read(each) for read, each in zip(reads, value)])  # noqa: B905
        except MessageError:  # once more, for the place
            return cls(*(_read_at(form, each, f".{name}") for (name, form), each in zip(forms.items(), value)))  # noqa: B905

    return Form(read, lambda of: [write(each) for write, each in zip(writes, of, strict=True)])


@cache
def _forms(cls: type) -> Mapping[str, Form]:
    hints = get_type_hints(cls, include_extras=True).items()
    return {name: hint.__metadata__[0] for name, hint in hints if hasattr(hint, "__metadata__")}


def _field(data: Mapping[str, Any], name: str) -> Any:
    try:
        return data[name]
    except KeyError:
        raise MessageError(Refusal.MISSING_FIELD, f"{name} is missing") from None


def _read_at(form: Form, value: Any, place: str) -> Any:
    try:
        return form.read(value)
    except MessageError as error:
        # An inner place already says where; it goes on from here: ``.quarters[3].start: …``.
        joint = "" if error.detail.startswith((".", "[")) else ": "
        raise MessageError(error.reason, f"{place}{joint}{error.detail}") from None
