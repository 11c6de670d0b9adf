"""Flanders' price of the highest quarter-hours."""

from datetime import date
from decimal import Decimal

import pytest

from custom_components.energy_neighbours.core.capacity import billed_power, capacity_cost, monthly_peaks
from custom_components.energy_neighbours.core.contract import CapacityTariff
from custom_components.energy_neighbours.core.quarter_hour import QuarterHour, midnight

from .tariffs import BRUSSELS

FLOOR = Decimal("2.5")
VAT = Decimal("0.06")
TARIFF = CapacityTariff(rate=Decimal(50), maximum=Decimal("0.2035480"))


def test_highest_quarter_hour_of_each_local_month() -> None:
    new_year = midnight(date(2026, 1, 1), BRUSSELS)
    quarters = [
        QuarterHour(new_year - 900, 1500, 0, None),
        QuarterHour(new_year, 900, 0, None),
        QuarterHour(new_year + 900, 1250, 0, None),
        QuarterHour(new_year + 1800, None, 0, None),
    ]
    assert monthly_peaks(quarters, BRUSSELS) == {date(2025, 12, 1): 6000, date(2026, 1, 1): 5000}


def test_month_with_nothing_measured_has_no_peak() -> None:
    assert monthly_peaks([QuarterHour(0, None, 0, None)], BRUSSELS) == {}


def test_floor_is_applied_to_each_month_before_the_mean() -> None:
    # The mean of 1 and 6 kW alone would be 3.5.
    assert billed_power([1000, 6000], FLOOR) == Decimal("4.25")
    assert billed_power([0] * 12, FLOOR) == FLOOR


def test_only_the_last_twelve_months_count() -> None:
    assert billed_power([90_000, *[3000] * 11, 6000], FLOOR) == Decimal("3.25")
    assert billed_power([], FLOOR) is None


def test_capacity_costs_its_rate_with_vat() -> None:
    cost = capacity_cost(TARIFF, [4000] * 12, VAT)
    assert cost is not None
    assert (cost.billed, cost.months, cost.capacity, cost.network, cost.capped) == (4, 12, Decimal(212), None, False)
    with_vat = capacity_cost(CapacityTariff(rate=Decimal(50), with_vat=True), [4000], VAT)
    assert with_vat is not None
    assert (with_vat.capacity, with_vat.months) == (200, 1)
    assert capacity_cost(TARIFF, [], VAT) is None


@pytest.mark.parametrize(
    ("offtake", "network", "capped"),
    [(500_000, "101.774", True), (3_500_000, "387", False)],
    ids=["hardly any energy", "an ordinary year"],
)
def test_capacity_and_network_energy_together_cost_at_most_the_maximum_tariff(offtake, network, capped) -> None:
    # 212 € of capacity and 0.05 €/kWh; the maximum is 0.203548 €/kWh.
    energy_cost = Decimal("0.05") * offtake / 1000
    cost = capacity_cost(TARIFF, [4000] * 12, VAT, offtake=offtake, energy_cost=energy_cost)
    assert cost is not None
    assert (cost.network, cost.capped) == (Decimal(network), capped)


def test_tariff_without_a_maximum_is_never_capped() -> None:
    cost = capacity_cost(CapacityTariff(rate=Decimal(50)), [4000], VAT, offtake=1, energy_cost=Decimal(0))
    assert cost is not None
    assert (cost.network, cost.capped) == (Decimal(212), False)
