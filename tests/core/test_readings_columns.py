"""Which columns are read, which are not, and what their numbers and states mean."""

from datetime import UTC, datetime

import pytest

from custom_components.energy_neighbours.core.history import History, HistoryError, ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import Quality
from custom_components.energy_neighbours.core.readings_words import quality_of

from .test_readings import read

NOON, LATER = "2026-05-03 12:00", "2026-05-03 12:15"


def table(heading: str, *values: str) -> History:
    """Read a table of two quarter-hours."""
    return read("\n".join([heading, *(f"{time};{value}" for time, value in zip((NOON, LATER), values, strict=True))]))


# One energy in several columns


def test_energy_by_day_and_by_night_is_added() -> None:
    history = table(
        "Date et heure;Afname dag (kWh);Afname nacht (kWh);Injectie dag (kWh);Injectie nacht (kWh)",
        "0,100;0,020;0;0",
        "0,100;;0;0,5",
    )
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(120, 0), (None, 500)], "one part is no sum"
    assert history.notes["offtake"] == "Afname dag (kWh) + Afname nacht (kWh)"


def test_total_beats_its_parts() -> None:
    history = table("Horodatage;Conso T1 (kWh);Consommation totale (kWh);Consommation T2 (kWh)", "1;3;2", "1;4;3")
    assert [q.offtake for q in history.quarter_hours] == [3000, 4000]


@pytest.mark.parametrize(
    "heading",
    ["Prélèvement (kWh);Prélèvement (kWh)", "Afname dag (kWh);Afname nacht (Wh)", "Consommation;Consumption"],
)
def test_same_energy_twice_is_refused(heading: str) -> None:
    with pytest.raises(HistoryError) as refused:
        table(f"Date et heure;{heading}", "0,1;0,1", "0,1;0,1")
    assert refused.value.key == "columns_twice"
    assert refused.value.placeholders["columns"] == heading.replace(";", " · ")


def test_import_is_what_comes_from_the_grid_and_beats_consumption() -> None:
    heading = "timestamp;consumption (Wh);import (Wh);export (Wh);production (Wh)"
    [quarter, _] = table(heading, "500;100;20;420", "1;2;3;4").quarter_hours
    assert (quarter.offtake, quarter.injection, quarter.production) == (100, 20, 420)


@pytest.mark.parametrize(
    "other",
    [
        "Prix consommation (EUR/kWh)",
        "Coût de la consommation (EUR)",
        "Coût prélèvement (€)",
        "Consommation gaz (kWh)",
        "Énergie réactive (kVArh)",
        "Consommation réactive (kWh)",
        "Index consommation (kWh)",
        "Meterstand afname (kWh)",
    ],
)
def test_column_of_something_else_is_left_alone(other: str) -> None:
    history = table(f"Date et heure;{other};Consommation (kWh)", "9;0,1", "9;0,2")
    assert [q.offtake for q in history.quarter_hours] == [100, 200]
    assert history.problems == []
    assert history.notes.get("unread") == (other if other.endswith("h)") else None)


def test_columns_that_are_not_read_are_named_once() -> None:
    others = ("Chaleur (kWh)", "Puissance max (kW)", "CO2 (g/kWh)", "Consommation (kWh)", "Gaz (kWh)", "Gaz (kWh)")
    rows = (f"{energy};9;9;9;9;9;9" for energy in ("0,1", "0,2"))
    history = table(";".join(("Date et heure", "Prélèvement (kWh)", *others)), *rows)
    assert [q.offtake for q in history.quarter_hours] == [100, 200]
    assert history.notes["unread"] == ", ".join(others[:-1])


def test_readings_of_a_meter_alone_are_no_energies() -> None:
    with pytest.raises(HistoryError) as refused:
        table("Date et heure;Meterstand afname (kWh)", "12345,1", "12345,2")
    assert refused.value.key == "no_readings"


# The heading


@pytest.mark.parametrize(
    ("heading", "hour"),
    [
        ("Timestamp (UTC)", 12),
        ("Timestamp (UTC+1)", 11),
        ("Tijdstip (UTC+01:00)", 11),
        ("Date heure (GMT+1)", 11),
        ("Timestamp (UTC-01:30)", 13),
        ("Timestamp", 10),
    ],
)
def test_offset_in_the_heading_counts(heading: str, hour: int) -> None:
    first = table(f"{heading};Afname (kWh)", "0,1", "0,1").quarter_hours[0]
    assert datetime.fromtimestamp(first.start, UTC).hour == hour


def test_offset_that_no_clock_has_is_no_time() -> None:
    history = read("Horodatage;Prélèvement (kWh)\n2026-05-03T12:00+99:00;1\n2026-05-03T12:00+02:00;1")
    assert [(p.kind, p.where) for p in history.problems] == [(ProblemKind.NOT_A_TIME, "2")]


def test_what_stands_above_is_not_the_heading() -> None:
    history = read(
        "Date d'export;01/05/2026;Consommation totale (kWh);1234,5\n\n"
        "Date et heure;Injection (kWh);Prélèvement (kWh)\n03/05/2026 12:00;0,7;0,1"
    )
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(100, 700)]


def test_numbers_with_their_unit_are_no_row_of_units() -> None:
    history = read("Date;Heure;Prélèvement (kWh)\n03/05/2026;12:00;0,123 kWh\n03/05/2026;12:15;0,123 kWh")
    assert [problem.where for problem in history.problems if problem.kind is ProblemKind.NOT_A_NUMBER] == ["2", "3"]


# Numbers


@pytest.mark.parametrize("heading", ["timestamp_utc;offtake_wh", "timestamp_utc;Offtake (Wh)"])
def test_three_decimals_of_a_small_unit_are_decimals(heading: str) -> None:
    assert [q.offtake for q in table(heading, "15.000", "115.143").quarter_hours] == [15, 115]


def test_thousands_of_a_small_unit_are_thousands_beside_smaller_numbers() -> None:
    assert [q.offtake for q in table("timestamp_utc;offtake_wh", "1.250", "115").quarter_hours] == [1250, 115]


# States


@pytest.mark.parametrize(
    ("word", "quality"),
    [
        ("interpolated", Quality.ESTIMATED),
        ("Extrapolé", Quality.ESTIMATED),
        ("simulated", Quality.ESTIMATED),
        ("late", Quality.LATE),
        ("non mesuré", Quality.ESTIMATED),
        ("niet gemeten", Quality.ESTIMATED),
        ("Niet uitgelezen", Quality.ESTIMATED),
        ("Geen gegevens", Quality.MISSING),
        ("pas de données", Quality.MISSING),
        ("niet beschikbaar", Quality.MISSING),
        ("indisponible", Quality.MISSING),
        ("Geen verbruik", Quality.MEASURED),
        ("OK", Quality.MEASURED),
        ("broken", None),
        ("Invalid", Quality.ESTIMATED),
    ],
)
def test_states_are_understood_with_their_negation(word: str, quality: Quality | None) -> None:
    assert quality_of(word) is quality
