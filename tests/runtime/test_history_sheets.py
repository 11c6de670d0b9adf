"""Spreadsheets whose readings stand on several sheets."""

from datetime import datetime, timedelta
from typing import Any

from custom_components.energy_neighbours.core.history import ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER

from .test_history_files import NOON, read, workbook

FIRST = datetime(2026, 5, 3, 12)  # noqa: DTZ001 - a spreadsheet knows no zones
EAN, OTHER = "541448900000000018", "541448900000000025"


def sheet(heading: str, *values: Any, begin: int = 0, ean: str | None = None) -> list[list[Any]]:
    """Write quarter-hours that begin so many after noon."""
    times = [FIRST + (begin + n) * timedelta(minutes=15) for n in range(len(values))]
    if ean is None:
        return [["Date et heure", heading], *([time, value] for time, value in zip(times, values, strict=True))]
    return [["Date et heure", "EAN", heading], *([time, ean, v] for time, v in zip(times, values, strict=True))]


def test_sheet_for_each_part_of_a_year() -> None:
    history = read(
        workbook(
            sheet("Prélèvement (kWh)", 0.1, 0.2),
            sheet("Prélèvement (kWh)", 0.2, 0.3, begin=1),  # each begins with the last of the one before
            sheet("Prélèvement (kWh)", 0.4, begin=3),
        )
    )
    assert [(q.start - NOON, q.offtake) for q in history.quarter_hours] == [
        (n * QUARTER, 100 * (n + 1)) for n in range(4)
    ]
    assert (history.rows, history.duplicates, history.problems) == (5, 1, [])


def test_sheet_for_each_direction() -> None:
    history = read(workbook(sheet("Prélèvement (kWh)", 0.1, 0.2), sheet("Injection (kWh)", 0.3, 0.4, 0.5)))
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(100, 300), (200, 400), (None, 500)]


def test_cover_that_speaks_of_days_is_left_out_and_named() -> None:
    cover = [["Date de début", "Date de fin"], [FIRST, FIRST]]
    history = read(workbook(cover, [["Remarques"]], sheet("Prélèvement (kWh)", 0.1)))
    assert [q.offtake for q in history.quarter_hours] == [100]
    assert history.problems == []
    assert history.notes["unread"] == "Sheet"


def test_problem_names_its_sheet() -> None:
    history = read(workbook(sheet("Prélèvement (kWh)", 0.1, "?"), sheet("Injection (kWh)", -1, 0.4)))
    assert [(p.kind, p.where) for p in history.problems] == [
        (ProblemKind.NOT_A_NUMBER, "Sheet 3"),
        (ProblemKind.NEGATIVE, "Sheet1 2"),
    ]


def test_sheets_that_contradict_each_other() -> None:
    history = read(workbook(sheet("Prélèvement (kWh)", 0.1, 0.2), sheet("Prélèvement (kWh)", 0.1, 0.3)))
    assert [q.offtake for q in history.quarter_hours] == [100]
    assert [(p.kind, p.where, p.found, p.accepted) for p in history.problems] == [
        (ProblemKind.CONTRADICTION, "Sheet1", "2026-05-03T10:15:00Z 300 Wh / - / -", "200 Wh / - / -")
    ]


def test_sheet_for_each_access_point() -> None:
    book = workbook(sheet("Prélèvement (kWh)", 0.1, 0.2, ean=EAN), sheet("Prélèvement (kWh)", 0.3, 0.4, ean=OTHER))
    history = read(book)
    assert (history.eans, list(history.quarter_hours), history.rows) == ((EAN, OTHER), [], 4)
    assert [q.offtake for q in read(book, ean=EAN).quarter_hours] == [100, 200]
    assert [q.offtake for q in read(book, ean=[EAN, OTHER]).quarter_hours] == [400, 600]


def test_sheet_without_access_points_beside_one_that_names_the_only_one() -> None:
    history = read(workbook(sheet("Prélèvement (kWh)", 0.1, ean=EAN), sheet("Injection (kWh)", 0.3)))
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(100, 300)]
    assert history.eans == (EAN,)
