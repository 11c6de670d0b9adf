"""Binary sensors of a site: whether its meter answers, it is time for the sun, or something moves near a kube."""

from collections.abc import Iterator
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SiteEntity
from .flukso.models import Quantity
from .meter import MeterChannel
from .runtime_data import EnergyNeighboursConfigEntry
from .tariff_entity import TariffEntity

PARALLEL_UPDATES = 0

METER_CONNECTED: Final = BinarySensorEntityDescription(
    key="meter_connected",
    translation_key="meter_connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)
SOLAR_BAND: Final = BinarySensorEntityDescription(key="solar_band", translation_key="solar_band")
KUBE_SENSORS: Final = (
    BinarySensorEntityDescription(key=Quantity.MOVEMENT, device_class=BinarySensorDeviceClass.MOTION),
    BinarySensorEntityDescription(
        key=Quantity.VIBRATION,
        device_class=BinarySensorDeviceClass.VIBRATION,
        entity_registry_enabled_default=False,
    ),
    BinarySensorEntityDescription(
        key=Quantity.ERROR,
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: EnergyNeighboursConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of a site."""
    async_add_entities(_binary_sensors(entry))


def _binary_sensors(entry: EnergyNeighboursConfigEntry) -> Iterator[SiteEntity]:
    yield MeterConnected(entry, METER_CONNECTED)
    if (tariff := entry.runtime_data.tariff) and SOLAR_BAND.key in tariff.entity_keys:
        yield SolarBand(entry, SOLAR_BAND)
    for channel in entry.runtime_data.meter.channels.values():
        for description in KUBE_SENSORS:
            if description.key in channel.quantities:
                yield KubeSensor(entry, description, channel)


class MeterConnected(SiteEntity, BinarySensorEntity):
    """Whether the meter answers."""

    @property
    @override
    def available(self) -> bool:
        return True

    @override
    def _take_value(self) -> bool:
        self._attr_is_on = self._site.connected
        return self._attr_is_on


class SolarBand(TariffEntity, BinarySensorEntity):
    """Whether it is the cheap time around noon, made for the hours of the sun."""

    @override
    def _take_value(self) -> bool:
        self._attr_is_on = self._tariff.solar
        return self._attr_is_on


class KubeSensor(SiteEntity, BinarySensorEntity):
    """Whether a kube sees something move, or reports a fault of its own (any bit of its error field)."""

    def __init__(
        self, entry: EnergyNeighboursConfigEntry, description: BinarySensorEntityDescription, channel: MeterChannel
    ) -> None:
        super().__init__(entry, description, channel)
        self._key = channel.key

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        # Movement is not worth much ten seconds later.
        self.async_on_remove(self._site.async_watch(lambda _live: self._write()))

    @override
    def _take_value(self) -> bool | None:
        value = self._site.meter.value(self._key, self.entity_description.key, self._site.live.time)
        self._attr_is_on = None if value is None else value != 0
        return self._attr_is_on
