"""Shares of communities in the ledger, the readings that members sent, and what both sides told each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
import json
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import sqlite

from .core.quarter_hour import QuarterHour, Span
from .ledger_file import LedgerFile
from .ledger_quarters import COLUMNS, CURRENT, number_of, open_site, put, rows_around, supersede, within
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

SITE_TABLES: Final = (share_table, acknowledged_table, member_table)
"""Tables of communities that know a site."""


class Reading(NamedTuple):
    """A quarter-hour of a member, and the number of the member's data in which it says this."""

    quarter: QuarterHour
    revision: int


class Share(NamedTuple):
    """What a site got and gave in a quarter-hour; see `ledger_schema.share_table`."""

    start: int
    offered: int | None
    allocated: int | None
    surplus: int | None
    version: int
    provisional: bool
    reading: int | None = None
    revision: int = 0


type Shares = Mapping[str, Sequence[Share]]
"""Shares by site."""

_SHARE: Final = [share_table.c[name] for name in Share._fields]
_SAID: Final = tuple(name for name in Share._fields if name not in {"start", "revision"})


class ShareLedger:
    """Shares and readings; communities are known by the id of their config entry, or of a site's membership."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file

    def take(self, community: str, site: str, readings: Sequence[Reading]) -> list[int]:
        """Keep what a member sent, and note which quarter-hours have to be divided (anew); return these.

        What is older than what is known, or the same, changes nothing: messages may come twice and in any order.
        """
        with self._file.writing() as connection:
            number, _ = open_site(connection, site)
            before = rows_around(connection, number, [each.quarter for each in readings])
            after: dict[int, Row] = {}
            for quarter, revision in readings:
                known = after.get(quarter.start) or before.get(quarter.start)
                if known is None or known.revision < revision:
                    after[quarter.start] = Row.of(quarter)._replace(revision=revision)
            supersede(connection, number, {start: before[start] for start in after if start in before})
            put(connection, number, after)
            _note_due(connection, community, after)
        return sorted(after)

    def note_due(self, community: str, starts: Iterable[int]) -> None:
        """Note that quarter-hours have to be divided (anew)."""
        with self._file.writing() as connection:
            _note_due(connection, community, starts)

    def due(self, community: str, limit: int) -> list[int]:
        """Return the first quarter-hours that have to be divided, in order."""
        of = due_table.c
        statement = select(of.start).where(of.community == _community_of(community)).order_by(of.start).limit(limit)
        with self._file.reading() as connection:
            return list(connection.scalars(statement))

    def stale(self, community: str, site: str, span: Span) -> list[int]:
        """Return the quarter-hours of a span whose share was not made of what is known of the site now."""
        share = share_table.c
        joined = quarter_hour_table.outerjoin(
            share_table,
            and_(share.community == _community_of(community), share.site == CURRENT.site, share.start == CURRENT.start),
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
        statement = statement.where(
            site_table.c.entry.in_(sites), CURRENT.start >= span.start, CURRENT.start < span.end
        )
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

    def write(self, community: str, shares: Shares, done: Iterable[int] = ()) -> dict[str, list[Share]]:
        """Keep shares that were worked out; return those that say something new, with their revision.

        Parameters
        ----------
        community
            Whose.
        shares
            By site.
        done
            The quarter-hours that are no longer to be divided.
        """
        with self._file.writing() as connection:
            number, revision = _open_community(connection, community)
            changed: dict[str, list[Share]] = {}
            for site, of_site in shares.items():
                site_number, _ = open_site(connection, site)
                before = _shares_around(connection, number, site_number, of_site)
                if new := [each for each in of_site if not _says_the_same(each, before.get(each.start))]:
                    changed[site] = [each._replace(revision=revision + 1) for each in new]
                    _put_shares(connection, number, site_number, changed[site])
            if changed:
                statement = update(community_table).where(community_table.c.id == number)
                connection.execute(statement.values(revision=revision + 1))
            if ended := list(done):
                of = due_table.c
                connection.execute(delete(due_table).where(of.community == number, of.start.in_(ended)))
        return changed

    def accept(self, community: str, site: str, shares: Sequence[Share]) -> list[Share]:
        """Keep shares that an organiser sent, unless newer ones are known; return those that say something new."""
        with self._file.writing() as connection:
            number, revision = _open_community(connection, community)
            site_number, _ = open_site(connection, site)
            before = _shares_around(connection, number, site_number, shares)
            new = [each for each in shares if (old := before.get(each.start)) is None or old.revision < each.revision]
            _put_shares(connection, number, site_number, new)
            if (newest := max((each.revision for each in shares), default=0)) > revision:
                statement = update(community_table).where(community_table.c.id == number)
                connection.execute(statement.values(revision=newest))
        return [each for each in new if not _says_the_same(each, before.get(each.start))]

    def shares(self, community: str, site: str, span: Span) -> list[Share]:
        """Return a site's shares of a span, in order."""
        of = share_table.c
        return self._shares(community, site, of.start >= span.start, of.start < span.end)

    def shares_after(self, community: str, site: str, revision: int, limit: int) -> list[Share]:
        """Return a site's shares that were written after a revision, the oldest revisions first."""
        of = share_table.c
        found = self._shares(community, site, of.revision > revision, order=(of.revision, of.start), limit=limit + 1)
        if len(found) <= limit:
            return found
        # A revision is told whole: who holds one has all of it.
        last = found[limit].revision
        whole = [share for share in found if share.revision < last]
        return whole or self._shares(community, site, of.revision == found[0].revision)

    def _shares(
        self, community: str, site: str, *conditions: Any, order: Sequence[Any] = (), limit: int | None = None
    ) -> list[Share]:
        of = share_table.c
        statement = select(*_SHARE).where(of.community == _community_of(community), of.site == number_of(site))
        statement = statement.where(*conditions).order_by(*(order or [of.start])).limit(limit)
        with self._file.reading() as connection:
            return [_share(row) for row in connection.execute(statement)]

    def revision(self, community: str) -> int:
        """Return the newest revision of a community's shares; 0 when there are none."""
        statement = select(community_table.c.revision).where(community_table.c.entry == community)
        with self._file.reading() as connection:
            return connection.scalar(statement) or 0

    def closed_until(self, community: str) -> int | None:
        """Return before when quarter-hours are settled [s, Unix]; None if none is."""
        statement = select(community_table.c.closed).where(community_table.c.entry == community)
        with self._file.reading() as connection:
            return connection.scalar(statement)

    def close_until(self, community: str, time: int) -> None:
        """Settle the quarter-hours before a time [s, Unix]: readings of them are refused from now on."""
        with self._file.writing() as connection:
            number, _ = _open_community(connection, community)
            connection.execute(update(community_table).where(community_table.c.id == number).values(closed=time))

    def load_member(self, community: str, site: str) -> dict[str, Any]:
        """Return what `save_member` kept; empty if nothing was."""
        of = member_table.c
        statement = select(of.state).where(of.community == _community_of(community), of.site == number_of(site))
        with self._file.reading() as connection:
            text = connection.scalar(statement)
        return {} if text is None else json.loads(text)

    def save_member(self, community: str, site: str, state: Mapping[str, Any]) -> None:
        """Keep what is known of a member beside its readings, JSON-ready."""
        with self._file.writing() as connection:
            number, _ = _open_community(connection, community)
            site_number, _ = open_site(connection, site)
            statement = sqlite.insert(member_table).values(
                community=number, site=site_number, state=json.dumps(state, separators=(",", ":"))
            )
            statement = statement.on_conflict_do_update(
                index_elements=["community", "site"], set_={"state": statement.excluded.state}
            )
            connection.execute(statement)

    def acknowledge(
        self, community: str, site: str, revisions: Iterable[tuple[int, int]], refused: str | None = None
    ) -> None:
        """Note which readings the organiser has, or has refused and why: pairs of start and revision."""
        rows = [{"start": start, "revision": revision, "refused": refused} for start, revision in revisions]
        if not rows:
            return
        with self._file.writing() as connection:
            number, _ = _open_community(connection, community)
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
        """Send a span again, for the organiser lacks it."""
        of = acknowledged_table.c
        with self._file.writing() as connection:
            connection.execute(
                delete(acknowledged_table).where(
                    of.community == _community_of(community),
                    of.site == number_of(site),
                    of.start >= span.start,
                    of.start < span.end,
                )
            )

    def unacknowledged(self, community: str, site: str, span: Span, limit: int) -> list[Reading]:
        """Return the first readings of a span that the organiser is not known to have, in order."""
        of = acknowledged_table.c
        joined = quarter_hour_table.outerjoin(
            acknowledged_table,
            and_(of.community == _community_of(community), of.site == CURRENT.site, of.start == CURRENT.start),
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
            of.community == _community_of(community), of.site == number_of(site), of.refused.is_not(None)
        )
        with self._file.reading() as connection:
            return {str(reason): int(number) for reason, number in connection.execute(statement.group_by(of.refused))}

    def forget_member(self, community: str, site: str) -> None:
        """Forget what a community knows of a site; its own readings stay."""
        with self._file.writing() as connection:
            for table in SITE_TABLES:
                of = table.c
                connection.execute(
                    delete(table).where(of.community == _community_of(community), of.site == number_of(site))
                )

    def forget_community(self, community: str) -> None:
        """Forget a community."""
        with self._file.writing() as connection:
            for table in (*SITE_TABLES, due_table):
                connection.execute(delete(table).where(table.c.community == _community_of(community)))
            connection.execute(delete(community_table).where(community_table.c.entry == community))


def _open_community(connection: Connection, community: str) -> tuple[int, int]:
    """Return a community's number and the revision of its shares; new ones get a number."""
    of = community_table.c
    statement = select(of.id, of.revision).where(of.entry == community)
    found = connection.execute(statement).first()
    if not found:
        connection.execute(insert(community_table).values(entry=community, revision=0))
        found = connection.execute(statement).one()
    return found[0], found[1]


def _community_of(community: str) -> Any:
    return select(community_table.c.id).where(community_table.c.entry == community).scalar_subquery()


def _note_due(connection: Connection, community: str, starts: Iterable[int]) -> None:
    if rows := sorted(starts):
        number, _ = _open_community(connection, community)
        statement = sqlite.insert(due_table).on_conflict_do_nothing()
        connection.execute(statement, [{"community": number, "start": start} for start in rows])


def _shares_around(connection: Connection, number: int, site: int, shares: Sequence[Share]) -> dict[int, Share]:
    """Return what is known in the span of some shares, by start."""
    if not shares:
        return {}
    starts = [each.start for each in shares]
    of = share_table.c
    statement = select(*_SHARE).where(
        of.community == number, of.site == site, of.start.between(min(starts), max(starts))
    )
    return {share.start: share for share in map(_share, connection.execute(statement))}


def _share(row: Any) -> Share:
    share = Share(*row)
    return share._replace(provisional=bool(share.provisional))


def _says_the_same(one: Share, other: Share | None) -> bool:
    return other is not None and all(getattr(one, name) == getattr(other, name) for name in _SAID)


def _put_shares(connection: Connection, number: int, site: int, shares: Sequence[Share]) -> None:
    if not shares:
        return
    statement = sqlite.insert(share_table)
    statement = statement.on_conflict_do_update(
        index_elements=["community", "site", "start"],
        set_={name: statement.excluded[name] for name in Share._fields if name != "start"},
    )
    rows = [
        {"community": number, "site": site, **each._asdict(), "provisional": int(each.provisional)} for each in shares
    ]
    connection.execute(statement, rows)
