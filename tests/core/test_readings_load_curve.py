"""Reading the French grid operator's load curve: mean power over steps of any length, stamped at their end."""

from collections.abc import Iterable
import csv
from datetime import UTC, datetime, timedelta
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.energy_neighbours.core.history import History, ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality
from custom_components.energy_neighbours.core.readings import read_rows

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
PREAMBLE = (
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite\n"
    "19000000000018;Courbe de charge;05/01/2026;06/01/2026;Energie active;{direction};Comptage Brut;{unit}\n"
    "Horodate;Valeur\n"
)
TABLE = (
    "Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;Etape métier;Unité;Horodate;Valeur;"
    "Nature;Pas;Indice de vraisemblance;Etat complémentaire\n"
)
MIDNIGHT = datetime(2026, 1, 5, tzinfo=PARIS)
START = int(MIDNIGHT.timestamp())


def read(text: str, **options: Any) -> History:
    return read_rows(enumerate(csv.reader(io.StringIO(text), delimiter=";"), 1), zone=PARIS, now=NOW, **options)


def curve(lines: Iterable[str], direction: str = "Consommation", unit: str = "W") -> History:
    return read(PREAMBLE.format(direction=direction, unit=unit) + "\n".join(lines))


def at(minutes: int) -> str:
    return (MIDNIGHT + timedelta(minutes=minutes)).isoformat()


def steps(*each: tuple[int, object]) -> list[str]:
    """Write steps: their end [min after midnight], and the value."""
    return [f"{at(end)};{value}" for end, value in each]


def test_half_hours_are_split_over_two_quarter_hours() -> None:
    history = curve(steps((30, 1200), (60, 800)))
    assert [(q.start - START, q.offtake, q.injection, q.quality) for q in history.quarter_hours] == [
        (0, 300, None, Quality.ESTIMATED),
        (QUARTER, 300, None, Quality.ESTIMATED),
        (2 * QUARTER, 200, None, Quality.ESTIMATED),
        (3 * QUARTER, 200, None, Quality.ESTIMATED),
    ]
    assert (history.format, history.problems, history.notes) == ("load_curve", [], {"stamps": "end"})


@pytest.mark.parametrize(
    ("minutes", "quality"),
    [(5, Quality.MEASURED), (10, Quality.ESTIMATED), (15, Quality.MEASURED), (60, Quality.ESTIMATED)],
)
def test_steps_of_every_length(minutes: int, quality: Quality) -> None:
    history = curve(steps(*((end, 400) for end in range(minutes, 241, minutes))))
    assert [q.offtake for q in history.quarter_hours] == [100] * 16
    # A ten-minute step in three lies across the border of two quarter-hours, each of which holds one of those.
    assert {q.quality for q in history.quarter_hours} == {quality}


def test_energy_of_a_step_counts_whatever_its_length() -> None:
    history = curve(steps((30, 600), (60, 400)), unit="Wh")
    assert [q.offtake for q in history.quarter_hours] == [300, 300, 200, 200]


def test_production_of_an_access_point_is_what_it_injects() -> None:
    history = curve(steps((15, 400), (30, 800)), direction="Production")
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(None, 100), (None, 200)]


def test_step_that_changes_amid_the_file() -> None:
    history = curve(steps((60, 400), (120, 400), (180, 400), (210, 800), (240, 800), (255, 1200), (270, 1200)))
    assert [q.offtake for q in history.quarter_hours] == [100] * 12 + [200] * 4 + [300] * 2


def test_line_that_is_absent_leaves_a_hole_and_nothing_is_stretched_over_it() -> None:
    history = curve(steps((30, 400), (60, 400), (120, 800), (150, 400)))
    assert [(q.start - START) // QUARTER for q in history.quarter_hours] == [0, 1, 2, 3, 6, 7, 8, 9]
    assert [q.offtake for q in history.quarter_hours] == [100, 100, 100, 100, 200, 200, 100, 100]


def test_empty_value_is_not_zero() -> None:
    history = curve(steps((30, 400), (60, ""), (90, 400)))
    assert [(q.start - START) // QUARTER for q in history.quarter_hours] == [0, 1, 4, 5]


def test_quarter_hour_of_which_a_part_is_unknown_is_left_out() -> None:
    history = curve(steps((5, 400), (10, ""), (15, 400), (20, 400), (25, 400), (30, 400)))
    assert [(q.start - START) // QUARTER for q in history.quarter_hours] == [1]


@pytest.mark.parametrize("month", [3, 10])
def test_both_changes_of_the_clocks(month: int) -> None:
    day = datetime(2026, month, 29 if month == 3 else 25, tzinfo=PARIS)
    ends = range(int(day.timestamp()) + 1800, int((day + timedelta(days=1)).timestamp()) + 1800, 1800)
    history = curve(f"{datetime.fromtimestamp(end, PARIS).isoformat()};{n}" for n, end in enumerate(ends))
    assert [q.start + QUARTER for q in history.quarter_hours][1::2] == list(ends)
    assert history.problems == []


def test_heading_that_names_step_and_unit() -> None:
    history = read(f"horodate ISO fin de pas;puissance moyenne (kW)\n{at(0)};0,8\n{at(30)};1,2\n{at(60)};0,8")
    assert [(q.start - START, q.offtake) for q in history.quarter_hours][:3] == [(-1800, 200), (-900, 200), (0, 300)]


def test_one_table_with_both_directions() -> None:
    rows = [
        f"19000000000018;05/01/2026;;{physical};{direction};BRUT;W;2026-01-05 {clock};{value};{nature};PT30M;;"
        for physical, direction, clock, value, nature in (
            ("PA", "CONS", "00:30:00", 400, "R"),
            ("PA", "CONS", "01:00:00", 800, "E"),
            ("PA", "PROD", "00:30:00", 40, "R"),
            ("PRI", "CONS", "00:30:00", 99, "R"),
        )
    ]
    history = read(TABLE + "\n".join(rows))
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(100, 10), (100, 10), (200, None), (200, None)]
    assert history.eans == ("19000000000018",)


def test_stamps_that_begin_with_the_period_asked_for_are_those_of_beginnings() -> None:
    history = curve(steps((0, 400), (30, 800), (60, 400)))
    assert [(q.start - START, q.offtake) for q in history.quarter_hours][:3] == [(0, 100), (900, 100), (1800, 200)]
    assert history.notes["stamps"] == "start"


def test_first_end_may_be_that_of_the_step_before_the_period() -> None:
    """Its last stamp is the end of the period that was asked for, where no step can begin."""
    history = curve(steps(*((30 * n, 100 * n) for n in range(49))))
    assert [(q.start - START, q.offtake) for q in history.quarter_hours][:4] == [
        (-1800, 0),
        (-900, 0),
        (0, 25),
        (900, 25),
    ]
    assert history.notes["stamps"] == "end"


def test_step_that_the_lines_above_the_heading_tell() -> None:
    text = f"Identifiant PRM;19000000000018;Unite;W;Pas en minutes;30\nHorodate;Valeur\n{at(30)};400"
    assert [q.offtake for q in read(text).quarter_hours] == [100, 100]


def test_same_stamp_twice() -> None:
    history = curve(steps((30, 400), (30, 400), (60, 400), (60, 500), (90, 400)))
    assert history.duplicates == 1
    assert [(p.kind, p.where) for p in history.problems] == [(ProblemKind.CONTRADICTION, "7")]
    assert [(q.start - START) // QUARTER for q in history.quarter_hours] == [0, 1, 4, 5]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("yesterday;400", ProblemKind.NOT_A_TIME),
        ("2026-01-05T01:30:00+01:00", ProblemKind.TOO_FEW_CELLS),
        ("2026-01-05T01:30:00+01:00;much", ProblemKind.NOT_A_NUMBER),
        ("2026-01-05T01:30:00+01:00;-3", ProblemKind.NEGATIVE),
    ],
)
def test_bad_line_is_named(line: str, kind: ProblemKind) -> None:
    history = curve([*steps((30, 400), (60, 400)), line])
    assert [(p.kind, p.where) for p in history.problems] == [(kind, "6")]
    assert len(history.quarter_hours) == 4


def test_stamps_off_the_grid_or_in_the_future() -> None:
    history = curve([f"2026-01-05T00:{minute}:07+01:00;400" for minute in (15, 30)])
    assert [p.kind for p in history.problems] == [ProblemKind.NOT_ON_GRID] * 2
    history = curve([f"2027-01-05T00:{minute}:00+01:00;400" for minute in (15, 30)])
    assert [p.kind for p in history.problems] == [ProblemKind.IN_FUTURE] * 2


def test_daily_values_are_no_curve() -> None:
    history = curve(steps((1440, 9000), (2880, 9000)))
    assert [p.kind for p in history.problems] == [ProblemKind.NOT_A_QUARTER_HOUR] * 2


def test_unit_that_is_not_told_is_not_guessed() -> None:
    history = read(f"Horodate;Valeur\n{at(30)};400\n{at(60)};400")
    assert [p.kind for p in history.problems] == [ProblemKind.UNKNOWN_UNIT] * 2
