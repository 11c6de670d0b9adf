"""What an organiser tells all members of a community: its charter, and sums that hide every single one."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
import logging
import time
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, callback

from .charters import charter_of
from .communities import CONF_COMMUNITY, CONF_SIGNING_KEY, CONF_THRESHOLD, DEFAULT_THRESHOLD
from .community import Community
from .community_link import CommunityLink
from .const import DOMAIN
from .core.aggregates import Bucket, public_totals
from .core.messages import CommunityTotals, encode, encode_signed
from .core.quarter_hour import QUARTER, QUARTERS_PER_HOUR, Span, quarter_start
from .core.topics import Kind, community_topic
from .ledger import LedgerError
from .ledger_shares import ALL_WHO_AGREED, Total

_LOGGER = logging.getLogger(__name__)

TOLD: Final = 96
"""Of so many quarter-hours the sums are told: those of a day."""
GATHER: Final = 2.0
"""What is divided within this time is told together [s]."""


class CommunityNews:
    """Publishes the charter and the sums of a community.

    Parameters
    ----------
    community
        The community.
    link
        Its connection to the broker.
    """

    def __init__(self, community: Community, link: CommunityLink) -> None:
        self._community = community
        self._link = link
        self._name: str = community.entry.data[CONF_COMMUNITY]
        self._cancel: list[CALLBACK_TYPE] = []
        self._task: asyncio.Task[None] | None = None
        self._totals_due = self._charter_due = False

    @callback
    def async_start(self) -> None:
        """Tell at each connection, and when something is divided."""
        self._cancel = [
            self._link.link.async_add_listener(self._connected),
            self._community.async_add_share_listener(self._tell),
        ]

    @callback
    def async_stop(self) -> None:
        """Tell nothing any more."""
        while self._cancel:
            self._cancel.pop()()
        if self._task:
            self._task.cancel()
            self._task = None

    @callback
    def _connected(self) -> None:
        if self._link.link.connected:
            self._charter_due = True
            self._tell()

    @callback
    def _tell(self, _changed: Any = None) -> None:
        self._totals_due = True
        if self._task is None or self._task.done():
            hass, entry = self._community.hass, self._community.entry
            self._task = entry.async_create_background_task(hass, self._publish(), f"{DOMAIN} news {entry.entry_id}")

    async def _publish(self) -> None:
        while self._totals_due:
            if self._charter_due:
                self._charter_due = False
                await self.async_publish_charter()
            await asyncio.sleep(GATHER)
            self._totals_due = False  # what comes from now on is told in another round
            try:
                totals = await self.async_totals(quarter_start(time.time()))
            except LedgerError as error:
                _LOGGER.debug("%s", error)
                return
            topic = community_topic(self._name, Kind.COMMUNITY)
            await self._link.link.async_publish(topic, _fitting(totals), retain=True)

    async def async_publish_charter(self) -> None:
        """Publish the charter, signed."""
        entry = self._community.entry
        payload = await self._community.hass.async_add_executor_job(
            encode_signed, charter_of(entry), entry.options[CONF_SIGNING_KEY]
        )
        await self._link.link.async_publish(community_topic(self._name, Kind.CHARTER), payload, retain=True)

    async def async_totals(self, end: int) -> CommunityTotals:
        """Return the sums of the last day that members may see; `LedgerError` if they cannot be read."""
        community = self._community
        span, name = Span(end - TOLD * QUARTER, end), community.ledger.name
        groups = sorted({each.member.group for each in community.members} - {""})
        whole = await community.ledger.async_look(lambda shares: shares.totals(name, ALL_WHO_AGREED, span))
        parts = await community.ledger.async_look(
            lambda shares: {group: shares.totals(name, group, span) for group in groups}
        )
        k = community.entry.options.get(CONF_THRESHOLD, DEFAULT_THRESHOLD)
        found = public_totals(_buckets(whole), {group: _buckets(totals) for group, totals in parts.items()}, k)
        return CommunityTotals(issued_at=int(time.time()), quarters=found.whole, groups=found.groups)


def _buckets(totals: Iterable[Total]) -> Sequence[Bucket]:
    return [
        Bucket(each.start, each.known, each.production, each.offtake, each.allocated, each.surplus) for each in totals
    ]


def _fitting(totals: CommunityTotals) -> bytes:
    """Write the sums; of fewer quarter-hours, the last ones, where many groups make them too long for one message."""
    for count in (TOLD, TOLD // 2, TOLD // 4, QUARTERS_PER_HOUR):
        try:
            return encode(_last(totals, count))
        except ValueError:
            continue
    return encode(replace(_last(totals, TOLD), groups={}))


def _last(totals: CommunityTotals, count: int) -> CommunityTotals:
    quarters = totals.quarters[-count:]
    first = quarters[0].start if quarters else 0
    groups = {name: tuple(each for each in of_group if each.start >= first) for name, of_group in totals.groups.items()}
    return replace(totals, quarters=quarters, groups={name: found for name, found in groups.items() if found})
