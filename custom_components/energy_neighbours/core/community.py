"""A community over time: who belonged to it when, which key held when, and the shares of any span."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from .quarter_hour import QUARTER, Span, day_of, midnight
from .repartition import UNKNOWN, Coefficients, Flows, allocate
from .repartition_key import DynamicCustom, RepartitionKey

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


@dataclass(frozen=True, slots=True)
class SpanShares:
    """Shares of every quarter-hour of a span.

    Parameters
    ----------
    allocated, offered
        As in `repartition.Allocation`, quarter-hour by consumer, in the order of `Rules.consumers`.
    surplus
        As there, quarter-hour by producer, in the order of `Rules.producers`.
    version
        For each quarter-hour the number of the key's version; 0 where none held.
    complete
        For each quarter-hour, whether everything was known of everybody who belonged to the community.
    """

    allocated: np.ndarray
    offered: np.ndarray
    surplus: np.ndarray
    version: np.ndarray
    complete: np.ndarray


def allocate_span(
    rules: Rules, span: Span, offtake: np.ndarray, injection: np.ndarray, coefficients: Coefficients | None = None
) -> SpanShares:
    """Divide the production of a span, by the keys and among the members of each day.

    Parameters
    ----------
    rules
        The community's.
    span
        From the beginning of a quarter-hour to that of another.
    offtake, injection
        Energies [Wh], int64, quarter-hour by consumer, and by producer; `UNKNOWN` where nobody measured. What is told
        of those who do not belong to the community on a day is left aside.
    coefficients
        For days with a `DynamicCustom` key, for all consumers (and producers).
    """
    shares = SpanShares(
        np.zeros(offtake.shape, np.int64),
        np.zeros(offtake.shape, np.int64),
        np.zeros(injection.shape, np.int64),
        np.zeros(len(offtake), np.int64),
        np.ones(len(offtake), bool),
    )
    for stretch in rules.stretches(span):
        rows = slice(*((time - span.start) // QUARTER for time in stretch.span))
        flows = stretch_flows(rules, stretch, offtake[rows], injection[rows])
        columns, sources = _places(rules.consumers, flows.members), _places(rules.producers, flows.producers)
        if stretch.version is None:
            shares.surplus[rows, sources] = np.maximum(flows.injection, 0)
            continue
        key, parts = stretch.version.key, None
        if isinstance(key, DynamicCustom):
            parts = coefficients_of(coefficients, rows, rules, flows)
        result = allocate(key, flows, parts, with_offered=True)
        shares.allocated[rows, columns] = result.allocated
        shares.offered[rows, columns] = result.offered
        shares.surplus[rows, sources] = result.surplus
        shares.version[rows] = stretch.version.number
        shares.complete[rows] = result.complete
    return shares


def stretch_flows(rules: Rules, stretch: Stretch, offtake: np.ndarray, injection: np.ndarray) -> Flows:
    """Return the energies of those who belong to a community in a stretch, as far as they take part in it.

    Parameters
    ----------
    rules, stretch
        The community's, and one of its stretches.
    offtake, injection
        Energies of the stretch, as for `allocate_span`.
    """
    present = [member for member in stretch.members if not member.vacant]
    takers = [member for member in present if member.consumes]
    givers = [member for member in present if member.produces]
    columns = _places(rules.consumers, [member.code for member in takers])
    sources = _places(rules.producers, [member.code for member in givers])
    return Flows(
        [member.code for member in takers],
        _part(offtake[:, columns], [member.offtake_part for member in takers]),
        [member.code for member in givers],
        _part(injection[:, sources], [member.injection_part for member in givers]),
    )


def _places(codes: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Return where codes stand among all."""
    places = {code: place for place, code in enumerate(codes)}
    return np.array([places[code] for code in wanted], np.intp)


def _part(energies: np.ndarray, parts: Sequence[Fraction]) -> np.ndarray:
    """Return the parts of energies that take part, in whole Wh, rounded down."""
    if all(part == ALL for part in parts):
        return energies
    above, below = (np.array([getattr(part, name) for part in parts]) for name in ("numerator", "denominator"))
    return np.where(energies == UNKNOWN, UNKNOWN, energies * above // below)


def coefficients_of(coefficients: Coefficients | None, rows: slice, rules: Rules, flows: Flows) -> Coefficients:
    """Return the coefficients of some quarter-hours for those whose energies these are; unknown ones if none are given.

    Parameters
    ----------
    coefficients
        For all consumers (and producers) of the community.
    rows
        The quarter-hours.
    rules
        The community's.
    flows
        The energies.
    """
    if coefficients is None:
        return Coefficients(np.full(flows.offtake.shape, UNKNOWN), 1)
    parts = coefficients.parts[rows]
    if parts.ndim > flows.offtake.ndim:  # by producer, too
        parts = parts[:, _places(rules.producers, flows.producers)]
    return Coefficients(parts[..., _places(rules.consumers, flows.members)], coefficients.whole)
