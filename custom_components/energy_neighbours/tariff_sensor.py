"""Sensors of the tariff: band, price, quarter-hours and what energy costs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
import time
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import CURRENCY_EURO, UnitOfEnergy, UnitOfPower

from .core.channel import Role
from .core.costs import Costs, cents
from .core.quarter_hour import QUARTER, QUARTERS_PER_HOUR, Span, quarter_start
from .entity import SiteEntity
from .runtime_data import EnergyNeighboursConfigEntry
from .site_costs import SiteCosts
from .site_tariff import SiteTariff
from .tariff_entity import TariffEntity

_SECONDS_PER_HOUR: Final = 3600
_POWER_STEP: Final = 25
_PROJECTION_STEP: Final = 100
"""Smaller changes [W] of a quarter-hour that runs are not worth a state."""


@dataclass(frozen=True, kw_only=True)
class TariffSensorDescription(SensorEntityDescription):
    """One sensor of what the contract says about now."""

    value_fn: Callable[[SiteTariff], str | datetime | Decimal | None]
    attributes_fn: Callable[[SiteTariff], dict[str, str]] = lambda _tariff: {}


@dataclass(frozen=True, kw_only=True)
class CostSensorDescription(SensorEntityDescription):
    """What a day or a month cost so far."""

    costs_fn: Callable[[SiteCosts], Costs | None]
    span_fn: Callable[[SiteCosts], Span]


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def _next_band(tariff: SiteTariff) -> str | None:
    return period.band if (period := tariff.next_period) else None


def _band_ends_at(tariff: SiteTariff) -> datetime | None:
    return _moment(period.start) if (period := tariff.next_period) else None


TARIFF_SENSORS: Final = (
    TariffSensorDescription(
        key="band",
        translation_key="band",
        device_class=SensorDeviceClass.ENUM,
        value_fn=lambda tariff: tariff.band,
        attributes_fn=lambda tariff: {
            "network_band": tariff.shown(tariff.period.network_band),
            "commodity_band": tariff.shown(tariff.period.commodity_band),
        },
    ),
    TariffSensorDescription(
        key="next_band",
        translation_key="next_band",
        device_class=SensorDeviceClass.ENUM,
        value_fn=_next_band,
    ),
    TariffSensorDescription(
        key="band_ends_at",
        translation_key="band_ends_at",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_band_ends_at,
    ),
    TariffSensorDescription(
        key="price",
        translation_key="price",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=f"{CURRENCY_EURO}/{UnitOfEnergy.KILO_WATT_HOUR}",
        suggested_display_precision=4,
        value_fn=lambda tariff: tariff.price,
    ),
)


def _power(key: str) -> SensorEntityDescription:
    return SensorEntityDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
    )


QUARTER_HOUR_POWER: Final = _power("quarter_hour_power")
PEAK_QUARTER_HOUR: Final = _power("peak_quarter_hour")


def _cost(
    key: str, costs_fn: Callable[[SiteCosts], Costs | None], span_fn: Callable[[SiteCosts], Span]
) -> CostSensorDescription:
    return CostSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement="EUR",
        suggested_display_precision=2,
        costs_fn=costs_fn,
        span_fn=span_fn,
    )


COST_SENSORS: Final = (
    _cost("cost_today", lambda costs: costs.today, lambda costs: costs.day_span),
    _cost("cost_this_month", lambda costs: costs.month, lambda costs: costs.month_span),
)


def tariff_sensors(entry: EnergyNeighboursConfigEntry) -> Iterator[SensorEntity]:
    """Yield the sensors of a site's tariff; those of its quarter-hours need no contract."""
    site = entry.runtime_data
    tariff = site.tariff
    if tariff:
        for description in TARIFF_SENSORS:
            if description.key in tariff.entity_keys:
                yield TariffSensor(entry, description)
    if site.meter.layout.keys(Role.GRID):
        yield QuarterHourPower(entry, QUARTER_HOUR_POWER)
        yield PeakQuarterHour(entry, PEAK_QUARTER_HOUR)
        if tariff:
            for cost in COST_SENSORS:
                yield CostSensor(entry, cost)


class TariffSensor(TariffEntity, SensorEntity):
    """A sensor of what the contract says about now."""

    entity_description: TariffSensorDescription
    _unrecorded_attributes = frozenset({"network_band", "commodity_band"})

    @override
    def _take_value(self) -> Any:
        options: list[str] = []
        if self.entity_description.device_class is SensorDeviceClass.ENUM:
            self._attr_options = options = self._tariff.bands
        self._attr_native_value = self.entity_description.value_fn(self._tariff)
        self._attr_extra_state_attributes = self.entity_description.attributes_fn(self._tariff)
        return self._attr_native_value, dict(self._attr_extra_state_attributes), options


class QuarterHourPower(SiteEntity, SensorEntity):
    """Mean power that the quarter-hour would have if nothing more was taken until its end."""

    _unrecorded_attributes = frozenset({"projection", "ends_at"})

    @override
    def _take_value(self) -> tuple[int, int | None, int | None]:
        running = self._site.quarter_hour
        left = running.start + QUARTER - time.time()
        power, projection = None, None
        if running.offtake is not None:
            power = round(running.offtake * QUARTERS_PER_HOUR)
            if (grid := self._site.live.balance.grid) is not None:
                to_come = max(grid, 0) * max(left, 0) / _SECONDS_PER_HOUR
                projection = round((running.offtake + to_come) * QUARTERS_PER_HOUR)
        self._attr_native_value = power
        self._attr_extra_state_attributes = {"projection": projection, "ends_at": _moment(running.start + QUARTER)}
        return running.start, power, projection

    @override
    def _is_due(self, before: tuple[int, int | None, int | None], value: tuple[int, int | None, int | None]) -> bool:
        return before[0] != value[0] or any(
            old is None or new is None or abs(new - old) >= step
            for old, new, step in zip(before[1:], value[1:], (_POWER_STEP, _PROJECTION_STEP), strict=True)
            if old != new
        )


class _CostsEntity(SiteEntity, SensorEntity):
    """A sensor of what is known from the ledger: it stays known while the meter does not answer."""

    def __init__(self, entry: EnergyNeighboursConfigEntry, description: SensorEntityDescription) -> None:
        super().__init__(entry, description)
        costs = entry.runtime_data.costs
        assert costs is not None  # noqa: S101 - they are there before the platforms are set up
        self._costs = costs

    @property
    @override
    def available(self) -> bool:
        return True

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._costs.async_add_listener(self._write))


class PeakQuarterHour(_CostsEntity):
    """The highest mean power of a quarter-hour this month, and what that costs where peaks are paid for."""

    _unrecorded_attributes = frozenset(
        {"time", "billed_power", "cost_per_year", "months", "network_cost_per_year", "capped"}
    )

    @override
    def _take_value(self) -> Any:
        peak, capacity = self._costs.peak, self._costs.capacity
        self._attr_native_value = peak.offtake_power if peak else None
        attributes: dict[str, Any] = {"time": _moment(peak.start) if peak else None}
        if capacity:
            attributes |= {
                "billed_power": round(float(capacity.billed), 3),
                "cost_per_year": float(cents(capacity.capacity)),
                "months": capacity.months,
            }
            if capacity.network is not None:
                attributes |= {"network_cost_per_year": float(cents(capacity.network)), "capped": capacity.capped}
        self._attr_extra_state_attributes = attributes
        return self._attr_native_value, tuple(attributes.values())


class CostSensor(_CostsEntity):
    """What a day or a month cost so far, with VAT."""

    entity_description: CostSensorDescription
    _unrecorded_attributes = frozenset(
        {"bands", "offtake", "injection", "injection_revenue", "unpriced_share", "known_share"}
    )

    def __init__(self, entry: EnergyNeighboursConfigEntry, description: CostSensorDescription) -> None:
        super().__init__(entry, description)
        self._tariff = entry.runtime_data.tariff

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        if self._tariff:
            self.async_on_remove(self._tariff.async_add_listener(self._write))

    @override
    def _take_value(self) -> Any:
        costs = self.entity_description.costs_fn(self._costs) or Costs.none()
        begin = self.entity_description.span_fn(self._costs).start
        revenue = None if costs.revenue is None else cents(costs.revenue)
        share = _unpriced_share(costs)
        self._attr_native_value = costs.total
        self._attr_last_reset = _moment(begin)
        self._attr_extra_state_attributes = {
            "bands": {
                self._tariff.shown(band) if self._tariff else band: {
                    "energy": float(cost.kwh),
                    "cost": None if cost.line is None else float(cost.line),
                }
                for band, cost in costs.bands.items()
            },
            "offtake": costs.offtake / 1000,
            "injection": costs.injection / 1000,
            "injection_revenue": None if revenue is None else float(revenue),
            "unpriced_share": share,
            "known_share": _known_share(costs, begin, time.time()),
        }
        return begin, costs.total, revenue, share and round(share)


def _known_share(costs: Costs, begin: int, now: float) -> float:
    """Return of which part of the quarter-hours so far, the running one among them, the energy is known [%]."""
    begun = (quarter_start(now) - begin) // QUARTER + 1
    return round(100 * min((costs.quarter_hours - costs.without_offtake) / begun, 1), 1)


def _unpriced_share(costs: Costs) -> float | None:
    """Return which part of the energy has no price [%]; None where no energy is known."""
    if not costs.offtake:
        return None
    return round(100 * sum(band.unpriced for band in costs.bands.values()) / costs.offtake, 1)
