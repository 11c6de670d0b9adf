"""What all actions on a site have in common: which site is meant."""

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import service

from .communities import is_community
from .const import DOMAIN
from .runtime_data import EnergyNeighboursConfigEntry


def site_of_call(call: ServiceCall) -> EnergyNeighboursConfigEntry:
    """Return the entry of the site that is meant; a translated error if it is none, or not loaded."""
    entry: EnergyNeighboursConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    if is_community(entry):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="not_a_site", translation_placeholders={"name": entry.title}
        )
    return entry
