"""The site's own store: every quarter-hour that was booked, where it came from, and what it said before."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cached_property
import json
import time
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import sqlite

from .core.quarter_hour import QUARTER, QuarterHour, Span
from .ledger_file import LedgerFile
from .ledger_quarters import COLUMNS, CURRENT, keep, number_of, open_site, rows_around, rows_within, within
from .ledger_rows import ENERGIES, MICRO, QUALITIES, Row, micro_price, replaced, supplemented
from .ledger_schema import (
    LedgerError,
    LedgerFault,
    import_table,
    price_table,
    quarter_hour_table,
    site_table,
    superseded_table,
)
from .ledger_shares import SITE_TABLES, ShareLedger

__all__ = ["ImportNote", "Ledger", "LedgerError", "LedgerFault", "Replaced", "Revision"]


class Revision(NamedTuple):
    """What was known of one quarter-hour from some revision of the site's data on, and which energies were imported."""

    revision: int
    quarter_hour: QuarterHour
    imported: frozenset[str]


class Replaced(NamedTuple):
    """What an import did: the revision that the site's data have now, and numbers of quarter-hours.

    In those that `stay` something was known better than the import tells it; some of them were changed nevertheless,
    the others are not among the `unchanged`, which say the same as the import.
    """

    revision: int
    added: int
    changed: int
    unchanged: int
    stay: int


class ImportNote(NamedTuple):
    """An import that changed something: the revision it made, when [s, Unix], and where it came from."""

    revision: int
    made: int
    note: str


class Ledger(LedgerFile):
    """All sites' quarter-hours in one SQLite file.

    Every method that writes is one transaction: it is done wholly or, when it raises `LedgerError`, not at all. Sites
    are known by the id of their config entry. What a row said before it was changed is kept.
    """

    @cached_property
    def shares(self) -> ShareLedger:
        """The shares of communities, and the readings that they are made of."""
        return ShareLedger(self)

    def book(
        self,
        site: str,
        quarters: Sequence[QuarterHour],
        state: Mapping[str, Any],
        prices: Mapping[int, Decimal] | None = None,
    ) -> None:
        """Book what the meter measured, together with where it goes on after a restart.

        A quarter-hour that it has booked before is a supplement: its energy is added. For imported ones see
        `ledger_rows.supplemented`.

        Parameters
        ----------
        site
            Whose.
        quarters
            Its quarter-hours.
        state
            The meter's, JSON-ready, as it is after these.
        prices
            What a price sensor told for quarter-hours, by their start [€/kWh].

        Raises
        ------
        LedgerError
            It could not be written.
        ValueError
            When a price is no number, or begins with no quarter-hour.
        """
        text = json.dumps(state, separators=(",", ":"))
        told = [{"start": start, "price": micro_price(start, price)} for start, price in (prices or {}).items()]
        with self.writing() as connection:
            number, revision = open_site(connection, site)
            before = rows_around(connection, number, quarters)
            keep(connection, number, revision, before, supplemented(before, quarters))
            connection.execute(update(site_table).where(site_table.c.id == number).values(state=text))
            if told:
                statement = sqlite.insert(price_table)
                statement = statement.on_conflict_do_update(
                    index_elements=["site", "start"], set_={"price": statement.excluded.price}
                )
                connection.execute(statement, [{"site": number, **price} for price in told])

    def save_state(self, site: str, state: Mapping[str, Any]) -> None:
        """Keep where the meter goes on after a restart."""
        self.book(site, (), state)

    def load_state(self, site: str) -> dict[str, Any] | None:
        """Return what `book` or `save_state` kept last; None if nothing was."""
        with self.reading() as connection:
            text = connection.scalar(select(site_table.c.state).where(site_table.c.entry == site))
        return None if text is None else json.loads(text)

    def replace(self, site: str, quarters: Sequence[QuarterHour], note: str) -> Replaced:
        """Let imported quarter-hours take the place of what is known worse. The same import again changes nothing.

        Energy that the import does not tell (None) stays what it was; see `ledger_rows.replaced`.

        Parameters
        ----------
        site
            Whose.
        quarters
            Its quarter-hours, each once.
        note
            Where they come from.
        """
        with self.writing() as connection:
            number, revision = open_site(connection, site)
            before = rows_around(connection, number, quarters)
            after, stay = replaced(before, quarters)
            added = sum(start not in before for start in after)
            if after:
                revision = keep(connection, number, revision, before, after, renew=True)
                values = {"site": number, "revision": revision, "made": int(time.time()), "note": note}
                connection.execute(insert(import_table).values(values))
        return Replaced(revision, added, len(after) - added, len(quarters) - len(stay | after.keys()), len(stay))

    def staying(self, site: str, quarters: Sequence[QuarterHour], pending: Iterable[QuarterHour] = ()) -> int:
        """Return in how many quarter-hours something would stay if `replace` were called after booking `pending`."""
        if not quarters:
            return 0
        starts = [quarter.start for quarter in quarters]
        span = Span(min(starts), max(starts) + QUARTER)
        with self.reading() as connection:
            rows = rows_within(connection, site, span)
        rows |= supplemented(rows, pending)
        return len(replaced(rows, quarters).stay)

    def read(self, site: str, span: Span, pending: Iterable[QuarterHour] = ()) -> list[QuarterHour]:
        """Return what is known of a span, in order; as it will be when what is `pending` is booked."""
        if pending := list(pending):
            with self.reading() as connection:
                rows = rows_within(connection, site, span)
            inside = [quarter for quarter in pending if span.start <= quarter.start < span.end]
            rows |= supplemented(rows, inside)
            return [row.quarter_hour(start) for start, row in sorted(rows.items())]
        statement = select(CURRENT.start, *(CURRENT[n] for n in ENERGIES), CURRENT.quality)
        with self.reading() as connection:
            found = connection.execute(statement.where(*within(site, span)).order_by(CURRENT.start)).all()
        return [QuarterHour(start, o, i, p, QUALITIES[quality]) for start, o, i, p, quality in found]

    def prices(self, site: str, span: Span) -> dict[int, Decimal]:
        """Return the prices that were booked beside the quarter-hours of a span, by their start [€/kWh]."""
        of = price_table.c
        statement = select(of.start, of.price).where(
            of.site == number_of(site), of.start >= span.start, of.start < span.end
        )
        with self.reading() as connection:
            return {start: price / MICRO for start, price in connection.execute(statement.order_by(of.start))}

    def history_of(self, site: str, start: int) -> list[Revision]:
        """Return all that was ever known of a quarter-hour, the newest last."""
        found: list[Revision] = []
        with self.reading() as connection:
            for table in (superseded_table, quarter_hour_table):
                columns = [table.c[name] for name in Row._fields]
                statement = select(*columns).where(table.c.site == number_of(site), table.c.start == start)
                for values in connection.execute(statement.order_by(table.c.revision)):
                    row = Row(*values)
                    found.append(Revision(row.revision, row.quarter_hour(start), row.imported_energies))
        return found

    def imports(self, site: str) -> list[ImportNote]:
        """Return the imports that changed something, the newest last."""
        of = import_table.c
        statement = select(of.revision, of.made, of.note).where(of.site == number_of(site)).order_by(of.revision)
        with self.reading() as connection:
            return [ImportNote(*row) for row in connection.execute(statement)]

    def known_span(self, site: str) -> Span | None:
        """Return the span from the first to the last quarter-hour that is known; None if none is."""
        first, last = (
            select(edge(CURRENT.start)).where(CURRENT.site == number_of(site)).scalar_subquery()
            for edge in (func.min, func.max)
        )
        with self.reading() as connection:
            start, end = connection.execute(select(first, last)).one()
        return None if start is None else Span(start, end + QUARTER)

    def highest_offtake(self, site: str, span: Span) -> QuarterHour | None:
        """Return the quarter-hour of a span in which most was taken from the grid, the first of equal ones."""
        statement = select(CURRENT.start, *COLUMNS).where(*within(site, span), CURRENT.offtake.is_not(None))
        with self.reading() as connection:
            found = connection.execute(statement.order_by(CURRENT.offtake.desc(), CURRENT.start).limit(1)).first()
        return Row(*found[1:]).quarter_hour(found[0]) if found else None

    def purge(self, site: str, before: int) -> None:
        """Forget the quarter-hours that begin before a time [s, Unix], what they said before, and their prices."""
        with self.writing() as connection:
            for table in (quarter_hour_table, superseded_table, price_table):
                of = table.c
                connection.execute(delete(table).where(of.site == number_of(site), of.start < before))

    def erase(self, site: str) -> None:
        """Forget everything of a site."""
        with self.writing() as connection:
            for table in (quarter_hour_table, superseded_table, price_table, import_table, *SITE_TABLES):
                connection.execute(delete(table).where(table.c.site == number_of(site)))
            connection.execute(delete(site_table).where(site_table.c.entry == site))
        with suppress(LedgerError):  # it is erased; only the log that SQLite keeps beside the file still tells of it
            self.checkpoint()
