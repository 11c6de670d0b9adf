"""Shares on their way to members far away: each revision whole, and none forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import batched
import logging
import time
from typing import Final

from homeassistant.core import callback

from .communities import CommunityMember
from .community import Community
from .const import DOMAIN
from .core.messages import MAX_QUARTERS, Message, Share as ShareMessage, ShareQuarter, batches
from .core.topics import Kind
from .ledger import LedgerError
from .ledger_shares import Share

_LOGGER = logging.getLogger(__name__)

FEW: Final = 2
"""What is divided at a time is sent at once if it is no more than so many quarter-hours of a member."""
TOGETHER: Final = 10
"""So many members are served at the same time: the client looks through all messages that are not confirmed."""

type Publish = Callable[[CommunityMember, Kind, Message], Awaitable[bool]]
"""Sends a member a message; tells whether the broker has taken it."""


class SharePost:
    """Sends members their shares.

    Parameters
    ----------
    community
        The community.
    members
        Its members that are far away, by code.
    publish
        How a message is sent.
    """

    def __init__(self, community: Community, members: Mapping[str, CommunityMember], publish: Publish) -> None:
        self._community = community
        self._members = members
        self._by_site = {each.site: each for each in members.values()}
        self._publish = publish
        self._nothing_after: dict[str, int] = {}
        """A revision after which there are no shares of a member, by code; unknown until it was looked for."""
        self._waiting: dict[str, dict[int, Share]] = {}
        """Shares to be sent, by code and start: newer ones take the place of older ones."""
        self._go_on: dict[str, int | None] = {}
        """After which revision these come, by code."""
        self._behind: dict[str, int] = {}
        """After which revision members are sent all that the ledger has, by code: too much was divided to be kept."""
        self._locks = {code: asyncio.Lock() for code in members}
        self._task: asyncio.Task[None] | None = None

    @callback
    def send(self, changed: Mapping[str, Sequence[Share]]) -> None:
        """Send shares that came or changed, by site."""
        for site, shares in changed.items():
            if not shares or (member := self._by_site.get(site)) is None:
                continue
            code = member.member.code
            self._go_on.setdefault(code, self._nothing_after.get(code))
            self._nothing_after[code] = max(share.revision for share in shares)
            waiting = self._waiting.setdefault(code, {})
            waiting.update({share.start: share for share in shares} if len(shares) <= FEW else {})
            if len(shares) > FEW or len(waiting) > MAX_QUARTERS:
                del self._waiting[code]
                self._behind.setdefault(code, self._go_on.pop(code) or 0)
        if self._task is None or self._task.done():
            hass, entry = self._community.hass, self._community.entry
            self._task = entry.async_create_background_task(hass, self._empty(), f"{DOMAIN} shares {entry.entry_id}")

    @callback
    def forget(self) -> None:
        """Know no more what members were sent: revisions have changed."""
        self._nothing_after.clear()

    @callback
    def async_stop(self) -> None:
        """Send nothing any more; what was not sent is missed and sent again."""
        self._waiting.clear()
        self._behind.clear()
        if self._task:
            self._task.cancel()

    async def _empty(self) -> None:
        while self._waiting or self._behind:
            while self._waiting:
                codes = next(batched(self._waiting, TOGETHER, strict=False))
                # Taken out when its turn comes, so that what changes until then goes in the same message.
                parts = [
                    (self._members[code], list(self._waiting.pop(code).values()), self._go_on.pop(code))
                    for code in codes
                ]
                await asyncio.gather(*(self._send(*part) for part in parts))
            await self._community.async_divided()
            behind, self._behind = self._behind, {}
            for some in batched(behind.items(), TOGETHER, strict=False):
                await asyncio.gather(*(self.async_catch_up(self._members[code], after) for code, after in some))

    async def async_catch_up(self, member: CommunityMember, after: int) -> None:
        """Send the shares that a member does not hold yet, or later, if the ledger cannot be read now."""
        try:
            await self.async_send_after(member, after)
        except LedgerError as error:
            _LOGGER.debug("%s; the shares of member %s are sent when it is heard again", error, member.member.code)

    async def async_send_after(self, member: CommunityMember, revision: int) -> None:
        """Send the shares that a member does not hold yet, which are those after a revision.

        Raises
        ------
        LedgerError
            What is known cannot be read.
        """
        code, name = member.member.code, self._community.ledger.name
        while (known := self._nothing_after.get(code)) is None or revision < known:
            shares = await self._community.ledger.async_look(
                lambda found, revision=revision: found.shares_after(name, member.site, revision, MAX_QUARTERS)  # type: ignore[misc]
            )
            if not shares:
                if self._nothing_after.get(code) == known:  # nothing has come meanwhile
                    self._nothing_after[code] = revision
                return
            if not await self._send(member, shares, revision):
                return
            revision = max(share.revision for share in shares)

    async def _send(self, member: CommunityMember, shares: Sequence[Share], after: int | None) -> bool:
        """Send all shares that come after a revision; return whether the broker took all of them.

        Whoever does not hold that revision asks for what it missed; where it is not known, for more than needed.
        """
        async with self._locks[member.member.code]:
            for part in _parts(shares):
                revision = part[-1].revision
                message = ShareMessage(
                    issued_at=int(time.time()),
                    revision=revision,
                    after=revision - 1 if after is None else min(after, revision - 1),
                    quarters=tuple(map(_quarter, part)),
                )
                if not await self._publish(member, Kind.SHARE, message):
                    return False
                after = revision
        return True


def _parts(shares: Sequence[Share]) -> Iterator[Sequence[Share]]:
    """Cut shares into messages, the oldest revisions first; a message tells revisions whole if that can be."""
    by_revision: dict[int, list[Share]] = {}
    for share in shares:
        by_revision.setdefault(share.revision, []).append(share)
    part: list[Share] = []
    for _, those in sorted(by_revision.items()):
        if part and len(part) + len(those) > MAX_QUARTERS:
            yield part
            part = []
        part += those
        if len(part) > MAX_QUARTERS:
            yield from batches(part)
            part = []
    if part:
        yield part


def _quarter(share: Share) -> ShareQuarter:
    return ShareQuarter(
        share.start,
        share.offered or 0,
        share.allocated or 0,
        None,
        share.revision,
        share.provisional,
        share.version,
    )
