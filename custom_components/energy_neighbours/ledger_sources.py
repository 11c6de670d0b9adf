"""Where a site's energy came from, in the ledger: neighbours or supplier; also what is no longer kept of it."""

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, delete, func, or_, select
from sqlalchemy.dialects import sqlite

from .core.quarter_hour import Span
from .ledger_quarters import CURRENT, number_of, open_site, within
from .ledger_readings import ReadingLedger, community_of, open_community
from .ledger_schema import acknowledged_table, carried_table, quarter_hour_table, share_table

_HOUR: Final = 3600


class Carried(NamedTuple):
    """What a site took before a time [s, Unix] that is no longer kept by the quarter-hour, by source [Wh]."""

    until: int = 0
    neighbours: int = 0
    supplier: int = 0


class SourceLedger(ReadingLedger):
    """What sites took, by where it came from."""

    def grid_sources(self, community: str, site: str, span: Span, until: int, old: int) -> dict[int, tuple[int, int]]:
        """Return what a site took in each hour of a span, by where it came from: its neighbours, the supplier [Wh].

        Parameters
        ----------
        community, site, span
            Whose, and when.
        until
            When the site left the community [s, Unix]: from then on all is the supplier's.
        old
            What is older than this and has no share yet counts as the supplier's, too; what is younger is awaited.
        """
        hour = CURRENT.start - CURRENT.start % _HOUR
        told = or_(share_table.c.allocated.is_not(None), CURRENT.start < old, CURRENT.start >= until)
        statement = _sources(community, site, span, hour).where(told).group_by(hour)
        with self._file.reading() as connection:
            return {start: (neighbours, supplier) for start, neighbours, supplier in connection.execute(statement)}

    def carried(self, community: str, site: str) -> Carried:
        """Return what `carry` added up."""
        with self._file.reading() as connection:
            return _carried(connection, community, site)

    def carry(self, community: str, site: str, since: int, before: int) -> None:
        """Add up what a site took before a time, for its quarter-hours will be forgotten.

        What was added up before is not added again, whether it was forgotten meanwhile or not.

        Parameters
        ----------
        community, site
            Whose.
        since, before
            From when it belonged to the community, and what is to be added up until [s, Unix].
        """
        with self._file.writing() as connection:
            known = _carried(connection, community, site)
            if before <= known.until:
                return
            span = Span(max(since, known.until), before)
            _, neighbours, supplier = connection.execute(_sources(community, site, span, before)).one()
            values = {
                "community": open_community(connection, community)[0],
                "site": open_site(connection, site)[0],
                "until": before,
                "neighbours": known.neighbours + (neighbours or 0),
                "supplier": known.supplier + (supplier or 0),
            }
            statement = sqlite.insert(carried_table).values(values)
            connection.execute(statement.on_conflict_do_update(index_elements=["community", "site"], set_=values))

    def forget_shares(self, community: str, site: str, before: int) -> None:
        """Forget what a site got before a time [s, Unix], and what its organiser acknowledged of it."""
        with self._file.writing() as connection:
            for table in (share_table, acknowledged_table):
                of = table.c
                whose = of.community == community_of(community), of.site == number_of(site)
                connection.execute(delete(table).where(*whose, of.start < before))


def _sources(community: str, site: str, span: Span, label: Any) -> Any:
    """Return the statement for what a site took in a span, by source, beside a label."""
    share = share_table.c
    joined = quarter_hour_table.outerjoin(
        share_table,
        and_(share.community == community_of(community), share.site == CURRENT.site, share.start == CURRENT.start),
    )
    allocated = func.coalesce(share.allocated, 0)
    statement = select(label, func.sum(allocated), func.sum(CURRENT.offtake - allocated)).select_from(joined)
    return statement.where(*within(site, span), CURRENT.offtake.is_not(None))


def _carried(connection: Connection, community: str, site: str) -> Carried:
    of = carried_table.c
    statement = select(of.until, of.neighbours, of.supplier)
    found = connection.execute(statement.where(of.community == community_of(community), of.site == number_of(site)))
    row = found.first()
    return Carried(*row) if row else Carried()
