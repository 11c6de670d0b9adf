"""A community's side of the broker: readings of remote members come in, their shares go out."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched
import logging
import math
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .communities import CommunityMember, Source
from .community import Community
from .const import DOMAIN
from .core.message_fields import MessageError
from .core.messages import (
    Consent,
    Live,
    LiveShare,
    Message,
    Reading as ReadingMessage,
    Request,
    decode,
    encode,
)
from .core.quarter_hour import QUARTER, Span, quarter_start
from .core.topics import Kind, member_topic, organiser_filters, parse_topic
from .faults import FaultList
from .ledger import LedgerError
from .link import Broker, Link
from .reading_inbox import ReadingInbox, Taken
from .share_post import TOGETHER, SharePost
from .wanted_readings import WantedReadings

_LOGGER = logging.getLogger(__name__)

FRESH: Final = 60
"""A power that is older than this is not believed any more [s]."""
TOLD_AGAIN: Final = 86_400
"""Sums of this time [s] are made anew when somebody does not want to be part of them any more."""
LOOK: Final = timedelta(seconds=60)
TOLD_ANEW: Final = 40 * 86_400
"""So far back shares are told anew when a backup was restored here [s]."""
MOST_LOST: Final = 1_000_000
"""No backup is so old that more revisions were lost with it: whoever tells so is mistaken."""
ONCE: Final = 3600
"""It is looked for that not more often [s]."""
_KINDS: Final[dict[Kind, type[Message]]] = {Kind.LIVE: Live, Kind.CONSENT: Consent}


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
        self.refused: Counter[str] = Counter()
        """How many messages, or quarter-hours, were not taken, by reason."""
        self.other_devices: dict[str, str] = {}
        """Second installations that use a code, by that code."""
        self.live: dict[str, Live] = {}
        """The latest powers, by code."""
        self._states: dict[str, dict[str, Any]] = {}
        self._revision = 0
        """Up to which revision shares are known to be our own."""
        self._set_back = -math.inf
        """When it was noticed last that a backup was restored here, by the monotonic clock [s]."""
        self._inbox = ReadingInbox(community, self._states, self._read_reading, self._is_its_device, self._answer)
        self._wanted = WantedReadings(community)
        self._post = SharePost(community, self._members, self._publish)
        self._faults = FaultList(hass, community.entry.entry_id, community.entry.title)
        self._cancel: list[Any] = []

    async def async_start(self, entry: ConfigEntry[Any]) -> None:
        """Connect, and answer members from now on."""
        name = self._community.ledger.name
        sites = {code: each.site for code, each in self._members.items()}
        self._states |= await self._community.ledger.async_look(
            lambda shares: {code: shares.load_member(name, site) for code, site in sites.items()}
        )
        self._community.silent = self._silent()
        self._cancel += [
            self._community.async_add_share_listener(self._post.send),
            async_track_time_interval(self._hass, self._look_for_faults, LOOK),
            self.link.async_add_listener(self._look_for_faults),
        ]
        self.link.async_start(entry)

    async def async_stop(self) -> None:
        """Hang up."""
        while self._cancel:
            self._cancel.pop()()
        self._inbox.async_stop()
        self._post.async_stop()
        await self.link.async_stop()
        self._faults.clear()

    async def _greet(self) -> None:
        """After each connection, tell every member what it may have missed, and ask for what we lack."""
        for members in batched(self._members.values(), TOGETHER, strict=False):
            for each in members:
                await self._post.async_catch_up(each, self._states[each.member.code].get("seen", 0))
            wanted = await self._lacking(members, at_once=True)
            await asyncio.gather(
                *(self._publish(each, Kind.REQUEST, Request(issued_at=_now(), wanted=spans)) for each, spans in wanted)
            )

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
        if found.kind is Kind.READING:
            self._inbox.put(member, payload)
            return
        match message := self._read(_KINDS[found.kind], found.code, payload):
            case None:
                pass
            case Live() if not (self.consent(found.code) or {}).get("live"):
                self.refused["no_consent"] += 1
            case Live() if abs(message.time - time.time()) < FRESH:
                self.live[found.code] = message
            case Consent():
                self._hass.async_create_task(self._take_consent(member, message), f"{DOMAIN} consent")
            case _:
                self.refused["stale"] += 1

    def _read_reading(self, code: str, payload: bytes) -> ReadingMessage | None:
        return self._read(ReadingMessage, code, payload)

    def _read[M: Message](self, kind: type[M], code: str, payload: bytes) -> M | None:
        """Read a message of a member; None if it is none, which is counted."""
        try:
            return decode(kind, payload)
        except MessageError as error:
            self.refused[error.reason.value] += 1
            _LOGGER.debug("A %s of member %s was not taken: %s", kind.kind, code, error)
            return None

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

    def _is_its_device(self, member: CommunityMember, device: str) -> bool:
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

    async def _note(self, member: CommunityMember, **news: Any) -> None:
        """Keep what is known of a member."""
        state = self._states[member.member.code]
        state |= news
        name = self._community.ledger.name
        await self._community.ledger.async_change(lambda shares: shares.save_member(name, member.site, state))

    # What they are told

    async def _answer(self, taken: Sequence[Taken]) -> None:
        """Tell members what is kept of what they sent, what is refused, and what else we lack."""
        for reason in (each.reason.value for one in taken for each in one.refused):
            self.refused[reason] += 1
        await self._check_revision(
            max((each.message.shares_seen for each in taken if not each.other_device), default=0)
        )
        senders = {
            each.member.member.code: each.member for each in taken if each.message.quarters and not each.other_device
        }
        wanted = {each.member.code: spans for each, spans in await self._lacking(senders.values())}
        for part in batched(taken, TOGETHER, strict=False):
            answers = [
                (
                    each.member,
                    Request(
                        issued_at=_now(),
                        acknowledged=each.stored,
                        refused=each.refused,
                        wanted=() if each.other_device else wanted.pop(each.member.member.code, ()),
                        other_device=each.other_device,
                    ),
                )
                for each in part
            ]
            await asyncio.gather(
                *(
                    self._publish(member, Kind.REQUEST, answer)
                    for member, answer in answers
                    if answer.acknowledged or answer.refused or answer.wanted or answer.other_device
                )
            )
            await asyncio.gather(
                *(
                    self._post.async_catch_up(each.member, each.message.shares_seen)
                    for each in part
                    if not each.other_device
                )
            )

    async def _check_revision(self, seen: int) -> None:
        """Notice that members have seen shares which we do not know: then a backup was restored here.

        What we tell of the last weeks would be older than that, and not believed: it is told anew.
        """
        name, now = self._community.ledger.name, time.time()
        if seen <= self._revision or time.monotonic() - self._set_back < ONCE:
            return
        try:
            known = self._revision = await self._community.ledger.async_look(lambda shares: shares.revision(name))
            if not known < seen <= known + MOST_LOST:
                return
            since = quarter_start(now - TOLD_ANEW)
            await self._community.ledger.async_change(lambda shares: shares.go_on_after(name, seen, since))
        except LedgerError as error:
            _LOGGER.debug("%s", error)
            return
        _LOGGER.warning(
            "Members of %s have seen shares that are not known here: those of the last weeks are told anew",
            self._community.entry.title,
        )
        self._set_back = time.monotonic()
        self._post.forget()
        self._community.entry.async_create_background_task(self._hass, self._greet(), f"{DOMAIN} set back")

    async def _lacking(
        self, members: Iterable[CommunityMember], *, at_once: bool = False
    ) -> list[tuple[CommunityMember, tuple[Span, ...]]]:
        """Return what members should have sent and may be asked for."""
        asked = [each for each in members if (self.consent(each.member.code) or {}).get("readings", True)]
        try:
            wanted = await self._wanted.async_find(asked, at_once=at_once)
        except LedgerError as error:
            _LOGGER.debug("%s", error)
            return []
        return [(each, wanted[each.member.code]) for each in asked if each.member.code in wanted]

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
