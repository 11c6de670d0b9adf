"""What organiser and members tell each other: versioned JSON, checked in full before anything of it is believed.

Whatever arrives is either a message or a `MessageError`. Fields that are not known are ignored, so that a newer sender
is understood as long as its version is the same. Energy is in Wh, power in W, time in s (Unix); None is what is not
known, which is never zero.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import batched
from typing import Annotated, Any, ClassVar, Final, NamedTuple

import orjson

from .message_fields import (
    DAY,
    FLAG,
    MOMENT,
    NAME,
    OBJECT,
    PRICE,
    SPAN,
    START,
    TIME,
    Form,
    MessageError,
    Refusal,
    listed,
    mapped,
    perhaps,
    record,
    row,
    text,
    whole,
    word,
)
from .quarter_hour import Quality, Span
from .signing import canonical, is_public_key, sign, verify
from .topics import COMMUNITY_PATTERN, Kind

VERSION: Final = 1
MAX_PAYLOAD: Final = 65_536
"""The largest message [bytes]."""
MAX_QUARTERS: Final = 500
"""How many quarter-hours one message tells of at most; five days are 480."""
MAX_SPANS: Final = 100

_VERSION: Final = "v"
_KIND: Final = "kind"


class ReadingRefusal(StrEnum):
    """Why the organiser does not take a quarter-hour; each is a translation key."""

    FUTURE = "future"
    CLOSED = "closed"  # settled and invoiced
    ABSURD = "absurd"  # more than the connection can carry
    NOT_MEMBER = "not_member"  # before the member joined, or after it left


def _read_public_key(value: Any) -> str:
    if type(value) is not str:
        raise MessageError(Refusal.WRONG_TYPE, "a text is wanted")
    if not is_public_key(value):
        raise MessageError(Refusal.WRONG_FORM, "a public key is wanted")
    return value


PUBLIC_KEY: Final = Form(_read_public_key)

Start = Annotated[int, START]
Time = Annotated[int, TIME]
Flag = Annotated[bool, FLAG]
Whole = Annotated[int, whole()]
PerhapsWhole = Annotated[int | None, perhaps(whole())]
Revision = Annotated[int, whole(1)]


class ReadingQuarter(NamedTuple):
    """A quarter-hour of a member; a higher revision replaces a lower one."""

    start: Start
    offtake: PerhapsWhole
    injection: PerhapsWhole
    production: PerhapsWhole
    quality: Annotated[Quality, word(Quality)]
    revision: Revision


class StoredQuarter(NamedTuple):
    """A quarter-hour that the organiser holds durably, and in which revision."""

    start: Start
    revision: Revision


class RefusedQuarter(NamedTuple):
    """A quarter-hour that the organiser does not take, and why."""

    start: Start
    revision: Revision
    reason: Annotated[ReadingRefusal, word(ReadingRefusal)]


class ShareQuarter(NamedTuple):
    """A member's share of a quarter-hour; provisional as long as somebody's reading is missing."""

    start: Start
    offered: Whole
    allocated: Whole
    residual: PerhapsWhole
    revision: Revision
    provisional: Flag
    key_version: Whole


class BucketTotals(NamedTuple):
    """Sums over the members of whom a quarter-hour is known; None where too few stand behind a number."""

    start: Start
    members: Whole
    production: PerhapsWhole
    offtake: PerhapsWhole
    allocated: PerhapsWhole
    surplus: PerhapsWhole


class CharterKey(NamedTuple):
    """A repartition key as `repartition_key` writes it, and the first day on which it holds."""

    valid_from: Annotated[date, DAY]
    key: Annotated[Mapping[str, Any], OBJECT]


_TOTALS: Final = listed(row(BucketTotals), MAX_QUARTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issued:
    kind: ClassVar[Kind]
    issued_at: Time
    """When it was written [s, Unix]."""


class Message(_Issued):
    """What is believed because of where it came: the broker lets nobody else write there."""

    __slots__ = ()


class SignedMessage(_Issued):
    """What members act upon even if the broker is not to be trusted: the organiser signs it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Message):
    """Quarter-hours of a member; without any it only asks for shares.

    Parameters
    ----------
    device
        Random id of the installation, by which the organiser notices two that use one code.
    shares_seen
        The newest revision of its shares that the member holds; 0 for none.
    quarters
        In any order, each once.
    """

    kind = Kind.READING
    device: Annotated[str, text("[A-Za-z0-9_-]{8,64}", "an id of 8 to 64 letters, digits, - and _")]
    shares_seen: Whole
    quarters: Annotated[tuple[ReadingQuarter, ...], listed(row(ReadingQuarter), MAX_QUARTERS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live(Message):
    """Power of a member at a moment [s, Unix]."""

    kind = Kind.LIVE
    time: Annotated[float, MOMENT]
    offtake: Whole
    injection: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Message):
    """What a member lets the organiser have; it may take it back at any time.

    Parameters
    ----------
    readings, live, statistics
        Its quarter-hours, its power now, and to make it part of sums that all see.
    since
        Nothing before is sent [s, Unix].
    erase
        Whether the organiser is asked to forget what it has of the member.
    """

    kind = Kind.CONSENT
    readings: Flag
    live: Flag
    statistics: Flag
    since: Time
    erase: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Message):
    """The organiser's answer to readings, and what it lacks.

    Parameters
    ----------
    acknowledged
        What is stored durably now and need not be sent again.
    wanted
        What is to be sent.
    refused
        What is not taken, and need not be sent again either.
    other_device
        Whether a second installation uses the code: nothing that it sends is taken.
    """

    kind = Kind.REQUEST
    acknowledged: Annotated[tuple[StoredQuarter, ...], listed(row(StoredQuarter), MAX_QUARTERS)] = ()
    wanted: Annotated[tuple[Span, ...], listed(SPAN, MAX_SPANS)] = ()
    refused: Annotated[tuple[RefusedQuarter, ...], listed(row(RefusedQuarter), MAX_QUARTERS)] = ()
    other_device: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Message):
    """Shares of a member.

    Parameters
    ----------
    revision
        The highest in it.
    after
        The revision from which it goes on: if the member does not hold that one, it missed something.
    quarters
        In any order, each once.
    """

    kind = Kind.SHARE
    revision: Whole
    after: Whole
    quarters: Annotated[tuple[ShareQuarter, ...], listed(row(ShareQuarter), MAX_QUARTERS)]

    def __post_init__(self) -> None:
        if self.after > self.revision:
            raise MessageError(Refusal.WRONG_ORDER, "after: it goes on from a revision before its own")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveShare(Message):
    """What a member probably gets of its neighbours at a moment: provisional, until the quarter-hour is divided."""

    kind = Kind.LIVE_SHARE
    time: Annotated[float, MOMENT]
    power: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityTotals(Message):
    """Sums of the community, and of its profile groups by their ids."""

    kind = Kind.COMMUNITY
    quarters: Annotated[tuple[BucketTotals, ...], _TOTALS]
    groups: Annotated[Mapping[str, tuple[BucketTotals, ...]], mapped(NAME, _TOTALS)] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter(SignedMessage):
    """What the members agreed.

    Parameters
    ----------
    community, name, zone
        Id, name and IANA time zone.
    revision
        Rises with each change.
    k
        How many members stand at least behind a number that all may see.
    keys
        The versions of the repartition key, in the order in which they were agreed.
    tariff
        As `tariff` understands it; None if each member has its own.
    prices
        By what they are for [€/kWh].
    public_key
        The organiser's.
    """

    kind = Kind.CHARTER
    community: Annotated[str, text(COMMUNITY_PATTERN, "the id of a community")]
    name: Annotated[str, NAME]
    zone: Annotated[str, text("(?=.{1,64}$)[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", "the name of a time zone")]
    revision: Revision
    k: Revision
    keys: Annotated[tuple[CharterKey, ...], listed(row(CharterKey), MAX_QUARTERS, unique=False)]
    tariff: Annotated[Mapping[str, Any] | None, perhaps(OBJECT)]
    prices: Annotated[Mapping[str, Decimal], mapped(NAME, PRICE)]
    public_key: Annotated[str, PUBLIC_KEY]


def batches[Q](quarters: Iterable[Q]) -> Iterator[tuple[Q, ...]]:
    """Cut a long list of quarter-hours into what one message can hold."""
    return batched(quarters, MAX_QUARTERS, strict=False)


def encode(message: Message) -> bytes:
    """Write a message.

    Raises
    ------
    ValueError
        When nobody would accept it, for it holds too much or what is never so.
    """
    return _fitting(orjson.dumps(_written(message)))


def decode[M: Message](of: type[M], payload: bytes) -> M:
    """Read a message of a kind, whatever arrived.

    Raises
    ------
    MessageError
        When it is none.
    """
    return _read(of, _parsed(payload))


def encode_signed(message: SignedMessage, private: str) -> bytes:
    """Write a message with the signature of a private key.

    Raises
    ------
    ValueError
        When nobody would accept it, or the key is none.
    """
    return _fitting(canonical(sign({_KIND: message.kind.value, **_written(message)}, private)))


def decode_signed[M: SignedMessage](of: type[M], payload: bytes, public: str) -> M:
    """Read a message of a kind that has to be signed with the private key that belongs to a public one.

    Raises
    ------
    MessageError
        When it is none, or not signed so.
    """
    data = _parsed(payload)
    # The kind is signed too, so that what was said of one thing cannot be passed off as said of another.
    if data.get(_KIND) != of.kind.value or not verify(data, public):
        raise MessageError(Refusal.NOT_SIGNED, f"a {of.kind} signed by this community's organiser is wanted")
    return _read(of, data)


def _written(message: _Issued) -> dict[str, Any]:
    form = record(type(message))
    data: dict[str, Any] = form.write(message)
    form.read(data)
    return {_VERSION: VERSION, **data}


def _read[M: _Issued](of: type[M], data: Mapping[str, Any]) -> M:
    try:
        message: M = record(of).read(data)
    except MessageError as error:
        raise MessageError(error.reason, error.detail.removeprefix(".")) from None
    return message


def _fitting(payload: bytes) -> bytes:
    if len(payload) > MAX_PAYLOAD:
        raise MessageError(Refusal.TOO_LARGE, f"a message has at most {MAX_PAYLOAD} bytes")
    return payload


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(_fitting(payload))
    except orjson.JSONDecodeError:
        raise MessageError(Refusal.NOT_JSON, "a JSON object in UTF-8 is wanted") from None
    if type(data) is not dict:
        raise MessageError(Refusal.WRONG_TYPE, "a JSON object is wanted")
    if _VERSION not in data:
        raise MessageError(Refusal.MISSING_FIELD, f"{_VERSION} is missing")
    if type(data[_VERSION]) is not int:
        raise MessageError(Refusal.WRONG_TYPE, f"{_VERSION}: a whole number is wanted")
    if data[_VERSION] != VERSION:
        raise MessageError(Refusal.UNKNOWN_VERSION, f"{_VERSION}: version {VERSION} is understood")
    return data
