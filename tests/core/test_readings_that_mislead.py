"""Tables that could be read, but not as they seem: readings of a meter, hours, ends that look like starts."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from custom_components.energy_neighbours.core.history import ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour, iso, local_day
from custom_components.energy_neighbours.core.readings import read_rows

from .test_readings import BRUSSELS, NOW, REGISTERS, read, register, utc
from .test_readings_clock import DSO, day_of_rows

MORNING = datetime(2026, 5, 3)  # noqa: DTZ001 - as a grid operator writes it


def stamps(count: int, minutes: int = 15) -> list[str]:
    return [f"{MORNING + n * timedelta(minutes=minutes):%d/%m/%Y %H:%M}" for n in range(count)]


# Too much


def test_reading_of_a_meter_is_no_energy_of_a_quarter_hour() -> None:
    history = read("\n".join(["Date;Prélèvement (kWh)", *(f"{stamp};12345,6{n}" for n, stamp in enumerate(stamps(4)))]))
    assert list(history.quarter_hours) == []
    assert [(p.kind, p.where, p.accepted) for p in history.problems] == [
        (ProblemKind.TOO_MUCH, str(line), "100 kW") for line in range(2, 6)
    ]


def test_a_hundred_kilowatts_are_believed_and_no_more() -> None:
    history = read("Date;Injection (kW)\n03/05/2026 12:00;100\n03/05/2026 12:15;100,01\n03/05/2026 12:30;5")
    assert [q.injection for q in history.quarter_hours] == [25_000, 1250]
    assert [(p.kind, p.where) for p in history.problems] == [(ProblemKind.TOO_MUCH, "3")]


@pytest.mark.parametrize(("volume", "state"), [("99999", "Uitgelezen"), ("?", "Uitgelezen"), ("0,000", "Ontbreekt")])
def test_sum_of_registers_is_not_known_without_one_of_them(volume: str, state: str) -> None:
    first, second = ("03-05-2026;06:45:00", "03-05-2026;07:00:00"), ("03-05-2026;07:00:00", "03-05-2026;07:15:00")
    lines = [
        register(*first, "Afname Nacht", volume, state=state),
        register(*first, "Afname Dag", "0,010"),
        register(*second, "Afname Dag", "0,020"),
    ]
    assert [q.offtake for q in read("\n".join([REGISTERS, *lines])).quarter_hours] == [20]


def test_value_that_its_own_row_calls_missing_is_none() -> None:
    history = read(
        "Date;Prélèvement (kWh);Statut\n"
        "03/05/2026 12:00;0,100;Mesuré\n03/05/2026 12:15;0,000;Manquant\n03/05/2026 12:30;0,200;Mesuré"
    )
    assert [(q.offtake, q.quality) for q in history.quarter_hours] == [
        (100, Quality.MEASURED),
        (200, Quality.MEASURED),
    ]
    assert history.problems == []


# Other steps than a quarter-hour


@pytest.mark.parametrize(
    ("minutes", "count", "found"),
    [(1, 60, "1 min"), (5, 24, "5 min"), (10, 24, "10 min"), (30, 8, "30 min"), (60, 24, "60 min"), (1440, 2, "24 h")],
)
@pytest.mark.parametrize("unit", ["kWh", "kW"])
def test_other_steps_are_told_once_and_not_taken(minutes: int, count: int, found: str, unit: str) -> None:
    history = read("\n".join([f"Date;Prélèvement ({unit})", *(f"{stamp};1,2" for stamp in stamps(count, minutes))]))
    assert list(history.quarter_hours) == []
    first = history.problems[0]
    assert (first.kind, first.where, first.found) == (ProblemKind.NOT_A_QUARTER_HOUR, "2", found)


def test_hours_that_tell_their_end_are_told_row_by_row() -> None:
    lines = [f"03/05/2026;{hour:02d}:00;{(hour + 1) % 24:02d}:00;1,2" for hour in (0, 1, 23)]
    history = read("\n".join(["Datum;Van (tijdstip);Tot (tijdstip);Afname (kWh)", *lines]))
    assert list(history.quarter_hours) == []
    assert [(p.kind, p.found) for p in history.problems] == [
        (ProblemKind.NOT_A_QUARTER_HOUR, "2026-05-03 00:00 - 2026-05-03 01:00"),
        (ProblemKind.NOT_A_QUARTER_HOUR, "2026-05-03 01:00 - 2026-05-03 02:00"),
        (ProblemKind.NOT_A_QUARTER_HOUR, "2026-05-03 23:00 - 2026-05-04 00:00"),
    ]


@pytest.mark.parametrize("last", ["00:00", "24:00"])
def test_quarter_hours_that_tell_their_end_are_taken_also_before_midnight(last: str) -> None:
    history = read(
        "Datum;Van (tijdstip);Tot (tijdstip);Afname (kWh)\n"
        f"03/05/2026;23:30;23:45;0,1\n03/05/2026;23:45;{last};0,2\n25/10/2026;02:45;02:00;0,3\n25/10/2026;02:45;03:00;0,3"
    )
    assert [q.offtake for q in history.quarter_hours] == [100, 200, 300, 300]
    assert history.problems == []


def test_holes_are_no_longer_steps() -> None:
    kept = [stamp for n, stamp in enumerate(stamps(96)) if n % 8 < 2]
    history = read("\n".join(["Date;Prélèvement (kWh)", *(f"{stamp};0,1" for stamp in kept)]))
    assert (len(history.quarter_hours), history.problems) == (24, [])


# Ends that are not called so


def ends(days: int = 2) -> list[tuple[date, str]]:
    """Return the ends of the quarter-hours of some days, with the day that they belong to."""
    clocks = [f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in range(15, 24 * 60 + 1, 15)]
    return [(MORNING.date() + timedelta(days=day), clock) for day in range(days) for clock in clocks]


def assert_in_order(quarter_hours: Any) -> None:
    start = local_day(MORNING.date(), BRUSSELS).start
    assert quarter_hours == [QuarterHour(start + n * QUARTER, n, None, None) for n in range(192)]


@pytest.mark.parametrize("heading", ["Datum;Uur;Afname (Wh)", "Datum;Tot (tijdstip);Afname (Wh)"])
def test_24_o_clock_is_the_end_of_a_quarter_hour(heading: str) -> None:
    lines = [f"{day:%d/%m/%Y};{clock};{n}" for n, (day, clock) in enumerate(ends())]
    history = read("\n".join([heading, *lines]))
    assert_in_order(history.quarter_hours)
    assert history.problems == []


def test_24_o_clock_in_one_cell_with_its_day() -> None:
    lines = [f"{day:%Y-%m-%d} {clock};{n}" for n, (day, clock) in enumerate(ends())]
    assert_in_order(read("\n".join(["Datum;Afname (Wh)", *lines])).quarter_hours)


def test_24_o_clock_in_a_spreadsheet() -> None:
    rows: list[Any] = [(1, ["Datum", "Uur", "Afname (Wh)"])]
    for n, (day, clock) in enumerate(ends()):
        hours, minutes = map(int, clock.split(":"))
        typed = timedelta(days=1) if hours == 24 else time(hours, minutes)
        rows.append((n + 2, [day, typed, n]))
    assert_in_order(read_rows(rows, zone=BRUSSELS, now=NOW).quarter_hours)


@pytest.mark.parametrize("newest_first", [False, True])
def test_midnight_beside_the_day_that_it_ends(*, newest_first: bool) -> None:
    lines = [f"{day:%d/%m/%Y};{clock.replace('24', '00')};{n}" for n, (day, clock) in enumerate(ends())]
    history = read("\n".join(["Datum;Tot (tijdstip);Afname (Wh)", *(lines[::-1] if newest_first else lines)]))
    assert_in_order(history.quarter_hours)


def test_24_o_clock_beside_0_o_clock_is_the_next_day() -> None:
    history = read("Datum;Uur;Afname (Wh)\n03/05/2026;00:00;1\n03/05/2026;00:15;2\n03/05/2026;24:00;3")
    assert [iso(q.start) for q in history.quarter_hours] == [
        iso(utc(time)) for time in ("2026-05-02T22:00", "2026-05-02T22:15", "2026-05-03T22:00")
    ]


# Newest day first


def test_newest_day_first_whose_times_rise_within_the_day() -> None:
    days = [date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26)]
    history = read("\n".join([DSO, *(line for day in reversed(days) for line in day_of_rows(day))]))
    assert [q.offtake for q in history.quarter_hours] == [*range(96), *range(100), *range(96)]
    assert history.problems == []
