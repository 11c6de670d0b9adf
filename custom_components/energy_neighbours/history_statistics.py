"""Past quarter-hours from Home Assistant's own long-term statistics."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from homeassistant.components.recorder import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.statistics import list_statistic_ids, statistics_during_period
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter

from .core.history import History, HistoryError
from .core.statistic_history import RunningTotal, history_of_totals

EARLIEST: Final = datetime(2010, 1, 1, tzinfo=UTC)
"""No statistics of a household are older than this."""


async def async_read_statistics(
    hass: HomeAssistant,
    series: Mapping[str, Sequence[str]],
    progress: Callable[[float], None] | None = None,
) -> History:
    """Read the statistics of some energies as a history of quarter-hours.

    The recorder keeps five-minute totals for some days, and hourly ones for ever: the former give measured
    quarter-hours, the latter estimated ones. Neither the first hour of a statistic counts, for it may hold all that its
    counter had counted before, nor the hour that still runs.

    Parameters
    ----------
    series
        Statistic ids by `offtake`, `injection` and `production`; several of one are added up, each once.
    progress
        Is told, on the event loop, the share that has been read.

    Raises
    ------
    HistoryError
        When there is no recorder, or a statistic is unknown, no energy, or two kinds of energy.
    """
    series = {key: list(dict.fromkeys(group)) for key, group in series.items()}
    chosen = Counter(statistic for group in series.values() for statistic in group)
    ids = set(chosen)
    if not ids:
        raise HistoryError("no_statistic")
    for statistic, times in chosen.items():
        if times > 1:
            raise HistoryError("statistic_twice", statistic=statistic)
    if RECORDER_DOMAIN not in hass.config.components:
        raise HistoryError("no_recorder")
    await _async_check(hass, ids)
    until = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    totals: dict[str, dict[int, float]] = {statistic: {} for statistic in ids}
    fine: dict[str, set[int]] = {statistic: set() for statistic in ids}
    kept = max(until - timedelta(days=get_instance(hass).keep_days + 1), EARLIEST)
    parts = [(since, False) for since in _months(EARLIEST, until)] + [(since, True) for since in _months(kept, until)]
    for number, (since, is_fine) in enumerate(parts):
        found = await _async_sums(hass, ids, since, until, "5minute" if is_fine else "hour")
        for statistic, sums in found.items():
            totals[statistic] |= sums
            if is_fine:
                fine[statistic].update(sums)
        if progress:
            progress((number + 1) / len(parts))
    running = {key: [RunningTotal(i, totals[i], frozenset(fine[i])) for i in group] for key, group in series.items()}
    return await hass.async_add_executor_job(history_of_totals, running, int(until.timestamp()))


async def _async_check(hass: HomeAssistant, ids: set[str]) -> None:
    known = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass, ids)
    by_id = {found["statistic_id"]: found for found in known}
    for statistic in sorted(ids):
        if statistic not in by_id:
            raise HistoryError("statistic_unknown", statistic=statistic)
        if by_id[statistic]["unit_class"] != EnergyConverter.UNIT_CLASS or not by_id[statistic]["has_sum"]:
            raise HistoryError("statistic_not_energy", statistic=statistic)


async def _async_sums(
    hass: HomeAssistant, ids: set[str], since: datetime, until: datetime, period: Literal["5minute", "hour"]
) -> dict[str, dict[int, float]]:
    """Return the running totals of one month by the moment at which they were reached [Wh]."""
    end = min(_next_month(since), until)
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        since,
        end,
        ids,
        period,
        {EnergyConverter.UNIT_CLASS: UnitOfEnergy.WATT_HOUR},
        {"sum"},
    )
    return {
        statistic: {round(row["end"]): total for row in found if (total := row.get("sum")) is not None}
        for statistic, found in rows.items()
    }


def _months(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since = _next_month(since)


def _next_month(time: datetime) -> datetime:
    return (time.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
