"""System health: how many sites and communities there are, and how many meters answer."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .communities import is_community
from .const import DOMAIN
from .runtime_data import loaded_sites


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register the information."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    communities = sum(is_community(entry) for entry in entries)
    sites = [entry.runtime_data for entry in loaded_sites(hass)]
    links = [site.membership.link for site in sites if site.membership]
    loaded = hass.config_entries.async_loaded_entries(DOMAIN)
    links += [entry.runtime_data.link.link for entry in loaded if is_community(entry) and entry.runtime_data.link]
    return {
        "sites": len(entries) - communities,
        "communities": communities,
        "brokers": len(links),
        "brokers_connected": sum(link.connected for link in links),
        "meters_connected": sum(site.connected for site in sites),
        "messages_dropped": sum(site.meter.messages_dropped for site in sites),
    }
