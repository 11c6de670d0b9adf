"""A community's side of the broker: readings of remote members come in, their shares go out."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
import logging
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .communities import CommunityMember, Source
from .community import PATIENCE, Community
from .const import DOMAIN
from .core.message_fields import MessageError
from .core.messages import (
    MAX_QUARTERS,
    MAX_SPANS,
    Consent,
    Live,
    LiveShare,
    Message,
    Reading as ReadingMessage,
    RefusedQuarter,
    Request,
    Share as ShareMessage,
    ShareQuarter,
    StoredQuarter,
    batches,
    decode,
    encode,
)
from .core.quarter_hour import QUARTER, QuarterHour, Span, midnight, quarter_start
from .core.reading_check import refusal
from .core.topics import Kind, member_topic, organiser_filters, parse_topic
from .faults import FaultList
from .ledger import LedgerError
from .ledger_readings import Reading
from .ledger_shares import Share
from .link import Broker, Link

_LOGGER = logging.getLogger(__name__)

ASK_AGAIN: Final = 900
"""What a member has not sent is asked for again after this time [s]."""
ASK_BACK: Final = 35 * 86_400
"""Nothing older than this is asked for [s]; a member may send it all the same."""
FRESH: Final = 60
"""A power that is older than this is not believed any more [s]."""
TOLD_AGAIN: Final = 86_400
"""Sums of this time [s] are made anew when somebody does not want to be part of them any more."""
LOOK: Final = timedelta(seconds=60)
_KINDS: Final[dict[Kind, type[Message]]] = {Kind.READING: ReadingMessage, Kind.LIVE: Live, Kind.CONSENT: Consent}


class CommunityLink:
    """Talks to the remote members of a community.

    Parameters
    ----------
    hass
        Home Assistant.
    community
        The community.
    name
        Its id on the broker.
    broker
        Where its broker is.
    """

    def __init__(self, hass: HomeAssistant, community: Community, name: str, broker: Broker) -> None:
        self._hass = hass
        self._community = community
        self._name = name
        self.link = Link(hass, broker, organiser_filters(name), self._receive, self._greet)
        self._members = {each.member.code: each for each in community.members if each.source is Source.REMOTE}
        self._by_site = {each.site: each for each in self._members.values()}
        self.refused: Counter[str] = Counter()
        """How many messages, or quarter-hours, were not taken, by reason."""
        self.other_devices: dict[str, str] = {}
        """Second installations that use a code, by that code."""
        self.live: dict[str, Live] = {}
        """The latest powers, by code."""
        self._states: dict[str, dict[str, Any]] = {}
        self._sent: dict[str, int] = {}
        self._asked: dict[str, float] = {}
        self._locks = {code: asyncio.Lock() for code in self._members}
        self._sending = {code: asyncio.Lock() for code in self._members}
        self._faults = FaultList(hass, community.entry.entry_id, community.entry.title)
        self._cancel: list[Any] = []

    async def async_start(self, entry: ConfigEntry[Any]) -> None:
        """Connect, and answer members from now on."""
        name = self._community.ledger.name
        sites = {code: each.site for code, each in self._members.items()}
        self._states = await self._community.ledger.async_look(
            lambda shares: {code: shares.load_member(name, site) for code, site in sites.items()}
        )
        self._community.silent = self._silent()
        self._cancel += [
            self._community.async_add_share_listener(self._send_changed),
            async_track_time_interval(self._hass, self._look_for_faults, LOOK),
            self.link.async_add_listener(self._look_for_faults),
        ]
        self.link.async_start(entry)

    async def async_stop(self) -> None:
        """Hang up."""
        while self._cancel:
            self._cancel.pop()()
        await self.link.async_stop()
        self._faults.clear()

    async def _greet(self) -> None:
        """After each connection, tell every member what it may have missed, and ask for what we lack."""
        for each in self._members.values():
            await self._send_after(each, self._states[each.member.code].get("seen", 0))
            await self._ask(each, at_once=True)

    # What members send

    @callback
    def _receive(self, topic: str, payload: bytes) -> None:
        found = parse_topic(topic)
        if found is None or found.community != self._name or found.code is None:
            return
        member = self._members.get(found.code)
        if member is None:
            self.refused["unknown_member"] += 1
            return
        try:
            message = decode(_KINDS[found.kind], payload)
        except MessageError as error:
            self.refused[error.reason.value] += 1
            _LOGGER.debug("A %s of member %s was not taken: %s", found.kind, found.code, error)
            return
        match message:
            case ReadingMessage():
                self._hass.async_create_task(self._take(member, message), f"{DOMAIN} reading")
            case Live() if not (self.consent(found.code) or {}).get("live"):
                self.refused["no_consent"] += 1
            case Live() if abs(message.time - time.time()) < FRESH:
                self.live[found.code] = message
            case Consent():
                self._hass.async_create_task(self._take_consent(member, message), f"{DOMAIN} consent")
            case _:
                self.refused["stale"] += 1

    async def _take_consent(self, member: CommunityMember, message: Consent) -> None:
        """Keep what a member lets us have; what it takes back is not used from now on."""
        code = member.member.code
        consent = {
            "readings": message.readings,
            "live": message.live,
            "statistics": message.statistics,
            "since": message.since,
            "erase": message.erase,
        }
        if not message.live:
            self.live.pop(code, None)
        if consent == self._states[code].get("consent"):
            return
        try:
            await self._note(member, consent=consent)
        except LedgerError as error:
            _LOGGER.warning("%s; the consent of member %s is read again after the next connection", error, code)
            return
        silent = self._silent()
        if silent != self._community.silent:
            # The sums of the last day, which all members see, are made anew.
            self._community.silent = silent
            end = quarter_start(time.time())
            self._community.note_due(range(end - TOLD_AGAIN, end, QUARTER))
        self._look_for_faults()

    def _silent(self) -> frozenset[str]:
        consents = {code: self.consent(code) for code in self._members}
        return frozenset(code for code, consent in consents.items() if consent and not consent["statistics"])

    def consent(self, code: str) -> Mapping[str, Any] | None:
        """Return what a member agreed to, as its last message said; None if it said nothing yet."""
        return self._states.get(code, {}).get("consent")

    def heard(self, code: str) -> int | None:
        """Return when a member was heard last [s, Unix]; None if it never was."""
        return self._states.get(code, {}).get("heard")

    @callback
    def _look_for_faults(self, _now: datetime | None = None) -> None:
        """Raise what needs a hand."""
        found: dict[str, Mapping[str, str]] = {}
        name = self._community.entry.title
        if fault := self.link.lasting_fault:
            found[fault] = {"community": name}
        if self.other_devices:
            found["second_device"] = {"community": name, "codes": ", ".join(sorted(self.other_devices))}
        wishes = [code for code in self._members if (self.consent(code) or {}).get("erase")]
        if wishes:
            found["erasure_wished"] = {"community": name, "codes": ", ".join(sorted(wishes))}
        self._faults.update(found)

    async def _take(self, member: CommunityMember, message: ReadingMessage) -> None:
        """Keep what a member sent, and answer it."""
        code = member.member.code
        async with self._locks[code]:  # one after the other: an earlier answer must not overtake a later one
            if not await self._is_its_device(member, message.device):
                await self._publish(member, Kind.REQUEST, Request(issued_at=_now(), other_device=True))
                return
            try:
                stored, refused = await self._store(member, message)
                await self._note(member, seen=message.shares_seen, heard=_now())
            except LedgerError as error:
                _LOGGER.warning("%s; member %s will send its readings again", error, code)
                return
        for reason in (each.reason.value for each in refused):
            self.refused[reason] += 1
        wanted = await self._lacking(member) if message.quarters else ()
        if stored or refused or wanted:
            answer = Request(issued_at=_now(), acknowledged=stored, refused=refused, wanted=wanted)
            await self._publish(member, Kind.REQUEST, answer)
        await self._send_after(member, message.shares_seen)

    async def _is_its_device(self, member: CommunityMember, device: str) -> bool:
        """Whether a message comes from the installation that uses the code since it first did."""
        code = member.member.code
        state = self._states[code]
        if state.get("invited", 0) < member.invited:  # it may be used by another installation now
            state |= {"device": device, "invited": member.invited}
        if state.setdefault("device", device) == device:
            if self.other_devices.pop(code, None):
                self._look_for_faults()
            return True
        self.refused["other_device"] += 1
        self.other_devices[code] = device
        self._look_for_faults()
        return False

    async def _store(
        self, member: CommunityMember, message: ReadingMessage
    ) -> tuple[tuple[StoredQuarter, ...], tuple[RefusedQuarter, ...]]:
        community, now = self._community, time.time()
        name = community.ledger.name
        closed = await community.ledger.async_look(lambda shares: shares.closed_until(name)) or 0
        taken: list[Reading] = []
        refused: list[RefusedQuarter] = []
        for each in message.quarters:
            reason = refusal(
                each,
                member.member,
                connection_power=member.connection_power,
                closed_until=closed,
                now=now,
                zone=community.zone,
            )
            if reason:
                refused.append(RefusedQuarter(each.start, each.revision, reason))
            else:
                quarter = QuarterHour(each.start, each.offtake, each.injection, each.production, each.quality)
                taken.append(Reading(quarter, each.revision))
        if taken:
            changed = await community.ledger.async_change(lambda shares: shares.take(name, member.site, taken))
            if changed:
                community.wake()
        return tuple(StoredQuarter(each.quarter.start, each.revision) for each in taken), tuple(refused)

    async def _note(self, member: CommunityMember, **news: Any) -> None:
        """Keep what is known of a member."""
        state = self._states[member.member.code]
        state |= news
        name = self._community.ledger.name
        await self._community.ledger.async_change(lambda shares: shares.save_member(name, member.site, state))

    # What they are asked for

    async def _lacking(self, member: CommunityMember) -> tuple[Span, ...]:
        """Return what a member should have sent, unless it was asked for a short while ago."""
        now, code = time.time(), member.member.code
        if now - self._asked.get(code, 0) < ASK_AGAIN:
            return ()
        self._asked[code] = now
        zone, begins = self._community.zone, self._community.begins
        if begins is None:
            return ()
        if (consent := self.consent(code)) and not consent["readings"]:
            return ()
        name = self._community.ledger.name
        closed = await self._community.ledger.async_look(lambda shares: shares.closed_until(name)) or 0
        first = max(midnight(member.member.joined, zone), begins, closed, quarter_start(now - ASK_BACK))
        last = quarter_start(now - PATIENCE)
        if member.member.left:
            last = min(last, midnight(member.member.left, zone))
        span = Span(first, last)
        known = await self._community.ledger.async_look(lambda shares: shares.known_starts(member.site, span))
        return tuple(_spans(start for start in span.quarter_hours if start not in known))[:MAX_SPANS]

    async def _ask(self, member: CommunityMember, *, at_once: bool = False) -> None:
        if at_once:
            self._asked.pop(member.member.code, None)
        if wanted := await self._lacking(member):
            await self._publish(member, Kind.REQUEST, Request(issued_at=_now(), wanted=wanted))

    # What they are told

    @callback
    def _send_changed(self, changed: dict[str, list[Share]]) -> None:
        for site, shares in changed.items():
            if member := self._by_site.get(site):
                self._hass.async_create_task(self._send(member, shares), f"{DOMAIN} shares")

    async def _send_after(self, member: CommunityMember, revision: int) -> None:
        """Send the shares that a member does not hold yet, which are those after a revision."""
        self._sent[member.member.code] = revision
        while shares := await self._shares_after(member, self._sent[member.member.code]):
            if not await self._send(member, shares):
                return

    async def _shares_after(self, member: CommunityMember, revision: int) -> list[Share]:
        name = self._community.ledger.name
        return await self._community.ledger.async_look(
            lambda found: found.shares_after(name, member.site, revision, MAX_QUARTERS)
        )

    async def _send(self, member: CommunityMember, shares: Sequence[Share]) -> bool:
        """Send shares; return whether the broker took all of them."""
        code = member.member.code
        by_revision: dict[int, list[Share]] = {}
        for share in shares:
            by_revision.setdefault(share.revision, []).append(share)
        async with self._sending[code]:
            for revision in sorted(by_revision):
                for part in batches(by_revision[revision]):
                    message = ShareMessage(
                        issued_at=_now(),
                        revision=revision,
                        after=min(self._sent.get(code, 0), revision),
                        quarters=tuple(_quarter(share) for share in part),
                    )
                    if not await self._publish(member, Kind.SHARE, message):
                        return False
                self._sent[code] = max(revision, self._sent.get(code, 0))
        return True

    async def async_clear(self, code: str) -> None:
        """Take away what the broker keeps for a member."""
        await self.link.async_publish(member_topic(self._name, code, Kind.SHARE), b"", retain=True)

    async def async_tell_live(self, powers: dict[str, int]) -> None:
        """Tell members what they probably get now, by code [W]."""
        for code, power in powers.items():
            if member := self._members.get(code):
                await self._publish(member, Kind.LIVE_SHARE, LiveShare(issued_at=_now(), time=time.time(), power=power))

    async def _publish(self, member: CommunityMember, kind: Kind, message: Message) -> bool:
        topic = member_topic(self._name, member.member.code, kind)
        return await self.link.async_publish(topic, encode(message), qos=kind.qos, retain=kind.retained)


def _now() -> int:
    return int(time.time())


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


def _spans(starts: Iterable[int]) -> Iterable[Span]:
    """Yield the spans that quarter-hours make."""
    begin = end = None
    for start in starts:
        if start != end:
            if begin is not None and end is not None:
                yield Span(begin, end)
            begin = start
        end = start + QUARTER
    if begin is not None and end is not None:
        yield Span(begin, end)
