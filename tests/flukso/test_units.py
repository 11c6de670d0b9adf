"""The two generations of meters print different units."""

import pytest

from custom_components.energy_neighbours.flukso.units import UNITS, convert


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (8640, "L/day", "L/s", 0.1),
        (0.1, "L/s", "m³/h", 0.36),
        (2500, "Wh", "kWh", 2.5),
        (215, "0.1°C", "°C", 21.5),
        (0.95, "", "%", 95),
    ],
)
def test_value_is_converted(value: float, unit: str, to: str, expected: float) -> None:
    assert convert(value, unit, to) == pytest.approx(expected)


@pytest.mark.parametrize("unit", UNITS)
def test_no_conversion_changes_nothing(unit: str) -> None:
    assert convert(3.5, unit, unit) == 3.5


@pytest.mark.parametrize(("unit", "to"), [("W", "Wh"), ("L/s", "L"), ("furlong", "W"), ("W", "furlong")])
def test_different_quantities_cannot_be_converted(unit: str, to: str) -> None:
    with pytest.raises(ValueError, match="cannot be expressed in"):
        convert(1, unit, to)
