"""What a site gets from its neighbours: the shares of a community that stand in this Home Assistant's ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
import logging
import time
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .communities import CommunityError, communities_of_site, region_of, shared_tariff_of
from .community_ledger import CommunityLedger, async_open_community_ledger
from .const import DOMAIN, HISTORY_CHANGED, LIVE_SHARE, SHARES_CHANGED
from .core.indicators import SharingSums
from .core.quarter_hour import QUARTER, Span, day_of, local_day, local_month, midnight
from .core.sharing_costs import SharedTariff, saving, shared_contract
from .ledger import LedgerError
from .ledger_shares import Share
from .memberships import membership_of
from .site_tariff import SiteTariff

_LOGGER = logging.getLogger(__name__)

FRESH: Final = 60
"""A power that is older than this is not believed any more [s]."""
PENDING: Final = 24 * 3600
"""So long a quarter-hour's share may be awaited [s]; then its energy counts as the supplier's, until it comes."""


@dataclass(frozen=True, slots=True)
class SharingTerms:
    """What a community says to all its members.

    Parameters
    ----------
    zone
        Where it lies.
    tariff
        What it asks for a kWh; None if it has not said so.
    """

    zone: ZoneInfo
    tariff: SharedTariff | None


@dataclass(frozen=True, slots=True)
class Belonging:
    """A site's place in a community.

    Parameters
    ----------
    community
        The community's name in the ledger.
    code
        The site's member code.
    joined, left
        Between which days the site belongs to it.
    terms
        The community's; None if its organiser tells them in a charter.
    """

    community: str
    code: str
    joined: date
    left: date | None
    terms: SharingTerms | None


@callback
def belonging_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Belonging | None:
    """Return the place of a site in a community; the first one if it is in several.

    A community that cannot be read is left out: what a site measures is worth more, and the community says so itself.
    """
    try:
        for community, member in communities_of_site(hass, entry.entry_id):
            if member.member.consumes:
                return Belonging(
                    community.entry_id,
                    member.member.code,
                    member.member.joined,
                    member.member.left,
                    SharingTerms(region_of(community).zone, shared_tariff_of(community.options)),
                )
    except CommunityError as error:
        _LOGGER.warning("%s does without its shares: %s", entry.title, error)
    if membership := membership_of(entry):
        return Belonging(membership.name, membership.code, membership.since, None, None)
    return None


class SiteShare:
    """A site's shares: sums of today, of this month, and since it joined.

    Parameters
    ----------
    hass
        Home Assistant.
    entry
        The site's entry.
    belonging
        Its place in a community.
    terms
        The community's, as far as they are known.
    tariff
        What its contract says, for what sharing saves.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        belonging: Belonging,
        terms: SharingTerms,
        tariff: SiteTariff | None,
    ) -> None:
        self._hass = hass
        self._entry = entry
        self.belonging = belonging
        self.terms = terms
        self._tariff = tariff
        self._ledger: CommunityLedger | None = None
        self.today: SharingSums | None = None
        self.month: SharingSums | None = None
        self.saving: Decimal | None = None
        self.from_neighbours: int | None = None
        """Allocated since it joined [Wh]; None while it is not known."""
        self.from_supplier: int | None = None
        """Taken since it joined and not allocated [Wh]."""
        self.last: Share | None = None
        """The latest of this month that will probably not change any more."""
        self.provisional = 0
        """How many quarter-hours of this month may still change."""
        self._live: tuple[float, int] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._cancel: list[CALLBACK_TYPE] = []
        self._cancel_midnight: CALLBACK_TYPE | None = None
        self._refreshing = self._again = False

    @property
    def day_span(self) -> Span:
        """The local day."""
        return local_day(day_of(time.time(), self.terms.zone), self.terms.zone)

    @property
    def month_span(self) -> Span:
        """The local month."""
        return local_month(day_of(time.time(), self.terms.zone), self.terms.zone)

    @property
    def power(self) -> int | None:
        """What probably comes from the neighbours now [W]; None if nobody told so lately."""
        if self._live is None or abs(time.time() - self._live[0]) > FRESH:
            return None
        return self._live[1]

    @callback
    def take_terms(self, terms: SharingTerms) -> None:
        """Take note that the community says something else now."""
        if terms != self.terms:
            self.terms = terms
            self.refresh()

    @property
    def price(self) -> Decimal | None:
        """What a kWh of the neighbours costs now [€/kWh], with all that comes on top if the site's contract tells it.

        None if it is not known.
        """
        tariff, asked = self._tariff, self.terms.tariff
        if asked is None:
            return None
        if tariff is None:
            return asked.price_at(time.time(), self.terms.zone, None)
        shared = shared_contract(tariff.contract, asked)
        return tariff.price_under(shared) if shared else None

    async def async_start(self) -> None:
        """Work out what is known, and follow what comes."""
        self._ledger = await async_open_community_ledger(self._hass, self.belonging.community)

        @callback
        def take(_starts: Any) -> None:
            self.refresh()

        @callback
        def take_live(now: float, power: int) -> None:
            self._live = now, power
            self._tell()

        names = self.belonging.community, self._entry.entry_id
        self._cancel = [
            async_dispatcher_connect(self._hass, SHARES_CHANGED.format(*names), take),
            async_dispatcher_connect(self._hass, LIVE_SHARE.format(*names), take_live),
            async_dispatcher_connect(self._hass, HISTORY_CHANGED.format(self._entry.entry_id), take),
        ]
        await self._async_refresh()
        self._await_midnight()

    async def async_stop(self) -> None:
        """Follow nothing any more."""
        while self._cancel:
            self._cancel.pop()()
        if self._cancel_midnight:
            self._cancel_midnight()
            self._cancel_midnight = None
        if self._ledger:
            await self._ledger.async_close()
            self._ledger = None

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `listener` when shares came or a day began."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def async_shares(self, span: Span) -> list[Share]:
        """Return the shares of a span, in order; `LedgerError` if they cannot be read."""
        assert self._ledger  # noqa: S101 - it is asked only while it is started
        name, site = self.belonging.community, self._entry.entry_id
        return await self._ledger.async_look(lambda ledger: ledger.shares(name, site, span))

    async def async_grid_sources(self, since: int = 0) -> dict[int, tuple[int, int]]:
        """Return what came from the neighbours and from the supplier since it joined, by hour [Wh].

        Parameters
        ----------
        since
            Nothing before this is told [s, Unix].

        Raises
        ------
        LedgerError
            It cannot be read.
        """
        assert self._ledger  # noqa: S101 - it is asked only while it is started
        return await self._grid_sources(self._ledger, since)

    async def _grid_sources(self, ledger: CommunityLedger, since: int = 0) -> dict[int, tuple[int, int]]:
        name, site, now = self.belonging.community, self._entry.entry_id, int(time.time())
        zone, left = self.terms.zone, self.belonging.left
        span = Span(max(since, midnight(self.belonging.joined, zone)), now + QUARTER)
        until = span.end if left is None else midnight(left, zone)
        return await ledger.async_look(lambda found: found.grid_sources(name, site, span, until, now - PENDING))

    @callback
    def _await_midnight(self) -> None:
        self._cancel_midnight = async_track_point_in_utc_time(
            self._hass, self._begin_day, dt_util.utc_from_timestamp(self.day_span.end)
        )

    @callback
    def _begin_day(self, _now: datetime) -> None:
        self._await_midnight()
        self.refresh()

    @callback
    def refresh(self) -> None:
        """Work out again what is known."""
        self._entry.async_create_task(self._hass, self._async_refresh(), f"{DOMAIN} shares")

    async def _async_refresh(self) -> None:
        self._again = True
        if self._refreshing:
            return
        self._refreshing = True
        try:
            while self._again and self._ledger:
                self._again = False
                await self._work_out(self._ledger)
        except LedgerError as error:
            _LOGGER.warning("The shares of %s cannot be worked out: %s", self._entry.title, error)
        finally:
            self._refreshing = False
        self._tell()

    @callback
    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    async def _work_out(self, ledger: CommunityLedger) -> None:
        name, site = self.belonging.community, self._entry.entry_id
        day, month = self.day_span, self.month_span
        shares = await ledger.async_look(lambda found: found.shares(name, site, month))
        today = await ledger.async_look(lambda found: found.site_sums(name, site, day))
        whole = await ledger.async_look(lambda found: found.site_sums(name, site, month))
        known = [share for share in shares if share.allocated is not None]
        self.today = _sums([share for share in known if share.start >= day.start], today[1])
        self.month = _sums(known, whole[1])
        self.provisional = sum(share.provisional for share in shares)
        self.last = next((share for share in reversed(known) if not share.provisional), None)
        carried = await ledger.async_look(lambda found: found.carried(name, site))
        hours = await self._grid_sources(ledger, carried.until)
        self.from_neighbours = carried.neighbours + sum(neighbours for neighbours, _ in hours.values())
        self.from_supplier = carried.supplier + sum(supplier for _, supplier in hours.values())
        self.saving = await self._saving(known, month)

    async def _saving(self, shares: Sequence[Share], month: Span) -> Decimal | None:
        """Return what this month's shares saved [€]."""
        tariff, asked = self._tariff, self.terms.tariff
        if tariff is None or asked is None:
            return None
        holidays = await tariff.async_need_holidays(month, asked.grid)
        allocated = [(share.start, share.allocated or 0) for share in shares]
        prices = await self._entry.runtime_data.ledger.async_prices(month)
        return await self._hass.async_add_executor_job(saving, allocated, tariff.contract, asked, holidays, prices)


def _sums(shares: Sequence[Share], offtake: int) -> SharingSums:
    return SharingSums(
        offtake, sum(share.offered or 0 for share in shares), sum(share.allocated or 0 for share in shares)
    )
