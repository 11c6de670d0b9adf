"""Hours of a tariff are typed as people write them, and read back as they were typed."""

import pytest

from custom_components.energy_neighbours.core.band_grid import BandGrid, DayType, GridError, GridProblem, Interval
from custom_components.energy_neighbours.core.grid_text import BandNames, read_day, read_grid, write_day, write_grid

FRENCH = {"peak": "Heures pleines", "off_peak": "Heures creuses", "solar": "Heures solaires"}
ENGLISH = {"peak": "Peak", "off_peak": "Off-peak", "solar": "Solar"}
NIGHT = (Interval(0, 360, "off_peak"), Interval(360, 1320, "peak"), Interval(1320, 1440, "off_peak"))


def names(**own: str) -> BandNames:
    return BandNames(FRENCH, [ENGLISH], own)


def day(text: str) -> tuple[Interval, ...]:
    return read_day(text, DayType.WEEKDAY, names())


def grid(weekday: str, band_names: BandNames | None = None, **others: str) -> BandGrid:
    texts = {DayType.WEEKDAY: weekday, **{DayType(kind): text for kind, text in others.items()}}
    return read_grid("own", texts, band_names or names(), region="france", source="own hours")


@pytest.mark.parametrize(
    "text",
    [
        "22:00-06:00 Heures creuses\n06:00-22:00 Heures pleines",
        "06:00 - 22:00 heures pleines\n\n  22:00 – 06:00 heures creuses  ",  # noqa: RUF001 - a dash as phones make it
        "22h-6h HEURES CREUSES\n6h-22h : heures pleines",
        "22h00 à 6h00 off_peak\n6 h à 22 h peak",
        "22 Uhr bis 6 Uhr Off-peak\n6 Uhr 00 bis 22.00 Uhr Peak",
        "22u tot 6u off-peak\npeak",
        "22-6 off-peak\n6-22 peak",
    ],
)
def test_hours_are_read_as_people_write_them(text: str) -> None:
    assert day(text) == NIGHT


def test_a_name_alone_is_the_rest_of_the_day() -> None:
    assert day("22:00-06:00 heures creuses\nheures pleines") == NIGHT
    assert day("heures pleines") == (Interval(0, 1440, "peak"),)


def test_a_star_marks_the_hours_of_the_sun() -> None:
    assert day("11:00-17:00 creuses *\n17:00-11:00 pleines") == (
        Interval(0, 660, "pleines"),
        Interval(660, 1020, "creuses", solar=True),
        Interval(1020, 1440, "pleines"),
    )
    assert day("11-17 Solar ☀\npeak")[1] == Interval(660, 1020, "solar", solar=True)


@pytest.mark.parametrize(
    ("text", "problem", "found"),
    [
        ("22:00 creuses", GridProblem.MALFORMED, "22:00 creuses"),
        ("22:00-06:00", GridProblem.MALFORMED, "22:00-06:00"),
        ("22:00-25:00 creuses", GridProblem.NOT_A_TIME, "22:00-25:00 creuses"),
        ("22:61-23:00 creuses", GridProblem.NOT_A_TIME, "22:61-23:00 creuses"),
        ("06:00-06:00 creuses", GridProblem.EMPTY_INTERVAL, "06:00-06:00 creuses"),
        ("24:00-06:00 creuses", GridProblem.EMPTY_INTERVAL, "24:00-06:00 creuses"),
        ("creuses\npleines", GridProblem.MALFORMED, "pleines"),
        ("11:00-17:00 *", GridProblem.MALFORMED, "*"),
        ("11:00-17:00 unknown", GridProblem.MALFORMED, "unknown"),  # would be taken for a band that nobody knows
        (f"11:00-17:00 {'x' * 61}", GridProblem.MALFORMED, "x" * 61),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, problem: GridProblem, found: str) -> None:
    with pytest.raises(GridError) as caught:
        day(text)
    assert (caught.value.problem, caught.value.found, caught.value.day_type) == (problem, found, DayType.WEEKDAY)


def test_the_minute_of_a_hole_or_an_overlap_is_named() -> None:
    with pytest.raises(GridError) as hole:
        grid("22:00-06:00 creuses\n06:30-22:00 pleines")
    assert (hole.value.problem, hole.value.minute) == (GridProblem.HOLE, 360)
    with pytest.raises(GridError) as overlap:
        grid("pleines", saturday="22:00-06:00 creuses\n05:45-22:00 pleines")
    assert (overlap.value.problem, overlap.value.minute) == (GridProblem.OVERLAP, 345)
    assert overlap.value.day_type is DayType.SATURDAY


def test_days_left_out_are_like_a_weekday_and_holidays_follow_the_week() -> None:
    made = grid("22:00-06:00 creuses\npleines", sunday="creuses")
    assert made.days[DayType.SATURDAY] == made.days[DayType.WEEKDAY]
    assert made.days[DayType.SUNDAY] == (Interval(0, 1440, "creuses"),)
    assert DayType.HOLIDAY not in made.days
    with pytest.raises(GridError) as missing:
        grid("", sunday="creuses")
    assert missing.value.problem is GridProblem.MISSING_DAY


def test_names_of_ones_own_are_kept_as_they_were_typed() -> None:
    made = grid("22h-6h Nuit d'Été !\n6h-22h nuit d ete\n")
    assert made.bands == ("nuit_d_ete",)
    assert made.names == {"nuit_d_ete": "Nuit d'Été !"}
    assert grid("0-24 ☕").names == {"band_1": "☕"}


def test_names_without_a_latin_letter_are_told_apart() -> None:
    text = "22:00-06:00 🌙\n06:00-11:00 ☕\n11:00-22:00 Band 1"
    made = grid(text)
    assert list(made.names.values()) == ["🌙", "☕", "Band 1"]
    assert grid(text, names(**made.names)) == made


def test_what_was_read_is_written_again() -> None:
    text = "06:00-11:00 Matin\n11:00-17:00 Heures solaires *\n17:00-22:00 Soir\n22:00-06:00 Heures creuses"
    made = grid(text, sunday="00:00-24:00 Heures creuses", holiday=text)
    again = names(**made.names)
    assert write_grid(made, again) == {
        DayType.WEEKDAY: text,
        DayType.SUNDAY: "00:00-24:00 Heures creuses",
        DayType.HOLIDAY: text,
    }
    copy = grid(text, again, sunday="00:00-24:00 Heures creuses", holiday=text)
    assert copy == made
    assert (copy.days, copy.names) == (made.days, made.names)


def test_two_halves_of_a_day_in_the_same_band_are_written_as_they_were_read():
    text = "00:00-12:00 Heures creuses\n12:00-24:00 Heures creuses"
    parts = read_day(text, DayType.SATURDAY, names())
    assert write_day(parts, names()) == text
