"""The neighbours of demo, tests and benchmarks are real homes, and nothing of their energy is lost."""

from datetime import datetime, timedelta
import gzip
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER
from tools.neighbourhood.calendar import ZONE, Stage, place_of
from tools.neighbourhood.cast import NEIGHBOURS, Cast
from tools.neighbourhood.homes import DATA, QUARTERS, YEAR_START, community, home_names, homes, sunshine
from tools.neighbourhood.street import LATE, energies, habits


def test_eighteen_homes_by_the_quarter_hour_use_what_was_measured() -> None:
    with gzip.open(DATA / "homes_hourly_2016.csv.gz", "rt", encoding="utf-8") as file:
        rows = [line.split(",")[1:] for line in file][1:]
    measured = np.array(rows[:-1], float).sum(axis=0)  # the last hour is that of the next year
    assert homes().shape == (QUARTERS, 18)
    assert len(home_names()) == 18
    assert homes().min() >= 0
    np.testing.assert_allclose(homes().sum(axis=0), measured, atol=1)


def test_the_sun_shines_by_day() -> None:
    by_hour = sunshine().reshape(366, 24, 4).sum(axis=(0, 2))  # from midnight of winter time on
    assert by_hour[:3].sum() < 1
    assert 11 <= by_hour.argmax() <= 13
    assert 700_000 < sunshine().sum() < 1_200_000  # Wh of 1 kWp in Belgium


def test_a_community_of_any_size_has_roofs_for_two_fifths_of_its_use() -> None:
    shared = community(30, 96 * 7, first=96 * 150)
    assert shared.offtake.shape == (672, 30)
    assert abs(shared.injection.sum() / shared.offtake.sum() - 0.4) < 0.01
    np.testing.assert_array_equal(shared.offtake[:, :18], homes()[96 * 150 : 96 * 157])
    prosumers = community(30, 96 * 7, prosumers=10, first=96 * 150)
    assert prosumers.producers == prosumers.members[:10]
    assert not (prosumers.offtake[:, :10] * prosumers.injection).any()


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_a_moment_of_now_is_one_of_the_measured_year_with_the_same_weekday_and_time_of_day(year: int) -> None:
    first = datetime(year, 1, 1, 0, 15, tzinfo=ZONE)
    for day, hour in product(range(365), (0, 8, 23)):
        now = first + timedelta(days=day, hours=hour)
        place = place_of(int(now.timestamp()))
        assert 0 <= place < QUARTERS
        then = datetime.fromtimestamp(YEAR_START + QUARTER * place, ZONE)
        assert (then.weekday(), then.hour, then.minute) == (now.weekday(), now.hour, now.minute)
        apart = abs(then.timetuple().tm_yday - now.timetuple().tm_yday)
        assert min(apart, 366 - apart) <= 8


AT = datetime(2017, 10, 15, 12, 58, tzinfo=ZONE)
BEGUN = datetime(2026, 12, 1, 22, 10, tzinfo=ZONE)
STAGE = Stage(begun=int(BEGUN.timestamp()), at=int(AT.timestamp()))


def then(now: datetime) -> datetime:
    """Return the moment of the measured year that stands for one of now, on the demo's stage."""
    return datetime.fromtimestamp(YEAR_START + QUARTER * STAGE.place_of(int(now.timestamp())), ZONE)


def test_a_play_goes_on_from_the_moment_at_which_it_begins() -> None:
    assert then(BEGUN.replace(minute=0)) == datetime(2016, 10, 16, 12, 45, tzinfo=ZONE)  # a Sunday
    assert then(BEGUN + timedelta(hours=30, minutes=5)) == datetime(2016, 10, 17, 19, 0, tzinfo=ZONE)


def test_its_past_has_real_weekdays_in_the_season_of_that_moment() -> None:
    for days in range(1, 62):
        past = BEGUN.replace(hour=8, minute=15) - timedelta(days=days)
        assert (then(past).weekday(), then(past).hour, then(past).minute) == (past.weekday(), 8, 15)
        assert timedelta(days=days - 8) < datetime(2016, 10, 16, tzinfo=ZONE) - then(past) < timedelta(days=days + 8)


def test_a_play_without_another_moment_is_that_of_now() -> None:
    start = int(BEGUN.timestamp()) // QUARTER * QUARTER
    assert Stage(begun=start, at=None).place_of(start) == place_of(start)


def test_the_roof_of_the_demos_street_gives_twelve_homes_two_to_five_tenths_of_what_they_use() -> None:
    first = (datetime(2016, 9, 1, tzinfo=ZONE) - datetime(2016, 1, 1, tzinfo=ZONE)).days * 96
    used = given = covered = 0
    for place in range(first, first + 60 * 96):
        flows = [energies(each, place) for each in NEIGHBOURS]
        offtake, injection = sum(flow[0] for flow in flows), sum(flow[1] for flow in flows)
        used, given, covered = used + offtake, given + injection, covered + min(offtake, injection)
    assert 0.2 < covered / used < 0.5
    assert 0.6 < covered / given < 1


def test_one_of_the_demos_street_is_late_and_one_drops_out_twice_an_hour() -> None:
    lives = {each.number: habits(each, STAGE) for each in NEIGHBOURS}
    hour = range(STAGE.begun + 3600, STAGE.begun + 7200)
    assert {number: life.late for number, life in lives.items() if life.late} == {9: LATE}
    away = {number: [life.away(second) for second in hour] for number, life in lives.items()}
    assert [number for number, seconds in away.items() if any(seconds)] == [11]
    assert sum(a and not b for a, b in pairwise(away[11])) == 2
    assert not any(lives[11].away(second) for second in range(STAGE.begun, STAGE.begun + 180))


def test_a_cast_is_kept_where_others_cannot_read_it(tmp_path: Path) -> None:
    cast = Cast(invitations=["one", "two"], since=900, port=8883, begun=1000, at=None)
    cast.write(tmp_path / "cast.json")
    assert Cast.read(tmp_path / "cast.json") == cast
    assert (tmp_path / "cast.json").stat().st_mode & 0o077 == 0
