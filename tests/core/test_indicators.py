"""Rates of sharing, and what the report of a real pilot says of three of its members."""

from decimal import Decimal
from fractions import Fraction

import pytest

from custom_components.energy_neighbours.core.indicators import SharingSums, band_shares, load_factor, percent


@pytest.mark.parametrize(
    ("offtake", "offered", "allocated", "residual", "rates"),
    [
        (65_108, 72_831, 27_528, 37_580, ("42.3", "37.8", "62.2")),
        (3_731, 2_478, 1_826, 1_905, ("48.9", "73.7", "26.3")),
        (22_049, 19_772, 8_962, 13_087, ("40.6", "45.3", "54.7")),
    ],
    ids=["6271-CE", "6288-BORNE", "8350-B501"],
)
def test_three_members_of_the_acrus_pilot(offtake, offered, allocated, residual, rates):
    """DOMAIN 4.4: kWh, 1 April 2022 to 30 September 2023; the third is 40.646 %, which is not 40.65 % rounded again."""
    sums = SharingSums(offtake, offered, allocated)
    assert sums.residual == residual
    printed = (percent(each) for each in (sums.coverage_rate, sums.self_consumption_rate, sums.surplus_rate))
    assert tuple(map(str, printed)) == rates


def test_a_rate_of_nothing_is_unknown_and_not_zero():
    nothing = SharingSums(0, 0, 0)
    assert (nothing.coverage_rate, nothing.self_consumption_rate, nothing.surplus_rate) == (None, None, None)
    assert percent(None) is None
    idle = SharingSums(0, 500, 0)
    assert idle.coverage_rate is None
    assert (idle.self_consumption_rate, idle.surplus_rate) == (0, 1)


def test_sums_add_up_and_rates_are_of_the_sums():
    day = SharingSums(1000, 500, 500) + SharingSums(3000, 100, 100)
    assert day == SharingSums(4000, 600, 600)
    assert day.coverage_rate == Fraction(3, 20)


def test_shares_of_bands_are_of_energy():
    shares = band_shares({"eco": 600, "medium": 300, "peak": 100})
    assert [str(percent(share)) for share in shares.values()] == ["60.0", "30.0", "10.0"]
    assert band_shares({"eco": 0}) == {"eco": None}


def test_the_load_factor_of_a_roof():
    # 18 months of the pilot are 13 152 hours.
    assert percent(load_factor(13_152_000, 10_000, 13_152)) == Decimal("10.0")
    assert load_factor(0, 0, 24) is None


def test_percents_are_rounded_half_to_even_from_the_exact_value():
    assert str(percent(Fraction(1, 800))) == "0.1"
    assert str(percent(Fraction(125, 100_000), 2)) == "0.12"
    assert str(percent(Fraction(1, 1))) == "100.0"
    assert str(percent(Fraction(1, 3), 0)) == "33"
