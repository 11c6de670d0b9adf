"""What a loaded config entry holds."""

from collections.abc import Sequence
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .communities import is_community
from .community import Community
from .const import DOMAIN, QUARTERS_BOOKED
from .contracts import contract_of, contract_subentry
from .core.contract import ContractError
from .core.quarter_hour import QuarterHour
from .faults import FaultList
from .site import Site
from .site_costs import SiteCosts
from .site_share import SiteShare, belonging_of
from .site_tariff import SiteTariff
from .tariff_library import shipped_grids


class LoadedSite(Site):
    """A site with what stands on its measurements.

    `tariff` is None without a contract, `share` without a community. They and `costs` are there once `async_begin` has
    ended.
    """

    tariff: SiteTariff | None = None
    costs: SiteCosts | None = None
    share: SiteShare | None = None
    _contract_faults: FaultList | None = None

    async def async_begin(self, entry: ConfigEntry[Any]) -> None:
        """Begin to measure, to follow the tariff of the contract, if there is one, and what energy costs."""
        await self._read_contract(entry)
        if self.tariff:
            await self.tariff.async_start()
            self.prices = self.tariff
        await self.async_start()
        if self.tariff:
            check_clock = self.tariff.check_clock
            self._cancel += [
                self.async_add_writer(self.tariff.check),
                self.async_watch(lambda _live: check_clock()),  # every second while the meter speaks
            ]
        self.costs = SiteCosts(self.hass, entry, self, self.tariff)
        await self.costs.async_start()
        self._cancel.append(self.async_add_boundary_listener(self._tell_neighbours))
        if belonging := belonging_of(self.hass, entry):
            self.share = SiteShare(self.hass, entry, belonging, self.tariff)
            await self.share.async_start()

    @callback
    def _tell_neighbours(self, quarters: Sequence[QuarterHour]) -> None:
        starts = [quarter.start for quarter in quarters]
        async_dispatcher_send(self.hass, QUARTERS_BOOKED.format(self.entry_id), starts)

    async def _read_contract(self, entry: ConfigEntry[Any]) -> None:
        if contract_subentry(entry):
            grids = await self.hass.async_add_executor_job(shipped_grids)
            try:
                contract = contract_of(entry, grids)
            except ContractError as err:
                # What is measured is worth more than what it costs: the site lives on without.
                self._contract_faults = FaultList(self.hass, entry.entry_id, entry.title)
                self._contract_faults.update({"contract_unreadable": {"reason": str(err)}})
            else:
                if contract:
                    self.zone = contract.zone
                    self.tariff = SiteTariff(self.hass, entry, contract)

    @override
    async def async_stop(self) -> None:
        if self.share:
            await self.share.async_stop()
        if self.costs:
            self.costs.stop()
        await super().async_stop()
        if self.tariff:  # after the prices of what is not booked yet were kept
            self.tariff.stop()
        if self._contract_faults:
            self._contract_faults.clear()


type EnergyNeighboursConfigEntry = ConfigEntry[LoadedSite]
type CommunityConfigEntry = ConfigEntry[Community]


def site_id(entry: EnergyNeighboursConfigEntry) -> str:
    """Return the lasting identity of a site: its Fluksometer's, else its entry's."""
    return entry.unique_id or entry.entry_id


@callback
def loaded_sites(hass: HomeAssistant) -> list[EnergyNeighboursConfigEntry]:
    """Return the entries of the sites that are loaded."""
    return [entry for entry in hass.config_entries.async_loaded_entries(DOMAIN) if not is_community(entry)]
