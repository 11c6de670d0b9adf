"""What energy cost today and this month, against sums that can be done by hand."""

from datetime import UTC, datetime
from decimal import Decimal

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import HomeAssistant, State
import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour

from .conftest import number, state
from .contracted import DYNAMIC, SAME_ALL_DAY, TWO_CLOCKS, at, contracted, go, measure, remember

TODAY, MONTH = "sensor.home_cost_today", "sensor.home_cost_this_month"
POWER, PEAK = "sensor.home_quarter_hour_power", "sensor.home_quarter_hour_peak_this_month"


def found(hass: HomeAssistant, entity_id: str) -> State:
    shown = hass.states.get(entity_id)
    assert shown
    return shown


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def quarters(begin: str, count: int, offtake: int | None, injection: int | None = 0) -> list[QuarterHour]:
    return [QuarterHour(at(begin) + i * QUARTER, offtake, injection, None) for i in range(count)]


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


async def test_peaks_of_flanders(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    flanders = {
        **SAME_ALL_DAY,
        "region": "flanders",
        "network_grid": "flanders_capacity",
        "components": [{"kind": "commodity", "prices": "0.10"}, {"kind": "network", "prices": "0.05"}],
        "capacity": {"rate": "50", "with_vat": True, "floor": "2.5"},
    }
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", flanders)
    await remember(
        hass,
        entry,
        [
            *quarters("2026-04-10T18:00:00+02:00", 1, 1500),  # 6 kW
            *quarters("2026-05-10T18:00:00+02:00", 1, 250),  # 1 kW, below the floor
            *quarters("2026-06-09T18:00:00+02:00", 1, 1000),  # 4 kW
            *quarters("2026-06-09T19:00:00+02:00", 1, 900),
        ],
    )
    peak = found(hass, PEAK)
    assert peak.state == "4000"
    assert peak.attributes["time"] == moment("2026-06-09T18:00:00+02:00")
    # (6 + 2.5 + 4) / 3 kW
    assert peak.attributes["billed_power"] == 4.167
    assert peak.attributes["cost_per_year"] == 208.33
    assert peak.attributes["months"] == 3


async def test_maximum_tariff_of_flanders_counts_when_a_year_is_known(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    flanders = {
        **SAME_ALL_DAY,
        "region": "flanders",
        "network_grid": "flanders_capacity",
        "components": [{"kind": "commodity", "prices": "0.10"}, {"kind": "network", "prices": "0.05"}],
        "capacity": {"rate": "50", "with_vat": True, "maximum": "0.20"},
    }
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", flanders)
    months = [*((2025, month) for month in range(7, 13)), *((2026, month) for month in range(1, 7))]
    await remember(
        hass,
        entry,
        [q for year, month in months for q in quarters(f"{year}-{month:02}-05T18:00:00+00:00", 4, 1000)],
    )
    peak = found(hass, PEAK)
    assert (peak.attributes["billed_power"], peak.attributes["cost_per_year"]) == (4.0, 200.0)
    # 48 kWh: energy at 0.05 with 6 % VAT is 2.54, capacity 200; the maximum is 48 x 0.20.
    assert peak.attributes["network_cost_per_year"] == 9.6
    assert peak.attributes["capped"] is True


async def test_network_cost_of_a_year_holds_the_energy_of_the_present_month(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    flanders = {
        **SAME_ALL_DAY,
        "region": "flanders",
        "network_grid": "flanders_capacity",
        "components": [{"kind": "commodity", "prices": "0.10"}, {"kind": "network", "prices": "0.05"}],
        "capacity": {"rate": "50", "with_vat": True, "maximum": "9"},
    }
    entry = await contracted(hass, freezer, "2026-06-10T12:00:00+02:00", flanders)
    past = [*((2025, month) for month in range(7, 13)), *((2026, month) for month in range(1, 6))]
    await remember(
        hass,
        entry,
        [
            *(q for year, month in past for q in quarters(f"{year}-{month:02}-05T18:00:00+00:00", 1, 1000)),
            *quarters("2026-06-05T18:00:00+00:00", 89, 1000),
        ],
    )
    # Capacity 4 kW x 50, and 100 kWh at 0.05 with 6 % VAT.
    peak = found(hass, PEAK)
    assert (peak.attributes["network_cost_per_year"], peak.attributes["capped"]) == (205.3, False)


async def test_costs_are_there_at_once_after_a_restart(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, "2026-06-10T12:05:00+02:00", TWO_CLOCKS)
    await remember(hass, entry, quarters("2026-06-10T08:00:00+02:00", 4, 1000))
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (state(hass, TODAY), state(hass, PEAK)) == ("0.98", "4000")
