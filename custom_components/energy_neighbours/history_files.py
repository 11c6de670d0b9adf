"""Files with past quarter-hours: from CSV or a spreadsheet to rows. Reads and decodes: for an executor thread only."""

from collections.abc import Collection, Iterator, Sequence
import csv
from importlib import import_module
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, LargeZipFile, ZipFile
from zoneinfo import ZoneInfo

from .core.history import History, HistoryError
from .core.readings import Table, read_tables
from .core.readings_cells import Cell, NumberedRow

MAX_FILE: Final = 64 * 2**20
"""A larger file [bytes] is not read: a year of one site is some 3 MB."""
MAX_UNPACKED: Final = 256 * 2**20
"""What is packed in a spreadsheet may be this large [bytes]."""
MAX_ROWS: Final = 500_000
"""So many rows are read that hold something: 14 years of quarter-hours, or three with four registers each."""
MAX_LINES: Final = 2**20
"""So far down a sheet is searched for them; a stray cell may stand in a spreadsheet's very last line."""
MAX_COLUMNS: Final = 64
MAX_CELL: Final = 10_000
"""A longer cell [characters] is the sign of an open quotation mark, or of no table at all."""

ERRORS: Final = (
    "file_missing", "file_too_large", "file_empty", "file_not_a_table", "file_packed", "old_spreadsheet",
    "damaged_spreadsheet", "spreadsheet_reader_missing", "too_many_rows", "no_readings", "no_rows", "columns_twice",
)  # fmt: skip
"""Translation keys of all that a file can be refused for."""

_MAGIC: Final = {
    b"\xd0\xcf\x11\xe0": "old_spreadsheet",
    b"\x1f\x8b": "file_packed",
    b"Rar!": "file_packed",
    b"%PDF": "file_not_a_table",
    b"7z\xbc\xaf": "file_packed",
}
_ZIP: Final = b"PK"
_UTF16: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_DELIMITERS: Final = "\t;,"
_KNOWN: Final = 20_000
_SAMPLE: Final = 400
_SAMPLE_SIZE: Final = 100_000
_MEGABYTE: Final = 1_000_000


def read_history(
    source: Path | bytes, *, zone: ZoneInfo, now: float, ean: str | Collection[str] | None = None
) -> History:
    """Read a file of past quarter-hours; see `core.readings.read_tables` for what comes back.

    Parameters
    ----------
    source
        The file, or what is in it.
    zone
        Of times that are not said to be in UTC or another offset.
    now
        Time of reading [s, Unix].
    ean
        The access point that is wanted, or several that are added.

    Raises
    ------
    HistoryError
        With one of `ERRORS`, when the file is no table of readings.
    """
    content = _content(source)
    tables = _read_spreadsheet(content) if content.startswith(_ZIP) else iter([Table("", _read_csv(content))])
    return read_tables(tables, zone=zone, now=now, ean=ean)


def read_csv(source: Path | bytes) -> list[NumberedRow]:
    """Read the rows of a CSV file with any number of columns.

    Raises
    ------
    HistoryError
        When it is no such file. (Of a spreadsheet's cell nobody can tell whether 0.25 means 25 %.)
    """
    content = _content(source)
    if content.startswith(_ZIP):
        raise HistoryError("csv_needed")
    return _read_csv(content, MAX_CELL)


def _content(source: Path | bytes) -> bytes:
    """Return what is in a file, unless it can be no table."""
    content = source if isinstance(source, bytes) else _load(source)
    if len(content) > MAX_FILE:
        raise _too_large(len(content), MAX_FILE)
    if not content.strip():
        raise HistoryError("file_empty")
    for magic, key in _MAGIC.items():
        if content.startswith(magic):
            raise HistoryError(key)
    return content


def _load(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
            if len(content) > MAX_FILE:
                raise _too_large(path.stat().st_size, MAX_FILE)
    except OSError as error:
        raise HistoryError("file_missing", file=path.name) from error
    return content


def _too_large(size: int, limit: int) -> HistoryError:
    return HistoryError("file_too_large", size=str(size // _MEGABYTE), limit=str(limit // _MEGABYTE))


def _read_csv(content: bytes, columns: int = MAX_COLUMNS) -> list[NumberedRow]:
    text = _decode(content)
    if "\x00" in text:
        raise HistoryError("file_not_a_table")
    return _split(text, columns)


def _decode(content: bytes) -> str:
    encoding = _UTF16.get(content[:2])
    if encoding is None and b"\x00" in content[:_SAMPLE]:
        # Plain letters in UTF-16 are zeros by turns; which come first tells the order of the bytes.
        encoding = "utf-16-le" if content[1:2] == b"\x00" else "utf-16-be"
    for each in (encoding,) if encoding else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(each)
        except UnicodeDecodeError:
            continue
    if encoding:
        raise HistoryError("file_not_a_table")
    return content.decode("latin-1")


def _split(text: str, columns: int) -> list[NumberedRow]:
    rows: list[NumberedRow] = []
    known: dict[str, str] = {}  # most cells of a column are alike: each is kept once
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text[:_SAMPLE_SIZE].splitlines()))
    line = 1
    try:
        for row in reader:
            if len(rows) >= MAX_ROWS:
                raise HistoryError("too_many_rows", limit=str(MAX_ROWS))
            if len(row) > MAX_CELL or any(len(cell) > MAX_CELL for cell in row):
                raise HistoryError("file_not_a_table")
            if any(row):
                once = known.setdefault if len(known) < _KNOWN else known.get
                rows.append((line, [once(cell, cell) for cell in row[:columns]]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise HistoryError("file_not_a_table") from error
    return rows


def _delimiter(lines: Sequence[str]) -> str:
    """Tell what parts the cells: what most lines have; commas may be decimals, so they come last."""
    sample = [line for line in lines[:_SAMPLE] if line.strip()]
    for delimiter in _DELIMITERS:
        if 2 * sum(delimiter in line for line in sample) > len(sample):
            return delimiter
    return ","


def _read_spreadsheet(content: bytes) -> Iterator[Table]:
    """Return the sheets of a workbook, one by one."""
    try:
        with ZipFile(BytesIO(content)) as packed:
            members = packed.infolist()
    except (BadZipFile, LargeZipFile, OSError, ValueError, NotImplementedError) as error:
        raise HistoryError("damaged_spreadsheet") from error
    if not any(member.filename == "xl/workbook.xml" for member in members):
        raise HistoryError("file_packed")
    if (size := sum(member.file_size for member in members)) > MAX_UNPACKED:
        raise _too_large(size, MAX_UNPACKED)
    try:
        openpyxl = import_module("openpyxl")  # only fetched when somebody imports a spreadsheet
    except ImportError as error:
        raise HistoryError("spreadsheet_reader_missing") from error
    try:
        workbook = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)
        count = 0
        for sheet in workbook.worksheets:
            rows = _read_sheet(sheet, MAX_ROWS - count)
            count += len(rows)
            yield Table(sheet.title, _unfold(rows))
    except HistoryError:
        raise
    except Exception as error:  # whatever a damaged file makes the reader stumble over
        raise HistoryError("damaged_spreadsheet") from error


def _read_sheet(sheet: Any, most: int) -> list[tuple[int, list[Cell]]]:
    # What a file says of its own size is often wrong, and then rows would be lost.
    sheet.reset_dimensions()
    rows: list[tuple[int, list[Cell]]] = []
    for line, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), start=1):
        is_filled = any(cell is not None for cell in cells)
        if line > MAX_LINES or (is_filled and len(rows) >= most):
            raise HistoryError("too_many_rows", limit=str(MAX_ROWS))
        if is_filled:
            rows.append((line, list(cells)))
    return rows


def _unfold(rows: list[tuple[int, list[Cell]]]) -> list[NumberedRow]:
    """Split the cells of a sheet into whose first column somebody pasted the lines of a CSV file."""
    if any(cell is not None for _, row in rows for cell in row[1:]):
        return list(rows)
    delimiter = _delimiter([str(row[0]) for _, row in rows])
    return [(line, next(csv.reader([str(row[0])], delimiter=delimiter), [])) for line, row in rows]
