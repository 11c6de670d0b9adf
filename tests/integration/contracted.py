"""Sites with a contract, on sensors for a meter, at a time that tests choose."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.dispatcher import async_dispatcher_send
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.energy_neighbours.const import CONF_ENTITIES, CONF_METER, DOMAIN, HISTORY_CHANGED, METER_SENSORS
from custom_components.energy_neighbours.contracts import SUBENTRY_CONTRACT
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour

from .conftest import load

OFFTAKE = "sensor.counter"
POWER = "sensor.power"

NETWORK = {"kind": "network", "prices": {"eco": "0.0271", "medium": "0.0813", "peak": "0.1354"}}
COMMODITY = {"kind": "commodity", "prices": {"off_peak": "0.10", "full": "0.15"}}
TWO_CLOCKS = {
    "valid_from": "2026-01-01",
    "region": "wallonia",
    "network_grid": "impact_2026",
    "commodity_grid": "bihoraire_wal_2026",
    "vat_rate": "0.06",
    "components": [NETWORK, COMMODITY],
    "injection_price": "0.05",
}
"""Impact for the network, two rates for the supplier: they differ from 22:00 to 01:00."""
ECO, MEDIUM_NIGHT, MEDIUM_DAY, PEAK = 0.134726, 0.192178, 0.245178, 0.302524
"""What a kWh costs then: (network + commodity) with 6 % VAT."""
SAME_ALL_DAY = {
    **TWO_CLOCKS,
    "network_grid": "mono",
    "commodity_grid": "mono",
    "components": [{"kind": "commodity", "prices": "0.20"}],
}
DYNAMIC = {
    **TWO_CLOCKS,
    "commodity_grid": "mono",
    "components": [NETWORK],
    "price_sensor": {"entity_id": "sensor.spot", "replaces": "commodity", "with_vat": False},
}


def at(text: str) -> int:
    """Return a time in Unix seconds; it is written with its offset."""
    return int(datetime.fromisoformat(text).timestamp())


def contracted_entry(*versions: Mapping[str, Any], grids: Mapping[str, Any] | None = None) -> MockConfigEntry:
    """Return a site with a contract; without a version, one without."""
    subentry = ConfigSubentryData(
        data={"versions": list(versions), "grids": grids or {}},
        subentry_type=SUBENTRY_CONTRACT,
        title="Contract",
        unique_id=None,
    )
    return MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        data={CONF_METER: METER_SENSORS, CONF_ENTITIES: {"grid_power": [POWER], "offtake_energy": [OFFTAKE]}},
        options={"write_interval": 60},
        subentries_data=[subentry] if versions else [],
    )


def found(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity that is there."""
    shown = hass.states.get(entity_id)
    assert shown
    return shown


def moment(text: str) -> datetime:
    """Return a time as entities show it."""
    return datetime.fromisoformat(text).astimezone(UTC)


def quarters(begin: str, count: int, offtake: int | None, injection: int | None = 0) -> list[QuarterHour]:
    """Return quarter-hours that are all alike."""
    return [QuarterHour(at(begin) + i * QUARTER, offtake, injection, None) for i in range(count)]


def measure(hass: HomeAssistant, kwh: float, watts: float = 0) -> None:
    """Let the meter show a counter and a power."""
    hass.states.async_set(OFFTAKE, str(kwh), {"unit_of_measurement": "kWh", "state_class": "total_increasing"})
    hass.states.async_set(POWER, str(watts), {"unit_of_measurement": "W"})


async def contracted(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    now: str,
    *versions: Mapping[str, Any],
    grids: Mapping[str, Any] | None = None,
) -> MockConfigEntry:
    """Set such a site up at a time."""
    freezer.move_to(now)
    measure(hass, 1000)
    return await load(hass, contracted_entry(*versions, grids=grids))


async def go(hass: HomeAssistant, freezer: FrozenDateTimeFactory, when: str) -> None:
    """Let the clock go on to a time, and everything happen that was due."""
    moment = datetime.fromisoformat(when)
    freezer.move_to(moment)
    async_fire_time_changed(hass, moment)
    await hass.async_block_till_done()


async def remember(hass: HomeAssistant, entry: MockConfigEntry, quarters: Iterable[QuarterHour]) -> None:
    """Let the ledger hold these quarter-hours, as after an import."""
    quarters = list(quarters)
    assert quarters
    await entry.runtime_data.ledger.async_replace(quarters, "test")
    async_dispatcher_send(hass, HISTORY_CHANGED.format(entry.entry_id), quarters[0].start)
    await hass.async_block_till_done()
