"""A community at work: its members' readings become shares, each quarter-hour, and again when something changes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.importlib import async_import_module

from .communities import (
    FOLLOWED,
    CommunityMember,
    Source,
    describe_rules,
    first_change,
    members_of,
    rules_of,
)
from .community_ledger import CommunityLedger
from .const import DOMAIN, HISTORY_CHANGED, QUARTERS_BOOKED, SHARES_CHANGED
from .core.coefficients import GivenCoefficients
from .core.quarter_hour import QUARTER, Span, day_of, local_day, local_month, midnight, quarter_start
from .core.repartition_key import DynamicCustom
from .ledger import LedgerError
from .ledger_shares import Share, Sums, Total

if TYPE_CHECKING:  # it needs numpy, which is loaded only where there is a community
    from .core.explanation import Explanation

_LOGGER = logging.getLogger(__name__)

PATIENCE: Final = 300
"""So long after its end a quarter-hour's readings are waited for [s]; then it is divided without, provisionally."""
GATHER: Final = 1.0
"""Readings that come within this time are divided together [s]."""
TICK: Final = timedelta(seconds=30)
LOOK_BACK: Final = 400 * 86_400
"""How far back a community divides what is known when it begins, or when its rules change [s]."""
BATCH: Final = 5 * 96
"""So many quarter-hours are divided at a time; a member's shares of all of them fit into one message."""
SHARES: Final = 2_000
"""But not many more shares than this are made at a time: many objects at once call Python's garbage collection."""
LOOK_AGAIN: Final = 3600
LOOK_AGAIN_BACK: Final = 7 * 86_400
"""So often, and so far back, readings are looked for of which nobody told [s]."""
RETRY: Final = 60.0
"""What could not be read or written is tried again after this time [s]."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a community stands: sums of today and of this month, its last quarter-hour, and who is late.

    Who gives its readings in files is never late; `files` tells up to when they are known [s, Unix], by member code,
    and `coefficients_until` the same of the coefficients that a key asks for.
    """

    today: Sums
    month: Sums
    last: Total | None
    late: tuple[str, ...]
    files: Mapping[str, int | None] = field(default_factory=dict)
    coefficients_until: int | None = None


class Community:
    """One community, run by this Home Assistant.

    What has to be divided stands in the ledger until it is: a quarter-hour when it is over, and again whenever a
    reading of it comes or changes, or the rules of its day do. So nothing is forgotten, whatever ends us.

    Parameters
    ----------
    hass
        Home Assistant.
    entry
        The community's entry.
    ledger
        What it knows and has divided.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], ledger: CommunityLedger) -> None:
        self.hass = hass
        self.entry = entry
        self.ledger = ledger
        self.rules = rules_of(entry)
        self.members = members_of(entry)
        self.zone = self.rules.zone
        self.standing = Standing(Sums(), Sums(), None, ())
        self.silent: frozenset[str] = frozenset()
        """Codes of the members who do not agree to be part of sums that all see."""
        self._division: Any = None
        self._listeners: list[Callable[[], None]] = []
        self._share_listeners: list[Callable[[dict[str, list[Share]]], None]] = []
        self._cancel: list[CALLBACK_TYPE] = []
        self._cancel_wake: CALLBACK_TYPE | None = None
        self._lock = asyncio.Lock()
        self._noted = 0
        self._unnoted: set[int] = set()
        """Quarter-hours that have to be divided, and could not be written down as such."""
        self._looked = 0

    async def async_start(self) -> None:
        """Take up what was missed, and divide what comes."""
        # numpy is nothing that a household without a community should have to load.
        self._division = await async_import_module(self.hass, f"{__package__}.division")
        await self._note_what_was_missed()
        for member in self.members:
            if member.source in FOLLOWED:
                self._follow(member)
        self._cancel.append(async_track_time_interval(self.hass, self._tick, TICK))
        await self._refresh(time.time())
        self.wake()

    async def async_stop(self) -> None:
        """Divide nothing any more."""
        while self._cancel:
            self._cancel.pop()()
        if self._cancel_wake:
            self._cancel_wake()
            self._cancel_wake = None
        await self.async_divided()  # what is being divided is kept first

    async def async_divided(self) -> None:
        """Wait until what is being divided is."""
        async with self._lock:
            pass

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `listener` when the community's standing may have changed."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_add_share_listener(self, listener: Callable[[dict[str, list[Share]]], None]) -> CALLBACK_TYPE:
        """Call `listener` after each division with the shares that came or changed, by the site's name in the ledger.

        There may be none: the sums may have changed all the same.
        """
        self._share_listeners.append(listener)
        return lambda: self._share_listeners.remove(listener)

    def member(self, code: str) -> CommunityMember | None:
        """Return the member with a code."""
        return next((each for each in self.members if each.member.code == code), None)

    @property
    def begins(self) -> int | None:
        """When the first key began to hold [s, Unix]; None if there is none."""
        days = [version.valid_from for version in self.rules.versions]
        return midnight(min(days), self.zone) if days else None

    # What has to be divided

    async def _note_what_was_missed(self) -> None:
        """Note what ended while we were away, what changed meanwhile, and what other rules make different."""
        now = time.time()
        if self.begins is None:
            return
        end = quarter_start(now)
        earliest = quarter_start(max(self.begins, now - LOOK_BACK))
        last = await self.ledger.async_look(lambda shares: shares.last_total(self.ledger.name))
        known = await self.ledger.async_look(lambda shares: shares.load_rules(self.ledger.name))
        rules = describe_rules(self.rules)
        since = earliest if last is None else last + QUARTER
        if (changed := first_change(known, rules)) is not None and last is not None:
            since = min(since, max(earliest, midnight(datetime.fromisoformat(changed).date(), self.zone)))
        due = set(range(since, end, QUARTER))
        for member in self.members:
            if member.source in FOLLOWED:
                due |= set(await self._stale(member, Span(earliest, end)))
        await self.ledger.async_change(lambda shares: shares.save_rules(self.ledger.name, rules, due))
        self._noted = self._looked = end

    async def _stale(self, member: CommunityMember, span: Span) -> list[int]:
        """Return the quarter-hours whose share was not made of what is known of a member now."""
        joined = midnight(member.member.joined, self.zone)
        left = span.end if member.member.left is None else midnight(member.member.left, self.zone)
        inside = Span(max(span.start, joined), min(span.end, left))
        return await self.ledger.async_look(lambda shares: shares.stale(self.ledger.name, member.site, inside))

    def _follow(self, member: CommunityMember) -> None:
        """Follow what is measured, or imported, of a member in this Home Assistant."""

        @callback
        def take(starts: Sequence[int]) -> None:
            self.note_due(starts)

        @callback
        def look(since: int) -> None:
            self.hass.async_create_task(self._note_stale(member, since), f"{DOMAIN} stale {self.entry.entry_id}")

        self._cancel += [
            async_dispatcher_connect(self.hass, QUARTERS_BOOKED.format(member.site), take),
            async_dispatcher_connect(self.hass, HISTORY_CHANGED.format(member.site), look),
        ]

    async def _note_stale(self, member: CommunityMember, since: int) -> None:
        if self.begins is not None:
            try:
                self.note_due(await self._stale(member, Span(max(since, self.begins), quarter_start(time.time()))))
            except LedgerError as error:
                _LOGGER.debug("%s; it is looked for again", error)

    @callback
    def note_due(self, starts: Iterable[int]) -> None:
        """Take note that readings of quarter-hours came or changed."""
        begins = self.begins
        if begins is not None and (due := [start for start in starts if start >= begins]):
            self.hass.async_create_task(self._note_due(due), f"{DOMAIN} due {self.entry.entry_id}")

    async def _note_due(self, starts: Iterable[int]) -> None:
        first = not self._unnoted
        self._unnoted |= set(starts)
        noted = sorted(self._unnoted)
        try:
            await self.ledger.async_change(lambda shares: shares.note_due(self.ledger.name, noted))
        except LedgerError as error:
            _LOGGER.log(logging.WARNING if first else logging.DEBUG, "%s; what came is divided later", error)
        else:
            self._unnoted -= set(noted)
            self.wake()

    async def _tick(self, _now: datetime) -> None:
        """Note quarter-hours that are over, and look whether some have waited long enough."""
        end = quarter_start(time.time())
        if self.begins is not None and end > self._noted:
            since = max(self._noted, self.begins)
            await self._note_due(range(quarter_start(since), end, QUARTER))
            self._noted = end
        elif self._unnoted:
            await self._note_due(())
        if end - self._looked >= LOOK_AGAIN:
            # What a full disk kept waiting came into the ledger without a word.
            self._looked = end
            for member in self.members:
                if member.source in FOLLOWED:
                    await self._note_stale(member, end - LOOK_AGAIN_BACK)
        await self._divide()

    # Dividing

    @callback
    def wake(self, after: float = GATHER) -> None:
        """Divide soon."""
        if self._cancel_wake is None:
            self._cancel_wake = async_call_later(self.hass, after, self._woken)

    async def _woken(self, _now: datetime) -> None:
        self._cancel_wake = None
        await self._divide()

    async def _divide(self) -> None:
        """Divide what is due and complete, or has waited long enough."""
        async with self._lock:
            try:
                while await self._divide_batch(time.time()):
                    pass
                await self._refresh(time.time())
            except LedgerError as error:
                _LOGGER.warning("%s; the community's quarter-hours are divided later", error)
                self.wake(RETRY)

    async def _divide_batch(self, now: float) -> bool:
        """Divide the first quarter-hours that are due; return whether there may be more."""
        name = self.ledger.name
        closed = await self.ledger.async_look(lambda shares: shares.closed_until(name)) or 0
        most = min(BATCH, max(SHARES // max(len(self.members), 1), 1))
        due = await self.ledger.async_look(lambda shares: shares.due(name, most))
        over = [start for start in due if start + QUARTER <= now]
        if not over:
            return False
        # Those that follow each other closely are read in one piece.
        batch = [start for start in over if start < over[0] + BATCH * QUARTER]
        sites = [member.site for member in self.members]
        span = Span(batch[0], batch[-1] + QUARTER)
        readings = await self.ledger.async_look(lambda shares: shares.readings(sites, span))
        given = await self.async_coefficients(span)
        settled = [start for start in batch if start < closed]
        ready = [
            start
            for start in batch
            if start >= closed and (start + QUARTER + PATIENCE <= now or not self._lacking(start, readings))
        ]
        if not ready and not settled:
            return False
        division = await self.hass.async_add_executor_job(
            self._division.divide, self.rules, self.members, ready, readings, self.silent, given
        )
        changed = await self.ledger.async_change(
            lambda shares: shares.write(name, division.shares, [*ready, *settled], division.totals)
        )
        self._tell(changed)
        return len(ready) + len(settled) == len(batch)

    def _lacking(self, start: int, readings: Any) -> list[str]:
        """Return the codes of those whose reading of a quarter-hour should be known and is not.

        Files come once a month: nobody waits for them. Until then the quarter-hour is provisional all the same.
        """
        day = day_of(start, self.zone)
        return [
            each.member.code
            for each in self.members
            if each.member.belongs(day)
            and not each.member.vacant
            and each.source is not Source.FILES
            and not each.is_known(readings[each.site].get(start))
        ]

    @callback
    def _tell(self, changed: dict[str, list[Share]]) -> None:
        for site, shares in changed.items():
            starts = [share.start for share in shares]
            async_dispatcher_send(self.hass, SHARES_CHANGED.format(self.ledger.name, site), starts)
        for listener in tuple(self._share_listeners):
            listener(changed)

    async def _refresh(self, now: float) -> None:
        """Look at how the community stands."""
        name, today = self.ledger.name, day_of(now, self.zone)
        last_start = quarter_start(now) - QUARTER
        spans = local_day(today, self.zone), local_month(today, self.zone)
        sites = [member.site for member in self.members]
        # A quarter-hour is late when it is over for as long as we wait for it.
        looked_at = quarter_start(now - PATIENCE) - QUARTER
        try:
            day, month = [await self.async_sums(span) for span in spans]
            totals = await self.ledger.async_look(
                lambda shares: shares.totals(name, "", Span(last_start - 4 * QUARTER, last_start + QUARTER))
            )
            readings = await self.ledger.async_look(
                lambda shares: shares.readings(sites, Span(looked_at, looked_at + QUARTER))
            )
            files = await self._known_files(today)
            coefficients = await self.ledger.async_look(lambda shares: shares.known_coefficients(name))
        except LedgerError as error:
            _LOGGER.debug("%s", error)
            return
        late = tuple(self._lacking(looked_at, readings))
        self.standing = Standing(
            day, month, totals[-1] if totals else None, late, files, coefficients and coefficients.end
        )
        for listener in tuple(self._listeners):
            listener()

    async def _known_files(self, today: date) -> dict[str, int | None]:
        """Return up to when readings are known of those who give them in files, by code."""
        members = [each for each in self.members if each.source is Source.FILES and each.member.belongs(today)]
        ends = await self.ledger.async_known_until([each.site for each in members]) if members else {}
        return {each.member.code: ends.get(each.site) for each in members}

    async def async_sums(self, span: Span) -> Sums:
        """Return the sums of all members over a span; `LedgerError` if they cannot be read."""
        return await self.ledger.async_look(lambda shares: shares.sums(self.ledger.name, "", span))

    @property
    def asks_for_coefficients(self) -> bool:
        """Whether a version of the key divides by coefficients that are given for each quarter-hour."""
        return any(isinstance(version.key, DynamicCustom) for version in self.rules.versions)

    async def async_coefficients(self, span: Span) -> GivenCoefficients:
        """Return the coefficients of a span if a key asks for them; `LedgerError` if they cannot be read."""
        if not self.asks_for_coefficients:
            return {}
        return await self.ledger.async_look(lambda shares: shares.coefficients(self.ledger.name, span))

    async def async_explain(self, code: str, start: int) -> Explanation:
        """Return why a member was allocated what it was in a quarter-hour.

        Raises
        ------
        LedgerError
            What is known cannot be read.
        ValueError
            There is no such member, or energy is never allocated to it.
        """
        sites = [member.site for member in self.members]
        span = Span(start, start + QUARTER)
        readings = await self.ledger.async_look(lambda shares: shares.readings(sites, span))
        given = await self.async_coefficients(span)
        explanation: Explanation = await self.hass.async_add_executor_job(
            self._division.explain_share, self.rules, self.members, start, code, readings, given
        )
        return explanation
