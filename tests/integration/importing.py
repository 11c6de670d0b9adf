"""Past readings as people bring them: a site, files, and a walk through the form."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.energy_neighbours.const import CONF_ENTITIES, CONF_METER, DOMAIN, METER_SENSORS
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, Span
from custom_components.energy_neighbours.site import Site

from .flows import change, options
from .translations import check_result

BEGIN = int(datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp())
"""Midnight of the day in Belgium on which the clocks went forward: 92 quarter-hours."""
HEADING = "timestamp_utc,ean,offtake_wh,injection_wh,quality\n"
EAN, OTHER_EAN = "541448900000000018", "541448900000000025"


async def home(hass: HomeAssistant) -> MockConfigEntry:
    """Set up a site of sensors."""
    hass.states.async_set("sensor.grid", "100", {"unit_of_measurement": "W"})
    entry = MockConfigEntry(
        domain=DOMAIN, title="Home", data={CONF_METER: METER_SENSORS, CONF_ENTITIES: {"grid_power": ["sensor.grid"]}}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    return entry


def row(number: int, offtake: object, ean: str = EAN) -> str:
    """Return one line of a file: the quarter-hour with this number."""
    time = datetime.fromtimestamp(BEGIN + QUARTER * number, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{time},{ean},{offtake},0,measured\n"


def file(count: int = 92, energy: Callable[[int], object] = lambda number: number, ean: str = EAN) -> str:
    """Return a file of quarter-hours."""
    return HEADING + "".join(row(number, energy(number), ean) for number in range(count))


async def known(entry: MockConfigEntry) -> list[QuarterHour]:
    """Return what the ledger has of the time of the files."""
    site: Site = entry.runtime_data
    return await site.ledger.async_read(Span(BEGIN, BEGIN + 86400))


async def energies(entry: MockConfigEntry) -> list[int | None]:
    return [quarter.offtake for quarter in await known(entry)]


async def upload(client: ClientSessionGenerator, content: str | bytes, name: str = "readings.csv") -> str:
    """Upload a file as the form does; return what the form sends for it."""
    session = await client()
    response = await session.post("/api/file_upload", data={"file": _named(content, name)})
    assert response.status == 200
    return (await response.json())["file_id"]


def _named(content: str | bytes, name: str) -> Any:
    data = BytesIO(content.encode() if isinstance(content, str) else content)
    data.name = name
    return data


async def begin(hass: HomeAssistant, entry: MockConfigEntry, source: str) -> ConfigFlowResult:
    """Open the form of a source."""
    result = await options(hass, entry, "import_readings")
    assert result["type"] is FlowResultType.MENU
    return await change(hass, result, {"next_step_id": source})


async def walk(hass: HomeAssistant, result: ConfigFlowResult, *answers: dict[str, Any]) -> ConfigFlowResult:
    """Answer one form after the other; wait while progress is shown."""
    for answer in answers:
        result = await change(hass, result, answer)
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            await hass.async_block_till_done()
            result = await hass.config_entries.options.async_configure(result["flow_id"])
            check_result(result, "options")
    return result


def told(hass: HomeAssistant) -> list[str]:
    """Return a list that takes up what notifications say from now on."""
    messages: list[str] = []

    def take(kind: persistent_notification.UpdateType, notifications: dict[str, Any]) -> None:
        if kind is not persistent_notification.UpdateType.REMOVED:
            messages.extend(notification["message"] for notification in notifications.values())

    persistent_notification.async_register_callback(hass, callback(take))
    return messages
