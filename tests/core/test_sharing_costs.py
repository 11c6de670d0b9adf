"""What a kWh of the neighbours costs in place of the supplier's, and what that saves."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from custom_components.energy_neighbours.core.contract import (
    FLAT,
    ComponentKind,
    Contract,
    ContractTerms,
    PriceComponent,
    PriceSensor,
    Region,
    SensorReplaces,
)
from custom_components.energy_neighbours.core.sharing_costs import SharedTariff, saving, shared_contract

from .tariffs import BRUSSELS, IMPACT, NATIONAL_DAY, NO_HOLIDAYS, TWO_RATES, grid

NETWORK = PriceComponent(kind=ComponentKind.NETWORK, prices={FLAT: Decimal("0.10")})
SUPPLIER = PriceComponent(
    kind=ComponentKind.COMMODITY, prices={"off_peak": Decimal("0.12"), "full": Decimal("0.16")}, with_vat=True
)
TERMS = ContractTerms(
    valid_from=date(2026, 1, 1),
    region=Region.WALLONIA,
    network_grid=IMPACT,
    commodity_grid=TWO_RATES,
    components=(NETWORK, SUPPLIER),
    vat_rate=Decimal("0.06"),
)
CONTRACT = Contract((TERMS,))
BANDS = SharedTariff({"eco": Decimal("0.08"), "medium": Decimal("0.10"), "peak": Decimal("0.15")}, IMPACT)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


NOON, EVENING, NIGHT = (at(f"2026-06-10T{clock}:00+02:00") for clock in ("12:00", "18:00", "23:00"))


def test_one_price_holds_in_all_hours() -> None:
    flat = SharedTariff.flat(Decimal("0.11"))
    assert [flat.price_at(time, BRUSSELS, None) for time in (NOON, EVENING, NIGHT)] == [Decimal("0.11")] * 3


def test_each_band_has_its_price_and_one_that_is_not_named_that_of_all_others() -> None:
    some = SharedTariff({"eco": Decimal("0.08"), FLAT: Decimal("0.12")}, IMPACT)
    assert [some.price_at(time, BRUSSELS, None) for time in (NOON, EVENING)] == [Decimal("0.08"), Decimal("0.12")]
    assert BANDS.price_at(EVENING, BRUSSELS, None) == Decimal("0.15")
    assert SharedTariff({"eco": Decimal("0.08")}, IMPACT).price_at(EVENING, BRUSSELS, None) is None


def test_a_price_for_a_band_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no band sunny"):
        SharedTariff({"sunny": Decimal("0.08")}, IMPACT)
    with pytest.raises(ValueError, match="there is no band eco"):
        SharedTariff({"eco": Decimal("0.08")})


def test_where_holidays_matter_and_are_not_known_the_price_is_not_either() -> None:
    hours = grid(
        weekday="00:00-24:00 day", saturday="00:00-24:00 day", sunday="00:00-24:00 rest", holiday="00:00-24:00 rest"
    )
    tariff = SharedTariff({"day": Decimal("0.15"), "rest": Decimal("0.09")}, hours)
    day = at("2026-07-21T12:00:00+02:00")
    assert tariff.price_at(day, BRUSSELS, None) is None
    assert tariff.price_at(day, BRUSSELS, frozenset({NATIONAL_DAY})) == Decimal("0.09")
    assert tariff.price_at(day, BRUSSELS, NO_HOLIDAYS) == Decimal("0.15")


def test_shared_energy_saves_what_the_supplier_asks_more() -> None:
    quarters = [(NOON, 1000), (EVENING, 500), (NIGHT, 0)]
    flat = SharedTariff.flat(Decimal("0.11"))
    assert saving(quarters, CONTRACT, flat, NO_HOLIDAYS) == Decimal("0.01") + Decimal("0.025")
    # 1 kWh at 0.12 in place of 0.08, half a kWh at 0.16 in place of 0.15: the network costs the same.
    assert saving(quarters, CONTRACT, BANDS, NO_HOLIDAYS) == Decimal("0.04") + Decimal("0.005")


def test_dear_neighbours_save_less_than_nothing() -> None:
    assert saving([(NOON, 1000)], CONTRACT, SharedTariff.flat(Decimal("0.20")), NO_HOLIDAYS) == Decimal("-0.08")


def test_nothing_shared_saves_nothing_and_an_unknown_price_leaves_it_open() -> None:
    assert saving([(NOON, 0)], CONTRACT, BANDS, NO_HOLIDAYS) == 0
    assert saving([(EVENING, 10)], CONTRACT, SharedTariff({"eco": Decimal("0.08")}, IMPACT), NO_HOLIDAYS) is None


def test_what_cannot_be_told_apart_makes_no_shared_contract() -> None:
    sensor = PriceSensor(entity_id="sensor.spot", replaces=SensorReplaces.TOTAL)
    assert shared_contract(Contract((replace(TERMS, price_sensor=sensor),)), BANDS) is None
    banded_levy = PriceComponent(
        kind=ComponentKind.OTHER, prices={"off_peak": Decimal("0.01"), "full": Decimal("0.02")}
    )
    levied = Contract((replace(TERMS, components=(NETWORK, SUPPLIER, banded_levy)),))
    assert shared_contract(levied, BANDS) is None
    assert shared_contract(levied, SharedTariff.flat(Decimal("0.11"))) is not None
