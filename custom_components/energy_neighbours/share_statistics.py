"""Home Assistant's hourly statistics of what came from the neighbours and from the supplier, as the ledger has them.

A sensor can only say what it knows now: what a quarter-hour was allocated after its end, or days later, would count for
the hour in which that became known. So the statistics of the hours concerned are corrected.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
import time
from typing import Final

from homeassistant.components.recorder import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.const import Platform, UnitOfEnergy
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.recorder import get_instance
from homeassistant.util.unit_conversion import EnergyConverter

from .const import DOMAIN, SHARES_CHANGED
from .core.hourly_totals import hour_start
from .ledger import LedgerError
from .runtime_data import EnergyNeighboursConfigEntry, site_id
from .site_share import SiteShare

KEYS: Final = ("from_neighbours_energy", "from_supplier_energy")
"""The sensors, in the order in which `SiteShare.async_grid_sources` tells their energies."""
HOUR: Final = 3600
MARGIN: Final = 2 * HOUR
"""So much before a change is looked at, too: what was told late has counted for a later hour [s]."""
LOOK_BACK: Final = 60 * 86_400
"""Nothing older than this is corrected [s]."""


class ShareStatistics:
    """Keeps the statistics of the two sensors in step with the ledger.

    Parameters
    ----------
    hass
        Home Assistant.
    entry
        The site's entry.
    share
        Its shares.
    """

    def __init__(self, hass: HomeAssistant, entry: EnergyNeighboursConfigEntry, share: SiteShare) -> None:
        self._hass = hass
        self._entry = entry
        self._share = share
        self._lock = asyncio.Lock()

    @callback
    def async_follow(self) -> None:
        """Correct what shares change from now on, and what they changed while nobody looked."""

        @callback
        def take(starts: Sequence[int]) -> None:
            if starts:
                self._update(min(starts) - MARGIN)

        name = SHARES_CHANGED.format(self._share.belonging.community, self._entry.entry_id)
        self._entry.async_on_unload(async_dispatcher_connect(self._hass, name, take))
        self._update(int(time.time()) - LOOK_BACK)

    @callback
    def _update(self, since: int) -> None:
        if self._hass.is_stopping:
            return  # the recorder stops, too; the next start makes up for it
        self._entry.async_create_background_task(self._hass, self.async_update(since), f"{DOMAIN} share statistics")

    async def async_update(self, since: int) -> None:
        """Correct the hours that are over, from a time on [s, Unix]."""
        if RECORDER_DOMAIN not in self._hass.config.components:
            return
        async with self._lock:
            await get_instance(self._hass).async_block_till_done()
            begin = hour_start(max(since, time.time() - LOOK_BACK))
            with suppress(LedgerError):  # the next change, or the next start, makes up for it
                hours = await self._share.async_grid_sources(begin)
                for place, key in enumerate(KEYS):
                    energies = {start: sources[place] for start, sources in hours.items()}
                    await self._correct(key, begin, energies)

    async def _correct(self, key: str, begin: int, energies: Mapping[int, int]) -> None:
        """Correct the statistics of one sensor."""
        unique_id = f"{site_id(self._entry)}_{key}"
        registry = er.async_get(self._hass)
        if (entity_id := registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)) is None:
            return
        recorder = get_instance(self._hass)
        rows = await recorder.async_add_executor_job(
            statistics_during_period,
            self._hass,
            datetime.fromtimestamp(begin - HOUR, UTC),
            datetime.fromtimestamp(hour_start(time.time()), UTC),
            {entity_id},
            "hour",
            {EnergyConverter.UNIT_CLASS: UnitOfEnergy.WATT_HOUR},
            {"sum"},
        )
        told = [(round(row["start"]), row.get("sum")) for row in rows.get(entity_id, [])]
        for (before, total_before), (start, total) in pairwise(told):
            if start != before + HOUR or total is None or total_before is None:
                continue
            off = energies.get(start, 0) - round(total - total_before)
            if off:
                # What follows moves along, so that only this hour changes; the hour in which it counted too much or too
                # little is one of those that follow, and is corrected in its turn.
                recorder.async_adjust_statistics(
                    entity_id, datetime.fromtimestamp(start, UTC), off, UnitOfEnergy.WATT_HOUR
                )


@callback
def async_follow_shares(hass: HomeAssistant, entry: EnergyNeighboursConfigEntry) -> None:
    """Keep the statistics of a site's shares in step, if it has any."""
    if share := entry.runtime_data.share:
        ShareStatistics(hass, entry, share).async_follow()
