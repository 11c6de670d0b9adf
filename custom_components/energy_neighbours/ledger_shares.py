"""Shares of communities in the ledger, the sums of all, and by which rules they were made."""

from collections.abc import Iterable, Mapping, Sequence
import json
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, delete, func, select, update
from sqlalchemy.dialects import sqlite

from .core.quarter_hour import Span
from .ledger_coefficients import CoefficientLedger
from .ledger_quarters import CURRENT, by_span, number_of, open_site, open_sites
from .ledger_readings import community_of, open_community, put_due
from .ledger_schema import (
    acknowledged_table,
    carried_table,
    coefficient_table,
    community_table,
    due_table,
    member_table,
    quarter_hour_table,
    share_table,
    total_table,
)
from .ledger_sources import SourceLedger

SITE_TABLES: Final = (share_table, acknowledged_table, member_table, carried_table)
"""Tables of communities that know a site."""


ALL_WHO_AGREED: Final = "*"
"""Stands in place of a profile for the members who agreed to be part of sums that all see."""


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


class Total(NamedTuple):
    """What a quarter-hour was for all members, or for some of them; see `ledger_schema.total_table`.

    The profile is empty for all, which is for the organiser. Those of a group, or all, who agreed to be part of sums
    that everybody may see stand under the group's name, or `ALL_WHO_AGREED`.
    """

    profile: str
    start: int
    production: int
    offtake: int
    allocated: int
    surplus: int
    known: int
    expected: int
    provisional: bool


class Sums(NamedTuple):
    """Sums over the quarter-hours of a span [Wh], and how many readings are known of how many that should be."""

    production: int = 0
    offtake: int = 0
    allocated: int = 0
    surplus: int = 0
    known: int = 0
    expected: int = 0
    provisional: int = 0


type Shares = Mapping[str, Sequence[Share]]
"""Shares by site."""

_SHARE: Final = [share_table.c[name] for name in Share._fields]
_SAID: Final = slice(1, -1)
"""All but the start and the revision."""


class ShareLedger(CoefficientLedger, SourceLedger):
    """Shares of communities, beside the readings that they are made of."""

    def write(
        self, community: str, shares: Shares, done: Iterable[int] = (), totals: Sequence[Total] = ()
    ) -> dict[str, list[Share]]:
        """Keep shares that were worked out; return those that say something new, with their revision.

        Parameters
        ----------
        community
            Whose.
        shares
            By site.
        done
            The quarter-hours that are no longer to be divided, unless they were noted again since `due` was asked.
        totals
            The sums that belong to them.
        """
        with self._file.writing() as connection:
            number, revision = open_community(connection, community)
            changed: dict[str, list[Share]] = {}
            numbers = open_sites(connection, shares)
            before = _shares_around(connection, number, {numbers[site]: of_site for site, of_site in shares.items()})
            for site, of_site in shares.items():
                known = before[numbers[site]]
                if new := [each for each in of_site if not _says_the_same(each, known.get(each.start))]:
                    changed[site] = [Share(*each[:-1], revision + 1) for each in new]
            if changed:
                _put_shares(connection, number, {numbers[site]: new for site, new in changed.items()})
                statement = update(community_table).where(community_table.c.id == number)
                connection.execute(statement.values(revision=revision + 1))
            _put_totals(connection, number, totals)
            if ended := set(done) - self._noted.get(community, set()):
                of = due_table.c
                connection.execute(delete(due_table).where(of.community == number, of.start.in_(ended)))
        return changed

    def totals(self, community: str, profile: str, span: Span) -> list[Total]:
        """Return the sums of a span's quarter-hours, in order; the profile is empty for all members."""
        of = total_table.c
        statement = select(*(of[name] for name in Total._fields)).where(*_totals_within(community, profile, span))
        with self._file.reading() as connection:
            found = [Total(*row) for row in connection.execute(statement.order_by(of.start))]
        return [each._replace(provisional=bool(each.provisional)) for each in found]

    def sums(self, community: str, profile: str, span: Span) -> Sums:
        """Return the sums over a span; the profile is empty for all members."""
        of = total_table.c
        columns = [func.coalesce(func.sum(of[name]), 0) for name in Sums._fields]
        with self._file.reading() as connection:
            return Sums(*connection.execute(select(*columns).where(*_totals_within(community, profile, span))).one())

    def last_total(self, community: str) -> int | None:
        """Return the last quarter-hour that was divided; None if none was."""
        of = total_table.c
        statement = select(func.max(of.start)).where(of.community == community_of(community), of.profile == "")
        with self._file.reading() as connection:
            last: int | None = connection.scalar(statement)
        return last

    def load_rules(self, community: str) -> Any:
        """Return what `save_rules` kept; None if nothing was."""
        with self._file.reading() as connection:
            text = connection.scalar(select(community_table.c.rules).where(community_table.c.entry == community))
        return None if text is None else json.loads(text)

    def save_rules(self, community: str, rules: Any, due: Iterable[int] = ()) -> None:
        """Keep by which rules shares are made from now on, and what has to be divided because of them."""
        with self._file.writing() as connection:
            number, _ = open_community(connection, community)
            text = json.dumps(rules, separators=(",", ":"))
            connection.execute(update(community_table).where(community_table.c.id == number).values(rules=text))
            put_due(connection, community, due)

    def site_sums(self, community: str, site: str, span: Span) -> tuple[int, int]:
        """Return what a site was allocated in a span, and what it took then [Wh], where both are known."""
        share = share_table.c
        joined = share_table.join(quarter_hour_table, and_(share.site == CURRENT.site, share.start == CURRENT.start))
        statement = select(
            func.coalesce(func.sum(share.allocated), 0), func.coalesce(func.sum(CURRENT.offtake), 0)
        ).select_from(joined)
        statement = statement.where(
            share.community == community_of(community),
            share.site == number_of(site),
            share.start >= span.start,
            share.start < span.end,
            share.allocated.is_not(None),
            CURRENT.offtake.is_not(None),
        )
        with self._file.reading() as connection:
            allocated, offtake = connection.execute(statement).one()
        return allocated, offtake

    def accept(self, community: str, site: str, shares: Sequence[Share], seen: int) -> list[Share]:
        """Keep shares that an organiser sent, unless newer ones are known; return those that say something new.

        Parameters
        ----------
        community, site
            The membership, and whose.
        shares
            What was sent.
        seen
            The revision up to which all shares are known now.
        """
        with self._file.writing() as connection:
            number, revision = open_community(connection, community)
            site_number, _ = open_site(connection, site)
            before = _shares_around(connection, number, {site_number: shares})[site_number]
            new = [each for each in shares if (old := before.get(each.start)) is None or old.revision < each.revision]
            _put_shares(connection, number, {site_number: new})
            if seen > revision:
                statement = update(community_table).where(community_table.c.id == number)
                connection.execute(statement.values(revision=seen))
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
        statement = select(*_SHARE).where(of.community == community_of(community), of.site == number_of(site))
        statement = statement.where(*conditions).order_by(*(order or [of.start])).limit(limit)
        with self._file.reading() as connection:
            return [_share(row) for row in connection.execute(statement)]

    def revision(self, community: str) -> int:
        """Return the newest revision of a community's shares; 0 when there are none."""
        statement = select(community_table.c.revision).where(community_table.c.entry == community)
        with self._file.reading() as connection:
            return connection.scalar(statement) or 0

    def go_on_after(self, community: str, revision: int, since: int) -> bool:
        """Let revisions go on after one that a member has seen, if it is not known here: a backup was restored.

        Parameters
        ----------
        community, revision
            Whose, and what was seen.
        since
            Shares from this time on get the new revision [s, Unix], so that they are told again and believed.

        Returns
        -------
        bool
            Whether anything was changed.
        """
        with self._file.writing() as connection:
            number, known = open_community(connection, community)
            if revision <= known:
                return False
            of = share_table.c
            mine = of.community == number, of.start >= since
            connection.execute(update(share_table).where(*mine).values(revision=revision + 1))
            statement = update(community_table).where(community_table.c.id == number)
            connection.execute(statement.values(revision=revision + 1))
        return True

    def closed_until(self, community: str) -> int | None:
        """Return before when quarter-hours are settled [s, Unix]; None if none is."""
        statement = select(community_table.c.closed).where(community_table.c.entry == community)
        with self._file.reading() as connection:
            return connection.scalar(statement)

    def close_until(self, community: str, time: int) -> None:
        """Settle the quarter-hours before a time [s, Unix]: readings of them are refused from now on."""
        with self._file.writing() as connection:
            number, _ = open_community(connection, community)
            connection.execute(update(community_table).where(community_table.c.id == number).values(closed=time))

    def forget_member(self, community: str, site: str) -> None:
        """Forget what a community knows of a site; its own readings stay."""
        with self._file.writing() as connection:
            for table in SITE_TABLES:
                of = table.c
                connection.execute(
                    delete(table).where(of.community == community_of(community), of.site == number_of(site))
                )

    def forget_community(self, community: str) -> None:
        """Forget a community."""
        with self._file.writing() as connection:
            for table in (*SITE_TABLES, coefficient_table, due_table, total_table):
                connection.execute(delete(table).where(table.c.community == community_of(community)))
            connection.execute(delete(community_table).where(community_table.c.entry == community))


def _totals_within(community: str, profile: str, span: Span) -> tuple[Any, ...]:
    of = total_table.c
    whose = of.community == community_of(community), of.profile == profile
    return *whose, of.start >= span.start, of.start < span.end


def _put_totals(connection: Connection, number: int, totals: Sequence[Total]) -> None:
    if not totals:
        return
    statement = sqlite.insert(total_table)
    names = [name for name in Total._fields if name not in {"profile", "start"}]
    statement = statement.on_conflict_do_update(
        index_elements=["community", "profile", "start"], set_={name: statement.excluded[name] for name in names}
    )
    rows = [{"community": number, **each._asdict(), "provisional": int(each.provisional)} for each in totals]
    connection.execute(statement, rows)


def _shares_around(
    connection: Connection, community: int, shares: Mapping[int, Sequence[Share]]
) -> dict[int, dict[int, Share]]:
    """Return what is known in the span of some shares, by the site's number and start."""
    found: dict[int, dict[int, Share]] = {site: {} for site in shares}
    of = share_table.c
    starts = {site: [each.start for each in of_site] for site, of_site in shares.items()}
    for span, sites in by_span(starts).items():
        statement = select(of.site, *_SHARE)
        statement = statement.where(of.community == community, of.site.in_(sites), of.start.between(*span))
        for site, *row in connection.execute(statement):
            share = _share(row)
            found[site][share.start] = share
    return found


def _share(row: Any) -> Share:
    share = Share(*row)
    return share._replace(provisional=bool(share.provisional))


def _says_the_same(one: Share, other: Share | None) -> bool:
    return other is not None and one[_SAID] == other[_SAID]


def _put_shares(connection: Connection, community: int, shares: Mapping[int, Sequence[Share]]) -> None:
    """Write shares by the site's number."""
    rows = [
        {"community": community, "site": site, **each._asdict(), "provisional": int(each.provisional)}
        for site, of_site in shares.items()
        for each in of_site
    ]
    if not rows:
        return
    statement = sqlite.insert(share_table)
    statement = statement.on_conflict_do_update(
        index_elements=["community", "site", "start"],
        set_={name: statement.excluded[name] for name in Share._fields if name != "start"},
    )
    connection.execute(statement, rows)
