"""The bytes of the messages, number by number."""

import pytest

from tools.simulator.formats import (
    flm02_message,
    flm02_thousandths,
    flm03_counter,
    flm03_gauge,
    flm03_message,
    flm03_thousandths,
    gauge_steps,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1346.8, "1346.799"),  # cut to 1/2048, then to three decimals
        (0.0004, "0"),
        (5.92, "5.919"),
        (232.5, "232.500"),
    ],
)
def test_flm03_gauge_is_cut_never_rounded(value, text):
    assert flm03_gauge(gauge_steps(value)) == text


@pytest.mark.parametrize(("value", "text"), [(-0.5, "-1.500"), (-58.5, "-59.500"), (-1.0, "-1")])
def test_flm03_misprints_negative_gauges(value, text):
    assert flm03_gauge(int(value * 2048)) == text


def test_pulse_power_comes_in_steps_of_the_firmware():
    assert flm03_gauge(514 * 3600) == "903.515"
    assert flm03_gauge(170) == "0.083"


@pytest.mark.parametrize(
    ("raw", "text"),
    [(0, "0"), (65536, "1"), (int(2593805.4003 * 65536), "2593805.400"), (65536 * 2**32 + 65536, "1")],
)
def test_flm03_counter_has_three_decimals_or_none_and_wraps(raw, text):
    assert flm03_counter(raw) == text


def test_pulse_counters_are_exact():
    assert [flm03_thousandths(n) for n in (1765432200, 1765433000, 2**32 * 1000 + 100)] == [
        "1765432.200",
        "1765433",
        "0.100",
    ]
    assert [flm02_thousandths(n) for n in (912346000, 912345500, -154325000, -1500)] == [
        "912346",
        "912345.5",
        "-154325",
        "-1.5",
    ]


def test_blanks_and_retention_tell_the_models_apart():
    new = flm03_message("/sensor/a/gauge", 1517237115, "1304.296", "W")
    old = flm02_message("/sensor/a/gauge", 1700000000, "21.46", "°C")
    assert (new.payload, new.retain) == (b'[1517237115, 1304.296, "W"]', False)
    assert (old.payload, old.retain) == ('[1700000000,21.46,"°C"]'.encode(), True)
