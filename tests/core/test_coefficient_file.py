"""Tables of coefficients: what is read from either layout, and what is refused, with its row and column."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from custom_components.energy_neighbours.core.coefficient_file import CoefficientFile, read_coefficients, sum_up
from custom_components.energy_neighbours.core.coefficients import percent, unbroken
from custom_components.energy_neighbours.core.community import Member, Rules
from custom_components.energy_neighbours.core.history import HistoryError, Problem, ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span
from custom_components.energy_neighbours.history_files import read_csv

FIRST = date(2026, 6, 1)
RULES = Rules(
    ZoneInfo("Europe/Brussels"),
    (),
    (
        Member("ash", FIRST),
        Member("elm", FIRST),
        Member("late", date(2026, 7, 1)),
        Member("roof", FIRST, consumes=False, produces=True),
        Member("barn", FIRST, consumes=False, produces=True),
    ),
)
T = 1_781_078_400  # 2026-06-10T08:00:00Z
U = T + QUARTER
LONG = "timestamp_utc,member,coefficient\n"
WIDE = "timestamp_utc,ash,elm\n"


def read(text: str) -> CoefficientFile:
    return read_coefficients(read_csv(text.encode()), RULES)


def problem(text: str) -> Problem:
    (found,) = read(text).problems
    return found


def test_long_table_has_a_row_for_each_quarter_hour_and_member():
    found = read(
        LONG
        + "2026-06-10T08:00:00Z,ash,62.5\n2026-06-10T08:00:00Z,elm,37.5\n"
        + "2026-06-10T08:15:00Z,ash,0\n2026-06-10T08:15:00Z,elm,100\n"
    )
    assert found.given == {T: {"": {"ash": 625_000, "elm": 375_000}}, U: {"": {"ash": 0, "elm": 1_000_000}}}
    assert (found.rows, found.problems, found.unlisted) == (4, [], [])
    assert sum_up(found) == (2, Span(T, U + QUARTER), [], 1_000_000, 1_000_000, False)


def test_wide_table_has_a_column_for_each_member():
    found = read(WIDE + "2026-06-10T08:00:00Z,62.5,37.5\n2026-06-10T08:45:00Z,10,20\n")
    assert found.given[T] == {"": {"ash": 625_000, "elm": 375_000}}
    gap = Span(T + QUARTER, T + 3 * QUARTER)
    assert sum_up(found) == (2, Span(T, T + 4 * QUARTER), [gap], 300_000, 1_000_000, False)


@pytest.mark.parametrize(
    "text",
    [
        "Horodate;Membre;Coefficient (%)\n10/06/2026 10:00 +02:00;ash;12,3456\n",
        "\ufeffZeitpunkt (UTC);Mitglied;Koeffizient\n10.06.2026 08:00;ash;12,3456 %\n",
        "tijdstip UTC+2\tlid\tcoëfficiënt\n2026-06-10 10:00\tash\t12.3456%\n",
        "timestamp_utc;ash\n2026-06-10T08:00;12,3456\n",
        "Clé de juin\ndu délégué;le 01/06/2026\n\ntimestamp_utc;member;coefficient\n2026-06-10T08:00Z;ash;12,3456\n",
    ],
)
def test_decimals_separators_signs_and_offsets_are_read_as_people_write_them(text):
    found = read(text)
    assert found.problems == []
    assert found.given == {T: {"": {"ash": 123_456}}}


def test_local_hours_of_the_clock_change_are_told_apart_by_their_offset():
    rows = "2026-10-25T02:00+02:00,ash,10\n2026-10-25T02:00+01:00,ash,20\n"
    assert [of[""]["ash"] for of in read("time,member,coefficient\n" + rows).given.values()] == [100_000, 200_000]


@pytest.mark.parametrize("layout", ["long", "wide"])
def test_coefficients_of_each_producer(layout):
    if layout == "long":
        head = "timestamp_utc,producer,member,coefficient\n"
        rows = "2026-06-10T08:00Z,roof,ash,40\n2026-06-10T08:00Z,roof,elm,60\n2026-06-10T08:00Z,barn,ash,100\n"
        barn = {"ash": 1_000_000}
    else:
        head = "timestamp_utc,producteur,ash,elm\n"
        rows = "2026-06-10T08:00Z,roof,40,60\n2026-06-10T08:00Z,barn,100,0\n"
        barn = {"ash": 1_000_000, "elm": 0}
    found = read(head + rows)
    assert found.problems == []
    assert found.given == {T: {"roof": {"ash": 400_000, "elm": 600_000}, "barn": barn}}
    assert sum_up(found).by_producer


def test_who_has_no_coefficient_in_a_quarter_hour_of_its_own_is_named():
    found = read(LONG + "2026-06-10T08:00:00Z,ash,100\n2026-06-10T08:15:00Z,ash,50\n2026-06-10T08:15:00Z,elm,50\n")
    assert (found.problems, found.unlisted) == ([], ["elm"])  # and not who is no member yet


@pytest.mark.parametrize(
    ("text", "kind", "where", "column", "found"),
    [
        (LONG + "2026-06-10T08:00Z,oak,10\n", "unknown_member", "2", "member", "oak"),
        (WIDE.replace("elm", "oak") + "2026-06-10T08:00Z,1,2\n", "unknown_member", "1", "oak", "oak"),
        (LONG + "2026-06-10T08:00Z,roof,10\n", "unknown_member", "2", "member", "roof"),  # it only produces
        (LONG + "2026-06-10T08:00Z,ash,ten\n", "not_a_number", "2", "coefficient", "ten"),
        (WIDE + "2026-06-10T08:00Z,1,2\n2026-06-10T08:15Z,1,x\n", "not_a_number", "3", "elm", "x"),
        (LONG + "2026-06-10T08:00Z,ash,-1\n", "below_zero", "2", "coefficient", "-1"),
        (LONG + "2026-06-10T08:00Z,ash,1.00001\n", "too_fine", "2", "coefficient", "1.00001"),
        (WIDE + "2026-06-10T08:00Z,1,\n", "empty_cell", "2", "elm", "elm"),
        (LONG + "2026-06-10T08:07Z,ash,1\n", "not_on_grid", "2", "timestamp_utc", "2026-06-10T08:07Z"),
        (LONG + "10 June,ash,1\n", "not_a_time", "2", "timestamp_utc", "10 June"),
        ("time,member,coefficient\n2026-06-10 08:00,ash,1\n", "no_offset", "2", "time", "2026-06-10 08:00"),
        (LONG + "2026-06-10T08:00Z,ash,1\n" * 2, "twice", "3", "coefficient", "2026-06-10T08:00Z ash"),
        (WIDE + "2026-06-10T08:00Z,60,40.0001\n", "over_whole", "2", "", "2026-06-10T08:00Z: 100.0001 %"),
        (LONG + "2026-06-10T08:00Z,late,1\n", "not_member_then", "2", "coefficient", "late"),
        (LONG + "2026-06-10T08:00Z,ash\n", "too_few_cells", "2", "", "2"),
        ("timestamp_utc,coefficient\n2026-06-10T08:00Z,1\n", "missing_column", "1", "", "timestamp_utc · coefficient"),
        ("timestamp_utc,member\n2026-06-10T08:00Z,ash\n", "missing_column", "1", "", "timestamp_utc · member"),
    ],
)
def test_what_is_wrong_is_told_with_its_row_and_column(text, kind, where, column, found):
    told = problem(text)
    assert (told.kind, told.where, told.column, told.found) == (kind, where, column, found)


def test_an_unknown_code_is_told_once():
    found = read(LONG + "".join(f"2026-06-10T{hour:02}:00Z,oak,10\n" for hour in range(10)))
    assert [each.kind for each in found.problems] == [ProblemKind.UNKNOWN_MEMBER]
    assert found.problems[0].accepted == "ash, elm, late"


def test_a_producer_that_is_none_is_refused():
    told = problem("timestamp_utc,producer,member,coefficient\n2026-06-10T08:00Z,ash,elm,10\n")
    assert (told.kind, told.column, told.accepted) == (ProblemKind.UNKNOWN_PRODUCER, "producer", "barn, roof")


def test_a_producers_sum_counts_by_itself():
    head = "timestamp_utc,producer,ash,elm\n"
    assert read(head + "2026-06-10T08:00Z,roof,60,40\n2026-06-10T08:00Z,barn,70,30\n").problems == []
    told = problem(head + "2026-06-10T08:00Z,roof,60,40\n2026-06-10T08:00Z,barn,70,31\n")
    assert (told.kind, told.where, told.found) == (ProblemKind.OVER_WHOLE, "3", "2026-06-10T08:00Z barn: 101 %")


def test_coefficients_for_all_producers_and_for_one_of_them_contradict_each_other():
    told = problem("timestamp_utc,producer,ash\n2026-06-10T08:00Z,,60\n2026-06-10T08:00Z,barn,70\n")
    assert (told.kind, told.where) == (ProblemKind.MIXED_FORMS, "3")


@pytest.mark.parametrize(
    ("text", "key"),
    [("a,b\n1,2\n", "no_coefficients"), ("ash,elm\n1,2\n", "no_coefficients"), (LONG, "no_rows"), (WIDE, "no_rows")],
)
def test_a_file_without_coefficients_is_refused(text, key):
    with pytest.raises(HistoryError) as caught:
        read(text)
    assert caught.value.key == key


def test_a_spreadsheet_is_refused_for_its_cells_do_not_tell_percents():
    with pytest.raises(HistoryError) as caught:
        read_csv(b"PK\x03\x04 and so on")
    assert caught.value.key == "csv_needed"


def test_no_column_of_a_large_community_is_lost():
    members = tuple(Member(f"m{number:03}", FIRST) for number in range(500))
    rules = Rules(ZoneInfo("Europe/Brussels"), (), members)
    head = ",".join(["timestamp_utc", *(each.code for each in members)])
    text = f"{head}\n2026-06-10T08:00Z" + ",0.2" * len(members) + "\n"
    found = read_coefficients(read_csv(text.encode()), rules)
    assert found.given == {T: {"": dict.fromkeys((each.code for each in members), 2_000)}}


def test_percents_are_written_without_needless_zeros():
    assert [percent(part) for part in (0, 1, 125_000, 1_000_000, 1_005_000)] == [
        "0 %",
        "0.0001 %",
        "12.5 %",
        "100 %",
        "100.5 %",
    ]


def test_spans_end_at_a_hole_and_where_coefficients_are_given_another_way():
    for_all, for_each = {"": {"ash": 1}}, {"roof": {"ash": 1}}
    given = {T: for_all, T + 2 * QUARTER: for_each, T + 3 * QUARTER: for_each, T + 6 * QUARTER: for_all}
    starts = [T + number * QUARTER for number in (0, 1, 2, 3, 5, 6)]
    assert list(unbroken(starts, given)) == [
        Span(T, T + 2 * QUARTER),
        Span(T + 2 * QUARTER, T + 4 * QUARTER),
        Span(T + 5 * QUARTER, T + 7 * QUARTER),
    ]
    assert list(unbroken([], given)) == []
