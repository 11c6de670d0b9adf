"""A site's ledger as hourly statistics of Home Assistant, so that graphs reach back as far as its history."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol

from homeassistant.components.recorder import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.models import StatisticData, StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.statistics import async_add_external_statistics, statistics_during_period
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.unit_conversion import EnergyConverter

from .const import DOMAIN, HISTORY_CHANGED
from .core.hourly_totals import HourlyTotal, hour_start, hourly_energies, running_totals
from .core.quarter_hour import QuarterHour, Span
from .ledger import LedgerError
from .site import Site

SERIES: Final = ("offtake", "injection", "production")
STEP: Final = 31 * 86400
"""So much of the past is looked at and handed to the recorder at a time [s]."""
LOOK_BACK: Final = (40 * 86400, 400 * 86400, 20_000 * 86400)
"""How far back the last total is looked for [s]; nearly always it stands one hour before."""

_LOCKS: Final[HassKey[dict[str, asyncio.Lock]]] = HassKey(f"{DOMAIN}_statistics")


class QuarterHours(Protocol):
    """Where a site's quarter-hours are kept."""

    async def async_read(self, span: Span) -> Sequence[QuarterHour]:
        """Return those of a span, in order."""
        ...

    async def async_known_span(self) -> Span | None:
        """Return from when to when there are any."""
        ...


class ExternalStatistics:
    """Keeps the statistics of one site in step with its ledger.

    They are recomputed from the first hour that changed. An hour of which a quarter-hour is not known gets no row. When
    the recorder is not there nothing happens.

    Parameters
    ----------
    entry_id, title
        The site; the id names the statistics, the title is shown with them.
    ledger
        Its quarter-hours.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, title: str, ledger: QuarterHours) -> None:
        self._hass = hass
        self._entry_id = entry_id
        self._title = title
        self._ledger = ledger
        self._changed: int | None = None

    async def async_update(self, since: int | None = None) -> None:
        """Bring the statistics up to date, from `since` on [s, Unix], else all of them."""
        if RECORDER_DOMAIN not in self._hass.config.components:
            return
        # What an earlier site of the same entry still writes must have been written.
        async with self._hass.data.setdefault(_LOCKS, {}).setdefault(self._entry_id, asyncio.Lock()):
            await get_instance(self._hass).async_block_till_done()
            with suppress(LedgerError):  # it is closed, as the site is being unloaded: the next start makes up for it
                await self._async_write(since)

    @callback
    def async_follow(self, entry: ConfigEntry, site: Site) -> None:
        """Bring the statistics up to date now, when an hour is over, and after every import."""

        @callback
        def update(since: int | None) -> None:
            if self._hass.is_stopping:
                return  # the recorder stops, too; the next start makes up for it
            entry.async_create_background_task(self._hass, self.async_update(since), f"{DOMAIN} statistics")

        @callback
        def take(quarters: Sequence[QuarterHour]) -> None:
            if (since := self.async_note(quarters)) is not None:
                update(since)

        entry.async_on_unload(site.async_add_boundary_listener(take))
        entry.async_on_unload(async_dispatcher_connect(self._hass, HISTORY_CHANGED.format(self._entry_id), update))
        update(None)

    @callback
    def async_note(self, quarters: Iterable[QuarterHour]) -> int | None:
        """Take note of quarter-hours that came; return from when on the statistics are out of date, if they are."""
        starts = [quarter.start for quarter in quarters]
        if self._changed is not None:
            starts.append(self._changed)
        self._changed = min(starts, default=None)
        if self._changed is None or self._changed >= _this_hour():
            return None
        since, self._changed = self._changed, None
        return since

    async def _async_write(self, since: int | None) -> None:
        known = await self._ledger.async_known_span()
        if known is None:
            return
        begin = hour_start(known.start if since is None else since)
        totals = await self._async_totals_before(begin)
        shown_before = dict(totals)
        texts = await async_get_translations(self._hass, self._hass.config.language, "common", [DOMAIN])
        for span in _steps(Span(begin, _this_hour())):
            quarters = await self._ledger.async_read(span)
            shown = await self._async_shown(span)
            for series in SERIES:
                bases = totals[series], shown_before[series]
                hours = await self._hass.async_add_executor_job(_hours, *bases, shown[series], quarters, series)
                if changed := [hour for hour in hours if shown[series].get(hour.start) != hour.total]:
                    self._write(series, changed, texts)
                if hours:
                    totals[series] = hours[-1].total
                if shown[series]:
                    shown_before[series] = shown[series][max(shown[series])]

    async def _async_totals_before(self, time: int) -> dict[str, int]:
        """Return the last running totals that the recorder has before a time [Wh]."""
        totals: dict[str, int] = {}
        for far in LOOK_BACK:
            shown = await self._async_shown(Span(time - far, time))
            totals |= {series: of[max(of)] for series, of in shown.items() if of and series not in totals}
            if len(totals) == len(SERIES):
                break
        return {series: totals.get(series, 0) for series in SERIES}

    async def _async_shown(self, span: Span) -> dict[str, dict[int, int]]:
        """Return the running totals that the recorder has, by series and by the beginning of the hour [Wh]."""
        ids = {statistic_id(self._entry_id, series): series for series in SERIES}
        rows = await get_instance(self._hass).async_add_executor_job(
            statistics_during_period,
            self._hass,
            _utc(max(span.start, 0)),
            _utc(span.end),
            set(ids),
            "hour",
            {EnergyConverter.UNIT_CLASS: UnitOfEnergy.WATT_HOUR},
            {"sum"},
        )
        return {
            series: {
                round(row["start"]): round(total)
                for row in rows.get(statistic, [])
                if (total := row.get("sum")) is not None
            }
            for statistic, series in ids.items()
        }

    def _write(self, series: str, hours: Iterable[HourlyTotal], texts: Mapping[str, str]) -> None:
        name = texts.get(f"component.{DOMAIN}.common.statistics_{series}", series)
        async_add_external_statistics(
            self._hass,
            StatisticMetaData(
                mean_type=StatisticMeanType.NONE,
                has_sum=True,
                name=f"{self._title}: {name}",
                source=DOMAIN,
                statistic_id=statistic_id(self._entry_id, series),
                unit_class=EnergyConverter.UNIT_CLASS,
                unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
            ),
            [StatisticData(start=_utc(hour.start), state=hour.energy / 1000, sum=hour.total / 1000) for hour in hours],
        )


def statistic_id(entry_id: str, series: str) -> str:
    """Return the name by which the recorder knows a site's statistics of `offtake`, `injection` or `production`."""
    return f"{DOMAIN}:{entry_id.lower()}_{series}"


@callback
def async_forget_statistics(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the statistics of a site that is removed."""
    hass.data.get(_LOCKS, {}).pop(entry_id, None)
    if RECORDER_DOMAIN in hass.config.components:
        get_instance(hass).async_clear_statistics([statistic_id(entry_id, series) for series in SERIES])


def _hours(
    before: int, shown_before: int, shown: Mapping[int, int], quarters: Sequence[QuarterHour], series: str
) -> list[HourlyTotal]:
    return running_totals(before, shown_before, shown, hourly_energies(quarters, series))


def _steps(span: Span) -> Iterator[Span]:
    for start in range(span.start, span.end, STEP):
        yield Span(start, min(start + STEP, span.end))


def _utc(time: int) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def _this_hour() -> int:
    return hour_start(dt_util.utcnow().timestamp())
