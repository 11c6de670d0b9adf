"""A household's side of the broker: its readings go out until they are acknowledged, its shares come in."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
import logging
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.event import async_call_later, async_track_time_interval

from .community_ledger import CommunityLedger
from .const import DOMAIN, HISTORY_CHANGED, QUARTERS_BOOKED, SHARES_CHANGED
from .core.message_fields import MessageError
from .core.messages import (
    MAX_QUARTERS,
    Consent,
    LiveShare,
    Message,
    Reading as ReadingMessage,
    ReadingQuarter,
    Request,
    Share as ShareMessage,
    decode,
    encode,
)
from .core.quarter_hour import Span
from .core.topics import Kind, member_filters, member_topic, parse_topic
from .ledger import LedgerError
from .ledger_shares import Share, ShareLedger
from .link import Broker, Link

_LOGGER = logging.getLogger(__name__)

SEND_AGAIN: Final = 60.0
"""What was not acknowledged is sent again after this time [s], and then each time after twice as long."""
LONGEST_PAUSE: Final = 900.0
GATHER: Final = 0.5
"""Quarter-hours that come within this time go in one message [s]."""
TICK: Final = timedelta(seconds=60)
_KINDS: Final[dict[Kind, type[Message]]] = {
    Kind.REQUEST: Request,
    Kind.SHARE: ShareMessage,
    Kind.LIVE_SHARE: LiveShare,
}


class Membership:
    """Talks to the organiser of a community for one site.

    What has to be sent is what the ledger holds and the organiser is not known to have: nothing can be forgotten, and
    an outage of either side only delays it.

    Parameters
    ----------
    hass
        Home Assistant.
    site
        The site's name in the ledger.
    ledger
        The membership in the ledger.
    community, code
        The community's id on the broker, and the site's member code.
    device
        Random id of this installation.
    broker
        Where the broker is.
    joined
        Since when the site belongs to it [s, Unix]: nothing before is sent.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        site: str,
        ledger: CommunityLedger,
        *,
        community: str,
        code: str,
        device: str,
        broker: Broker,
        joined: int,
    ) -> None:
        self._hass = hass
        self._site = site
        self._ledger = ledger
        self._community = community
        self._code = code
        self._device = device
        self._joined = joined
        self.link = Link(hass, broker, member_filters(community, code), self._receive, self._greet)
        self.consent_readings = True
        self.other_device = False
        """Whether the organiser takes another installation for the one that has this code."""
        self.dropped = 0
        """How many messages could not be understood."""
        self.share_now: LiveShare | None = None
        """What the organiser told last of the power from the neighbours."""
        self.last_sent: ReadingMessage | None = None
        self._seen = 0
        self._lock = asyncio.Lock()
        self._cancel: list[CALLBACK_TYPE] = []
        self._cancel_send: CALLBACK_TYPE | None = None
        self._pause = SEND_AGAIN
        self._flying: dict[tuple[int, int], float] = {}
        """When readings were sent that are not answered yet, by start and revision."""

    async def async_start(self, entry: ConfigEntry[Any]) -> None:
        """Connect, and send what is not acknowledged."""
        self._seen = await self._ledger.async_look(lambda shares: shares.revision(self._ledger.name))

        @callback
        def send(_news: Any) -> None:
            self._send_soon()

        self._cancel = [
            async_dispatcher_connect(self._hass, QUARTERS_BOOKED.format(self._site), send),
            async_dispatcher_connect(self._hass, HISTORY_CHANGED.format(self._site), send),
            async_track_time_interval(self._hass, self._tick, TICK),
        ]
        self.link.async_start(entry)

    async def async_stop(self) -> None:
        """Hang up."""
        while self._cancel:
            self._cancel.pop()()
        if self._cancel_send:
            self._cancel_send()
            self._cancel_send = None
        await self.link.async_stop()

    # Sending

    async def _greet(self) -> None:
        consent = Consent(
            issued_at=int(time.time()), readings=self.consent_readings, live=True, statistics=True, since=self._joined
        )
        await self._publish(Kind.CONSENT, consent)
        self._pause = SEND_AGAIN
        self._flying.clear()
        await self._send(even_nothing=True)

    @callback
    def _send_soon(self) -> None:
        if self._cancel_send is None:
            self._cancel_send = async_call_later(self._hass, GATHER, self._send_now)

    async def _send_now(self, _now: datetime) -> None:
        self._cancel_send = None
        await self._send()

    async def _tick(self, _now: datetime) -> None:
        late = time.monotonic() - self._pause
        if any(sent < late for sent in self._flying.values()):
            self._flying.clear()
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        await self._send()

    async def _send(self, *, even_nothing: bool = False) -> None:
        """Send the first readings that are not acknowledged; the next ones follow when these are."""
        if not self.link.connected or not self.consent_readings:
            return
        span = Span(self._joined, int(time.time()))
        async with self._lock:
            try:
                found = await self._ledger.async_look(
                    lambda shares: shares.unacknowledged(self._ledger.name, self._site, span, MAX_QUARTERS)
                )
            except LedgerError as error:
                _LOGGER.debug("%s", error)
                return
            found = [each for each in found if (each.quarter.start, each.revision) not in self._flying]
            if not found and not even_nothing:
                return
            message = ReadingMessage(
                issued_at=int(time.time()),
                device=self._device,
                shares_seen=self._seen,
                quarters=tuple(
                    ReadingQuarter(
                        each.quarter.start,
                        each.quarter.offtake,
                        each.quarter.injection,
                        each.quarter.production,
                        each.quarter.quality,
                        each.revision,
                    )
                    for each in found
                ),
            )
            if await self._publish(Kind.READING, message):
                self.last_sent = message
                now = time.monotonic()
                self._flying |= {(each.quarter.start, each.revision): now for each in found}

    async def _publish(self, kind: Kind, message: Message) -> bool:
        topic = member_topic(self._community, self._code, kind)
        return await self.link.async_publish(topic, encode(message), qos=kind.qos, retain=kind.retained)

    # Hearing

    @callback
    def _receive(self, topic: str, payload: bytes) -> None:
        found = parse_topic(topic)
        if found is None or found.community != self._community or found.code != self._code:
            return
        try:
            message = decode(_KINDS[found.kind], payload)
        except (MessageError, KeyError) as error:
            self.dropped += 1
            _LOGGER.debug("A %s could not be understood: %s", found.kind, error)
            return
        match message:
            case Request():
                self._hass.async_create_task(self._take_request(message), f"{DOMAIN} request")
            case ShareMessage():
                self._hass.async_create_task(self._take_shares(message), f"{DOMAIN} shares")
            case LiveShare():
                self.share_now = message
            case _:
                pass

    async def _take_request(self, message: Request) -> None:
        self.other_device = message.other_device
        try:
            await self._ledger.async_change(lambda shares: self._note(shares, message))
        except LedgerError as error:
            _LOGGER.debug("%s", error)  # it is sent again, and answered again
            return
        for start, revision in (*message.acknowledged, *((each.start, each.revision) for each in message.refused)):
            self._flying.pop((start, revision), None)
        for span in message.wanted:
            self._flying = {pair: sent for pair, sent in self._flying.items() if not span.start <= pair[0] < span.end}
        self._pause = SEND_AGAIN
        if message.acknowledged or message.refused or message.wanted:
            await self._send()

    def _note(self, shares: ShareLedger, message: Request) -> None:
        """Keep what the organiser has, does not want, or lacks; in a thread."""
        name, site = self._ledger.name, self._site
        shares.acknowledge(name, site, [(each.start, each.revision) for each in message.acknowledged])
        for each in message.refused:
            shares.acknowledge(name, site, [(each.start, each.revision)], each.reason.value)
        for span in message.wanted:
            shares.forget_acknowledged(name, site, span)

    async def _take_shares(self, message: ShareMessage) -> None:
        async with self._lock:
            missed = message.after > self._seen
            shares = [
                Share(
                    each.start,
                    each.offered,
                    each.allocated,
                    None,
                    each.key_version,
                    each.provisional,
                    revision=each.revision,
                )
                for each in message.quarters
                if each.allocated <= each.offered
            ]
            name, site = self._ledger.name, self._site
            seen = self._seen if missed else max(self._seen, message.revision)
            try:
                changed = await self._ledger.async_change(lambda found: found.accept(name, site, shares, seen))
            except LedgerError as error:
                _LOGGER.debug("%s", error)
                return
            self._seen = seen
        self._tell(changed)
        if missed:
            await self._send(even_nothing=True)

    @callback
    def _tell(self, changed: Sequence[Share]) -> None:
        if changed:
            starts = [share.start for share in changed]
            async_dispatcher_send(self._hass, SHARES_CHANGED.format(self._ledger.name, self._site), starts)
