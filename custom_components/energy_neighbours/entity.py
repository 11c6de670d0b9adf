"""What all entities of a site share: their device, their availability, and when they write their state."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .const import DOMAIN
from .meter import Medium, MeterChannel
from .runtime_data import EnergyNeighboursConfigEntry, site_id
from .site import Site


def site_device(entry: EnergyNeighboursConfigEntry) -> DeviceInfo:
    """Return the device of a site's meter."""
    device = entry.runtime_data.meter.device
    return DeviceInfo(
        identifiers={(DOMAIN, site_id(entry))},
        name=device.name,
        manufacturer=device.manufacturer,
        model=device.model,
        serial_number=device.serial,
        sw_version=device.firmware,
        entry_type=DeviceEntryType.SERVICE if device.is_service else None,
    )


def room_device(entry: EnergyNeighboursConfigEntry, channel: MeterChannel) -> DeviceInfo:
    """Return the device of a kube: it hangs on the wall of some room, not in the meter."""
    meter = dr.async_get(entry.runtime_data.hass).async_get_device_by_identifier(
        (DOMAIN, site_id(entry)), entry.entry_id
    )
    assert meter  # noqa: S101 - registered before the platforms are set up
    return DeviceInfo(
        identifiers={(DOMAIN, f"{site_id(entry)}_{channel.key}")},
        name=channel.name,
        manufacturer="Flukso",
        model="Kube",
        via_device_id=meter.id,
    )


class SiteEntity(Entity):
    """One row of a platform's table over the state of a site.

    It asks for its value when the site says that entities are due, and writes only what has changed.
    """

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        entry: EnergyNeighboursConfigEntry,
        description: EntityDescription,
        channel: MeterChannel | None = None,
        suffix: str = "",
    ) -> None:
        self.entity_description = description
        self._site: Site = entry.runtime_data
        self._written: Any = None
        parts = [site_id(entry), channel.key if channel else "", suffix, description.key]
        self._attr_unique_id = "_".join(part for part in parts if part)
        if channel and channel.medium is Medium.ROOM:
            self._attr_device_info = room_device(entry, channel)
        else:
            self._attr_device_info = site_device(entry)
            if channel:
                self._attr_translation_placeholders = {"channel": channel.name[:1].upper() + channel.name[1:]}

    @property
    @override
    def available(self) -> bool:
        return self._site.connected

    @abstractmethod
    def _take_value(self) -> Any:
        """Take the present value over into the entity's attributes and return it."""

    def _is_live(self) -> bool:
        """Whether it also follows a jump of the site's power at once."""
        return False

    def _is_due(self, before: Any, value: Any) -> bool:
        """Whether a changed value is worth a state."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self._written = (self.available, self._take_value())
        self.async_on_remove(self._site.async_add_writer(self._write, live=self._is_live()))

    @callback
    def _write(self) -> None:
        now = (self.available, self._take_value())
        before = self._written
        if now == before or (now[0] == before[0] and not self._is_due(before[1], now[1])):
            return
        self._written = now
        self.async_write_ha_state()
