"""What energy cost today and this month, against sums that can be done by hand."""

from datetime import UTC, datetime
from decimal import Decimal

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import HomeAssistant
import pytest

from .conftest import number, state
from .contracted import (
    DYNAMIC,
    SAME_ALL_DAY,
    TWO_CLOCKS,
    at,
    contracted,
    found,
    go,
    measure,
    moment,
    quarters,
    remember,
)

TODAY, MONTH = "sensor.home_cost_today", "sensor.home_cost_this_month"
POWER, PEAK = "sensor.home_quarter_hour_power", "sensor.home_quarter_hour_peak_this_month"


async def test_day_is_added_up_by_band(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:05:00+02:00", TWO_CLOCKS)
    await remember(
        hass,
        entry,
        [
            *quarters("2026-06-09T18:00:00+02:00", 4, 1000),  # yesterday
            *quarters("2026-06-10T00:00:00+02:00", 4, 100),
            *quarters("2026-06-10T02:00:00+02:00", 4, 250),
            *quarters("2026-06-10T08:00:00+02:00", 4, 500),
            *quarters("2026-06-10T11:00:00+02:00", 4, 0, 300),
        ],
    )
    today = found(hass, TODAY)
    # 0.4 kWh at 0.192178, 1 kWh at 0.134726, 2 kWh at 0.245178; one band is one line of the bill.
    bands = {"medium": {"energy": 2.4, "cost": 0.57}, "eco": {"energy": 1.0, "cost": 0.13}}
    assert today.attributes["bands"] == bands
    assert today.state == "0.70"
    assert today.attributes["offtake"] == 3.4
    assert today.attributes["injection"] == 1.2
    assert today.attributes["injection_revenue"] == 0.06
    assert today.attributes["unpriced_share"] == 0
    assert today.attributes["known_share"] == pytest.approx(100 * 17 / 49, abs=0.1), "sixteen, and the one that runs"
    assert today.attributes["last_reset"] == "2026-06-09T22:00:00+00:00"
    assert (today.attributes["device_class"], today.attributes["state_class"]) == (SensorDeviceClass.MONETARY, "total")
    month = found(hass, MONTH)
    assert month.attributes["bands"] == bands | {"peak": {"energy": 4.0, "cost": 1.21}}
    assert month.state == "1.91"
    assert month.attributes["last_reset"] == "2026-05-31T22:00:00+00:00"


async def test_day_and_month_begin_anew_at_local_midnight(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-30T23:59:50+02:00", TWO_CLOCKS)
    await remember(hass, entry, quarters("2026-06-30T08:00:00+02:00", 4, 1000))
    assert (state(hass, TODAY), state(hass, MONTH)) == ("0.98", "0.98")
    assert state(hass, PEAK) == "4000"
    await go(hass, freezer, "2026-07-01T00:00:00+02:00")
    assert (number(hass, TODAY), number(hass, MONTH)) == (0, 0)
    assert found(hass, TODAY).attributes["last_reset"] == "2026-06-30T22:00:00+00:00"
    assert found(hass, MONTH).attributes["last_reset"] == "2026-06-30T22:00:00+00:00"
    await go(hass, freezer, "2026-07-01T00:01:00+02:00")
    assert state(hass, PEAK) == "unknown"


async def test_what_runs_counts_at_once_and_once(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T17:00:00+02:00", TWO_CLOCKS)
    costs = []
    for minute in range(1, 45):
        freezer.move_to(f"2026-06-10T17:{minute:02}:00+02:00")
        measure(hass, 1000 + minute / 10, 6000)
        await go(hass, freezer, f"2026-06-10T17:{minute:02}:00+02:00")
        costs.append(number(hass, TODAY))
    assert costs == sorted(costs), "nothing falls out between the running quarter-hour and the ledger"
    assert costs[-1] == pytest.approx(4.4 * 0.302524, abs=0.006)
    kept = await entry.runtime_data.ledger.async_read(entry.runtime_data.costs.day_span)
    assert [quarter.offtake for quarter in kept] == [1500, 1500]
    assert state(hass, PEAK) == "6000"
    assert found(hass, PEAK).attributes["time"] == moment("2026-06-10T17:00:00+02:00"), "the first of equal ones"


async def test_quarter_hour_power_tells_where_it_leads(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00")
    freezer.move_to("2026-06-10T12:05:00+02:00")
    measure(hass, 1000.2, 3000)
    await hass.async_block_till_done()
    await go(hass, freezer, "2026-06-10T12:05:00+02:00")
    entry.runtime_data._tick(None)
    # 200 Wh so far, and ten minutes of 3000 W are 500 Wh more.
    assert number(hass, POWER) == 800
    shown = found(hass, POWER)
    assert shown.attributes["projection"] == 2800
    assert shown.attributes["ends_at"] == moment("2026-06-10T12:15:00+02:00")
    measure(hass, 1000.2, -3000)
    await go(hass, freezer, "2026-06-10T12:06:00+02:00")
    assert found(hass, POWER).attributes["projection"] == 800, "what is injected takes nothing back"


async def test_old_days_keep_the_old_contract(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    later = {**SAME_ALL_DAY, "valid_from": "2026-06-10"}
    entry = await contracted(hass, freezer, "2026-06-10T12:05:00+02:00", TWO_CLOCKS, later)
    await remember(
        hass,
        entry,
        [*quarters("2026-06-09T18:00:00+02:00", 4, 1000), *quarters("2026-06-10T08:00:00+02:00", 4, 1000)],
    )
    assert found(hass, MONTH).attributes["bands"] == {
        "peak": {"energy": 4.0, "cost": 1.21},
        "single": {"energy": 4.0, "cost": 0.85},
    }
    assert state(hass, TODAY) == "0.85"


async def test_quarter_hour_without_a_price_is_told_and_costs_nothing_known(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    await remember(hass, entry, quarters("2026-06-10T08:00:00+02:00", 4, 1000))
    assert state(hass, TODAY) == "unknown"
    assert found(hass, TODAY).attributes["unpriced_share"] == 100


async def test_price_of_the_sensor_is_kept_with_its_quarter_hour(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("sensor.spot", "0.10", {"unit_of_measurement": "€/kWh"})
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    for minute in range(1, 19):
        freezer.move_to(f"2026-06-10T12:{minute:02}:00+02:00")
        if minute == 5:
            hass.states.async_set("sensor.spot", "-20", {"unit_of_measurement": "EUR/MWh"})
        measure(hass, 1000 + minute / 10, 6000)
        await go(hass, freezer, f"2026-06-10T12:{minute:02}:00+02:00")
    span = entry.runtime_data.costs.day_span
    prices = await entry.runtime_data.ledger.async_prices(span)
    # Five minutes at 10 cents, ten at minus 2.
    assert prices == {at("2026-06-10T12:00:00+02:00"): Decimal("0.020000")}
    [quarter] = await entry.runtime_data.ledger.async_read(span)
    cost = quarter.offtake / 1000 * (0.0271 + 0.02) * 1.06 + 0.3 * (0.0271 - 0.02) * 1.06
    assert number(hass, TODAY) == pytest.approx(cost, abs=0.006)


async def test_costs_are_there_at_once_after_a_restart(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:05:00+02:00", TWO_CLOCKS)
    await remember(hass, entry, quarters("2026-06-10T08:00:00+02:00", 4, 1000))
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (state(hass, TODAY), state(hass, PEAK)) == ("0.98", "4000")


# Prices of a sensor


async def told_until(hass: HomeAssistant, freezer: FrozenDateTimeFactory, first: str, last: str) -> None:
    """Let the meter count 0.1 kWh a minute."""
    for second in range(at(first), at(last) + 1, 60):
        freezer.move_to(datetime.fromtimestamp(second, UTC))
        measure(hass, 1000 + (second - at("2026-06-10T12:00:00+02:00")) / 600, 6000)
        await go(hass, freezer, datetime.fromtimestamp(second, UTC).isoformat())


async def test_price_of_a_quarter_hour_that_waits_survives_a_reload(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("sensor.spot", "0.10", {"unit_of_measurement": "€/kWh"})
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    await told_until(hass, freezer, "2026-06-10T12:01:00+02:00", "2026-06-10T12:15:00+02:00")
    hass.states.async_set("sensor.spot", "0.30", {"unit_of_measurement": "€/kWh"})
    assert await entry.runtime_data.ledger.async_prices(entry.runtime_data.costs.day_span) == {}
    before = number(hass, TODAY)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert number(hass, TODAY) == before
    await told_until(hass, freezer, "2026-06-10T12:16:00+02:00", "2026-06-10T12:33:00+02:00")
    prices = await entry.runtime_data.ledger.async_prices(entry.runtime_data.costs.day_span)
    assert list(prices.values()) == [Decimal("0.100000"), Decimal("0.300000")]
    assert found(hass, TODAY).attributes["unpriced_share"] == 0


async def test_prices_wait_for_a_meter_that_is_silent_for_hours_and_a_reload(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("sensor.spot", "0.10", {"unit_of_measurement": "€/kWh"})
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    await told_until(hass, freezer, "2026-06-10T12:01:00+02:00", "2026-06-10T12:04:00+02:00")
    for entity_id in ("sensor.counter", "sensor.power"):
        hass.states.async_set(entity_id, "unavailable")
    for hour in (13, 14):
        await go(hass, freezer, f"2026-06-10T{hour}:00:00+02:00")
        hass.states.async_set("sensor.spot", f"0.{hour}", {"unit_of_measurement": "€/kWh"})
    await go(hass, freezer, "2026-06-10T14:30:00+02:00")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await told_until(hass, freezer, "2026-06-10T14:31:00+02:00", "2026-06-10T15:03:00+02:00")
    prices = await entry.runtime_data.ledger.async_prices(entry.runtime_data.costs.day_span)
    assert [float(price) for price in prices.values()] == [0.1] * 4 + [0.13] * 4 + [0.14] * 4
    assert found(hass, TODAY).attributes["unpriced_share"] == 0


@pytest.mark.parametrize("nonsense", ["1e30", "1e15", "-1001"])
async def test_price_that_cannot_be_one_is_not_known(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, nonsense: str
) -> None:
    hass.states.async_set("sensor.spot", nonsense, {"unit_of_measurement": "€/kWh"})
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", DYNAMIC)
    assert state(hass, "sensor.home_electricity_price") == "unknown"
    await told_until(hass, freezer, "2026-06-10T12:01:00+02:00", "2026-06-10T12:17:00+02:00")
    assert [each.offtake for each in await entry.runtime_data.ledger.async_read(entry.runtime_data.costs.day_span)]
    assert entry.runtime_data.ledger.pending == 0
    assert found(hass, TODAY).attributes["unpriced_share"] == 100
