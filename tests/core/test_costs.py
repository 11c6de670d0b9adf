"""What quarter-hours cost: exact, by band, and never zero for what is not known."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from custom_components.energy_neighbours.core.contract import (
    ComponentKind,
    Contract,
    ContractTerms,
    PriceSensor,
    SensorReplaces,
)
from custom_components.energy_neighbours.core.cost_table import UNKNOWN, CostTable
from custom_components.energy_neighbours.core.costs import Costs, cents, costs
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, Span, local_day, local_month

from .tariffs import BRUSSELS, NO_HOLIDAYS, ONE_RATE, grid, part, terms

DAY = date(2026, 5, 4)
SPAN = local_day(DAY, BRUSSELS)
SENSOR = PriceSensor(entity_id="sensor.price", replaces=SensorReplaces.TOTAL, with_vat=True)


def quarters(span: Span = SPAN, offtake: int | None = 250, injection: int | None = 100) -> list[QuarterHour]:
    return [QuarterHour(start, offtake, injection, None) for start in span.quarter_hours]


def both_ways(taken: list[QuarterHour], *versions: ContractTerms, told: dict[int, Decimal] | None = None) -> Costs:
    """Return what quarter-hours cost, which must be the same record by record and by a table."""
    contract = Contract(versions or (terms(),))
    one_by_one = costs(taken, contract, NO_HOLIDAYS, told)
    starts = [quarter.start for quarter in taken]
    table = CostTable.of(contract, Span(min(starts), max(starts) + QUARTER), NO_HOLIDAYS, told)
    offtake, injection = (
        np.array([UNKNOWN if energy is None else energy for energy in energies])
        for energies in ([quarter.offtake for quarter in taken], [quarter.injection for quarter in taken])
    )
    assert table.costs(np.array(starts), offtake, injection) == one_by_one
    return one_by_one


def test_day_by_band() -> None:
    day = both_ways(quarters())
    assert {name: (band.kwh, band.cost) for name, band in day.bands.items()} == {
        "eco": (Decimal(12), Decimal("2.125512")),  # 48 quarter-hours at (0.0271 + 0.14) x 1.06
        "medium": (Decimal(7), Decimal("1.642046")),
        "peak": (Decimal(5), Decimal("1.459620")),
    }
    assert day.offtake == 24_000
    assert day.cost == Decimal("5.227178")
    assert day.complete


def test_line_is_rounded_once_and_the_total_is_the_sum_of_the_lines_as_shown() -> None:
    lines = both_ways(quarters())
    assert {name: str(band.line) for name, band in lines.bands.items()} == {
        "eco": "2.13",
        "medium": "1.64",
        "peak": "1.46",
    }
    assert str(lines.total) == "5.23"


@pytest.mark.parametrize(
    ("exact", "shown"), [("0.005", "0.01"), ("2.675", "2.68"), ("0.0049999", "0.00"), ("-0.005", "-0.01")]
)
def test_cents_are_rounded_half_up(exact, shown) -> None:
    assert str(cents(Decimal(exact))) == shown


def test_tiny_energies_at_tiny_prices_are_not_lost() -> None:
    tiny = terms(components=(part(ComponentKind.COMMODITY, "0.000001"),), vat_rate=Decimal(0))
    assert both_ways(quarters(offtake=1), tiny).cost == Decimal("0.000000096")


def test_example_of_a_bill_with_observed_network_costs() -> None:
    # 260, 120, 80 and 40 kWh at the network costs of the pilot, with 21 % VAT on the sum.
    pilot = grid("06:00-11:00 morning", "11:00-17:00 solar", "17:00-22:00 evening", "22:00-06:00 night")
    network = part(ComponentKind.NETWORK, {"solar": "0.074", "morning": "0.140", "evening": "0.162", "night": "0.097"})
    use = {"11:00": 260, "06:00": 120, "17:00": 80, "22:00": 40}
    taken = [QuarterHour(SPAN.start + int(hour[:2]) * 3600, kwh * 1000, 0, None) for hour, kwh in sorted(use.items())]
    free = part(ComponentKind.COMMODITY, "0")
    bill = both_ways(taken, terms(network_grid=pilot, components=(network, free), vat_rate=Decimal(0)))
    assert {name: str(band.line) for name, band in bill.bands.items()} == {
        "solar": "19.24",
        "morning": "16.80",
        "evening": "12.96",
        "night": "3.88",
    }
    assert str(bill.total) == "52.88"
    full = part(ComponentKind.COMMODITY, "0.085")  # 40 € of commodity and 2.50 € of management for 500 kWh
    assert both_ways(
        taken, terms(network_grid=pilot, components=(network, full), vat_rate=Decimal(0))
    ).total == Decimal("95.38")


def test_month_with_the_hour_that_comes_twice() -> None:
    october = both_ways(quarters(local_month(date(2026, 10, 1), BRUSSELS), offtake=1000))
    assert october.quarter_hours == 31 * 96 + 4
    assert {name: band.offtake for name, band in october.bands.items()} == {
        "eco": 31 * 48_000 + 4000,
        "medium": 31 * 28_000,
        "peak": 31 * 20_000,
    }


def test_energy_that_nobody_measured_is_counted_not_taken_for_zero() -> None:
    some = both_ways([*quarters()[:90], *quarters(offtake=None, injection=None)[90:]])
    assert (some.quarter_hours, some.without_offtake, some.without_injection) == (96, 6, 6)
    assert not some.complete
    none = both_ways(quarters(offtake=None))
    assert (none.bands, none.cost, none.total, none.without_offtake) == ({}, None, None, 96)


def test_energy_without_a_price_is_counted_and_told() -> None:
    only_eco = part(ComponentKind.COMMODITY, "0.2", with_vat=True)
    unknown = both_ways(
        quarters(),
        terms(components=(part(ComponentKind.NETWORK, {"eco": "0", "peak": "0.1"}, with_vat=True), only_eco)),
    )
    assert (unknown.without_price, unknown.complete) == (28, False)
    assert (unknown.bands["medium"].offtake, unknown.bands["medium"].unpriced) == (7000, 7000)
    assert (unknown.bands["medium"].cost, unknown.bands["medium"].line) == (None, None)
    assert unknown.total == Decimal("3.90")  # 12 kWh at 0.2 and 5 kWh at 0.3


def test_time_before_the_contract_has_energy_but_no_price() -> None:
    from_noon = both_ways(quarters(Span(SPAN.start - 86_400, SPAN.end)), terms(valid_from=DAY))
    assert from_noon.bands[""].unpriced == 24_000
    assert (from_noon.without_price, from_noon.unpaid) == (96, 9600 + 9600)
    assert both_ways(quarters(), terms(valid_from=date(2027, 1, 1))).total is None


def test_injection_is_paid_at_its_price_and_without_one_the_revenue_is_unknown() -> None:
    paid = both_ways(quarters(), terms(injection_price=Decimal("0.0345")))
    assert (paid.injection, paid.unpaid, paid.revenue) == (9600, 0, Decimal("0.3312"))
    assert both_ways(quarters()).revenue is None
    assert both_ways(quarters(), terms(injection_price=Decimal(0))).revenue == 0
    assert both_ways(quarters(), terms(injection_price=Decimal("-0.01"))).revenue == Decimal("-0.096")


def test_injection_price_may_change_while_the_bands_stay() -> None:
    before, after = terms(injection_price=Decimal("0.03")), terms(valid_from=DAY, injection_price=Decimal("0.05"))
    two_days = both_ways(quarters(Span(SPAN.start - 86_400, SPAN.end)), before, after)
    assert two_days.revenue == Decimal("0.288") + Decimal("0.48")
    assert two_days.bands["eco"].offtake == 24_000


def test_price_of_a_sensor_may_be_zero_or_negative_and_what_it_did_not_tell_is_unknown() -> None:
    told = {start: Decimal(price) for start, price in zip(SPAN.quarter_hours, ["0.3", "-0.1", "0"], strict=False)}
    dynamic = both_ways(quarters(), terms(price_sensor=SENSOR), told=told)
    assert dynamic.cost == Decimal("0.05")
    assert dynamic.without_price == 93
    assert dynamic.bands["medium"].unpriced == 7000 - 750


def test_order_and_holes_change_nothing() -> None:
    taken = quarters(Span(SPAN.start, SPAN.end + 86_400))
    shuffled = [*taken[100:], *taken[3:50]]
    assert both_ways(shuffled) == both_ways(sorted(shuffled, key=lambda quarter: quarter.start))


def test_no_quarter_hour_costs_nothing_that_is_known() -> None:
    nothing = costs([], Contract((terms(),)), NO_HOLIDAYS)
    assert (nothing.total, nothing.cost, nothing.offtake, nothing.quarter_hours) == (None, None, 0, 0)
    table = CostTable.of(Contract((terms(),)), SPAN, NO_HOLIDAYS)
    assert table.costs(np.array([], np.int64), np.array([], np.int64)) == nothing


@pytest.mark.parametrize("starts", [[SPAN.start - QUARTER], [SPAN.end], [SPAN.end, SPAN.start], [SPAN.start, 0]])
def test_table_refuses_what_lies_outside_its_span(starts) -> None:
    table = CostTable.of(Contract((terms(),)), SPAN, NO_HOLIDAYS)
    with pytest.raises(ValueError, match="outside"):
        table.costs(np.array(starts), np.zeros(len(starts), np.int64))


def test_table_without_injection_says_that_nobody_measured_it() -> None:
    table = CostTable.of(Contract((terms(injection_price=Decimal(1)),)), SPAN, NO_HOLIDAYS)
    starts = np.array(SPAN.quarter_hours)
    assert table.costs(starts, np.full(96, 250)) == costs(
        quarters(injection=None), Contract((terms(injection_price=Decimal(1)),)), NO_HOLIDAYS
    )


def test_band_that_begins_within_a_quarter_hour_begins_with_the_next_for_the_bill() -> None:
    french = grid("22:52-06:52 off_peak", "06:52-22:52 full")
    prices = part(ComponentKind.COMMODITY, {"off_peak": "0.1", "full": "0.2"})
    quarter = [QuarterHour(SPAN.start + 6 * 3600 + 45 * 60, 1000, 0, None)]
    alone = both_ways(quarter, terms(network_grid=ONE_RATE, commodity_grid=french, components=(prices,)))
    assert set(alone.bands) == {"off_peak"}
