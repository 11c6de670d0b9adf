"""What a loaded config entry holds."""

from homeassistant.config_entries import ConfigEntry

from .site import Site

type EnergyNeighboursConfigEntry = ConfigEntry[Site]


def site_id(entry: EnergyNeighboursConfigEntry) -> str:
    """Return the lasting identity of a site: its Fluksometer's, else its entry's."""
    return entry.unique_id or entry.entry_id
