"""Sensors of what a site gets from its neighbours."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import CURRENCY_EURO, PERCENTAGE, UnitOfEnergy, UnitOfPower

from .core.costs import cents
from .core.indicators import SharingSums, percent
from .core.quarter_hour import Span
from .entity import SiteEntity
from .runtime_data import EnergyNeighboursConfigEntry
from .site_share import SiteShare


@dataclass(frozen=True, kw_only=True)
class ShareSensorDescription(SensorEntityDescription):
    """One sensor of a site's shares."""

    value_fn: Callable[[SiteShare], Any]
    span_fn: Callable[[SiteShare], Span] | None = None
    attributes_fn: Callable[[SiteShare], Mapping[str, Any]] = lambda _share: {}


def _kwh(energy: int | None) -> float | None:
    return None if energy is None else energy / 1000


def _percent(rate: Fraction | None) -> float | None:
    found = percent(rate)
    return None if found is None else float(found)


def _of(sums: SharingSums | None, read: Callable[[SharingSums], Any]) -> Any:
    return None if sums is None else read(sums)


def _why(share: SiteShare) -> dict[str, Any]:
    """Return what is told beside the month's sum."""
    last = share.last
    return {
        "offtake": _of(share.month, lambda sums: sums.offtake / 1000),
        "residual": _of(share.month, lambda sums: sums.residual / 1000),
        "provisional_quarter_hours": share.provisional,
        "last_quarter_hour": datetime.fromtimestamp(last.start, UTC) if last else None,
        "last_allocated": last.allocated if last else None,
        "key_version": last.version if last else None,
    }


def _energy(
    key: str,
    value_fn: Callable[[SiteShare], int | None],
    span_fn: Callable[[SiteShare], Span] | None = None,
    attributes_fn: Callable[[SiteShare], Mapping[str, Any]] = lambda _share: {},
) -> ShareSensorDescription:
    return ShareSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.ENERGY,
        # A share may be revised, and be less than it was: that is no new meter.
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        value_fn=lambda share: _kwh(value_fn(share)),
        span_fn=span_fn,
        attributes_fn=attributes_fn,
    )


def _rate(key: str, value_fn: Callable[[SharingSums], Fraction | None]) -> ShareSensorDescription:
    return ShareSensorDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        value_fn=lambda share: _percent(_of(share.month, value_fn)),
        attributes_fn=lambda share: {"today": _percent(_of(share.today, value_fn))},
    )


SHARE_SENSORS: Final = (
    ShareSensorDescription(
        key="share_power",
        translation_key="share_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda share: share.power,
        attributes_fn=lambda _share: {"provisional": True},
    ),
    _energy("from_neighbours_energy", lambda share: share.from_neighbours),
    _energy("from_supplier_energy", lambda share: share.from_supplier),
    _energy(
        "allocated_today",
        lambda share: _of(share.today, lambda sums: sums.allocated),
        lambda share: share.day_span,
        lambda share: {"offtake": _of(share.today, lambda sums: sums.offtake / 1000)},
    ),
    _energy(
        "allocated_this_month",
        lambda share: _of(share.month, lambda sums: sums.allocated),
        lambda share: share.month_span,
        _why,
    ),
    _rate("coverage_rate", lambda sums: sums.coverage_rate),
    _rate("self_consumption_rate", lambda sums: sums.self_consumption_rate),
    ShareSensorDescription(
        key="saving_this_month",
        translation_key="saving_this_month",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement="EUR",
        suggested_display_precision=2,
        value_fn=lambda share: None if share.saving is None else cents(share.saving),
        span_fn=lambda share: share.month_span,
    ),
    ShareSensorDescription(
        key="neighbours_price",
        translation_key="neighbours_price",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=f"{CURRENCY_EURO}/{UnitOfEnergy.KILO_WATT_HOUR}",
        suggested_display_precision=4,
        value_fn=lambda share: share.price,
    ),
)


def share_sensors(entry: EnergyNeighboursConfigEntry) -> Iterator[SensorEntity]:
    """Yield the sensors of a site's shares, if it belongs to a community."""
    if entry.runtime_data.share:
        for description in SHARE_SENSORS:
            yield ShareSensor(entry, description)


class ShareSensor(SiteEntity, SensorEntity):
    """A sensor of what stands in the ledger: it stays known while the meter, or the organiser, does not answer."""

    entity_description: ShareSensorDescription
    _unrecorded_attributes = frozenset(
        {
            "offtake",
            "residual",
            "provisional_quarter_hours",
            "last_quarter_hour",
            "last_allocated",
            "key_version",
            "today",
            "provisional",
        }
    )

    def __init__(self, entry: EnergyNeighboursConfigEntry, description: ShareSensorDescription) -> None:
        super().__init__(entry, description)
        share = entry.runtime_data.share
        assert share is not None  # noqa: S101 - these sensors are made only with one
        self._share = share

    @property
    @override
    def available(self) -> bool:
        return True

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._share.async_add_listener(self._write))

    @override
    def _take_value(self) -> Any:
        description = self.entity_description
        self._attr_native_value = description.value_fn(self._share)
        self._attr_extra_state_attributes = dict(description.attributes_fn(self._share))
        begin = description.span_fn(self._share).start if description.span_fn else None
        self._attr_last_reset = None if begin is None else datetime.fromtimestamp(begin, UTC)
        return begin, self._attr_native_value, tuple(self._attr_extra_state_attributes.values())
