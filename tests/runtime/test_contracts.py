"""A contract is read from its subentry: versions by date, strange keys left alone, nonsense refused with its name."""

from datetime import date
from decimal import Decimal
from typing import Any

from homeassistant.config_entries import ConfigSubentryDataWithId
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.contracts import (
    anonymous,
    contract_of,
    own_grid,
    read_contract,
    with_version,
    without_version,
)
from custom_components.energy_neighbours.core.contract import (
    ComponentKind,
    ContractError,
    MeterRegime,
    PowerUnit,
    Region,
    SensorReplaces,
)
from custom_components.energy_neighbours.core.tariff import BandGrid
from custom_components.energy_neighbours.tariff_library import shipped_grids

EVENING = {
    "id": "own_1",
    "bands": ["rest", "evening"],
    "names": {"rest": "Reste"},
    "days": {
        "every_day": [
            {"start": "22:00", "end": "17:00", "band": "rest"},
            {"start": "17:00", "end": "22:00", "band": "evening"},
        ]
    },
}


def version(valid_from: str = "2026-01-01", **others: Any) -> dict[str, Any]:
    return {
        "valid_from": valid_from,
        "region": "wallonia",
        "network_grid": "impact_2026",
        "commodity_grid": "mono",
        "components": [{"kind": "commodity", "prices": "0.14", "with_vat": True, "id": "energy"}],
        "vat_rate": "0.06",
        **others,
    }


def data(*versions: dict[str, Any], **grids: Any) -> dict[str, Any]:
    return {"versions": list(versions), "grids": grids}


def test_everything_of_a_version_is_read() -> None:
    everything = version(
        price_sensor={"entity_id": "sensor.spot", "replaces": "commodity", "with_vat": False},
        injection_price="-0.01",
        subscribed_power={"value": "9.2", "unit": "kVA"},
        meter_regime="quarter_hour",
        capacity={"rate": "51.5", "with_vat": True, "maximum": "0.203548", "floor": "3"},
    )
    terms = read_contract(data(everything), shipped_grids()).versions[0]
    assert terms.region is Region.WALLONIA
    assert (terms.network_grid.id, terms.commodity_grid.id) == ("impact_2026", "mono")
    assert terms.components[0].kind is ComponentKind.COMMODITY
    assert terms.vat_rate == Decimal("0.06")
    assert terms.price_sensor
    assert terms.price_sensor.replaces is SensorReplaces.COMMODITY
    assert terms.injection_price == Decimal("-0.01")
    assert terms.subscribed_power
    assert (terms.subscribed_power.value, terms.subscribed_power.unit) == (Decimal("9.2"), PowerUnit.KVA)
    assert terms.meter_regime is MeterRegime.QUARTER_HOUR
    assert terms.capacity
    assert (terms.capacity.rate, terms.capacity.floor) == (Decimal("51.5"), Decimal(3))


def test_keys_of_a_later_release_are_left_alone() -> None:
    read = read_contract({**data(version(colour="green")), "later": 1}, shipped_grids())
    assert read.versions[0].network_grid.id == "impact_2026"
    assert with_version({**data(version()), "later": 1}, version("2026-06-01"))["later"] == 1


def test_each_day_has_its_version_and_the_past_has_the_first() -> None:
    read = read_contract(data(version("2026-06-01", vat_rate="0.21"), version()), shipped_grids())
    rates = [
        terms.vat_rate
        for day in (date(2020, 1, 1), date(2026, 5, 31), date(2026, 6, 1))
        if (terms := read.terms_on(day))
    ]
    assert rates == [Decimal("0.06"), Decimal("0.06"), Decimal("0.21")]


def test_hours_of_ones_own_are_read() -> None:
    read = read_contract(data(version(network_grid="own_1"), own_1=EVENING), shipped_grids())
    assert read.versions[0].network_grid.bands == ("rest", "evening")


HOLE = {**EVENING, "days": {"every_day": [{"start": "22:00", "end": "17:00", "band": "rest"}]}}


@pytest.mark.parametrize(
    ("nonsense", "said"),
    [
        ({}, "at least one version"),
        ({"versions": "2026"}, "at least one version"),
        (data(version("soon")), "version soon cannot be read"),
        (data({"region": "wallonia"}), "version without a date has no valid_from"),
        (data({"valid_from": "2026-01-01"}), "2026-01-01 has no region"),
        (data(version(region="atlantis")), "atlantis"),
        (data(version(network_grid="own_7")), "2026-01-01 cannot be read: there are no hours called own_7"),
        (data(version(), own_1=HOLE), "hours own_1 cannot be read: weekday 17:00: hole"),
        (data(version(), own_1=None), "hours own_1"),
        (data(version(vat_rate="much")), "'much' is no number"),
        (data(version(vat_rate="NaN")), "'NaN' is no number"),
        (data(version(components=[{"kind": "commodity", "prices": "cheap"}])), "a price that cannot be read"),
        (data(version(subscribed_power={"value": "0", "unit": "kW"})), "subscribed power of 0 kW"),
        (data(version(subscribed_power={"value": "9"})), "has no unit"),
        (data(version(price_sensor={"entity_id": "sensor.a", "replaces": "nothing"})), "nothing"),
        (data(version(meter_regime="weekly")), "weekly"),
        (data(version(), version()), "two versions begin on 2026-01-01"),
        (data(version(), version("2026-06-01", region="france")), "cannot move"),
        (data("2026"), "that is no table"),  # type: ignore[arg-type]
    ],
)
def test_nonsense_is_refused_and_named(nonsense: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractError) as refused:
        read_contract(nonsense, shipped_grids())
    assert said in str(refused.value)


def test_a_site_without_the_subentry_has_no_contract() -> None:
    assert contract_of(MockConfigEntry(domain=DOMAIN), shipped_grids()) is None


def test_a_site_has_the_contract_of_its_subentry() -> None:
    subentry = ConfigSubentryDataWithId(
        data=data(version()), subentry_id="1", subentry_type="contract", title="Impact", unique_id="contract"
    )
    read = contract_of(MockConfigEntry(domain=DOMAIN, subentries_data=[subentry]), shipped_grids())
    assert read
    assert read.zone.key == "Europe/Brussels"


def dates(contract: dict[str, Any]) -> list[str]:
    return [each["valid_from"] for each in contract["versions"]]


def test_a_version_is_added_in_the_order_of_dates() -> None:
    made = with_version(with_version({}, version("2026-06-01")), version())
    assert dates(made) == ["2026-01-01", "2026-06-01"]
    assert dates(with_version(made, version("2026-06-01", vat_rate="0.21"))) == dates(made)
    assert dates(with_version(made, version("2026-07-01"), instead_of="2026-06-01")) == ["2026-01-01", "2026-07-01"]
    assert dates(without_version(made, "2026-01-01")) == ["2026-06-01"]


def test_hours_that_no_version_uses_are_forgotten() -> None:
    grid = BandGrid.from_dict(EVENING)
    made = with_version(data(version()), version("2026-06-01", network_grid="own_1"), [grid])
    assert made["grids"] == {"own_1": grid.as_dict()}
    assert without_version(made, "2026-06-01")["grids"] == {}


def test_equal_hours_keep_their_id_and_others_get_a_new_one() -> None:
    grid = BandGrid.from_dict(EVENING)
    kept = data(version(network_grid="own_1"), own_1=EVENING)
    assert own_grid(kept, grid).id == "own_1"
    assert own_grid(kept, BandGrid.from_dict({**EVENING, "names": {}})).id == "own_2"
    assert own_grid({}, grid).id == "own_1"


def test_names_that_people_chose_are_not_told() -> None:
    sensor = {"entity_id": "sensor.home_of_ada", "replaces": "total", "with_vat": True}
    parts = [{"kind": "network", "prices": {"room_of_ada": "0.1"}, "id": "network"}]
    told = anonymous(data(version(price_sensor=sensor, components=parts, note="Ada"), own_1=EVENING))
    assert "ada" not in str(told).lower()
    assert told["versions"][0]["components"] == [{"kind": "network", "prices": ["0.1"], "id": "network"}]
    assert told["grids"] == {"own_1": 2}
