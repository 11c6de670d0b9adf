"""Files of every released schema open with all that is in them; what is newer, damaged or not ours is left alone."""

from decimal import Decimal
from pathlib import Path
import sqlite3

import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour, Span
from custom_components.energy_neighbours.ledger import ImportNote, Ledger, LedgerError, LedgerFault
from custom_components.energy_neighbours.ledger_rows import ENERGIES, QUALITIES
from custom_components.energy_neighbours.ledger_schema import MIGRATIONS, metadata
from custom_components.energy_neighbours.ledger_shares import Share, Total
from custom_components.energy_neighbours.ledger_sources import Carried

from .ledger_samples import ALL, T, at, stored

RELEASED = Path(__file__).parent / "ledger_schemas"
VERSIONS = sorted(int(path.stem) for path in RELEASED.glob("*.sql"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "energy_neighbours.db"


def run(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def schema(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: " ".join(sql.split()) for name, sql in found}


def test_every_schema_has_its_sample() -> None:
    assert list(range(1, len(MIGRATIONS) + 1)) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_file_of_a_released_schema_keeps_its_content(path, version) -> None:
    run(path, (RELEASED / f"{version}.sql").read_text())
    ledger = Ledger.open(path)
    by_energy = version > 1
    house = "01JHOUSE"
    assert ledger.read(house, ALL) == [
        QuarterHour(T, 105, 1, 40, Quality.ESTIMATED),
        QuarterHour(T + QUARTER, 3, 240, None),
        QuarterHour(T + 2 * QUARTER, None, None, 7, Quality.MISSING),
        QuarterHour(T + 3 * QUARTER, 9, 0, None, Quality.LATE),
    ]
    assert ledger.history_of(house, T) == [
        (1, QuarterHour(T, 100, 0, 40), set()),
        (2, QuarterHour(T, 105, 1, 40, Quality.ESTIMATED), {"production"} if by_energy else set()),
    ]
    assert ledger.history_of(house, T + QUARTER) == [
        (1, QuarterHour(T + QUARTER, 0, 250, None, Quality.ESTIMATED), set()),
        (3, QuarterHour(T + QUARTER, 3, 240, None), {"offtake", "injection"}),
    ]
    assert ledger.imports(house) == [ImportNote(3, 1_767_300_000, "ores-2026-01.csv")]
    assert ledger.prices(house, ALL) == {T: Decimal("0.123456"), T + QUARTER: Decimal("-0.02")}
    assert ledger.load_state(house) == {"counters": {"L1+": [T + 3 * QUARTER, 2345.6]}}
    assert ledger.read("01JWORKSHOP", ALL) == [QuarterHour(T, 77, 0, None)]
    if version > 2:
        _check_shares(ledger, house)
    ledger.book(house, [QuarterHour(T + 4 * QUARTER, 1, 1, 1)], {})
    ledger.shares.write("01JSTREET", {house: [Share(T + 4 * QUARTER, 1, 1, None, 1, provisional=False)]})
    ledger.close()
    assert len(stored(path, house)) == 5


def _check_shares(ledger, house) -> None:
    street = "01JSTREET"
    assert ledger.shares.shares(street, house, ALL) == [Share(T, 40, 35, None, 1, False, 2, 2)]
    assert ledger.shares.shares(street, "01JWORKSHOP", ALL) == [Share(T, None, None, 12, 1, True, None, 1)]
    assert (ledger.shares.revision(street), ledger.shares.closed_until(street)) == (2, T)
    assert ledger.shares.carried(street, house) == Carried(T, 420, 690)
    assert ledger.shares.totals(street, "", ALL) == [Total("", T, 52, 105, 40, 12, 1, 2, True)]
    assert ledger.shares.load_rules(street) == {"members": ["ash"]}
    assert ledger.shares.due(street, 10) == [T + QUARTER]
    assert ledger.shares.coefficients(street, ALL) == {
        T: {"": {"ash": 125_000}},
        T + QUARTER: {"roof": {"ash": 1_000_000}},
    }
    assert ledger.shares.count_refused(street, house) == {"absurd": 1}
    assert ledger.shares.load_member(street, house) == {"device": "01JDEVICE"}


def test_first_schema_as_trial_versions_wrote_it_is_read(path) -> None:
    run(path, (RELEASED / "2.sql").read_text() + "PRAGMA user_version = 1;")
    ledger = Ledger.open(path)
    assert ledger.history_of("01JHOUSE", T)[-1][2] == {"production"}
    ledger.close()


def test_estimate_that_was_imported_into_the_first_schema_still_gives_way_to_a_measurement(path) -> None:
    run(path, (RELEASED / "1.sql").read_text())
    run(path, "UPDATE quarter_hour SET quality = 1 WHERE source = 1")
    ledger = Ledger.open(path)
    ledger.book("01JHOUSE", [QuarterHour(T + QUARTER, 300, 2, None), QuarterHour(T + 2 * QUARTER, 5, 5, None)], {})
    assert ledger.read("01JHOUSE", ALL)[1] == QuarterHour(T + QUARTER, 300, 2, None)
    ledger.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_old_file_becomes_what_a_new_one_is(path, tmp_path, version) -> None:
    run(path, (RELEASED / f"{version}.sql").read_text())
    new = tmp_path / "new.db"
    Ledger.open(path).close()
    Ledger.open(new).close()
    assert schema(path) == schema(new)


def test_tables_are_described_as_they_are(path) -> None:
    Ledger.open(path).close()
    connection = sqlite3.connect(path)
    for table in metadata.tables.values():
        found = connection.execute('SELECT name, "notnull", pk FROM pragma_table_info(?)', [table.name]).fetchall()
        key = [column.name for column in table.primary_key]
        assert {name: (pk and key[pk - 1]) for name, _, pk in found} == {
            column.name: column.primary_key and column.name for column in table.columns
        }
        assert {name: not null for name, null, pk in found if not pk} == {
            column.name: column.nullable for column in table.columns if not column.primary_key
        }
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert names == set(metadata.tables)


def test_codes_in_the_file_are_for_ever() -> None:
    assert QUALITIES == (Quality.MEASURED, Quality.ESTIMATED, Quality.MISSING, Quality.LATE)
    assert ENERGIES == ("offtake", "injection", "production")
    assert set(QUALITIES) == set(Quality)


def refused(path: Path) -> LedgerError:
    """Open a file that must not be opened, and see that it is left as it was."""
    before = path.read_bytes()
    with pytest.raises(LedgerError) as caught:
        Ledger.open(path, patience=0.01)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return caught.value


def test_newer_file_is_refused(path) -> None:
    run(path, (RELEASED / "1.sql").read_text() + f"PRAGMA user_version = {len(MIGRATIONS) + 1};")
    error = refused(path)
    assert error.fault is LedgerFault.NEWER
    assert f"schema {len(MIGRATIONS) + 1}, this release knows {len(MIGRATIONS)}" in str(error)


@pytest.mark.parametrize("content", [b"no database at all" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_garbage_is_refused(path, content) -> None:
    path.write_bytes(content)
    assert refused(path).fault is LedgerFault.CORRUPT


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_file_that_was_cut_off_is_refused(path, kept) -> None:
    ledger = Ledger.open(path)
    ledger.book("site", [at(n) for n in range(2000)], {})
    ledger.close()
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert refused(path).fault is LedgerFault.CORRUPT


@pytest.mark.parametrize("version", [0, 1])
def test_database_of_another_program_is_refused(path, version) -> None:
    run(path, f"CREATE TABLE recipes (name TEXT); PRAGMA user_version = {version};")
    error = refused(path)
    assert error.fault is LedgerFault.CORRUPT
    assert "another program's" in str(error)


def test_folder_that_does_not_exist_is_told(tmp_path) -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger.open(tmp_path / "nowhere" / "energy_neighbours.db")
    assert caught.value.fault is LedgerFault.UNWRITABLE


def test_page_that_is_damaged_later_is_told_and_the_rest_is_read(path) -> None:
    ledger = Ledger.open(path)
    ledger.book("site", [at(n) for n in range(20_000)], {})
    ledger.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    ledger = Ledger.open(path)
    with pytest.raises(LedgerError) as caught:
        ledger.read("site", ALL)
    assert caught.value.fault is LedgerFault.CORRUPT
    assert ledger.read("site", Span(T, T + 10 * QUARTER)) == [at(n) for n in range(10)]
    ledger.book("site", [at(20_000)], {})
    ledger.close()


def test_creation_that_was_broken_off_is_done_again(path) -> None:
    run(path, "PRAGMA journal_mode = WAL;")
    path.touch()
    ledger = Ledger.open(path)
    ledger.book("site", [at(0)], {})
    ledger.close()
    assert stored(path) == [at(0)]


def test_step_that_fails_leaves_the_old_file(path, monkeypatch) -> None:
    run(path, (RELEASED / "1.sql").read_text())
    before = schema(path)

    def half(connection) -> None:
        connection.exec_driver_sql("ALTER TABLE quarter_hour ADD COLUMN more INTEGER")
        connection.exec_driver_sql("ALTER TABLE no_such_table ADD COLUMN more INTEGER")

    monkeypatch.setattr("custom_components.energy_neighbours.ledger_schema.MIGRATIONS", (*MIGRATIONS, half))
    with pytest.raises(LedgerError):
        Ledger.open(path)
    monkeypatch.undo()
    assert schema(path) == before
    assert len(stored(path, "01JHOUSE")) == 4


def test_step_of_a_later_release_is_taken_once(path, monkeypatch) -> None:
    run(path, (RELEASED / "1.sql").read_text())
    taken = []

    def widen(connection) -> None:
        taken.append(connection.exec_driver_sql("ALTER TABLE site ADD COLUMN more INTEGER"))

    monkeypatch.setattr("custom_components.energy_neighbours.ledger_schema.MIGRATIONS", (*MIGRATIONS, widen))
    assert len(stored(path, "01JHOUSE")) == 4
    assert len(stored(path, "01JHOUSE")) == 4
    assert len(taken) == 1
