"""From a file to past quarter-hours: encodings, delimiters, spreadsheets, and files that are something else."""

from collections.abc import Callable
from datetime import UTC, datetime, time
import gzip
from io import BytesIO
from pathlib import Path
import sys
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from custom_components.energy_neighbours import history_files
from custom_components.energy_neighbours.core.history import History, HistoryError, ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour
from custom_components.energy_neighbours.history_files import ERRORS, read_history

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
NOON = int(datetime(2026, 5, 3, 10, tzinfo=UTC).timestamp())
TABLE = "Date;Heure;EAN;Prélèvement (kWh);Énergie injectée (Wh)\r\n"
TABLE += "03/05/2026;12:00;541448900000000018;0,25;1\u202f000,0\r\n"
EXPECTED = [QuarterHour(NOON, 250, 1000, None)]
FIXTURES = Path(__file__).parent / "fixtures"


def read(source: Path | bytes, **options: Any) -> History:
    return read_history(source, **{"zone": BRUSSELS, "now": NOW, **options})


def refusal(source: Path | bytes) -> HistoryError:
    with pytest.raises(HistoryError) as refused:
        read(source)
    assert refused.value.key in ERRORS
    return refused.value


def workbook(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    packed = BytesIO()
    book.save(packed)
    return packed.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_that_know_every_letter(encoding: str) -> None:
    assert read(TABLE.encode(encoding)).quarter_hours == EXPECTED


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_encodings_of_old_spreadsheets(encoding: str) -> None:
    assert read(TABLE.replace("\u202f", "\u00a0").encode(encoding)).quarter_hours == EXPECTED


def test_bytes_that_no_encoding_of_old_spreadsheets_knows() -> None:
    assert read(TABLE.replace("\u202f", "").encode("cp1252") + b"Remarque: \x81\x8d\r\n").quarter_hours == EXPECTED


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_delimiters_beside_decimal_commas(delimiter: str) -> None:
    assert read(TABLE.replace(";", delimiter).encode()).quarter_hours == EXPECTED


def test_commas_part_cells_where_decimals_have_points() -> None:
    text = TABLE.replace(",", ".").replace(";", ",").replace("\u202f", "")
    assert read(text.encode()).quarter_hours == EXPECTED


def test_quoted_cells_may_hold_delimiters_and_line_breaks() -> None:
    text = 'Date;Remarque;Prélèvement (kWh)\n2026-05-03 12:00;"a;\nb";"0,25"\n2026-05-03 12:15;;?\n'
    history = read(text.encode())
    assert history.quarter_hours == [QuarterHour(NOON, 250, None, None)]
    assert [(p.kind, p.where) for p in history.problems] == [(ProblemKind.NOT_A_NUMBER, "4")]


def test_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_text(TABLE, encoding="utf-8")
    assert read(path).quarter_hours == EXPECTED


@pytest.mark.parametrize(
    ("name", "layout", "quarter_hours", "offtake", "injection"),
    [
        ("own.csv", "generic_csv", 4, 481, 60),
        ("table.csv", "dso_table", 4, 481, 60),
        ("registers.csv", "dso_registers", 4, 481, 60),
        ("load_curve.csv", "load_curve", 4, 481, None),
    ],
)
def test_sample_of_each_layout(name: str, layout: str, quarter_hours: int, offtake: int, injection: int | None) -> None:
    history = read(FIXTURES / name)
    assert (history.format, len(history.quarter_hours), history.problems) == (layout, quarter_hours, [])
    assert sum(quarter.offtake or 0 for quarter in history.quarter_hours) == offtake
    assert sum(quarter.injection or 0 for quarter in history.quarter_hours) == (injection or 0)


# Spreadsheets


def test_spreadsheet_with_typed_cells_below_a_title_on_its_second_sheet() -> None:
    book = workbook(
        [["Read me"], ["Nothing here"]],
        [
            ["Relevé"],
            [],
            ["Date", "Heure", "EAN", "Prélèvement (kWh)", "Injection (kWh)", "Qualité"],
            [datetime(2026, 5, 3), time(12), "541448900000000018", 0.25, None, "Mesuré"],  # noqa: DTZ001
            [datetime(2026, 5, 3), time(12, 15), "541448900000000018", "0,5", 1, "Estimé"],  # noqa: DTZ001
            [datetime(2026, 5, 3), time(12, 20), "541448900000000018", 0.5, 1, None],  # noqa: DTZ001
        ],
    )
    history = read(book)
    assert [(q.start - NOON, q.offtake, q.injection) for q in history.quarter_hours] == [
        (0, 250, None),
        (QUARTER, 500, 1000),
    ]
    assert history.eans == ("541448900000000018",)
    assert [(p.kind, p.where) for p in history.problems] == [(ProblemKind.NOT_ON_GRID, "6")]


def test_spreadsheet_into_whose_first_column_a_csv_file_was_pasted() -> None:
    assert read(workbook([[line] for line in TABLE.splitlines()])).quarter_hours == EXPECTED


def test_spreadsheet_that_is_wrong_about_its_own_size() -> None:
    source = BytesIO(workbook([line.split(";") for line in TABLE.splitlines()]))
    patched = BytesIO()
    with ZipFile(source) as before, ZipFile(patched, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name.startswith("xl/worksheets/"):
                assert b'<dimension ref="A1:E2"' in content
                content = content.replace(b'<dimension ref="A1:E2"', b'<dimension ref="A1:A1"')
            after.writestr(name, content)
    assert read(patched.getvalue()).quarter_hours == EXPECTED


def test_reader_of_spreadsheets_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert refusal(workbook([["Date"]])).key == "spreadsheet_reader_missing"
    assert read(TABLE.encode()).quarter_hours == EXPECTED


# Files that are something else


def packed(**members: bytes) -> bytes:
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as writing:
        for name, content in members.items():
            writing.writestr(name, content)
    return archive.getvalue()


NO_TABLES = {
    "nothing": (b"", "file_empty"),
    "white space": (b" \r\n\r\n", "file_empty"),
    "PDF": (b"%PDF-1.7 \xff\xfe\x00\x01\x02", "file_not_a_table"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "file_not_a_table"),
    "half a letter": (b"\xff\xfe\x00\xd8\x00", "file_not_a_table"),
    "quote without end": (b'a;"' + b"x" * 300_000, "file_not_a_table"),
    "endless cell": (b"a," + b"x" * 20_000, "file_not_a_table"),
    "old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old_spreadsheet"),
    "gzip": (gzip.compress(b"Date;kWh"), "file_packed"),
    "zip": (packed(**{"readings.csv": b"Date;kWh"}), "file_packed"),
    "half a workbook": (packed(**{"xl/workbook.xml": b"<workbook"}), "damaged_spreadsheet"),
    "cut off": (b"PK\x03\x04 but cut off", "damaged_spreadsheet"),
    "letter": (b"Dear neighbour,\n\nthank you for your letter.", "no_readings"),
    "heading alone": (b"timestamp_utc,ean,offtake_wh\n", "no_rows"),
}


@pytest.mark.parametrize(("content", "key"), NO_TABLES.values(), ids=NO_TABLES)
def test_file_that_is_no_table_is_refused_with_one_reason(content: bytes, key: str) -> None:
    assert refusal(content).key == key


def test_workbook_without_readings() -> None:
    assert refusal(workbook([["Hello"]], [["World"]])).key == "no_readings"


def test_file_that_is_not_there(tmp_path: Path) -> None:
    error = refusal(tmp_path / "gone.csv")
    assert (error.key, error.placeholders) == ("file_missing", {"file": "gone.csv"})


def test_file_that_is_too_large_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    error = refusal(path)
    assert (error.key, error.placeholders) == ("file_too_large", {"size": "200", "limit": "67"})
    assert refusal(bytes(history_files.MAX_FILE + 1)).key == "file_too_large"


def test_spreadsheet_that_unpacks_to_too_much_is_not_unpacked() -> None:
    bomb = packed(**{"xl/workbook.xml": b"", "xl/sharedStrings.xml": bytes(300_000_000)})
    assert len(bomb) < 1_000_000
    assert refusal(bomb).key == "file_too_large"


def test_stray_cell_in_the_last_line_of_a_sheet() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Date", "Prélèvement (kWh)"], [datetime(2026, 5, 3, 12), 0.25]):  # noqa: DTZ001
        sheet.append(row)
    sheet.cell(2**20, 5, " ")
    file = BytesIO()
    book.save(file)
    assert [q.offtake for q in read(file.getvalue()).quarter_hours] == [250]


def test_empty_rows_and_far_columns_of_a_file_are_not_kept() -> None:
    heading, row = TABLE.split("\r\n")[:2]
    empty = ";" * 5000 + "\r\n"
    rows = history_files._read_csv((heading + empty * 3 + row + empty).encode())
    assert [(line, len(cells)) for line, cells in rows] == [(1, 64), (4, 64)]


@pytest.mark.parametrize("make", [lambda: TABLE.encode() * 3, lambda: workbook([["a", "b"]] * 6)])
def test_too_many_rows(make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_files, "MAX_ROWS", 5)
    assert refusal(make()).key == "too_many_rows"
