"""Statistics as other integrations leave them in the recorder, and as its graphs show them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.db_schema import Statistics, StatisticsShortTerm
from homeassistant.components.recorder.models import StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

HOUR, DAY = 3600, 86400
BEGIN_OF_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def this_hour() -> int:
    """Return the beginning of the hour that runs [s, Unix]."""
    return int(dt_util.utcnow().timestamp()) // HOUR * HOUR


async def record(
    hass: HomeAssistant,
    statistic_id: str,
    sums: Mapping[int, float],
    unit: str | None = "kWh",
    unit_class: str | None = "energy",
    *,
    fine: bool = False,
) -> None:
    """Let the recorder hold running totals by the beginning of their hour, or five minutes."""
    external = ":" in statistic_id
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=None,
        source=statistic_id.partition(":")[0] if external else "recorder",
        statistic_id=statistic_id,
        unit_class=unit_class,
        unit_of_measurement=unit,
    )
    rows = [{"start": datetime.fromtimestamp(start, UTC), "sum": total} for start, total in sums.items()]
    table = StatisticsShortTerm if fine else Statistics
    get_instance(hass).async_import_statistics(metadata, rows, table)
    await async_wait_recording_done(hass)


async def hourly(hass: HomeAssistant, statistic_id: str, kind: str = "sum") -> dict[int, Any]:
    """Return what a statistic holds, by the beginning of the hour."""
    await async_wait_recording_done(hass)
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, BEGIN_OF_TIME, None, {statistic_id}, "hour", {"energy": "kWh"}, {kind}
    )
    return {round(row["start"]): row[kind] for row in rows.get(statistic_id, [])}
