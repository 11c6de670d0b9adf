"""The household behind the live meters: recorded consumption, derived sun."""

import csv
from datetime import UTC, datetime
import gzip

import pytest

from tools.simulator.household import SECONDS, Household, moment_of, scene_of

from .conftest import DATA

NOON = scene_of(datetime(2017, 10, 12, 11, tzinfo=UTC))


@pytest.fixture(scope="module")
def household():
    return Household()


@pytest.fixture(scope="module")
def record():
    with gzip.open(DATA / "household_minute_2017.csv.gz", "rt") as file:
        return [float(row["power_w"]) for row in csv.DictReader(file)]


def test_scene_has_the_weekday_and_local_time_of_the_moment():
    summer = datetime(2026, 7, 22, 10, 30, tzinfo=UTC)  # a Wednesday, 12:30 in Brussels
    winter = datetime(2026, 12, 23, 11, 30, tzinfo=UTC)  # a Wednesday, 12:30 in Brussels
    for moment in (summer, winter):
        assert f"{moment_of(scene_of(moment)):%a %H:%M}" == "Wed 12:30"
    assert moment_of(scene_of(datetime(2017, 10, 12, 11, tzinfo=UTC))) == datetime(2017, 10, 12, 13)  # noqa: DTZ001


def test_three_phases_add_up_to_the_recorded_minute(household, record):
    assert len(record) * 60 == SECONDS
    for minute in range(0, len(record), 97):
        loads = [household.at(minute * 60 + second).load for second in range(60)]
        assert sum(loads) / 60 == pytest.approx(record[minute], abs=1e-6)


def test_no_phase_consumes_less_than_nothing_or_more_than_its_fuse(household):
    loads = [load for scene in range(0, SECONDS, 300) for load in household.at(scene).loads]
    assert min(loads) >= 0
    assert max(loads) < 25 * 230


def test_big_appliances_load_one_phase_more_than_the_others(household):
    flows = [household.at(scene) for scene in range(0, SECONDS, 60)]
    cooking = [flow.loads for flow in flows if flow.load > 2000]
    assert cooking
    assert sum(max(loads) > 1.5 * sum(loads) / 3 for loads in cooking) > len(cooking) / 2


def test_sun_is_irradiance_times_roof(household):
    with gzip.open(DATA / "weather_hourly_2016.csv.gz", "rt") as file:
        sky = {row["timestamp_utc"]: float(row["ghi_w_per_m2"]) for row in csv.DictReader(file)}
    middle_of_the_hour = scene_of(datetime(2017, 10, 13, 10, 30, tzinfo=UTC))
    expected = 5.0 * sky["2016-10-13T10:00:00Z"] * 0.85
    assert household.solar(middle_of_the_hour) == pytest.approx(expected, rel=0.03)
    assert household.solar(scene_of(datetime(2017, 10, 12, 22, tzinfo=UTC))) == 0


def test_another_household_lives_on_other_days_under_the_same_sun(household):
    other = Household(kwp=2.5, days=3)
    for scene in (NOON, NOON + 5 * 86400, NOON + 9 * 86400):
        assert other.at(scene).loads == pytest.approx(household.at(scene + 3 * 86400).loads, rel=0.1)
        assert other.solar(scene) == pytest.approx(household.solar(scene) / 2)


def test_voltage_stays_in_its_band(household):
    voltages = [household.at(scene).voltage for scene in range(0, SECONDS, 61)]
    assert 228 <= min(voltages) < 231
    assert 233 < max(voltages) <= 236


def test_same_seed_same_seconds():
    one, same, other = Household(1), Household(1), Household(2)
    scenes = range(NOON, NOON + 600)
    assert [one.at(s) for s in scenes] == [same.at(s) for s in scenes]
    assert [one.at(s) for s in scenes] != [other.at(s) for s in scenes]


def test_taps_run_now_and_then(household):
    flows = [household.at(scene).water for scene in range(86400)]
    assert 100 < sum(flows) < 500  # litres a day
    assert 0.06 <= max(flows) <= 0.2
