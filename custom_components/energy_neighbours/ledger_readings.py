"""Readings of a community's members in the ledger, and what both sides told each other of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
import json
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, func, insert, or_, select
from sqlalchemy.dialects import sqlite

from .core.quarter_hour import QuarterHour, Span
from .ledger_file import LedgerFile
from .ledger_quarters import (
    COLUMNS,
    CURRENT,
    inside,
    number_of,
    open_site,
    open_sites,
    put_all,
    rows_around_all,
    supersede_all,
    within,
)
from .ledger_rows import Row
from .ledger_schema import (
    acknowledged_table,
    community_table,
    due_table,
    member_table,
    quarter_hour_table,
    share_table,
    site_table,
)


class Reading(NamedTuple):
    """A quarter-hour of a member, and the number of the member's data in which it says this."""

    quarter: QuarterHour
    revision: int


class ReadingLedger:
    """Readings of members; communities are known by the id of their config entry, or of a site's membership."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file
        self._noted: dict[str, set[int]] = {}
        """By community, the quarter-hours that were noted since `due` was asked: what is being divided knows nothing of
        it."""

    def take(self, community: str, site: str, readings: Sequence[Reading]) -> list[int]:
        """Keep what a member sent; see `take_all`."""
        return self.take_all(community, {site: readings})

    def take_all(
        self,
        community: str,
        readings: Mapping[str, Sequence[Reading]],
        states: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> list[int]:
        """Keep what members sent, and note which quarter-hours have to be divided (anew); return these.

        What is older than what is known, or the same, changes nothing: messages may come twice and in any order.

        Parameters
        ----------
        community
            Whose members they are.
        readings
            What they sent, by site.
        states
            What is known of them beside that, by site; see `save_member`.
        """
        changed: set[int] = set()
        with self._file.writing() as connection:
            numbers = open_sites(connection, {*readings, *states})
            starts = {numbers[site]: [each.quarter.start for each in sent] for site, sent in readings.items()}
            before = rows_around_all(connection, starts)
            after: dict[int, dict[int, Row]] = {}
            for site, sent in readings.items():
                known, new = before[numbers[site]], after.setdefault(numbers[site], {})
                for quarter, revision in sent:
                    old = new.get(quarter.start) or known.get(quarter.start)
                    if old is None or old.revision < revision:
                        new[quarter.start] = Row.of(quarter)._replace(revision=revision)
                changed.update(new)
            replaced = {
                number: {start: before[number][start] for start in new if start in before[number]}
                for number, new in after.items()
            }
            supersede_all(connection, replaced)
            put_all(connection, after)
            put_due(connection, community, changed)
            _save_members(connection, community, {numbers[site]: state for site, state in states.items()})
        self._renew(community, changed)
        return sorted(changed)

    def note_due(self, community: str, starts: Iterable[int]) -> None:
        """Note that quarter-hours have to be divided (anew)."""
        noted = list(starts)
        with self._file.writing() as connection:
            put_due(connection, community, noted)
        self._renew(community, noted)

    def _renew(self, community: str, starts: Iterable[int]) -> None:
        if (noted := self._noted.get(community)) is not None:
            noted.update(starts)

    def due(self, community: str, limit: int) -> list[int]:
        """Return the first quarter-hours that have to be divided, in order.

        What is noted from now on stays due, though these are divided meanwhile: it may have come too late for that.
        """
        self._noted[community] = set()
        of = due_table.c
        statement = select(of.start).where(of.community == community_of(community)).order_by(of.start).limit(limit)
        with self._file.reading() as connection:
            return list(connection.scalars(statement))

    def stale(self, community: str, site: str, span: Span) -> list[int]:
        """Return the quarter-hours of a span whose share was not made of what is known of the site now."""
        share = share_table.c
        joined = quarter_hour_table.outerjoin(
            share_table,
            and_(share.community == community_of(community), share.site == CURRENT.site, share.start == CURRENT.start),
        )
        statement = select(CURRENT.start).select_from(joined)
        statement = statement.where(*within(site, span), share.reading.is_distinct_from(CURRENT.revision))
        with self._file.reading() as connection:
            return list(connection.scalars(statement.order_by(CURRENT.start)))

    def readings(self, sites: Collection[str], span: Span) -> dict[str, dict[int, Reading]]:
        """Return what is known of several sites in a span, by site and start."""
        statement = select(site_table.c.entry, CURRENT.start, *COLUMNS).join_from(
            site_table, quarter_hour_table, CURRENT.site == site_table.c.id
        )
        statement = statement.where(site_table.c.entry.in_(sites), *inside(span))
        found: dict[str, dict[int, Reading]] = {site: {} for site in sites}
        with self._file.reading() as connection:
            for site, start, *values in connection.execute(statement):
                row = Row(*values)
                found[site][start] = Reading(row.quarter_hour(start), row.revision)
        return found

    def known_starts(self, site: str, span: Span) -> set[int]:
        """Return the quarter-hours of a span of which a site's grid energy is known."""
        statement = select(CURRENT.start).where(*within(site, span), CURRENT.offtake.is_not(None))
        with self._file.reading() as connection:
            return set(connection.scalars(statement))

    def count_known(self, sites: Collection[str], span: Span) -> dict[str, int]:
        """Return of how many quarter-hours of a span the grid energy of sites is known; nothing is said of none."""
        statement = select(site_table.c.entry, func.count()).join_from(
            site_table, quarter_hour_table, CURRENT.site == site_table.c.id
        )
        statement = statement.where(site_table.c.entry.in_(sites), *inside(span), CURRENT.offtake.is_not(None))
        with self._file.reading() as connection:
            return dict(connection.execute(statement.group_by(site_table.c.entry)).tuples().all())

    def load_member(self, community: str, site: str) -> dict[str, Any]:
        """Return what `save_member` kept; empty if nothing was."""
        of = member_table.c
        statement = select(of.state).where(of.community == community_of(community), of.site == number_of(site))
        with self._file.reading() as connection:
            text = connection.scalar(statement)
        return {} if text is None else json.loads(text)

    def save_member(self, community: str, site: str, state: Mapping[str, Any]) -> None:
        """Keep what is known of a member beside its readings, JSON-ready."""
        with self._file.writing() as connection:
            number, _ = open_site(connection, site)
            _save_members(connection, community, {number: state})

    def acknowledge(
        self, community: str, site: str, revisions: Iterable[tuple[int, int]], refused: str | None = None
    ) -> None:
        """Note which readings the organiser has, or has refused and why: pairs of start and revision."""
        rows = [{"start": start, "revision": revision, "refused": refused} for start, revision in revisions]
        if not rows:
            return
        with self._file.writing() as connection:
            number, _ = open_community(connection, community)
            site_number, _ = open_site(connection, site)
            statement = sqlite.insert(acknowledged_table)
            new = statement.excluded
            statement = statement.on_conflict_do_update(
                index_elements=["community", "site", "start"],
                set_={"revision": new.revision, "refused": new.refused},
                where=acknowledged_table.c.revision <= new.revision,
            )
            connection.execute(statement, [{"community": number, "site": site_number, **row} for row in rows])

    def forget_acknowledged(self, community: str, site: str, span: Span) -> None:
        """Send a span again, for the organiser lacks it; but not what it has refused."""
        of = acknowledged_table.c
        with self._file.writing() as connection:
            connection.execute(
                delete(acknowledged_table).where(
                    of.community == community_of(community),
                    of.site == number_of(site),
                    of.start >= span.start,
                    of.start < span.end,
                    of.refused.is_(None),
                )
            )

    def unacknowledged(self, community: str, site: str, span: Span, limit: int) -> list[Reading]:
        """Return the first readings of a span that the organiser is not known to have, in order."""
        of = acknowledged_table.c
        joined = quarter_hour_table.outerjoin(
            acknowledged_table,
            and_(of.community == community_of(community), of.site == CURRENT.site, of.start == CURRENT.start),
        )
        statement = select(CURRENT.start, *COLUMNS).select_from(joined)
        statement = statement.where(*within(site, span), or_(of.revision.is_(None), of.revision < CURRENT.revision))
        with self._file.reading() as connection:
            rows = [
                (start, Row(*values))
                for start, *values in connection.execute(statement.order_by(CURRENT.start).limit(limit))
            ]
        return [Reading(row.quarter_hour(start), row.revision) for start, row in rows]

    def count_refused(self, community: str, site: str) -> dict[str, int]:
        """Return how many readings the organiser has refused, by reason."""
        of = acknowledged_table.c
        statement = select(of.refused, func.count()).where(
            of.community == community_of(community), of.site == number_of(site), of.refused.is_not(None)
        )
        with self._file.reading() as connection:
            return {str(reason): int(number) for reason, number in connection.execute(statement.group_by(of.refused))}


def open_community(connection: Connection, community: str) -> tuple[int, int]:
    """Return a community's number and the revision of its shares; new ones get a number."""
    of = community_table.c
    statement = select(of.id, of.revision).where(of.entry == community)
    found = connection.execute(statement).first()
    if not found:
        connection.execute(insert(community_table).values(entry=community, revision=0))
        found = connection.execute(statement).one()
    return found[0], found[1]


def _save_members(connection: Connection, community: str, states: Mapping[int, Mapping[str, Any]]) -> None:
    """Keep what is known of members, by the site's number."""
    if not states:
        return
    number, _ = open_community(connection, community)
    statement = sqlite.insert(member_table)
    statement = statement.on_conflict_do_update(
        index_elements=["community", "site"], set_={"state": statement.excluded.state}
    )
    rows = [
        {"community": number, "site": site, "state": json.dumps(state, separators=(",", ":"))}
        for site, state in states.items()
    ]
    connection.execute(statement, rows)


def community_of(community: str) -> Any:
    """Return a community's number, as part of a statement."""
    return select(community_table.c.id).where(community_table.c.entry == community).scalar_subquery()


def put_due(connection: Connection, community: str, starts: Iterable[int]) -> None:
    """Note that quarter-hours have to be divided (anew)."""
    if rows := sorted(starts):
        number, _ = open_community(connection, community)
        statement = sqlite.insert(due_table).on_conflict_do_nothing()
        connection.execute(statement, [{"community": number, "start": start} for start in rows])
