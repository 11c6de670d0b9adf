"""Units: what meters say, and what we show."""

from typing import Final

from homeassistant.const import (
    DEGREE,
    LIGHT_LUX,
    PERCENTAGE,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfPressure,
    UnitOfReactivePower,
    UnitOfTemperature,
    UnitOfVolumeFlowRate,
)

from .flukso.models import Quantity
from .flukso.units import convert

FLOW: Final = UnitOfVolumeFlowRate.LITERS_PER_MINUTE
"""Unit of the flow of gas and water."""
REACTIVE_POWER: Final = "reactive_power"
"""Net reactive power: quadrants 1 and 2 minus quadrants 3 and 4."""

UNITS: Final[dict[str, str]] = {
    Quantity.VOLTAGE: UnitOfElectricPotential.VOLT,
    Quantity.CURRENT: UnitOfElectricCurrent.AMPERE,
    Quantity.POWER_FACTOR: PERCENTAGE,
    Quantity.VOLTAGE_THD: PERCENTAGE,
    Quantity.CURRENT_THD: PERCENTAGE,
    Quantity.ANGLE: DEGREE,
    REACTIVE_POWER: UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
    Quantity.TEMPERATURE: UnitOfTemperature.CELSIUS,
    Quantity.HUMIDITY: PERCENTAGE,
    Quantity.BATTERY: UnitOfElectricPotential.VOLT,
    Quantity.PRESSURE: UnitOfPressure.HPA,
    Quantity.LIGHT: LIGHT_LUX,
}
"""Unit in which each quantity is shown."""


def normal(value: float, unit: str | None, shown: str) -> float | None:
    """Convert a payload's value to the unit shown; None where its unit does not fit (a payload may name none)."""
    if unit is None or unit == shown:
        return value
    try:
        return convert(value, unit, shown)
    except ValueError:
        return None
