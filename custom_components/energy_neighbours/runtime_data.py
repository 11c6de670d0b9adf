"""What a loaded config entry holds."""

from collections.abc import Sequence
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .brokers import CONF_BROKER, read_broker
from .communities import CONF_COMMUNITY, CommunityError, is_community, shared_tariff_of
from .community import Community
from .community_ledger import CommunityLedger, async_open_community_ledger
from .community_link import CommunityLink
from .community_news import CommunityNews
from .const import DOMAIN, QUARTERS_BOOKED
from .contracts import contract_of, contract_subentry
from .core.charter import tariff_of
from .core.contract import ContractError
from .core.quarter_hour import QuarterHour
from .faults import FaultList
from .forgetting import async_before_forgetting
from .leaving import async_end_membership
from .live_shares import LiveShares
from .membership import Membership
from .memberships import membership_of, membership_subentry
from .site import Site
from .site_costs import SiteCosts
from .site_share import SharingTerms, SiteShare, belonging_of
from .site_tariff import SiteTariff
from .tariff_library import shipped_grids

_LOGGER = logging.getLogger(__name__)


class LoadedSite(Site):
    """A site with what stands on its measurements.

    `tariff` is None without a contract, `share` without a community, `membership` without one that is far away. They
    and `costs` are there once `async_begin` has ended.
    """

    tariff: SiteTariff | None = None
    costs: SiteCosts | None = None
    share: SiteShare | None = None
    membership: Membership | None = None
    _membership_ledger: CommunityLedger | None = None
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
        if terms := membership_of(entry):
            self._membership_ledger = await async_open_community_ledger(self.hass, terms.name)
            self.membership = Membership(
                self.hass, self.entry_id, self._membership_ledger, terms, lambda: self.power_now
            )
            await self.membership.async_load()
        if belonging := belonging_of(self.hass, entry):
            self.share = SiteShare(self.hass, entry, belonging, belonging.terms or self._charter_terms(), self.tariff)
            await self.share.async_start()
        if self.membership:
            self._cancel.append(self.membership.async_add_listener(self._take_charter))
            await self.membership.async_start(entry)

    @property
    def power_now(self) -> tuple[float, float | None]:
        """The moment [s, Unix] of the latest power, and the grid power then [W]; None if it is not known."""
        return self.live.time, self.live.balance.grid if self.connected else None

    def _charter_terms(self) -> SharingTerms:
        """Return what the charter of the community far away says."""
        assert self.membership  # noqa: S101 - it is asked only with one
        charter, zone = self.membership.notes.charter, self.membership.notes.zone
        return SharingTerms(zone or self.zone, tariff_of(charter) if charter else None)

    def _end_membership(self) -> None:
        """Forget a membership whose subentry was removed."""
        entry, membership = self.hass.config_entries.async_get_entry(self.entry_id), self.membership
        if membership and entry and membership_subentry(entry) is None:
            ending = async_end_membership(self.hass, membership.terms, told=membership.has_left)
            # The broker may take its time.
            self.hass.async_create_background_task(ending, f"{DOMAIN} leaving {self.entry_id}")

    @callback
    def _take_charter(self) -> None:
        if self.share and self.share.belonging.terms is None:
            self.share.take_terms(self._charter_terms())

    @callback
    def _tell_neighbours(self, quarters: Sequence[QuarterHour]) -> None:
        starts = [quarter.start for quarter in quarters]
        async_dispatcher_send(self.hass, QUARTERS_BOOKED.format(self.entry_id), starts)

    @override
    async def _forget(self, before: int) -> None:
        if entry := self.hass.config_entries.async_get_entry(self.entry_id):
            try:
                await async_before_forgetting(self.hass, entry, self.zone, before)
            except CommunityError as error:
                _LOGGER.warning("%s forgets nothing until its community can be read: %s", entry.title, error)
                return
        await super()._forget(before)

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
        if self.membership:
            await self.membership.async_stop()
        if self._membership_ledger:
            await self._membership_ledger.async_close()
            self._membership_ledger = None
        self._end_membership()
        if self.share:
            await self.share.async_stop()
        if self.costs:
            self.costs.stop()
        await super().async_stop()
        if self.tariff:  # after the prices of what is not booked yet were kept
            self.tariff.stop()
        if self._contract_faults:
            self._contract_faults.clear()


class LoadedCommunity(Community):
    """A community with what connects it to members far away, and what they probably get now.

    `link` and `news` are None without a broker.
    """

    link: CommunityLink | None = None
    news: CommunityNews | None = None
    live: LiveShares | None = None

    async def async_begin(self, entry: ConfigEntry[Any]) -> None:
        """Begin to divide, and to talk to the members; `CommunityError` if what they agreed cannot be read."""
        shared_tariff_of(entry.options)  # asked for when nobody is there to see what is wrong with it
        await self.async_start()
        if settings := entry.options.get(CONF_BROKER):
            self.link = CommunityLink(self.hass, self, entry.data[CONF_COMMUNITY], read_broker(settings))
            self.news = CommunityNews(self, self.link)
            await self.link.async_start(entry)
            self.news.async_start()
        self.live = LiveShares(self.hass, self, self.link, local_power)
        self.live.async_start()

    @override
    async def async_stop(self) -> None:
        if self.live:
            self.live.async_stop()
        if self.news:
            self.news.async_stop()
        if self.link:
            await self.link.async_stop()
        await super().async_stop()


type EnergyNeighboursConfigEntry = ConfigEntry[LoadedSite]
type CommunityConfigEntry = ConfigEntry[LoadedCommunity]


@callback
def local_power(hass: HomeAssistant, site: str) -> tuple[float, float | None]:
    """Return the moment [s, Unix] and the grid power [W] of a site of this Home Assistant; None if it is not known."""
    entry: EnergyNeighboursConfigEntry | None = hass.config_entries.async_get_entry(site)
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        return 0, None
    return entry.runtime_data.power_now


def site_id(entry: EnergyNeighboursConfigEntry) -> str:
    """Return the lasting identity of a site: its Fluksometer's, else its entry's."""
    return entry.unique_id or entry.entry_id


@callback
def loaded_sites(hass: HomeAssistant) -> list[EnergyNeighboursConfigEntry]:
    """Return the entries of the sites that are loaded."""
    return [entry for entry in hass.config_entries.async_loaded_entries(DOMAIN) if not is_community(entry)]
