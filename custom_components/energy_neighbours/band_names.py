"""What bands are called in Home Assistant's language: the same words that the band sensor shows."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN

_PREFIX: Final = f"component.{DOMAIN}.entity.sensor.band.state."


async def async_band_names(hass: HomeAssistant) -> Mapping[str, str]:
    """Return the names of the bands that ship, by id. Those that a household named itself are called by their name."""
    texts = await async_get_translations(hass, hass.config.language, "entity", [DOMAIN])
    return {key.removeprefix(_PREFIX): text for key, text in texts.items() if key.startswith(_PREFIX)}


def price_text(hass: HomeAssistant, price: Decimal) -> str:
    """Write a price as people write it in Home Assistant's language."""
    text = f"{price:.4f} €/kWh"
    return text if hass.config.language.startswith("en") else text.replace(".", ",")
