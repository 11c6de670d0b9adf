"""What members far away send: gathered for a moment, kept in one transaction, and only then answered."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
import logging
import time
from typing import Any, Final, NamedTuple

from homeassistant.core import callback

from .communities import CommunityMember
from .community import Community
from .const import DOMAIN
from .core.messages import MAX_PAYLOAD, Reading as ReadingMessage, RefusedQuarter, StoredQuarter
from .core.quarter_hour import QuarterHour
from .core.reading_check import refusal
from .ledger import LedgerError
from .ledger_readings import Reading
from .ledger_shares import ShareLedger

_LOGGER = logging.getLogger(__name__)

GATHER: Final = 0.5
"""Messages that come within this time are kept together [s]."""
MOST: Final = MAX_PAYLOAD // 4
"""So much [bytes], and one message more, is kept in one transaction: what comes after an outage takes a while."""

type Waiting = list[tuple[CommunityMember, bytes]]


class Taken(NamedTuple):
    """What became of a message: what is kept durably now and what is refused; nothing is, of another installation."""

    member: CommunityMember
    message: ReadingMessage
    other_device: bool
    stored: tuple[StoredQuarter, ...] = ()
    refused: tuple[RefusedQuarter, ...] = ()


class ReadingInbox:
    """Keeps what members send, in the order in which it comes.

    Parameters
    ----------
    community
        The community.
    states
        What is known of its members, by code; kept with what they send.
    read
        Reads a member's message; None if it is none.
    is_its_device
        Whether a message comes from the installation that uses the member's code.
    answer
        Called with what was kept. Nothing more is kept before it has ended: no answer overtakes an earlier one.
    """

    def __init__(
        self,
        community: Community,
        states: Mapping[str, dict[str, Any]],
        read: Callable[[str, bytes], ReadingMessage | None],
        is_its_device: Callable[[CommunityMember, str], bool],
        answer: Callable[[Sequence[Taken]], Awaitable[None]],
    ) -> None:
        self._community = community
        self._states = states
        self._read = read
        self._is_its_device = is_its_device
        self._answer = answer
        self._waiting: Waiting = []
        self._task: asyncio.Task[None] | None = None

    @callback
    def put(self, member: CommunityMember, payload: bytes) -> None:
        """Take in a message. It is read when its turn comes: all that wait would be many objects."""
        self._waiting.append((member, payload))
        if self._task is None or self._task.done():
            hass, entry = self._community.hass, self._community.entry
            self._task = entry.async_create_background_task(hass, self._empty(), f"{DOMAIN} readings {entry.entry_id}")

    @callback
    def async_stop(self) -> None:
        """Take in nothing any more; what is not answered is sent again."""
        self._waiting.clear()
        if self._task:
            self._task.cancel()

    async def _empty(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER)
            news = False
            while batch := self._next():
                try:
                    taken, changed = await self._keep(batch)
                except LedgerError as error:
                    _LOGGER.warning("%s; %d messages with readings will be sent again", error, len(batch))
                    continue
                news |= changed
                await self._answer(taken)
            if news:
                self._community.wake()

    def _next(self) -> Waiting:
        """Take the first messages out."""
        size = count = 0
        while count < len(self._waiting) and size < MOST:
            size += len(self._waiting[count][1])
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _keep(self, batch: Waiting) -> tuple[list[Taken], bool]:
        """Keep what may be kept; return what became of it, and whether anything has to be divided (anew).

        Raises
        ------
        LedgerError
            Nothing was kept.
        """
        now = time.time()
        taken: list[Taken] = []
        states: dict[str, dict[str, Any]] = {}
        for member, payload in batch:
            await asyncio.sleep(0)  # reading a long one takes some milliseconds
            if (message := self._read(member.member.code, payload)) is None:
                continue
            its = self._is_its_device(member, message.device)
            taken.append(Taken(member, message, other_device=not its))
            if its:
                state = self._states[member.member.code]
                state |= {"seen": message.shares_seen, "heard": int(now)}
                states[member.site] = dict(state)
        if not states:
            return taken, False
        return await self._community.ledger.async_change(lambda shares: self._store(shares, taken, states, now))

    def _store(
        self, shares: ShareLedger, messages: Sequence[Taken], states: Mapping[str, Mapping[str, Any]], now: float
    ) -> tuple[list[Taken], bool]:
        """Keep the readings of some messages, and what is known of their members; in a thread."""
        name = self._community.ledger.name
        closed = shares.closed_until(name) or 0
        kept: dict[str, list[Reading]] = {}
        taken: list[Taken] = []
        for each in messages:
            if each.other_device:
                taken.append(each)
                continue
            readings, refused = self._judge(each, closed, now)
            kept.setdefault(each.member.site, []).extend(readings)
            stored = tuple(StoredQuarter(reading.quarter.start, reading.revision) for reading in readings)
            taken.append(each._replace(stored=stored, refused=refused))
        return taken, bool(shares.take_all(name, kept, states))

    def _judge(self, taken: Taken, closed: int, now: float) -> tuple[list[Reading], tuple[RefusedQuarter, ...]]:
        """Return which quarter-hours of a message may be kept, and which may not."""
        readings: list[Reading] = []
        refused: list[RefusedQuarter] = []
        for each in taken.message.quarters:
            reason = refusal(
                each,
                taken.member.member,
                connection_power=taken.member.connection_power,
                closed_until=closed,
                now=now,
                zone=self._community.zone,
            )
            if reason:
                refused.append(RefusedQuarter(each.start, each.revision, reason))
            else:
                quarter = QuarterHour(each.start, each.offtake, each.injection, each.production, each.quality)
                readings.append(Reading(quarter, each.revision))
        return readings, tuple(refused)
