"""Sites of one Home Assistant that share the energy of a roof, at a time that tests choose."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.energy_neighbours.const import CONF_ENTITIES, CONF_METER, DOMAIN, METER_SENSORS
from custom_components.energy_neighbours.contracts import SUBENTRY_CONTRACT

from .conftest import load
from .contracted import quarters, remember

PRORATA = {"kind": "prorata"}
EQUAL = {"kind": "equal"}
START = "2026-06-01"


def site(name: str, *, contract: Mapping[str, Any] | None = None) -> MockConfigEntry:
    """Return a site whose meter are sensors."""
    subentry = ConfigSubentryData(
        data={"versions": [contract], "grids": {}}, subentry_type=SUBENTRY_CONTRACT, title="Contract", unique_id=None
    )
    return MockConfigEntry(
        domain=DOMAIN,
        title=name,
        data={
            CONF_METER: METER_SENSORS,
            CONF_ENTITIES: {
                "grid_power": [f"sensor.{name.lower()}_power"],
                "offtake_energy": [f"sensor.{name.lower()}_counter"],
            },
        },
        options={"write_interval": 60},
        subentries_data=[subentry] if contract else [],
    )


def member(entry: MockConfigEntry | None, code: str, **values: Any) -> ConfigSubentryData:
    """Return a member of a community: a site, or one whose readings come in files."""
    data = {"code": code, "part": "consumer", "joined": START, "source": "local" if entry else "files"}
    if entry:
        data["site"] = entry.entry_id
    return ConfigSubentryData(data=data | values, subentry_type="member", title=f"Flat {code}", unique_id=code)


def community(
    members: Sequence[ConfigSubentryData], *keys: tuple[str, Mapping[str, Any]], **options: Any
) -> MockConfigEntry:
    """Return a community; each key holds from a day on."""
    versions = [
        {"number": number, "valid_from": day, "author": "Dupont", "key": key}
        for number, (day, key) in enumerate(keys or ((START, PRORATA),), 1)
    ]
    return MockConfigEntry(
        domain=DOMAIN,
        title="Street",
        data={"community": "street00"},
        options={"region": "wallonia", "privacy_threshold": 5, "keys": versions, **options},
        subentries_data=list(members),
    )


async def measured(hass: HomeAssistant, name: str, *, kwh: float = 1000, watts: float = 0) -> None:
    """Let the meter of a site show something."""
    energy = {"unit_of_measurement": "kWh", "state_class": "total_increasing"}
    hass.states.async_set(f"sensor.{name.lower()}_counter", str(kwh), energy)
    hass.states.async_set(f"sensor.{name.lower()}_power", str(watts), {"unit_of_measurement": "W"})


async def street(hass: HomeAssistant, freezer: FrozenDateTimeFactory, now: str, *sites: MockConfigEntry) -> None:
    """Set sites up at a time."""
    freezer.move_to(now)
    for each in sites:
        await measured(hass, each.title)
        await load(hass, each)


async def settle(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float = 2) -> None:
    """Let a community divide what has come."""
    await go(hass, freezer, (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat())


async def go(hass: HomeAssistant, freezer: FrozenDateTimeFactory, when: str) -> None:
    """Let the clock go on to a time, and everything happen that was due; timers run in the background."""
    moment = datetime.fromisoformat(when)
    freezer.move_to(moment)
    async_fire_time_changed(hass, moment)
    await hass.async_block_till_done(wait_background_tasks=True)


__all__ = ["EQUAL", "PRORATA", "START", "community", "go", "member", "quarters", "remember", "settle", "site", "street"]
