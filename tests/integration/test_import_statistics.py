"""Home Assistant's own long-term statistics become quarter-hours."""

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
import pytest

from custom_components.energy_neighbours.core.history import History, HistoryError, ProblemKind
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality
from custom_components.energy_neighbours.history_statistics import async_read_statistics

from .recorded import DAY, HOUR, record, this_hour


@pytest.fixture
def mock_recorder_before_hass(recorder_db_url: str) -> None:
    """Let the recorder be set up before Home Assistant."""


async def read(hass: HomeAssistant, **series: list[str]) -> History:
    return await async_read_statistics(hass, series)


async def test_hours_become_quarter_hours_whatever_their_unit(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    begin = this_hour() - 60 * DAY
    await record(hass, "sensor.grid", {begin + HOUR * i: 100 + 0.4 * i for i in range(25)})
    await record(hass, "supplier:roof", {begin + HOUR * i: 0.002 * i for i in range(25)}, "MWh")
    shares: list[float] = []
    history = await async_read_statistics(
        hass, {"offtake": ["sensor.grid"], "production": ["supplier:roof"]}, shares.append
    )
    quarters = history.quarter_hours
    # The first hour counts from an unknown beginning.
    assert [quarter.start for quarter in quarters] == list(range(begin + HOUR, begin + 25 * HOUR, QUARTER))
    assert {(q.offtake, q.injection, q.production, q.quality) for q in quarters} == {
        (100, None, 500, Quality.ESTIMATED)
    }
    assert history.rows == 50
    assert shares == sorted(shares)
    assert shares[-1] == 1


async def test_five_minutes_are_measured_and_the_running_hour_is_left_out(
    recorder_mock: Recorder, hass: HomeAssistant
) -> None:
    begin = this_hour() - 2 * HOUR
    await record(hass, "sensor.grid", {begin + 300 * i: 0.01 * i for i in range(30)}, fine=True)
    history = await read(hass, offtake=["sensor.grid"])
    starts = [quarter.start for quarter in history.quarter_hours]
    end = min(this_hour(), begin + 30 * 300)  # another hour may have begun meanwhile
    assert starts == list(range(begin + QUARTER, end, QUARTER))
    assert {(quarter.offtake, quarter.quality) for quarter in history.quarter_hours} == {(30, Quality.MEASURED)}


async def test_correction_downwards_is_a_problem(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    begin = this_hour() - 9 * DAY
    await record(hass, "sensor.grid", {begin: 1, begin + HOUR: 2, begin + 2 * HOUR: 1.5, begin + 3 * HOUR: 1.9})
    history = await read(hass, offtake=["sensor.grid"])
    assert [quarter.offtake for quarter in history.quarter_hours] == [250] * 4 + [100] * 4
    assert [(problem.kind, problem.where) for problem in history.problems] == [(ProblemKind.NEGATIVE, "sensor.grid")]


async def test_statistic_counts_once(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    begin = this_hour() - 9 * DAY
    await record(hass, "sensor.grid", {begin: 1, begin + HOUR: 2})
    history = await read(hass, offtake=["sensor.grid", "sensor.grid"])
    assert [quarter.offtake for quarter in history.quarter_hours] == [250] * 4
    with pytest.raises(HistoryError) as caught:
        await read(hass, offtake=["sensor.grid"], injection=["sensor.grid"])
    assert (caught.value.key, caught.value.placeholders) == ("statistic_twice", {"statistic": "sensor.grid"})


async def test_what_is_no_energy_is_refused(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    await record(hass, "sensor.gas", {this_hour() - DAY: 1}, "m³", "volume")
    for chosen, key in (
        (["sensor.gas"], "statistic_not_energy"),
        (["sensor.nobody"], "statistic_unknown"),
        ([], "no_statistic"),
    ):
        with pytest.raises(HistoryError) as caught:
            await read(hass, offtake=chosen)
        assert caught.value.key == key


async def test_without_recorder_there_are_no_statistics(hass: HomeAssistant) -> None:
    with pytest.raises(HistoryError) as caught:
        await read(hass, offtake=["sensor.grid"])
    assert caught.value.key == "no_recorder"
