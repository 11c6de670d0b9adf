"""Sensors of a site: power, energy, and what else its meter measures."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfEnergy, UnitOfPower, UnitOfVolume
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .communities import is_community
from .community_sensor import community_sensors
from .core.channel import Phase, Role
from .entity import SiteEntity
from .flukso.models import Quantity
from .meter import Medium, MeterChannel
from .quantities import FLOW, REACTIVE_POWER, UNITS
from .runtime_data import CommunityConfigEntry, EnergyNeighboursConfigEntry
from .share_sensor import share_sensors
from .site import Site
from .tariff_sensor import tariff_sensors

PARALLEL_UPDATES = 0

type Value = float | datetime | None


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(SensorEntityDescription):
    """One sensor of a site, or of a channel of its meter.

    `digits` is what is kept of the value: finer steps are noise of the meter, and a state for each would only fill the
    database. `hold` is the least time [s] between two states of a timestamp.
    """

    digits: int = 0
    hold: float = 0
    live: bool = False


@dataclass(frozen=True, kw_only=True)
class WholeSensorDescription(SiteSensorDescription):
    """One sensor of the whole site."""

    value_fn: Callable[[Site], Value]
    has_fn: Callable[[Site], bool] = lambda _site: True


@dataclass(frozen=True, kw_only=True)
class ChannelSensorDescription(SiteSensorDescription):
    """One sensor of each channel that has it."""

    value_fn: Callable[[Site, MeterChannel], float | None]
    has_fn: Callable[[MeterChannel], bool]
    # A phase of the grid has a power sensor of its own already.
    enabled_fn: Callable[[MeterChannel], bool] = lambda _channel: True


def _kilo(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _has_role(channel: MeterChannel, *roles: Role) -> bool:
    return channel.assignment is not None and channel.assignment.role in roles


def _forward(site: Site, channel: MeterChannel) -> float | None:
    if not site.knows_energy([channel.key]):
        return None
    register = site.registers.channels.get(channel.key)
    return _kilo(register.forward if register else 0.0)


def _backward(site: Site, channel: MeterChannel) -> float | None:
    if not site.knows_energy([channel.key]):
        return None
    register = site.registers.channels.get(channel.key)
    return _kilo(register.backward if register else 0.0)


def _rate(site: Site, channel: MeterChannel) -> float | None:
    if channel.key in site.live.channels:
        return site.live.channels[channel.key]
    return site.meter.power(channel.key, site.live.time)


def _has_power(site: Site, role: Role) -> bool:
    channels = [c for k in site.meter.layout.keys(role) if (c := site.meter.channels.get(k))]
    return bool(channels) and all(c.has_rate for c in channels)


def _power(key: str, value_fn: Callable[[Site], Value], has_fn: Callable[[Site], bool]) -> WholeSensorDescription:
    return WholeSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        live=True,
        value_fn=value_fn,
        has_fn=has_fn,
    )


def _energy(key: str, value_fn: Callable[[Site], float], role: Role) -> WholeSensorDescription:
    return WholeSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        digits=3,
        value_fn=lambda site: value_fn(site) / 1000 if site.knows_energy(site.meter.layout.keys(role)) else None,
        has_fn=lambda site: bool(site.meter.layout.keys(role)),
    )


SITE_SENSORS = (
    _power("grid_power", lambda s: s.live.balance.grid, lambda s: _has_power(s, Role.GRID)),
    _power("production_power", lambda s: s.live.balance.production, lambda s: _has_power(s, Role.PRODUCTION)),
    _power("consumption_power", lambda s: s.live.balance.consumption, lambda s: _has_power(s, Role.GRID)),
    _power("phase_imbalance", lambda s: s.live.balance.imbalance, lambda s: len(s.meter.layout.phases) == len(Phase)),
    _energy("offtake_energy", lambda s: s.registers.offtake, Role.GRID),
    _energy("injection_energy", lambda s: s.registers.injection, Role.GRID),
    _energy("production_energy", lambda s: s.registers.production, Role.PRODUCTION),
    WholeSensorDescription(
        key="last_reading",
        translation_key="last_reading",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        hold=60,
        value_fn=lambda s: datetime.fromtimestamp(heard, UTC) if (heard := s.meter.last_reading) else None,
    ),
)

PHASE_POWER = SiteSensorDescription(
    key="phase_power",
    translation_key="phase_power",
    device_class=SensorDeviceClass.POWER,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfPower.WATT,
    suggested_display_precision=0,
    live=True,
)


def _channel_energy(
    key: str, value_fn: Callable[[Site, MeterChannel], float | None], *roles: Role, enabled: bool
) -> ChannelSensorDescription:
    return ChannelSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        entity_registry_enabled_default=enabled,
        digits=3,
        value_fn=value_fn,
        has_fn=lambda channel: channel.counts and _has_role(channel, *roles),
    )


def _volume(medium: Medium, device_class: SensorDeviceClass) -> ChannelSensorDescription:
    return ChannelSensorDescription(
        key=f"{medium}_volume",
        translation_key=f"{medium}_volume",
        device_class=device_class,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfVolume.CUBIC_METERS,
        suggested_display_precision=3,
        digits=4,
        value_fn=_forward,  # counted in litres
        has_fn=lambda channel: channel.medium is medium,
    )


def _flow(medium: Medium) -> ChannelSensorDescription:
    return ChannelSensorDescription(
        key=f"{medium}_flow",
        translation_key=f"{medium}_flow",
        device_class=SensorDeviceClass.VOLUME_FLOW_RATE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=FLOW,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        digits=2,
        value_fn=_rate,
        has_fn=lambda channel: channel.medium is medium,
    )


def _quantity(
    quantity: str,
    device_class: SensorDeviceClass | None,
    digits: int,
    *,
    key: str | None = None,
    medium: Medium = Medium.ELECTRICITY,
    diagnostic: bool = True,
    enabled: bool = False,
) -> ChannelSensorDescription:
    key = key or quantity
    return ChannelSensorDescription(
        key=key,
        translation_key=key,
        device_class=device_class,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UNITS.get(quantity),
        suggested_display_precision=digits,
        entity_category=EntityCategory.DIAGNOSTIC if diagnostic else None,
        entity_registry_enabled_default=enabled,
        digits=digits,
        value_fn=lambda site, channel: site.meter.value(channel.key, quantity, site.live.time),
        has_fn=lambda channel: channel.medium is medium and quantity in channel.quantities,
    )


CHANNEL_SENSORS = (
    ChannelSensorDescription(
        key="channel_power",
        translation_key="channel_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        live=True,
        value_fn=_rate,
        has_fn=lambda channel: channel.has_rate and (_has_role(channel, *Role) or channel.medium is Medium.HEAT),
        enabled_fn=lambda channel: not _has_role(channel, Role.GRID, Role.PRODUCTION),
    ),
    _channel_energy("channel_energy", _forward, Role.LOAD, enabled=True),
    _channel_energy("channel_production_energy", _forward, Role.PRODUCTION, enabled=False),
    _channel_energy("channel_offtake_energy", _forward, Role.GRID, enabled=False),
    _channel_energy("channel_injection_energy", _backward, Role.GRID, enabled=False),
    _volume(Medium.GAS, SensorDeviceClass.GAS),
    _volume(Medium.WATER, SensorDeviceClass.WATER),
    _flow(Medium.GAS),
    _flow(Medium.WATER),
    replace(
        _channel_energy("heat_energy", _forward, enabled=True),
        has_fn=lambda channel: channel.medium is Medium.HEAT,
    ),
    _quantity(Quantity.VOLTAGE, SensorDeviceClass.VOLTAGE, 1, key="voltage"),
    _quantity(Quantity.CURRENT, SensorDeviceClass.CURRENT, 2, key="current"),
    _quantity(Quantity.POWER_FACTOR, SensorDeviceClass.POWER_FACTOR, 1, key="power_factor"),
    _quantity(REACTIVE_POWER, SensorDeviceClass.REACTIVE_POWER, 0),
    _quantity(Quantity.VOLTAGE_THD, None, 1, key="voltage_distortion"),
    _quantity(Quantity.CURRENT_THD, None, 1, key="current_distortion"),
    _quantity(
        Quantity.TEMPERATURE, SensorDeviceClass.TEMPERATURE, 1, medium=Medium.ROOM, diagnostic=False, enabled=True
    ),
    _quantity(Quantity.HUMIDITY, SensorDeviceClass.HUMIDITY, 0, medium=Medium.ROOM, diagnostic=False, enabled=True),
    _quantity(
        Quantity.PRESSURE,
        SensorDeviceClass.ATMOSPHERIC_PRESSURE,
        1,
        medium=Medium.ROOM,
        diagnostic=False,
        enabled=True,
    ),
    _quantity(Quantity.LIGHT, SensorDeviceClass.ILLUMINANCE, 0, medium=Medium.ROOM, diagnostic=False, enabled=True),
    _quantity(Quantity.BATTERY, SensorDeviceClass.VOLTAGE, 1, key="battery_voltage", medium=Medium.ROOM, enabled=True),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnergyNeighboursConfigEntry | CommunityConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a site, or of a community."""
    if is_community(entry):
        async_add_entities(community_sensors(cast("CommunityConfigEntry", entry)))
        return
    site = cast("EnergyNeighboursConfigEntry", entry)
    async_add_entities(_sensors(site))
    async_add_entities(tariff_sensors(site))
    async_add_entities(share_sensors(site))


def _sensors(entry: EnergyNeighboursConfigEntry) -> Iterator[SiteSensor]:
    site = entry.runtime_data
    for description in SITE_SENSORS:
        if description.has_fn(site):
            yield WholeSensor(entry, description)
    for phase in site.meter.layout.phases:
        if all(site.meter.channels[k].has_rate for k in site.meter.layout.keys(Role.GRID, phase)):
            yield PhasePowerSensor(entry, phase)
    for channel in filter(lambda c: c.name, site.meter.channels.values()):
        for row in CHANNEL_SENSORS:
            if row.has_fn(channel):
                yield ChannelSensor(entry, row, channel)


class SiteSensor(SiteEntity, SensorEntity):
    """A sensor that reads its row."""

    entity_description: SiteSensorDescription

    @abstractmethod
    def _value(self) -> Value:
        """Return the present value."""

    @override
    def _is_live(self) -> bool:
        return self.entity_description.live

    @override
    def _take_value(self) -> Value:
        value = self._value()
        if isinstance(value, float | int):
            value = round(value, self.entity_description.digits or None)
        self._attr_native_value = value
        return value

    @override
    def _is_due(self, before: Value, value: Value) -> bool:
        if isinstance(before, datetime) and isinstance(value, datetime):
            return (value - before).total_seconds() >= self.entity_description.hold
        return True


class WholeSensor(SiteSensor):
    """A sensor of the whole site."""

    entity_description: WholeSensorDescription

    @override
    def _value(self) -> Value:
        return self.entity_description.value_fn(self._site)

    @property
    @override
    def available(self) -> bool:
        # When the meter was heard last is worth most when it is no longer heard.
        return self.entity_description.key == "last_reading" or super().available


class PhasePowerSensor(SiteSensor):
    """Grid power on one phase."""

    def __init__(self, entry: EnergyNeighboursConfigEntry, phase: Phase) -> None:
        super().__init__(entry, PHASE_POWER, suffix=phase)
        self._phase = phase
        self._attr_translation_placeholders = {"phase": phase}

    @override
    def _value(self) -> Value:
        return self._site.phase_power(self._phase)


class ChannelSensor(SiteSensor):
    """A sensor of one channel."""

    entity_description: ChannelSensorDescription

    def __init__(
        self, entry: EnergyNeighboursConfigEntry, description: ChannelSensorDescription, channel: MeterChannel
    ) -> None:
        super().__init__(entry, description, channel)
        self._channel = channel
        if not description.enabled_fn(channel):
            self._attr_entity_registry_enabled_default = False

    @override
    def _value(self) -> Value:
        return self.entity_description.value_fn(self._site, self._channel)
