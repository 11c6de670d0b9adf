"""The ledger's file: its tables, how an older file becomes a newer one, and how it is opened."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
import shutil
import sqlite3
from typing import Any, Final

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    event,
    exc,
)

APPLICATION_ID: Final = 0x454E_4C47
"""Marks the file as ours ("ENLG"), so that no other database is taken for a ledger."""
BUSY_PATIENCE: Final = 5.0
"""How long another process that holds the file is waited for [s]."""
NO_ROOM: Final = 1 << 20
"""Fewer free bytes than this on the disk explain why a file cannot grow."""
BEGIN: Final = "ledger_begin"
"""Execution option: how a transaction begins, or nothing for none."""


class LedgerFault(StrEnum):
    """Why a ledger cannot be used; each is a translation key."""

    NEWER = "ledger_newer"
    CORRUPT = "ledger_corrupt"
    FULL = "ledger_full"
    UNWRITABLE = "ledger_unwritable"


class LedgerError(Exception):
    """The ledger cannot be opened, read or written; what was asked for was not done at all.

    Parameters
    ----------
    fault
        Why.
    text
        The same in one sentence for the log.
    """

    def __init__(self, fault: LedgerFault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


metadata = MetaData()
site_table = Table(
    "site",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry", String, nullable=False, unique=True),  # the id of its config entry
    Column("revision", Integer, nullable=False),  # the newest of its data
    Column("state", String),  # where its meter goes on after a restart, JSON
)


def _readings(name: str, *key: str) -> Table:
    return Table(
        name,
        metadata,
        Column("site", Integer, nullable=False),
        Column("start", Integer, nullable=False),  # s, Unix
        Column("revision", Integer, nullable=False),  # of the site's data, in which this row was written
        Column("offtake", Integer),  # Wh; NULL is not known
        Column("injection", Integer),
        Column("production", Integer),
        Column("quality", Integer, nullable=False),
        Column("imported", Integer, nullable=False),  # a bit for each energy that an import told
        Column("doubtful", Integer, nullable=False),  # a bit for each of these that it told as no measurement
        PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )


quarter_hour_table = _readings("quarter_hour", "site", "start")
superseded_table = _readings("superseded", "site", "start", "revision")
import_table = Table(
    "import",
    metadata,
    Column("site", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("made", Integer, nullable=False),  # s, Unix
    Column("note", String, nullable=False),  # where it came from
    PrimaryKeyConstraint("site", "revision"),
    sqlite_with_rowid=False,
)
price_table = Table(
    "price",
    metadata,
    Column("site", Integer, nullable=False),
    Column("start", Integer, nullable=False),  # s, Unix
    Column("price", Integer, nullable=False),  # millionths of a euro per kWh
    PrimaryKeyConstraint("site", "start"),
    sqlite_with_rowid=False,
)

community_table = Table(
    "community",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry", String, nullable=False, unique=True),  # the id of its config entry, or of a membership
    Column("revision", Integer, nullable=False),  # the newest of its shares
    Column("closed", Integer),  # quarter-hours before this are settled [s, Unix]; NULL: none is
    Column("rules", String),  # by which its shares were made, JSON
)
share_table = Table(
    "share",
    metadata,
    Column("community", Integer, nullable=False),
    Column("site", Integer, nullable=False),
    Column("start", Integer, nullable=False),  # s, Unix
    Column("revision", Integer, nullable=False),  # of the community's shares, in which this row was written
    Column("reading", Integer),  # revision of the reading that it was made of; NULL: it was not known
    Column("offered", Integer),  # Wh; NULL: it is no consumer
    Column("allocated", Integer),
    Column("surplus", Integer),  # Wh; NULL: it is no producer
    Column("version", Integer, nullable=False),  # of the repartition key
    Column("provisional", Integer, nullable=False),  # whether something was not known yet
    PrimaryKeyConstraint("community", "site", "start"),
    sqlite_with_rowid=False,
)
total_table = Table(
    "total",
    metadata,
    Column("community", Integer, nullable=False),
    Column("profile", String, nullable=False),  # group of members; empty: all
    Column("start", Integer, nullable=False),  # s, Unix
    Column("production", Integer, nullable=False),  # Wh
    Column("offtake", Integer, nullable=False),
    Column("allocated", Integer, nullable=False),
    Column("surplus", Integer, nullable=False),
    Column("known", Integer, nullable=False),  # members whose offtake is known
    Column("expected", Integer, nullable=False),  # members whose offtake should be
    Column("provisional", Integer, nullable=False),
    PrimaryKeyConstraint("community", "profile", "start"),
    sqlite_with_rowid=False,
)
due_table = Table(
    "due",
    metadata,
    Column("community", Integer, nullable=False),
    Column("start", Integer, nullable=False),  # of a quarter-hour that is to be divided, or to be divided anew
    PrimaryKeyConstraint("community", "start"),
    sqlite_with_rowid=False,
)
acknowledged_table = Table(
    "acknowledged",
    metadata,
    Column("community", Integer, nullable=False),
    Column("site", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("revision", Integer, nullable=False),  # of the reading that the organiser has, or has refused
    Column("refused", String),  # why
    PrimaryKeyConstraint("community", "site", "start"),
    sqlite_with_rowid=False,
)
coefficient_table = Table(
    "coefficient",
    metadata,
    Column("community", Integer, nullable=False),
    Column("start", Integer, nullable=False),  # s, Unix
    Column("producer", String, nullable=False),  # member code; empty: all producers
    Column("member", String, nullable=False),  # member code of the consumer
    Column("part", Integer, nullable=False),  # of `core.coefficients.WHOLE`
    PrimaryKeyConstraint("community", "start", "producer", "member"),
    sqlite_with_rowid=False,
)
member_table = Table(
    "member",
    metadata,
    Column("community", Integer, nullable=False),
    Column("site", Integer, nullable=False),
    Column("state", String, nullable=False),  # what both sides know of each other, JSON
    PrimaryKeyConstraint("community", "site"),
    sqlite_with_rowid=False,
)
carried_table = Table(
    "carried",
    metadata,
    Column("community", Integer, nullable=False),
    Column("site", Integer, nullable=False),
    Column("until", Integer, nullable=False),  # what is told here was before this [s, Unix]
    Column("neighbours", Integer, nullable=False),  # Wh, since the site joined
    Column("supplier", Integer, nullable=False),
    PrimaryKeyConstraint("community", "site"),
    sqlite_with_rowid=False,
)

# A released schema is never edited: what changes later is a further step below. Rows are kept in the order of their key
# (WITHOUT ROWID), so that a month of a site is one piece of the file; what was superseded does not stand in its way.
_READINGS: Final = {"quarter_hour": "site, start", "superseded": "site, start, revision"}
_SOURCE_1: Final = "source INTEGER NOT NULL CHECK (source BETWEEN 0 AND 1)"
_SOURCE_2: Final = """imported INTEGER NOT NULL CHECK (imported BETWEEN 0 AND 7),
    doubtful INTEGER NOT NULL CHECK (doubtful BETWEEN 0 AND 7 AND doubtful & ~imported = 0)"""


def _readings_of(table: str, source: str) -> str:
    return f"""CREATE TABLE {table} (
    site INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0), revision INTEGER NOT NULL,
    offtake INTEGER CHECK (offtake >= 0),
    injection INTEGER CHECK (injection >= 0),
    production INTEGER CHECK (production >= 0),
    quality INTEGER NOT NULL CHECK (quality BETWEEN 0 AND 3),
    {source},
    PRIMARY KEY ({_READINGS[table]})) STRICT, WITHOUT ROWID"""


_VERSION_1: Final = (
    """CREATE TABLE site (
    id INTEGER PRIMARY KEY, entry TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, state TEXT) STRICT""",
    *(_readings_of(table, _SOURCE_1) for table in _READINGS),
    """CREATE TABLE import (
    site INTEGER NOT NULL, revision INTEGER NOT NULL, made INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (site, revision)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE price (
    site INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0), price INTEGER NOT NULL,
    PRIMARY KEY (site, start)) STRICT, WITHOUT ROWID""",
)


def _create(connection: Connection) -> None:
    for statement in _VERSION_1:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _tell_source_by_energy(connection: Connection) -> None:
    """Tell of each energy, and no longer of a whole row, whether an import told it, and whether it measured it."""
    for table in _READINGS:
        columns = connection.exec_driver_sql("SELECT name FROM pragma_table_info(?)", (table,)).scalars()
        if "source" not in columns:
            continue  # trial versions wrote schema 1 as schema 2 is
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO old")
        connection.exec_driver_sql(_readings_of(table, _SOURCE_2))
        connection.exec_driver_sql(
            f"""
            INSERT INTO {table}
            SELECT site, start, revision, offtake, injection, production, quality, told,
                CASE WHEN quality IN (1, 2) THEN told ELSE 0 END -- estimated, missing
            FROM (
                SELECT *, source * (
                    (offtake IS NOT NULL) + 2 * (injection IS NOT NULL) + 4 * (production IS NOT NULL)
                ) AS told
                FROM old
            )
            """  # noqa: S608 - the table is ours
        )
        connection.exec_driver_sql("DROP TABLE old")


_VERSION_3: Final = (
    """CREATE TABLE community (
    id INTEGER PRIMARY KEY, entry TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, closed INTEGER,
    rules TEXT) STRICT""",
    """CREATE TABLE share (
    community INTEGER NOT NULL, site INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0),
    revision INTEGER NOT NULL, reading INTEGER,
    offered INTEGER CHECK (offered >= 0), allocated INTEGER CHECK (allocated BETWEEN 0 AND offered),
    surplus INTEGER CHECK (surplus >= 0),
    version INTEGER NOT NULL, provisional INTEGER NOT NULL CHECK (provisional BETWEEN 0 AND 1),
    PRIMARY KEY (community, site, start)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE total (
    community INTEGER NOT NULL, profile TEXT NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0),
    production INTEGER NOT NULL, offtake INTEGER NOT NULL, allocated INTEGER NOT NULL, surplus INTEGER NOT NULL,
    known INTEGER NOT NULL, expected INTEGER NOT NULL,
    provisional INTEGER NOT NULL CHECK (provisional BETWEEN 0 AND 1),
    PRIMARY KEY (community, profile, start)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE due (
    community INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0),
    PRIMARY KEY (community, start)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE acknowledged (
    community INTEGER NOT NULL, site INTEGER NOT NULL, start INTEGER NOT NULL, revision INTEGER NOT NULL, refused TEXT,
    PRIMARY KEY (community, site, start)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE coefficient (
    community INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0), producer TEXT NOT NULL,
    member TEXT NOT NULL, part INTEGER NOT NULL CHECK (part BETWEEN 0 AND 1000000),
    PRIMARY KEY (community, start, producer, member)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE member (
    community INTEGER NOT NULL, site INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (community, site)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE carried (
    community INTEGER NOT NULL, site INTEGER NOT NULL, until INTEGER NOT NULL,
    neighbours INTEGER NOT NULL CHECK (neighbours >= 0), supplier INTEGER NOT NULL CHECK (supplier >= 0),
    PRIMARY KEY (community, site)) STRICT, WITHOUT ROWID""",
)


def _add_communities(connection: Connection) -> None:
    for statement in _VERSION_3:
        connection.exec_driver_sql(statement)


MIGRATIONS: Final[Sequence[Callable[[Connection], None]]] = (_create, _tell_source_by_energy, _add_communities)
"""The step at place n makes a file of schema version n + 1 from one of version n."""


def open_file(path: Path, patience: float = BUSY_PATIENCE) -> Engine:
    """Open a ledger's file, new or of any released schema.

    Raises
    ------
    LedgerError
        It cannot be opened; it was not changed then.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": patience})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        with told_of(path):
            _check(engine, path)
            with engine.connect().execution_options(**{BEGIN: ""}) as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            with engine.connect().execution_options(**{BEGIN: "BEGIN IMMEDIATE"}) as connection, connection.begin():
                version = _pragma(connection, "user_version")
                for number in range(version, len(MIGRATIONS)):
                    MIGRATIONS[number](connection)
                    connection.exec_driver_sql(f"PRAGMA user_version = {number + 1}")
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """Tell a fault of the database as a fault of the ledger."""
    try:
        yield
    except exc.DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise LedgerError(
                LedgerFault.CORRUPT,
                f"{path} is damaged and was left as it is: restore it from a backup or move it away",
            ) from error
        if code == sqlite3.SQLITE_FULL or (
            code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < NO_ROOM
        ):
            raise LedgerError(LedgerFault.FULL, f"There is no room left for {path}") from error
        raise LedgerError(LedgerFault.UNWRITABLE, f"{path} cannot be used at the moment: {error.orig}") from error


def _check(engine: Engine, path: Path) -> None:
    """Refuse what is not ours, or not yet known."""
    with engine.connect() as connection:
        version = _pragma(connection, "user_version")
        empty = not _pragma(connection, "schema_version")
        ours = _pragma(connection, "application_id") == APPLICATION_ID
    if not ours and not (empty and version == 0):
        raise LedgerError(LedgerFault.CORRUPT, f"{path} is another program's database and was left as it is")
    if version > len(MIGRATIONS):
        raise LedgerError(
            LedgerFault.NEWER,
            f"{path} was written by a newer release of Energy Neighbours (schema {version}, this release knows "
            f"{len(MIGRATIONS)}): install that release again",
        )


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so, see below
    # With WAL, NORMAL would already survive a kill, but a power cut could take back the last transactions. At some
    # twenty an hour the flush to the disk costs nothing.
    connection.execute("PRAGMA synchronous = FULL")
    # What a household erases is not to be found in the file any more.
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    if statement := connection.get_execution_options().get(BEGIN, "BEGIN"):
        connection.exec_driver_sql(statement)
