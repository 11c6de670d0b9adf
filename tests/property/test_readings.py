"""Whatever quarter-hours are written into a file of any layout come back from it as they were."""

from collections.abc import Callable, Sequence
import csv
from datetime import UTC, date, datetime
import io
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings, strategies as st

from custom_components.energy_neighbours.core.history import HistoryError, preview
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour, midnight
from custom_components.energy_neighbours.history_files import read_history

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2027, 2, 1, tzinfo=UTC).timestamp()
EAN = "541448900000000018"
DAYS = [
    date(2026, 3, 28),
    date(2026, 3, 29),
    date(2026, 5, 2),
    date(2026, 10, 24),
    date(2026, 10, 25),
    date(2026, 12, 30),
]
STATES = {Quality.MEASURED: "Uitgelezen", Quality.ESTIMATED: "Geschat"}

energies = st.one_of(st.none(), st.integers(0, 9), st.integers(0, 20_000))


@st.composite
def histories(draw: st.DrawFn) -> list[QuarterHour]:
    """Draw some days around a change of the clocks, or an ordinary one."""
    first = midnight(draw(st.sampled_from(DAYS)), BRUSSELS)
    length = draw(st.integers(1, 300))
    begin = first + draw(st.integers(0, 95)) * QUARTER
    numbers = draw(
        st.lists(st.tuples(energies, energies, st.sampled_from(list(STATES))), min_size=length, max_size=length)
    )
    return [QuarterHour(begin + n * QUARTER, out, into, None, q) for n, (out, into, q) in enumerate(numbers)]


def known(history: Sequence[QuarterHour]) -> list[QuarterHour]:
    return [q for q in history if (q.offtake, q.injection) != (None, None)]


def local(time: int, form: str) -> str:
    return f"{datetime.fromtimestamp(time, BRUSSELS):{form}}"


def kwh(energy: int | None, *, group: bool = False) -> str:
    if energy is None:
        return ""
    written = f"{energy / 1000:,.3f}".replace(".", "#").replace(",", "\u202f" if group else "").replace("#", ",")
    return written.removesuffix(",000") if energy % 7 == 0 else written


def write(rows: list[list[object]], delimiter: str = ";") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def own(history: Sequence[QuarterHour]) -> bytes:
    rows: list[list[object]] = [["timestamp_utc", "ean", "offtake_wh", "injection_wh", "quality"]]
    rows += [
        [datetime.fromtimestamp(q.start, UTC).isoformat(), EAN, q.offtake, q.injection, q.quality] for q in history
    ]
    return write(rows, ",")


def table(history: Sequence[QuarterHour]) -> bytes:
    rows: list[list[object]] = [
        ["Titre", ""],
        ["Jour", "Heure", "EAN", "Injection (kWh)", "Prélèvement (kWh)", "Statut"],
    ]
    for q in history:
        energy = [kwh(q.injection, group=True), kwh(q.offtake, group=True)]
        rows.append([local(q.start, "%d/%m/%Y"), local(q.start, "%H:%M"), EAN, *energy, STATES[q.quality]])
    return write(rows)


def table_newest_first(history: Sequence[QuarterHour]) -> bytes:
    title, heading, *lines = table(history).splitlines(keepends=True)
    return b"".join([title, heading, *lines[::-1]])


def ends(history: Sequence[QuarterHour]) -> bytes:
    rows: list[list[object]] = [["Tot datum", "Afname (Wh)", "Injectie (Wh)", "Kwaliteit"]]
    rows += [[local(q.end, "%Y-%m-%d %H:%M"), q.offtake, q.injection, STATES[q.quality]] for q in history]
    return write(rows, "\t")


def registers(history: Sequence[QuarterHour]) -> bytes:
    rows: list[list[object]] = [
        ["Van (datum)", "Van (tijdstip)", "Tot (datum)", "Tot (tijdstip)", "EAN-code", "Register", "Volume", "Eenheid",
         "Validatiestatus"]
    ]  # fmt: skip
    for q in history:
        step = [
            local(q.start, "%d-%m-%Y"),
            local(q.start, "%H:%M:%S"),
            local(q.end, "%d-%m-%Y"),
            local(q.end, "%H:%M:%S"),
        ]
        for name, energy in (("Afname Dag", q.offtake), ("Injectie Dag", q.injection)):
            rows.append([*step, f'="{EAN}"', name, kwh(energy), "kWh", STATES[q.quality]])
    return write(rows)


LAYOUTS = [own, table, table_newest_first, ends, registers]


@settings(max_examples=200, deadline=None)
@given(histories(), st.sampled_from(LAYOUTS))
def test_what_is_written_is_read(
    history: list[QuarterHour], write_layout: Callable[[Sequence[QuarterHour]], bytes]
) -> None:
    # The hour that comes twice cannot be told where a file begins or ends amid it.
    stamps = [local(q.end if write_layout is ends else q.start, "%Y-%m-%d %H") for q in history]
    assume(write_layout is own or stamps.count("2026-10-25 02") in (0, 8))
    read = read_history(write_layout(history), zone=BRUSSELS, now=NOW)
    assert list(read.quarter_hours) == known(history)
    assert (read.problems, read.duplicates) == ([], 0)


@settings(max_examples=50, deadline=None)
@given(histories())
def test_preview_sums_what_was_written(history: list[QuarterHour]) -> None:
    shown = preview(read_history(own(history), zone=BRUSSELS, now=NOW), BRUSSELS)
    assert (shown.offtake or 0) == sum(q.offtake or 0 for q in history)
    assert sum((gap.end - gap.start) // QUARTER for gap in shown.gaps) + shown.quarter_hours <= len(history)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.decimals(0, 5, places=6), min_size=2, max_size=200))
def test_energies_finer_than_a_watt_hour_keep_their_sum(energies: list[object]) -> None:
    rows: list[list[object]] = [["timestamp_utc", "offtake (kWh)"]]
    begin = int(datetime(2026, 5, 3, tzinfo=UTC).timestamp())
    for n, energy in enumerate(energies):
        rows.append([datetime.fromtimestamp(begin + n * QUARTER, UTC).isoformat(), f"{energy:f}"])
    read = read_history(write(rows), zone=BRUSSELS, now=NOW)
    total = sum(float(str(energy)) for energy in energies) * 1000
    assert abs(sum(q.offtake or 0 for q in read.quarter_hours) - total) <= 0.5 + 1e-6
    for quarter, energy in zip(read.quarter_hours, energies, strict=True):
        assert abs((quarter.offtake or 0) - float(str(energy)) * 1000) <= 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_no_bytes_make_the_reader_stumble(content: bytes) -> None:
    for heading in (b"", b"timestamp_utc,ean,offtake_wh\n", b"Horodate;Valeur (W)\n"):
        try:
            read_history(heading + content, zone=BRUSSELS, now=NOW)
        except HistoryError:
            continue
