"""A Home Assistant inside a benchmark's process: its core, recorder and sensors, without what a home has besides."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homeassistant.bootstrap import async_load_base_functionality
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntries,
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentryData,
)
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers.recorder import async_initialize_recorder
from homeassistant.loader import async_setup
from homeassistant.setup import async_setup_component


async def start(folder: Path) -> HomeAssistant:
    """Start its core with the configuration in a folder, and what records and shows sensors.

    Raises
    ------
    RuntimeError
        A part of it could not be set up.
    """
    hass = HomeAssistant(str(folder))
    async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    await async_load_base_functionality(hass)
    await async_process_ha_core_config(hass, {})
    async_initialize_recorder(hass)
    for component in ("homeassistant", "recorder", "http", "sensor"):
        if not await async_setup_component(hass, component, {}):
            raise RuntimeError(f"{component} could not be set up")
    return hass


def entry_of(
    domain: str,
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    unique_id: str | None = None,
    version: int = 1,
    entry_id: str | None = None,
    subentries: tuple[ConfigSubentryData, ...] = (),
) -> ConfigEntry:
    """Return an entry as a user would have made it."""
    return ConfigEntry(
        data=dict(data),
        discovery_keys=MappingProxyType({}),
        domain=domain,
        entry_id=entry_id,
        minor_version=1,
        options=dict(options),
        source=SOURCE_USER,
        subentries_data=subentries,
        title="Flukso",
        unique_id=unique_id,
        version=version,
    )


async def add(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Set an entry up.

    Raises
    ------
    RuntimeError
        It could not be set up.
    """
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    if entry.state is not ConfigEntryState.LOADED:
        raise RuntimeError(f"{entry.domain} could not be set up: {entry.state}, {entry.reason}")
