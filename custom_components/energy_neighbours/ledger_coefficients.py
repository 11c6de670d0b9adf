"""Coefficients of a community's quarter-hours in the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, or_, select

from .core.coefficients import GivenCoefficients, OfQuarterHour
from .core.quarter_hour import QUARTER, Span
from .ledger_readings import ReadingLedger, community_of, open_community, put_due
from .ledger_schema import coefficient_table, community_table

_OF = coefficient_table.c


class SettledError(Exception):
    """Something of what was to be kept lies in a settled period; nothing was changed."""


class CoefficientChanges(NamedTuple):
    """What coefficients change: starts of quarter-hours that had none, that had others, and how many stay."""

    added: Sequence[int]
    changed: Sequence[int]
    unchanged: int


class CoefficientLedger(ReadingLedger):
    """Coefficients, beside the readings that they are for."""

    def coefficients(self, community: str, span: Span) -> dict[int, dict[str, dict[str, int]]]:
        """Return the coefficients of a span, by quarter-hour, producer and member."""
        with self._file.reading() as connection:
            return _coefficients_within(connection, community, span)

    def coefficients_of(self, community: str, code: str) -> list[tuple[int, str, int]]:
        """Return the quarter-hours, producers and parts of a member's coefficients, in order."""
        statement = select(_OF.start, _OF.producer, _OF.part).where(
            _OF.community == community_of(community), _OF.member == code
        )
        with self._file.reading() as connection:
            return [(start, producer, part) for start, producer, part in connection.execute(statement)]

    def known_coefficients(self, community: str) -> Span | None:
        """Return the span from the first to the last quarter-hour with coefficients; None if there are none."""
        first, last = (
            select(edge(_OF.start)).where(_OF.community == community_of(community)).scalar_subquery()
            for edge in (func.min, func.max)
        )
        with self._file.reading() as connection:
            start, end = connection.execute(select(first, last)).one()
        return None if start is None else Span(start, end + QUARTER)

    def compare_coefficients(self, community: str, given: GivenCoefficients) -> CoefficientChanges:
        """Return what `set_coefficients` would change."""
        with self._file.reading() as connection:
            return _compare(connection, community, given)

    def set_coefficients(self, community: str, given: GivenCoefficients, now: float) -> CoefficientChanges:
        """Keep the coefficients of whole quarter-hours; those that they change have to be divided (anew).

        Parameters
        ----------
        community
            Whose.
        given
            Whatever else was known of these quarter-hours is forgotten.
        now
            The time [s, Unix]: what is not over yet has not been divided.

        Raises
        ------
        SettledError
            A quarter-hour that they change is settled.
        """
        with self._file.writing() as connection:
            changes = _compare(connection, community, given)
            new = sorted((*changes.added, *changes.changed))
            of = community_table.c
            closed = connection.scalar(select(of.closed).where(of.entry == community)) or 0
            if new and new[0] < closed:
                raise SettledError
            number, _ = open_community(connection, community)
            for start in changes.changed:
                connection.execute(delete(coefficient_table).where(_OF.community == number, _OF.start == start))
            if rows := [row for start in new for row in _rows(number, start, given[start])]:
                connection.execute(insert(coefficient_table), rows)
            due = [start for start in new if start + QUARTER <= now]
            put_due(connection, community, due)
        self._renew(community, due)
        return changes

    def forget_coefficients(self, community: str, code: str) -> None:
        """Forget the coefficients of a member that is erased, as consumer and as producer."""
        with self._file.writing() as connection:
            whose = or_(_OF.member == code, _OF.producer == code)
            connection.execute(delete(coefficient_table).where(_OF.community == community_of(community), whose))


def _coefficients_within(connection: Connection, community: str, span: Span) -> dict[int, dict[str, dict[str, int]]]:
    statement = select(_OF.start, _OF.producer, _OF.member, _OF.part).where(
        _OF.community == community_of(community), _OF.start >= span.start, _OF.start < span.end
    )
    found: dict[int, dict[str, dict[str, int]]] = {}
    for start, producer, member, part in connection.execute(statement):
        found.setdefault(start, {}).setdefault(producer, {})[member] = part
    return found


def _compare(connection: Connection, community: str, given: GivenCoefficients) -> CoefficientChanges:
    if not given:
        return CoefficientChanges((), (), 0)
    before = _coefficients_within(connection, community, Span(min(given), max(given) + QUARTER))
    added = [start for start in given if start not in before]
    changed = [start for start, of_quarter in given.items() if start in before and before[start] != of_quarter]
    return CoefficientChanges(sorted(added), sorted(changed), len(given) - len(added) - len(changed))


def _rows(number: int, start: int, of_quarter: OfQuarterHour) -> list[Mapping[str, Any]]:
    return [
        {"community": number, "start": start, "producer": producer, "member": member, "part": part}
        for producer, parts in of_quarter.items()
        for member, part in parts.items()
    ]
