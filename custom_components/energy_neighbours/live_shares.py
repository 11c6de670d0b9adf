"""What the members of a community probably get of its energy now: provisional, until the quarter-hour is divided."""

from collections.abc import Callable
from datetime import timedelta
import logging
import time
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.importlib import async_import_module

from .communities import Source
from .community import Community
from .community_link import CommunityLink
from .const import LIVE_SHARE
from .core.quarter_hour import QUARTER, QUARTERS_PER_HOUR, Span, quarter_start
from .ledger import LedgerError

_LOGGER = logging.getLogger(__name__)

PAUSE: Final = timedelta(seconds=10)
"""So often it is worked out."""
FRESH: Final = 60
"""A power that is older than this is not believed any more [s]."""
RECENT: Final = 4 * QUARTER
"""Who does not tell its power is taken to use what it used in its last quarter-hour, if that ended not longer ago."""
LOOK_AGAIN: Final = 60
"""The ledger is asked for those quarter-hours so often [s]."""

type Powers = dict[str, tuple[int, int]]
"""Offtake and injection by member code [W]."""


class LiveShares:
    """Works out what each member probably gets now, and tells it.

    Parameters
    ----------
    hass
        Home Assistant.
    community
        The community.
    link
        Its connection to members far away; None without any.
    local_power
        Tells the moment [s, Unix] and the grid power [W] of a site of this Home Assistant.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        community: Community,
        link: CommunityLink | None,
        local_power: Callable[[HomeAssistant, str], tuple[float, float | None]],
    ) -> None:
        self._hass = hass
        self._community = community
        self._link = link
        self._local_power = local_power
        self._cancel: CALLBACK_TYPE | None = None
        self._recent: Powers = {}
        self._looked = 0.0
        self._working = False
        self.powers: Powers = {}
        """Of whom something is known now."""
        self.shares: dict[str, int] = {}
        """What each member probably gets [W], by code."""

    @callback
    def async_start(self) -> None:
        """Tell every few seconds."""
        self._cancel = async_track_time_interval(self._hass, self._tick, PAUSE)

    @callback
    def async_stop(self) -> None:
        """Tell nothing any more."""
        if self._cancel:
            self._cancel()
            self._cancel = None

    async def _tick(self, _now: Any) -> None:
        if self._working:
            return  # a slow machine need not do more than it can
        self._working = True
        try:
            await self.async_update(time.time())
        except LedgerError as error:
            _LOGGER.debug("%s", error)
        finally:
            self._working = False

    async def async_update(self, now: float) -> None:
        """Work out what each member probably gets, and tell it; `LedgerError` if what is known cannot be read."""
        told = self._told_powers(now)
        # Without anybody who tells what is produced now, nothing can be said of now.
        if not any(each.member.code in told for each in self._community.members if each.member.produces):
            self.powers, self.shares = {}, {}
            return
        if now - self._looked > LOOK_AGAIN:
            self._looked, self._recent = now, await self._recent_powers(now)
        self.powers = {**self._recent, **told}
        start = quarter_start(now)
        given = await self._community.async_coefficients(Span(start, start + QUARTER))
        division = await async_import_module(self._hass, f"{__package__}.division")
        self.shares = await self._hass.async_add_executor_job(
            division.divide_power, self._community.rules, self._community.members, int(now), self.powers, given
        )
        await self._tell(now)

    def _told_powers(self, now: float) -> Powers:
        """Return the powers that were told within the last minute."""
        found: Powers = {}
        for each in self._community.members:
            code = each.member.code
            if each.source is Source.LOCAL:
                moment, power = self._local_power(self._hass, each.site)
                if power is not None and abs(now - moment) <= FRESH:
                    found[code] = round(max(power, 0)), round(max(-power, 0))
            elif self._link and (live := self._link.live.get(code)) and abs(now - live.time) <= FRESH:
                found[code] = live.offtake, live.injection
        return found

    async def _recent_powers(self, now: float) -> Powers:
        """Return the mean power of each member's last quarter-hour."""
        sites = [each.site for each in self._community.members]
        end = quarter_start(now)
        span = Span(end - RECENT, end)
        readings = await self._community.ledger.async_look(lambda shares: shares.readings(sites, span))
        found: Powers = {}
        for each in self._community.members:
            known = [reading.quarter for _, reading in sorted(readings[each.site].items())]
            if not known:
                continue
            # Nobody asks for what a member does not do.
            offtake = known[-1].offtake if each.member.consumes else 0
            injection = known[-1].injection if each.member.produces else 0
            if offtake is not None and injection is not None:
                found[each.member.code] = offtake * QUARTERS_PER_HOUR, injection * QUARTERS_PER_HOUR
        return found

    async def _tell(self, now: float) -> None:
        far: dict[str, int] = {}
        for each in self._community.members:
            if (power := self.shares.get(each.member.code)) is None:
                continue
            if each.source is Source.LOCAL:
                name = LIVE_SHARE.format(self._community.ledger.name, each.site)
                async_dispatcher_send(self._hass, name, now, power)
            elif each.source is Source.REMOTE:
                far[each.member.code] = power
        if self._link and far:
            await self._link.async_tell_live(far)
