"""What a price sensor tells becomes euros a kWh, and the mean price of each quarter-hour."""

from decimal import Decimal
import json

import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER
from custom_components.energy_neighbours.core.sensor_price import KEPT, PriceTrack, read_price

BEGIN = 1_790_000 * QUARTER


@pytest.mark.parametrize(
    ("text", "unit", "price"),
    [
        ("0.2345678", "€/kWh", "0.234568"),
        ("0.25", "EUR/kWh", "0.25"),
        ("23.4", "c€/kWh", "0.234"),
        ("23.4", "ct/kWh", "0.234"),
        ("23.4", "cEUR / kWh", "0.234"),
        ("81.5", "€/MWh", "0.0815"),
        ("81.5", "EUR/MWh", "0.0815"),
        ("0", "€/kWh", "0"),
        ("-12.5", "EUR/MWh", "-0.0125"),
    ],
)
def test_prices_in_euros_are_read_whatever_their_unit(text, unit, price):
    assert read_price(text, unit) == Decimal(price)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0.25", None),
        ("0.25", ""),
        ("0.25", "€"),
        ("0.25", "kWh"),
        ("0.25", "USD/kWh"),
        ("0.25", "£/kWh"),
        ("0.25", "€/m³"),
        ("unknown", "€/kWh"),
        ("unavailable", "€/kWh"),
        ("nan", "€/kWh"),
        ("inf", "€/kWh"),
        ("1e30", "€/kWh"),
        ("-1e15", "€/MWh"),
        ("", "€/kWh"),
    ],
)
def test_what_is_no_price_in_euros_is_not_known_rather_than_zero(text, unit):
    assert read_price(text, unit) is None


def test_mean_is_weighted_by_time():
    track = PriceTrack()
    track.tell(BEGIN, Decimal("0.10"))
    track.tell(BEGIN + 600, Decimal("0.40"))
    assert track.mean(BEGIN, BEGIN + QUARTER + 15) == Decimal("0.200000")
    assert track.mean(BEGIN + QUARTER, BEGIN + QUARTER + 15) == Decimal("0.400000")


def test_time_in_which_the_price_is_not_known_does_not_count():
    track = PriceTrack()
    track.tell(BEGIN, None)
    track.tell(BEGIN + 300, Decimal("0.30"))
    track.tell(BEGIN + 400, None)
    assert track.mean(BEGIN, BEGIN + QUARTER) == Decimal("0.300000")
    assert track.mean(BEGIN + QUARTER, BEGIN + 3 * QUARTER) is None


def test_price_that_stays_covers_all_quarter_hours_until_now():
    track = PriceTrack()
    track.tell(BEGIN, Decimal("-0.05"))
    now = BEGIN + 300 * QUARTER + 10
    assert {track.mean(BEGIN + i * QUARTER, now) for i in range(301)} == {Decimal("-0.050000")}
    assert track.mean(BEGIN + 301 * QUARTER, now) is None, "what is to come is not known"


def test_running_quarter_hour_has_a_price_from_its_first_moment():
    track = PriceTrack()
    track.tell(BEGIN, Decimal("0.20"))
    assert track.mean(BEGIN, BEGIN) == Decimal("0.20")


def test_clock_that_is_set_back_or_far_forward_loses_no_memory():
    track = PriceTrack()
    track.tell(BEGIN, Decimal("0.20"))
    assert track.mean(BEGIN, BEGIN - 3600) is None
    assert track.mean(BEGIN - 4 * QUARTER, BEGIN - 3600) == Decimal("0.20")
    far = BEGIN + 400 * 86_400
    assert track.mean(far, far + 60) == Decimal("0.20")
    assert track.mean(BEGIN, far + 60) is None
    assert len(track._sums) <= KEPT / QUARTER + 2


def test_what_was_told_goes_on_after_a_restart():
    track = PriceTrack()
    track.tell(BEGIN, Decimal("0.10"))
    kept = track.dump(BEGIN + 300, BEGIN)
    again = PriceTrack()
    again.tell(BEGIN + 600, Decimal("0.40"))
    again.restore(json.loads(json.dumps(kept)))
    assert again.mean(BEGIN, BEGIN + QUARTER) == Decimal("0.250000"), "half of ten minutes each"


def test_only_what_was_not_booked_is_kept():
    track = PriceTrack()
    track.tell(BEGIN, Decimal("0.10"))
    assert list(track.dump(BEGIN + 3 * QUARTER + 1, BEGIN + 2 * QUARTER)) == [
        str(BEGIN + 2 * QUARTER),
        str(BEGIN + 3 * QUARTER),
    ]
