"""What the trigger and the condition on bands have in common: which entities they look at."""

from collections.abc import Mapping
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.automation import DomainSpec

from .const import DOMAIN

CONF_BANDS: Final = "bands"
DOMAIN_SPECS: Final[Mapping[str, DomainSpec]] = {Platform.SENSOR: DomainSpec(device_class=SensorDeviceClass.ENUM)}


def band_sensors(hass: HomeAssistant, entities: set[str]) -> set[str]:
    """Return those of some entities that show a site's band: of a site's device, area or label it is the one meant."""
    registry = er.async_get(hass)
    return {
        entity_id
        for entity_id in entities
        if (entry := registry.async_get(entity_id)) and entry.platform == DOMAIN and entry.translation_key == "band"
    }
