"""What a kWh costs, by whose bands, and since when."""

from datetime import date
from decimal import Decimal

import pytest

from custom_components.energy_neighbours.core.contract import (
    ComponentKind,
    Contract,
    ContractError,
    PowerUnit,
    PriceComponent,
    PricePeriod,
    PriceSensor,
    Region,
    SensorReplaces,
    SubscribedPower,
    price_periods,
    stretches,
)
from custom_components.energy_neighbours.core.quarter_hour import Span, local_day, midnight

from .tariffs import BRUSSELS, COMMODITY, IMPACT, NETWORK, NO_HOLIDAYS, ONE_RATE, TWO_RATES, part, terms

DAY = date(2026, 5, 4)
SPAN = local_day(DAY, BRUSSELS)
EXCISE = part(ComponentKind.TAX, "0.04748", valid_to="2026-07-31")
LATER_EXCISE = part(ComponentKind.TAX, "0.046", with_vat=True, valid_from="2026-08-01")


def shown(periods: list[PricePeriod]) -> list[tuple[int, str, str]]:
    """Return the hours after midnight, the band and the price of periods."""
    return [((period.start - SPAN.start) // 3600, period.band, str(period.price)) for period in periods]


def test_zone_is_that_of_the_delivery_point() -> None:
    assert {region: region.zone.key for region in Region} == {
        Region.WALLONIA: "Europe/Brussels",
        Region.BRUSSELS: "Europe/Brussels",
        Region.FLANDERS: "Europe/Brussels",
        Region.FRANCE: "Europe/Paris",
    }
    assert Contract((terms(region=Region.FRANCE),)).zone.key == "Europe/Paris"


def test_price_is_the_sum_of_its_parts_with_vat() -> None:
    assert terms().price(DAY, "eco", "single") == Decimal("0.177126")  # (0.0271 + 0.14) x 1.06
    with_vat = terms(components=(NETWORK, part(ComponentKind.COMMODITY, "0.14", with_vat=True)))
    assert with_vat.price(DAY, "eco", "single") == Decimal("0.168726")  # 0.0271 x 1.06 + 0.14


def test_price_is_kept_to_the_millionth_rounded_half_up() -> None:
    exact = terms(components=(part(ComponentKind.COMMODITY, "0.0000025", with_vat=True),))
    assert str(exact.price(DAY, "eco", "single")) == "0.000003"
    # Added up first and rounded once.
    parts = terms(vat_rate=Decimal(0), components=(part(ComponentKind.COMMODITY, "0.0000004"),) * 3)
    assert str(parts.price(DAY, "eco", "single")) == "0.000001"


def test_network_and_commodity_have_bands_of_their_own() -> None:
    both = terms(
        commodity_grid=TWO_RATES,
        components=(NETWORK, part(ComponentKind.COMMODITY, {"off_peak": "0.10", "full": "0.16"})),
        vat_rate=Decimal(0),
    )
    assert shown(price_periods(Contract((both,)), SPAN, NO_HOLIDAYS)) == [
        (0, "medium", "0.181300"),
        (1, "eco", "0.127100"),
        (7, "medium", "0.241300"),
        (11, "eco", "0.127100"),
        (17, "peak", "0.295400"),
        (22, "medium", "0.181300"),
    ]


def test_band_of_the_supplier_is_shown_where_the_network_makes_no_difference() -> None:
    two = terms(network_grid=ONE_RATE, commodity_grid=TWO_RATES, components=(COMMODITY,))
    assert two.band_grid is TWO_RATES
    periods = price_periods(Contract((two,)), SPAN, NO_HOLIDAYS)
    assert [period.band for period in periods] == ["off_peak", "full", "off_peak", "full", "off_peak"]
    assert {period.network_band for period in periods} == {"single"}
    assert terms().band_grid is IMPACT
    assert terms(network_grid=ONE_RATE).band_grid is ONE_RATE


@pytest.mark.parametrize(
    "components",
    [
        (),
        (NETWORK,),
        (COMMODITY, part(ComponentKind.NETWORK, {"peak": "0.1"})),
        (NETWORK, part(ComponentKind.COMMODITY, "0.14", valid_from="2027-01-01")),
    ],
    ids=["nothing", "no commodity", "no network price of the band", "no commodity yet"],
)
def test_price_with_an_unknown_part_is_unknown(components) -> None:
    assert terms(components=components).price(DAY, "eco", "single") is None


@pytest.mark.parametrize("price", ["0", "-0.05"])
def test_price_of_nothing_or_less_is_a_price(price) -> None:
    free = terms(components=(part(ComponentKind.COMMODITY, price),), vat_rate=Decimal("0.06"))
    assert free.price(DAY, "eco", "single") == Decimal(price) * Decimal("1.06")


def test_excise_changes_at_the_local_midnight_of_its_day() -> None:
    contract = Contract((terms(network_grid=ONE_RATE, components=(COMMODITY, EXCISE, LATER_EXCISE)),))
    july, august = price_periods(
        contract, Span(midnight(date(2026, 7, 31), BRUSSELS), SPAN.end + 90 * 86_400), NO_HOLIDAYS
    )
    assert july.end == august.start == midnight(date(2026, 8, 1), BRUSSELS)
    assert july.price == Decimal("0.198729")  # (0.14 + 0.04748) x 1.06
    assert august.price == Decimal("0.194400")  # 0.14 x 1.06 + 0.046


def test_change_of_contract_is_dated_and_the_past_keeps_the_old_one() -> None:
    old = terms(network_grid=ONE_RATE, components=(COMMODITY,))
    new = terms(valid_from=DAY, network_grid=TWO_RATES, components=(part(ComponentKind.COMMODITY, "0.15"),))
    contract = Contract((new, old))
    assert contract.versions == (old, new)
    assert contract.terms_on(date(2026, 5, 3)) is old
    assert contract.terms_on(DAY) is new
    assert contract.terms_at(SPAN.start - 1) is old
    assert contract.terms_at(SPAN.start) is new
    around = price_periods(contract, Span(SPAN.start - 3600, SPAN.start + 3600), NO_HOLIDAYS)
    assert shown(around) == [(-1, "single", "0.148400"), (0, "off_peak", "0.159000")]


def test_new_version_with_the_same_bands_and_prices_makes_no_cut() -> None:
    same = Contract((terms(), terms(valid_from=DAY)))
    assert price_periods(same, SPAN, NO_HOLIDAYS) == price_periods(Contract((terms(),)), SPAN, NO_HOLIDAYS)
    hours = Span(SPAN.start - 3600, SPAN.start + 3600)
    assert [period.start for period in price_periods(same, hours, NO_HOLIDAYS)] == [hours.start]
    assert len(list(stretches(same, hours))) == 2


def test_nothing_is_said_of_the_time_before_the_contract() -> None:
    contract = Contract((terms(valid_from=DAY),))
    assert contract.terms_on(date(2026, 5, 3)) is None
    assert price_periods(contract, Span(SPAN.start - 86_400, SPAN.start + 60), NO_HOLIDAYS)[0].start == SPAN.start


def test_sensor_tells_the_commodity_and_the_rest_is_added() -> None:
    sensor = PriceSensor(entity_id="sensor.price", replaces=SensorReplaces.COMMODITY)
    dynamic = terms(price_sensor=sensor)
    assert dynamic.price(DAY, "eco", "single", Decimal("-0.02")) == Decimal("0.007526")  # (0.0271 - 0.02) x 1.06
    assert dynamic.price(DAY, "eco", "single") is None


def test_sensor_tells_the_whole_price() -> None:
    sensor = PriceSensor(entity_id="sensor.price", replaces=SensorReplaces.TOTAL, with_vat=True)
    assert terms(price_sensor=sensor).price(DAY, "eco", "single", Decimal("0.3")) == Decimal("0.300000")
    without_vat = PriceSensor(entity_id="sensor.price", replaces=SensorReplaces.TOTAL)
    assert terms(price_sensor=without_vat).price(DAY, "eco", "single", Decimal("0.3")) == Decimal("0.318000")


def test_prices_of_a_sensor_hold_for_their_quarter_hour_and_are_unknown_where_it_told_none() -> None:
    sensor = PriceSensor(entity_id="sensor.price", replaces=SensorReplaces.TOTAL, with_vat=True)
    told = {SPAN.start: Decimal("0.1"), SPAN.start + 900: Decimal("0.1"), SPAN.start + 2700: Decimal(0)}
    hour = Span(SPAN.start + 60, SPAN.start + 3600)
    periods = price_periods(Contract((terms(price_sensor=sensor),)), hour, NO_HOLIDAYS, told)
    assert [(period.start - SPAN.start, period.end - SPAN.start, period.price) for period in periods] == [
        (60, 1800, Decimal("0.1")),
        (1800, 2700, None),
        (2700, 3600, Decimal(0)),
    ]


def test_contract_needs_a_version_one_a_day_and_stays_in_its_country() -> None:
    with pytest.raises(ContractError, match="at least one"):
        Contract(())
    with pytest.raises(ContractError, match="2026-01-01"):
        Contract((terms(), terms(vat_rate=Decimal("0.21"))))
    with pytest.raises(ContractError, match="wallonia to france"):
        Contract((terms(), terms(valid_from=DAY, region=Region.FRANCE)))
    assert Contract((terms(), terms(valid_from=DAY, region=Region.BRUSSELS))).zone == BRUSSELS


@pytest.mark.parametrize(
    "component",
    [
        NETWORK,
        COMMODITY,
        EXCISE,
        LATER_EXCISE,
        part(ComponentKind.OTHER, {"": "1", "eco": "2"}, id="fee", source="bill", uncertain="from memory"),
    ],
)
def test_component_survives_writing_and_reading(component) -> None:
    assert PriceComponent.from_dict(component.as_dict()) == component


def test_price_of_a_band_that_is_not_named_is_the_flat_one() -> None:
    mixed = part(ComponentKind.NETWORK, {"": "0.1", "eco": "0.2"})
    assert [mixed.price(band, "single") for band in ("eco", "peak")] == [Decimal("0.2"), Decimal("0.1")]
    # The bands of the network mean nothing to the supplier.
    assert part(ComponentKind.COMMODITY, {"eco": "0.2"}).price("eco", "single") is None


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "network"},
        {"kind": "gift", "prices": "1"},
        {"kind": "tax", "prices": "1,5"},
        {"kind": "tax", "prices": "NaN"},
        {"kind": "tax", "prices": {"eco": "Infinity"}},
        {"kind": "tax", "prices": "1", "valid_from": "soon"},
        {"kind": "tax", "prices": None},
    ],
)
def test_component_that_cannot_be_read_is_refused(data) -> None:
    with pytest.raises(ContractError):
        PriceComponent.from_dict(data)


def test_subscribed_power_in_watts() -> None:
    assert SubscribedPower(value=Decimal("9.2"), unit=PowerUnit.KVA).watts == 9200
