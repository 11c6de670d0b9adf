"""What the highest quarter-hours cost in Flanders, and the maximum tariff, against sums that can be done by hand."""

from collections.abc import Iterable
from itertools import batched
from random import Random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour

from .contracted import SAME_ALL_DAY, at, contracted, found, go, measure, moment, quarters, remember

PEAK = "sensor.home_quarter_hour_peak_this_month"
NOON, MIDNIGHT = "2026-06-10T12:00:00+02:00", "2025-07-01T00:00:00+02:00"
JUNE = "2026-06-01T00:00:00+02:00"


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


def with_maximum(maximum: str) -> dict[str, Any]:
    return {
        **SAME_ALL_DAY,
        "region": "flanders",
        "network_grid": "flanders_capacity",
        "components": [{"kind": "commodity", "prices": "0.10"}, {"kind": "network", "prices": "0.05"}],
        "capacity": {"rate": "50", "with_vat": True, "maximum": maximum},
    }


async def remember_year(hass: HomeAssistant, entry: MockConfigEntry, told: Iterable[QuarterHour]) -> None:
    for some in batched(told, 8000, strict=False):
        await entry.runtime_data.ledger.async_replace(some, "test")
    await remember(hass, entry, some)


def between(begin: str, end: str, offtake: int) -> list[QuarterHour]:
    return quarters(begin, (at(end) - at(begin)) // QUARTER, offtake)


@pytest.mark.parametrize("gaps", [0, 0.15])
async def test_maximum_tariff_of_flanders_counts_when_a_year_is_known(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, gaps: float
) -> None:
    entry = await contracted(hass, freezer, NOON, with_maximum("0.05"))
    chance = Random(1)  # noqa: S311 - only to be the same each time
    await remember_year(hass, entry, [q for q in between(MIDNIGHT, NOON, 1000) if chance.random() >= gaps])
    peak = found(hass, PEAK)
    assert (peak.attributes["billed_power"], peak.attributes["cost_per_year"]) == (4.0, 200.0)
    # 35 040 kWh a year, whatever is missing: energy at 0.05 with 6 % VAT is 1857.12, the maximum 0.05 for each kWh.
    assert (peak.attributes["network_cost_per_year"], peak.attributes["capped"]) == (1752.0, True)


async def test_half_a_year_is_compared_with_no_maximum(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    entry = await contracted(hass, freezer, NOON, with_maximum("0.05"))
    await remember_year(hass, entry, between(MIDNIGHT, NOON, 1000)[::2])
    attributes = found(hass, PEAK).attributes
    assert (attributes["months"], attributes["cost_per_year"]) == (12, 200.0)
    assert "network_cost_per_year" not in attributes


async def test_network_cost_of_a_year_holds_the_energy_of_the_present_month(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await contracted(hass, freezer, NOON, with_maximum("9"))
    await remember_year(hass, entry, between(MIDNIGHT, JUNE, 1000) + between(JUNE, NOON, 2000))
    # 32 160 quarter-hours of 1 kWh and 912 of 2 kWh are 36 006.27 kWh a year at 0.05 with 6 % VAT; eleven months of
    # 4 kW and one of 8 kW at 50 are 216.67.
    attributes = found(hass, PEAK).attributes
    assert (attributes["network_cost_per_year"], attributes["capped"]) == (2125.0, False)


async def test_last_quarter_hour_of_a_month_counts_as_soon_as_it_is_known(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await contracted(hass, freezer, "2026-06-30T23:40:00+02:00", with_maximum("9"))
    for minute in range(41, 60):
        await go(hass, freezer, f"2026-06-30T23:{minute}:00+02:00")
        measure(hass, 1000 + max(0, minute - 45) / 6, 10_000)
    for second in (0, 30):
        await go(hass, freezer, f"2026-07-01T00:00:{second:02}+02:00")
        measure(hass, 1002.5, 0)
    for minute in range(1, 20):
        await go(hass, freezer, f"2026-07-01T00:{minute:02}:00+02:00")
        measure(hass, 1002.5 + minute / 1e5, 0)
    attributes = found(hass, PEAK).attributes
    # 10 kW in June; July, which has begun with nothing, counts with the floor of 2.5.
    assert (attributes["billed_power"], attributes["months"]) == (6.25, 2)
