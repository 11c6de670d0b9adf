"""Rows of quarter-hours inside a transaction of the ledger: found, written, and what they said before kept."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import sqlite

from .core.quarter_hour import QuarterHour, Span
from .ledger_rows import Row
from .ledger_schema import quarter_hour_table, site_table, superseded_table

CURRENT: Final = quarter_hour_table.c
COLUMNS: Final = [CURRENT[name] for name in Row._fields]


def open_site(connection: Connection, site: str) -> tuple[int, int]:
    """Return a site's number and the revision of its data; new ones get a number."""
    of = site_table.c
    statement = select(of.id, of.revision).where(of.entry == site)
    found = connection.execute(statement).first()
    if not found:
        connection.execute(insert(site_table).values(entry=site, revision=1))
        found = connection.execute(statement).one()
    return found[0], found[1]


def open_sites(connection: Connection, sites: Collection[str]) -> dict[str, int]:
    """Return the numbers of sites; new ones get one."""
    of = site_table.c
    statement = select(of.entry, of.id).where(of.entry.in_(sites))
    found = dict(connection.execute(statement).tuples().all())
    for site in sites:
        if site not in found:
            found[site], _ = open_site(connection, site)
    return found


def rows_around(connection: Connection, number: int, quarters: Sequence[QuarterHour]) -> dict[int, Row]:
    """Return the current rows in the span of some quarter-hours."""
    return rows_around_all(connection, {number: [quarter.start for quarter in quarters]})[number]


def rows_around_all(connection: Connection, starts: Mapping[int, Sequence[int]]) -> dict[int, dict[int, Row]]:
    """Return the current rows in the span of some quarter-hours, by the site's number and start."""
    found: dict[int, dict[int, Row]] = {number: {} for number in starts}
    for span, numbers in by_span(starts).items():
        statement = select(CURRENT.site, CURRENT.start, *COLUMNS)
        statement = statement.where(CURRENT.site.in_(numbers), CURRENT.start.between(*span))
        for number, start, *values in connection.execute(statement):
            found[number][start] = Row(*values)
    return found


def by_span(starts: Mapping[int, Sequence[int]]) -> dict[tuple[int, int], list[int]]:
    """Return which sites' quarter-hours go from which first to which last one: what is asked of them is one query."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, of_site in starts.items():
        if of_site:
            found.setdefault((min(of_site), max(of_site)), []).append(number)
    return found


def rows_within(connection: Connection, site: str, span: Span) -> dict[int, Row]:
    """Return the current rows of a span."""
    statement = select(CURRENT.start, *COLUMNS).where(*within(site, span))
    return {start: Row(*values) for start, *values in connection.execute(statement)}


def keep(
    connection: Connection,
    number: int,
    revision: int,
    before: Mapping[int, Row],
    after: Mapping[int, Row],
    *,
    renew: bool = False,
) -> int:
    """Write rows, move what they change to the superseded ones; return the revision of the site's data."""
    old = {start: before[start] for start in after if start in before}
    if old or renew:
        revision += 1
        connection.execute(update(site_table).where(site_table.c.id == number).values(revision=revision))
    supersede(connection, number, old)
    put(connection, number, {start: row._replace(revision=revision) for start, row in after.items()})
    return revision


def supersede(connection: Connection, number: int, rows: Mapping[int, Row]) -> None:
    """Keep rows beside what takes their place."""
    supersede_all(connection, {number: rows})


def supersede_all(connection: Connection, rows: Mapping[int, Mapping[int, Row]]) -> None:
    """Keep rows of several sites beside what takes their place."""
    if values := _values_of(rows):
        connection.execute(insert(superseded_table), values)


def put(connection: Connection, number: int, rows: Mapping[int, Row]) -> None:
    """Write rows, in the place of those that are there."""
    put_all(connection, {number: rows})


def put_all(connection: Connection, rows: Mapping[int, Mapping[int, Row]]) -> None:
    """Write rows of several sites, in the place of those that are there."""
    if values := _values_of(rows):
        statement = sqlite.insert(quarter_hour_table)
        statement = statement.on_conflict_do_update(
            index_elements=["site", "start"], set_={name: statement.excluded[name] for name in Row._fields}
        )
        connection.execute(statement, values)


def _values_of(rows: Mapping[int, Mapping[int, Row]]) -> list[dict[str, Any]]:
    return [
        {"site": number, "start": start, **row._asdict()}
        for number, of_site in rows.items()
        for start, row in of_site.items()
    ]


def number_of(site: str) -> Any:
    """Return a site's number, as part of a statement."""
    return select(site_table.c.id).where(site_table.c.entry == site).scalar_subquery()


def within(site: str, span: Span) -> tuple[Any, ...]:
    """Return the conditions for a site's current rows of a span."""
    return CURRENT.site == number_of(site), *inside(span)


def inside(span: Span) -> tuple[Any, ...]:
    """Return the conditions for current rows of a span."""
    return CURRENT.start >= span.start, CURRENT.start < span.end
