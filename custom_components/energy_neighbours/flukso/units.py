"""The units that Fluksometers print, and conversion between those of one quantity."""

from typing import NamedTuple


class Unit(NamedTuple):
    """A unit: what it measures, and how many of the quantity's base units it holds."""

    quantity: str
    factor: float


UNITS = {
    "W": Unit("power", 1.0),
    "kW": Unit("power", 1000.0),
    "Wh": Unit("energy", 1.0),
    "kWh": Unit("energy", 1000.0),
    "VAR": Unit("reactive power", 1.0),
    "var": Unit("reactive power", 1.0),
    "VARh": Unit("reactive energy", 1.0),
    "varh": Unit("reactive energy", 1.0),
    "L/s": Unit("flow", 1.0),
    "L/min": Unit("flow", 1 / 60),
    "L/day": Unit("flow", 1 / 86_400),
    "m³/h": Unit("flow", 1 / 3.6),
    "L": Unit("volume", 1.0),
    "m³": Unit("volume", 1000.0),
    "Pa": Unit("pressure", 1.0),
    "hPa": Unit("pressure", 100.0),
    "mV": Unit("voltage", 0.001),
    "V": Unit("voltage", 1.0),
    "mA": Unit("current", 0.001),
    "A": Unit("current", 1.0),
    "": Unit("ratio", 1.0),
    "%": Unit("ratio", 0.01),
    "°C": Unit("temperature", 1.0),
    "0.1°C": Unit("temperature", 0.1),
}
"""What an FLM02 prints as L/day, an FLM03 prints as L/s: always convert from the unit of the payload."""


def convert(value: float, unit: str, to: str) -> float:
    """Convert a value.

    Raises
    ------
    ValueError
        One of the units is unknown, or they do not measure the same quantity.

    """
    source, target = UNITS.get(unit), UNITS.get(to)
    if source is None or target is None or source.quantity != target.quantity:
        raise ValueError(f"A value in {unit!r} cannot be expressed in {to!r}.")
    return value if unit == to else value * source.factor / target.factor
