"""Reading the tables in which grid operators and programs hand out past quarter-hours."""

import csv
from datetime import UTC, date, datetime, time
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.energy_neighbours.core.history import History, HistoryError, Problem, ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour, iso, local_day
from custom_components.energy_neighbours.core.readings import read_rows

BRUSSELS = ZoneInfo("Europe/Brussels")
EAN = "541448900000000018"
OTHER = "541448900000000025"
NOW = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
GENERIC = "timestamp_utc,ean,offtake_wh,injection_wh,quality"
DSO = "Date;Heure;EAN;Prélèvement total (kWh);Partagé (kWh);Résiduel (kWh);Injection (kWh);Injection partagée (kWh)"


def read(text: str, *, delimiter: str = ";", **options: Any) -> History:
    rows = enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), start=1)
    return read_rows(rows, **{"zone": BRUSSELS, "now": NOW, **options})


def read_generic(*lines: str, header: str = GENERIC, **options: Any) -> History:
    return read("\n".join([header, *lines]), delimiter=",", **options)


def kinds(history: History) -> list[tuple[ProblemKind, str]]:
    return [(problem.kind, problem.where) for problem in history.problems]


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


# Our own layout (DOMAIN 9.3)


def test_own_layout_is_read_to_the_watt_hour() -> None:
    history = read_generic(
        f"2026-05-03T10:00:00Z,{EAN},123,0,measured",
        f"2026-05-03T10:15:00Z,{EAN},,45,estimated",
        f"2026-05-03T10:30:00Z,{EAN},7,8,late",
    )
    noon = utc("2026-05-03T10:00")
    assert history.quarter_hours == [
        QuarterHour(noon, 123, 0, None),
        QuarterHour(noon + QUARTER, None, 45, None, Quality.ESTIMATED),  # an empty cell is not zero
        QuarterHour(noon + 2 * QUARTER, 7, 8, None, Quality.LATE),
    ]
    assert (history.format, history.rows, history.eans, history.problems) == ("generic_csv", 3, (EAN,), [])


def test_production_may_be_there_and_access_point_may_be_absent() -> None:
    history = read_generic("2026-05-03 10:00,1,2,3", header="timestamp_utc,offtake_wh,injection_wh,production_wh")
    assert history.quarter_hours == [QuarterHour(utc("2026-05-03T10:00"), 1, 2, 3)]
    assert history.eans == ()


def test_offset_of_a_time_counts_even_in_a_column_of_utc() -> None:
    history = read_generic(f"2026-05-03T12:00:00+02:00,{EAN},1,0,")
    assert history.quarter_hours[0].start == utc("2026-05-03T10:00")


@pytest.mark.parametrize(
    ("line", "kind", "found"),
    [
        ("next Tuesday,E,1,0,", ProblemKind.NOT_A_TIME, "next Tuesday"),
        ("2026-02-30T10:00Z,E,1,0,", ProblemKind.NOT_A_TIME, "2026-02-30T10:00Z"),
        ("2026-05-03,E,1,0,", ProblemKind.NOT_A_TIME, "2026-05-03"),
        ("2026-05-03T25:00Z,E,1,0,", ProblemKind.NOT_A_TIME, "2026-05-03T25:00Z"),
        ("2026-05-03T10:07Z,E,1,0,", ProblemKind.NOT_ON_GRID, "2026-05-03T10:07:00Z"),
        ("2026-12-03T10:00Z,E,1,0,", ProblemKind.IN_FUTURE, "2026-12-03T10:00:00Z"),
        ("2026-05-03T10:00Z,E,many,0,", ProblemKind.NOT_A_NUMBER, "many"),
        ("2026-05-03T10:00Z,E,1e999,0,", ProblemKind.NOT_A_NUMBER, "1e999"),
        ("2026-05-03T10:00Z,E,-1,0,", ProblemKind.NEGATIVE, "-1"),
        ("2026-05-03T10:00Z,E", ProblemKind.TOO_FEW_CELLS, "2"),
    ],
)
def test_bad_row_names_its_line_and_what_is_wrong(line: str, kind: ProblemKind, found: str) -> None:
    good = "2026-05-03T09:45Z,E,5,0,measured"
    history = read_generic(good, line)
    assert [(p.kind, p.where, p.found) for p in history.problems] == [(kind, "3", found)]
    assert [quarter.offtake for quarter in history.quarter_hours] == [5]


def test_unknown_word_for_quality_is_told_once_and_trusted_little() -> None:
    history = read_generic(
        "2026-05-03T10:00Z,E,1,0,sparkling", "2026-05-03T10:15Z,E,1,0,sparkling", "2026-05-03T10:30Z,E,1,0,measured"
    )
    assert kinds(history) == [(ProblemKind.UNKNOWN_QUALITY, "2")]
    assert [q.quality for q in history.quarter_hours] == [Quality.ESTIMATED, Quality.ESTIMATED, Quality.MEASURED]


def test_same_values_twice_are_counted_and_different_ones_contradict_each_other() -> None:
    history = read_generic(
        "2026-05-03T10:00Z,E,1,0,measured",
        "2026-05-03T10:00Z,E,1,0,estimated",
        "2026-05-03T10:15Z,E,1,0,measured",
        "2026-05-03T10:15Z,E,2,0,measured",
        "2026-05-03T10:30Z,E,3,0,measured",
    )
    assert history.duplicates == 1
    assert [(q.offtake, q.quality) for q in history.quarter_hours] == [(1, Quality.ESTIMATED), (3, Quality.MEASURED)]
    assert history.problems == [Problem(ProblemKind.CONTRADICTION, "5", "2 Wh / 0 Wh / -", "1 Wh / 0 Wh / - (4)")]


def test_of_several_access_points_one_must_be_chosen() -> None:
    lines = [f"2026-05-03T10:00Z,{EAN},1,0,", f"2026-05-03T10:00Z,{OTHER},,9,", f"2026-05-03T10:15Z,{EAN},2,0,"]
    history = read_generic(*lines)
    assert (history.eans, list(history.quarter_hours), history.rows) == ((EAN, OTHER), [], 3)
    assert [q.offtake for q in read_generic(*lines, ean=EAN).quarter_hours] == [1, 2]
    assert [q.injection for q in read_generic(*lines, ean=OTHER).quarter_hours] == [9]
    assert list(read_generic(*lines, ean="unheard of").quarter_hours) == []


def test_access_points_of_one_site_are_added() -> None:
    lines = [f"2026-05-03T10:00Z,{EAN},5,,", f"2026-05-03T10:00Z,{OTHER},,9,", f"2026-05-03T10:15Z,{OTHER},,4,"]
    history = read_generic(*lines, ean=[EAN, OTHER])
    assert [(q.offtake, q.injection) for q in history.quarter_hours] == [(5, 9), (None, 4)]


# A grid operator's table (DOMAIN 9.1)


def test_table_of_a_grid_operator_below_a_preamble() -> None:
    history = read(
        "Gestionnaire du réseau;Relevé de partage\nPériode;05/2026;;\n\n"
        + DSO
        + f'\n03/05/2026;12:00;="{EAN}";12,345;10,000;2,345;0,5;0,25'
        + f"\n03/05/2026;12:15;{EAN};0,1;0;0,1;;\n\nTotal;;;12,445;;;0,5;"
    )
    noon = utc("2026-05-03T10:00")
    assert history.quarter_hours == [
        QuarterHour(noon, 12_345, 500, None),
        QuarterHour(noon + QUARTER, 100, None, None),
    ]
    assert (history.format, history.eans, history.problems) == ("dso_table", (EAN,), [])
    assert history.notes["offtake"] == "Prélèvement total (kWh)"


@pytest.mark.parametrize(
    "header",
    [
        "Date et heure;Code EAN;Prélèvement (kWh);Injection (kWh)",
        "Datum en tijdstip;EAN-code;Afname (kWh);Injectie (kWh)",
        "Timestamp;EAN;Offtake [kWh];Injected [kWh]",
        "Zeitpunkt;Zählpunkt;Bezug (kWh);Einspeisung (kWh)",
        "Date de début;EAN;Consommation kWh;Énergie injectée kWh",
        "Van datum;EAN;Verbruik kWh;Geïnjecteerde energie kWh",
    ],
)
def test_headings_in_four_languages(header: str) -> None:
    history = read(f"{header}\n2026-05-03 12:00;{EAN};0,25;0,5")
    assert history.quarter_hours == [QuarterHour(utc("2026-05-03T10:00"), 250, 500, None)]


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ("03/05/2026 12:00", "2026-05-03T10:00"),
        ("03.05.2026 12:00:00", "2026-05-03T10:00"),
        ("3-5-2026 12h00", "2026-05-03T10:00"),
        ("2026/05/03 12:00", "2026-05-03T10:00"),
        ("2026-05-03T12:00:00.000", "2026-05-03T10:00"),
        ("2026-05-03T12:00:00Z", "2026-05-03T12:00"),
        ("2026-05-03T12:00:00+0530", "2026-05-03T06:30"),
        ("2026-05-03 12:00 -03", "2026-05-03T15:00"),
        ("2026-05-03 12:00 CET", "2026-05-03T11:00"),
        ("02/05/2026 24:00", "2026-05-02T21:45"),  # no quarter-hour begins then: it is the end of one
        (datetime(2026, 5, 3, 11, 59, 59, 999_000), "2026-05-03T10:00"),  # noqa: DTZ001 - of a spreadsheet
        (46145.5, "2026-05-03T10:00"),
    ],
)
def test_times_as_people_and_spreadsheets_write_them(written: str | datetime | float, start: str) -> None:
    rows = [(1, ["Date", "Prélèvement (kWh)"]), (2, [written, 0.25])]
    history = read_rows(rows, zone=BRUSSELS, now=NOW)
    assert [(iso(q.start), q.offtake) for q in history.quarter_hours] == [(f"{start}:00Z", 250)]


@pytest.mark.parametrize("clock", [time(12, 15), datetime(1899, 12, 30, 12, 15), 0.510416666, "12:15"])  # noqa: DTZ001
def test_day_and_time_in_two_columns(clock: object) -> None:
    rows: Any = [(1, ["Date", "Heure", "Prélèvement (kWh)"]), (2, [date(2026, 5, 3), clock, 0.25])]
    assert read_rows(rows, zone=BRUSSELS, now=NOW).quarter_hours[0].start == utc("2026-05-03T10:15")


@pytest.mark.parametrize("clock", ["noon", 7.5, "12:60", "25:15"])
def test_time_of_day_that_is_none(clock: object) -> None:
    rows: Any = [(1, ["Date", "Heure", "Prélèvement (kWh)"]), (2, ["03/05/2026", clock, 0.25])]
    assert kinds(read_rows(rows, zone=BRUSSELS, now=NOW)) == [(ProblemKind.NOT_A_TIME, "2")]


def test_rows_that_name_only_the_end_of_their_quarter_hour() -> None:
    history = read("Date de fin;Heure de fin;Prélèvement (kWh)\n03/05/2026;24:00;0,1")
    assert iso(history.quarter_hours[0].start) == "2026-05-03T21:45:00Z"


def test_offtake_is_the_sum_of_its_parts_where_no_total_is_given() -> None:
    history = read("Date;Partagé (kWh);Résiduel (kWh)\n03/05/2026 12:00;0,1;0,2\n03/05/2026 12:15;0,1;")
    assert [q.offtake for q in history.quarter_hours] == [300]


def test_units_beneath_the_heading() -> None:
    history = read("Date;Prélèvement;Injection\n;kWh;Wh\n03/05/2026 12:00;0,1;20")
    assert history.quarter_hours == [QuarterHour(utc("2026-05-03T10:00"), 100, 20, None)]


def test_mean_power_of_a_quarter_hour() -> None:
    assert read("Date;Prélèvement (kW)\n03/05/2026 12:00;0,4").quarter_hours[0].offtake == 100


def test_unit_that_is_not_told_is_not_guessed() -> None:
    history = read("Date;Prélèvement (MJ)\n03/05/2026 12:00;0,1")
    assert kinds(history) == [(ProblemKind.UNKNOWN_UNIT, "1")]
    assert list(history.quarter_hours) == []


def test_finer_than_a_watt_hour_loses_nothing() -> None:
    lines = [f"2026-05-03T{10 + n // 4}:{15 * (n % 4):02d}Z;0,0003" for n in range(40)]
    history = read("\n".join(["timestamp_utc;Prélèvement (kWh)", *lines]))
    energies = [quarter.offtake or 0 for quarter in history.quarter_hours]
    assert sum(energies) == 12
    assert max(energies) == 1


# Numbers


def test_two_ways_of_writing_decimals_in_one_column() -> None:
    history = read("Date;Afname (Wh)\n03/05/2026 12:00;1.234,0\n03/05/2026 12:15;1,234.0\n03/05/2026 12:30;5,0")
    assert [(p.kind, p.where, p.found) for p in history.problems] == [(ProblemKind.MIXED_DECIMALS, "3", "1,234.0")]
    assert [q.offtake for q in history.quarter_hours] == [1234, 5]


@pytest.mark.parametrize(
    ("column", "unit", "watt_hours"),
    [
        (["0,065", "1,234"], "kWh", [65, 1234]),
        (["0.065", "1.234"], "kWh", [65, 1234]),
        (["1.234", "2.345"], "kWh", [1234, 2345]),
        (["1.234", "987"], "Wh", [1234, 987]),  # nobody writes thousandths of a watt-hour
        (["1.234,0", "2.345"], "Wh", [1234, 2345]),
        (["1\u202f234,0", "1\u00a0234,0", "1'234,0"], "Wh", [1234] * 3),
        (["12", "3"], "kWh", [12_000, 3000]),
        (["0.012.345", "3"], "Wh", [12_345, 3]),
        (["1e-3", "2,5E-3"], "kWh", [1, 3]),
        (["2,5E-3", "0,5"], "kWh", [3, 500]),
        (["1.2.3", "0,5"], "kWh", None),
        (["1,2,3", "0,5"], "kWh", None),
        (["1.234", "0,5"], "kWh", None),
        (["1 2", "0,5"], "kWh", None),
        ([",5", "+0,5"], "kWh", [500, 500]),
    ],
)
def test_numbers_as_people_write_them(column: list[str], unit: str, watt_hours: list[int] | None) -> None:
    lines = [f"03/05/2026 12:{15 * n:02d};{number}" for n, number in enumerate(column)]
    history = read("\n".join([f"Date;Prélèvement ({unit})", *lines]))
    if watt_hours is None:
        assert len(history.problems) == 1
        assert history.problems[0].kind in (ProblemKind.MIXED_DECIMALS, ProblemKind.NOT_A_NUMBER)
    else:
        assert [q.offtake for q in history.quarter_hours] == watt_hours


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), True, date(2026, 1, 1)])
def test_cell_of_a_spreadsheet_that_is_no_number(cell: Any) -> None:
    rows = [(1, ["Date", "Prélèvement (kWh)"]), (2, ["2026-05-03 12:00", cell])]
    assert kinds(read_rows(rows, zone=BRUSSELS, now=NOW)) == [(ProblemKind.NOT_A_NUMBER, "2")]


# Registers


REGISTERS = (
    "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid;"
    "Validatiestatus;Omschrijving"
)


def register(start: str, end: str, name: str, volume: str, unit: str = "kWh", state: str = "Uitgelezen") -> str:
    return f'{start};{end};="{EAN}";1SAG0000000001;Digitale meter;{name};{volume};{unit};{state};'


def test_registers_are_summed_by_quarter_hour() -> None:
    first, second = ("03-05-2026;06:45:00", "03-05-2026;07:00:00"), ("03-05-2026;07:00:00", "03-05-2026;07:15:00")
    history = read(
        "\n".join(
            [
                REGISTERS,
                register(*first, "Afname Nacht", "0,065"),
                register(*first, "Afname Dag", "0,010"),
                register(*first, "Injectie Nacht", "0,000"),
                register(*first, "Inductief Nacht", "0,002", "kVArh"),
                register(*second, "Afname Dag", "0,100", state="Geschat"),
                register(*second, "Injectie Dag", ""),
                register(*second, "Onbekend", "9"),
            ]
        )
    )
    start = utc("2026-05-03T04:45")
    assert history.quarter_hours == [
        QuarterHour(start, 75, 0, None),
        QuarterHour(start + QUARTER, 100, None, None, Quality.ESTIMATED),
    ]
    assert (history.format, history.eans, history.problems) == ("dso_registers", (EAN,), [])
    assert history.notes["unread"] == "Inductief Nacht (1), Onbekend (1)"


def test_totals_of_a_day_are_no_quarter_hours() -> None:
    history = read(f"{REGISTERS}\n{register('03-05-2026;00:00:00', '04-05-2026;00:00:00', 'Afname Dag', '9,5')}")
    assert kinds(history) == [(ProblemKind.NOT_A_QUARTER_HOUR, "2")]


def test_gas_is_no_electricity() -> None:
    history = read(f"{REGISTERS}\n{register('03-05-2026;00:00:00', '03-05-2026;00:15:00', 'Afname', '9,5', 'm³')}")
    assert [(p.kind, p.found) for p in history.problems] == [(ProblemKind.UNKNOWN_UNIT, "m³")]


def test_registers_over_a_change_of_the_clocks() -> None:
    lines = [REGISTERS]
    for day in (date(2026, 3, 29), date(2026, 10, 25)):
        for start in local_day(day, BRUSSELS).quarter_hours:
            begin, end = (datetime.fromtimestamp(time, BRUSSELS) for time in (start, start + QUARTER))
            step = f"{begin:%d-%m-%Y;%H:%M:%S}", f"{end:%d-%m-%Y;%H:%M:%S}"
            lines += [register(*step, name, "0,010") for name in ("Afname Nacht", "Injectie Nacht")]
    history = read("\n".join(lines))
    assert (len(history.quarter_hours), history.problems) == (192, [])
    assert {(q.offtake, q.injection) for q in history.quarter_hours} == {(10, 10)}


# What is no table of readings


def test_table_without_energy_lacks_a_column() -> None:
    history = read("Date;EAN;Remarque\n03/05/2026 12:00;E;rien")
    assert [(p.kind, p.where, p.accepted) for p in history.problems] == [(ProblemKind.MISSING_COLUMN, "1", "kWh")]


def test_table_without_time_lacks_a_column() -> None:
    history = read("EAN;Prélèvement (kWh)\nE;0,5")
    assert [(p.kind, p.accepted) for p in history.problems] == [(ProblemKind.MISSING_COLUMN, "timestamp")]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "no_readings"),
        ("Dear neighbour;thank you\nfor;your letter", "no_readings"),
        ("\n".join(f"a;{n}" for n in range(100)), "no_readings"),
        (GENERIC.replace(",", ";"), "no_rows"),
    ],
)
def test_what_is_no_table_is_refused(text: str, key: str) -> None:
    with pytest.raises(HistoryError) as refused:
        read(text)
    assert refused.value.key == key
