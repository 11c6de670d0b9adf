"""The neighbours of demo, tests and benchmarks are real homes, and nothing of their energy is lost."""

from datetime import datetime, timedelta
import gzip
from itertools import product

import numpy as np
import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER
from tools.neighbourhood.calendar import ZONE, place_of
from tools.neighbourhood.homes import DATA, QUARTERS, YEAR_START, community, home_names, homes, sunshine


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
