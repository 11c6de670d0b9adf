"""A household's side of the broker: its readings go out until they are acknowledged, its shares come in."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
import logging
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.event import async_call_later, async_track_time_interval

from .brokers import read_broker
from .community_ledger import CommunityLedger
from .const import DOMAIN, HISTORY_CHANGED, LIVE_SHARE, QUARTERS_BOOKED, SHARES_CHANGED
from .core.message_fields import MessageError, Refusal
from .core.messages import (
    MAX_QUARTERS,
    CommunityTotals,
    Consent,
    Live,
    LiveShare,
    Message,
    Reading as ReadingMessage,
    ReadingQuarter,
    ReadingRefusal,
    Request,
    Share as ShareMessage,
    decode,
    encode,
)
from .core.quarter_hour import QUARTER, QuarterHour, Span, midnight
from .core.topics import Kind, member_filters, member_topic, parse_topic
from .faults import FaultList
from .ledger import LedgerError
from .ledger_shares import Share, ShareLedger
from .link import Link
from .member_notes import MemberNotes
from .memberships import MembershipTerms

_LOGGER = logging.getLogger(__name__)

SEND_AGAIN: Final = 60.0
"""What was not acknowledged is sent again after this time [s], and then each time after twice as long."""
LONGEST_PAUSE: Final = 900.0
GATHER: Final = 0.5
"""Quarter-hours that come within this time go in one message [s]."""
TICK: Final = timedelta(seconds=60)
LIVE: Final = timedelta(seconds=10)
"""So often the power of now is told."""
FRESH: Final = 30
"""A power that is older than this is not told any more [s]."""
_KINDS: Final[dict[Kind, type[Message]]] = {
    Kind.REQUEST: Request,
    Kind.SHARE: ShareMessage,
    Kind.LIVE_SHARE: LiveShare,
    Kind.COMMUNITY: CommunityTotals,
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
    terms
        The membership.
    power
        Tells the moment [s, Unix] and the site's grid power then [W], which is positive for offtake; None if it is not
        known.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        site: str,
        ledger: CommunityLedger,
        terms: MembershipTerms,
        power: Callable[[], tuple[float, float | None]],
    ) -> None:
        self._hass = hass
        self._site = site
        self._ledger = ledger
        self.terms = terms
        self._power = power
        filters = member_filters(terms.community, terms.code)
        self.link = Link(hass, read_broker(terms.broker), filters, self._receive, self._greet)
        self.notes = MemberNotes(hass, site, ledger, terms)
        self.totals: CommunityTotals | None = None
        """Sums of the community, as its organiser told them last."""
        self.has_left = False
        """Whether the organiser knows already that this is over."""
        self.other_device = False
        """Whether the organiser takes another installation for the one that has this code."""
        self.dropped: Counter[str] = Counter()
        """How many messages could not be understood, by reason."""
        self.last_sent: ReadingMessage | None = None
        self._faults: FaultList | None = None
        self._refused: dict[str, int] = {}
        self._seen = 0
        self._lock = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._cancel: list[CALLBACK_TYPE] = []
        self._cancel_send: CALLBACK_TYPE | None = None
        self._pause = SEND_AGAIN
        self._flying: dict[tuple[int, int], float] = {}
        """When readings were sent that are not answered yet, by start and revision."""

    @property
    def joined(self) -> int:
        """Nothing before is sent [s, Unix]."""
        zone = self.notes.zone
        assert zone  # noqa: S101 - known since the notes were read
        return midnight(self.terms.since, zone)

    @property
    def refused(self) -> Mapping[str, int]:
        """How many quarter-hours the organiser has refused, by reason."""
        return self._refused

    async def async_load(self) -> None:
        """Read what is known; `LedgerError` if that cannot be done."""
        name, site = self._ledger.name, self._site
        self._seen = await self._ledger.async_look(lambda shares: shares.revision(name))
        self._refused = await self._ledger.async_look(lambda shares: shares.count_refused(name, site))
        await self.notes.async_load()

    async def async_start(self, entry: ConfigEntry[Any]) -> None:
        """Connect, and send what is not acknowledged."""

        @callback
        def send(_news: Any) -> None:
            self._send_soon()

        self._faults = FaultList(self._hass, entry.entry_id, entry.title)
        self._cancel = [
            async_dispatcher_connect(self._hass, QUARTERS_BOOKED.format(self._site), send),
            async_dispatcher_connect(self._hass, HISTORY_CHANGED.format(self._site), send),
            async_track_time_interval(self._hass, self._tick, TICK),
            self.link.async_add_listener(self._look_for_faults),
        ]
        if self.terms.live:
            self._cancel.append(async_track_time_interval(self._hass, self._send_live, LIVE))
        self.link.async_start(entry)

    async def async_stop(self) -> None:
        """Hang up."""
        while self._cancel:
            self._cancel.pop()()
        if self._cancel_send:
            self._cancel_send()
            self._cancel_send = None
        await self.link.async_stop()
        if self._faults:
            self._faults.clear()

    async def async_quarter_hour(self, start: int) -> QuarterHour | None:
        """Return a quarter-hour as it would be sent now; `LedgerError` if it cannot be read."""
        site, span = self._site, Span(start, start + QUARTER)
        found = await self._ledger.async_look(lambda shares: shares.readings([site], span))
        return found[site][start].quarter if start in found[site] else None

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `listener` when the charter or the community's totals changed."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def _look_for_faults(self) -> None:
        """Raise what needs a hand."""
        found: dict[str, Mapping[str, str]] = {}
        if fault := self.link.lasting_fault:
            found[fault] = {"community": self.terms.title}
        if self.other_device:
            found["code_used_elsewhere"] = {"community": self.terms.title}
        if self.notes.refused[Refusal.NOT_SIGNED.value] or self.notes.refused[Refusal.REPLAYED.value]:
            found["charter_not_trusted"] = {"community": self.terms.title}
        if absurd := self._refused.get(ReadingRefusal.ABSURD.value):
            found["readings_not_believed"] = {"community": self.terms.title, "count": str(absurd)}
        if self._faults:
            self._faults.update(found)

    # Sending

    async def _greet(self) -> None:
        terms = self.terms
        consent = Consent(
            issued_at=_now(),
            readings=terms.readings,
            live=terms.live,
            statistics=terms.statistics,
            since=self.joined,
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
        self._look_for_faults()
        await self._send()

    async def _send_live(self, _now: datetime) -> None:
        moment, power = self._power()
        if power is None or not self.link.connected or abs(time.time() - moment) > FRESH:
            return
        live = Live(issued_at=int(moment), time=moment, offtake=round(max(power, 0)), injection=round(max(-power, 0)))
        await self._publish(Kind.LIVE, live)

    async def _send(self, *, even_nothing: bool = False) -> None:
        """Send the first readings that are not acknowledged; the next ones follow when these are."""
        if not self.link.connected or not self.terms.readings:
            return
        span = Span(self.joined, _now())
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
                issued_at=_now(),
                device=self.terms.device,
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
        topic = member_topic(self.terms.community, self.terms.code, kind)
        return await self.link.async_publish(topic, encode(message), qos=kind.qos, retain=kind.retained)

    # Hearing

    @callback
    def _receive(self, topic: str, payload: bytes) -> None:
        found = parse_topic(topic)
        if found is None or found.community != self.terms.community or found.code not in (None, self.terms.code):
            return
        if found.kind is Kind.CHARTER:
            self._hass.async_create_task(self._take_charter(payload), f"{DOMAIN} charter")
            return
        try:
            message = decode(_KINDS[found.kind], payload)
        except MessageError as error:
            self.dropped[error.reason.value] += 1
            _LOGGER.debug("A %s could not be understood: %s", found.kind, error)
            return
        match message:
            case Request():
                self._hass.async_create_task(self._take_request(message), f"{DOMAIN} request")
            case ShareMessage():
                self._hass.async_create_task(self._take_shares(message), f"{DOMAIN} shares")
            case LiveShare():
                names = self._ledger.name, self._site
                async_dispatcher_send(self._hass, LIVE_SHARE.format(*names), message.time, message.power)
            case CommunityTotals():
                self.totals = message
                self._tell_listeners()
            case _:
                pass

    async def _take_charter(self, payload: bytes) -> None:
        if await self.notes.async_take(payload):
            self._tell_listeners()
        self._look_for_faults()

    @callback
    def _tell_listeners(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    async def _take_request(self, message: Request) -> None:
        self.other_device = message.other_device
        self._look_for_faults()
        try:
            await self._ledger.async_change(lambda shares: self._note(shares, message))
            if message.acknowledged:
                newest = max(message.acknowledged)
                await self.notes.async_note_told(newest.start, newest.revision, _now())
            if message.refused:
                name, site = self._ledger.name, self._site
                self._refused = await self._ledger.async_look(lambda shares: shares.count_refused(name, site))
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


def _now() -> int:
    return int(time.time())
