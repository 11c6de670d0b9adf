"""A community over time: who belonged to it when, and which key held when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from .quarter_hour import Span, day_of, midnight
from .repartition_key import RepartitionKey

ALL: Final = Fraction(1)


@dataclass(frozen=True, slots=True)
class Member:
    """A site in a community, known by its code.

    Parameters
    ----------
    code
        Its pseudonym.
    joined
        The first day on which it belongs.
    left
        The first day on which it does no longer; None while it stays.
    consumes, produces
        Whether energy can be allocated to it, and whether its injection is shared.
    offtake_part, injection_part
        How much of its offtake and injection takes part here; other communities may have the rest.
    group
        Its profile group, for statistics.
    vacant
        Whether nobody lives there: it then takes and gives nothing, and nothing is missing.

    Raises
    ------
    ValueError
        When it leaves before it joined, or a part is not between none and all.
    """

    code: str
    joined: date
    left: date | None = None
    consumes: bool = True
    produces: bool = False
    offtake_part: Fraction = ALL
    injection_part: Fraction = ALL
    group: str = ""
    vacant: bool = False

    def __post_init__(self) -> None:
        if self.left is not None and self.left < self.joined:
            raise ValueError(f"{self.code} left on {self.left}, before it joined on {self.joined}")
        if not all(0 <= part <= 1 for part in (self.offtake_part, self.injection_part)):
            raise ValueError(f"{self.code} takes part with less than nothing or more than all")

    def belongs(self, day: date) -> bool:
        """Whether it is a member on a day."""
        return self.joined <= day and (self.left is None or day < self.left)


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """A repartition key from a day on, in the order in which they were agreed.

    Parameters
    ----------
    number
        Its place in that order, from 1.
    valid_from
        The first day on which it holds.
    key
        The key.
    author
        Who set it.
    accepted
        Codes of the members that have accepted it.
    """

    number: int
    valid_from: date
    key: RepartitionKey
    author: str = ""
    accepted: frozenset[str] = frozenset()


class Stretch(NamedTuple):
    """Time in which neither the key nor the members change; without a version no key held yet."""

    span: Span
    version: KeyVersion | None
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """Who belongs to a community when, and how production is divided.

    Parameters
    ----------
    zone
        Where it lies: days begin at its midnight.
    versions
        The versions of its key; on one day the one with the highest number holds.
    members
        All that ever were, each code once.

    Raises
    ------
    ValueError
        When a code stands twice.
    """

    zone: ZoneInfo
    versions: tuple[KeyVersion, ...]
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        codes = [member.code for member in self.members]
        if len(set(codes)) != len(codes):
            raise ValueError("a member code stands twice")

    @property
    def consumers(self) -> list[str]:
        """Codes of those who are, or were, allocated energy."""
        return [member.code for member in self.members if member.consumes]

    @property
    def producers(self) -> list[str]:
        """Codes of those whose injection is, or was, shared."""
        return [member.code for member in self.members if member.produces]

    def version_on(self, day: date) -> KeyVersion | None:
        """Return the version that holds on a day."""
        begun = [version for version in self.versions if version.valid_from <= day]
        return max(begun, key=lambda version: (version.valid_from, version.number), default=None)

    def stretches(self, span: Span) -> Iterator[Stretch]:
        """Cut a span where a key begins to hold, or a member joins or leaves."""
        days = {version.valid_from for version in self.versions}
        days |= {day for member in self.members for day in (member.joined, member.left) if day is not None}
        first, last = day_of(span.start, self.zone), day_of(span.end, self.zone)
        cuts = {midnight(day, self.zone) for day in days if first < day <= last}
        for start, end in pairwise(sorted({span.start, span.end} | {cut for cut in cuts if cut < span.end})):
            day = day_of(start, self.zone)
            yield Stretch(
                Span(start, end),
                self.version_on(day),
                tuple(member for member in self.members if member.belongs(day)),
            )
