"""What members far away should have sent and have not."""

from collections.abc import Collection, Iterable, Iterator
import time
from typing import Final

from .communities import CommunityMember
from .community import PATIENCE, Community
from .core.messages import MAX_SPANS
from .core.quarter_hour import QUARTER, Span, midnight, quarter_start
from .ledger_shares import ShareLedger

ASK_AGAIN: Final = 900
"""What a member has not sent is asked for again after this time [s]."""
ASK_BACK: Final = 35 * 86_400
"""Nothing older than this is asked for [s]; a member may send it all the same."""

type Wanted = dict[str, tuple[Span, ...]]
"""What is to be asked for, by member code."""


class WantedReadings:
    """Knows what to ask members for."""

    def __init__(self, community: Community) -> None:
        self._community = community
        self._asked: dict[str, float] = {}
        self._known_until: dict[str, int] = {}
        """Before when nothing is lacking [s, Unix], by code: that is not looked for again."""

    async def async_find(self, members: Iterable[CommunityMember], *, at_once: bool = False) -> Wanted:
        """Return what members should have sent; of those who were asked a short while ago only if it is `at_once`.

        Raises
        ------
        LedgerError
            What is known cannot be read.
        """
        now, begins = time.time(), self._community.begins
        asked = [each for each in members if at_once or now - self._asked.get(each.member.code, 0) >= ASK_AGAIN]
        if begins is None or not asked:
            return {}
        self._asked |= {each.member.code: now for each in asked}
        return await self._community.ledger.async_look(lambda shares: self._look(shares, asked, begins, now))

    def _look(self, shares: ShareLedger, members: Collection[CommunityMember], begins: int, now: float) -> Wanted:
        """Look what is lacking; in a thread."""
        closed = shares.closed_until(self._community.ledger.name) or 0
        earliest = max(begins, closed, quarter_start(now - ASK_BACK))
        by_span: dict[Span, list[CommunityMember]] = {}
        for each in members:
            by_span.setdefault(self._span(each, earliest, now), []).append(each)
        found: Wanted = {}
        for span, those in by_span.items():
            counts = shares.count_known([each.site for each in those], span)
            for each in those:
                lacking: tuple[Span, ...] = ()
                if counts.get(each.site, 0) < len(span.quarter_hours):
                    known = shares.known_starts(each.site, span)
                    lacking = tuple(_spans(start for start in span.quarter_hours if start not in known))
                self._known_until[each.member.code] = lacking[0].start if lacking else span.end
                if lacking:
                    found[each.member.code] = lacking[:MAX_SPANS]
        return found

    def _span(self, each: CommunityMember, earliest: int, now: float) -> Span:
        """Return the time in which something may be lacking."""
        zone, member = self._community.zone, each.member
        first = max(midnight(member.joined, zone), earliest, self._known_until.get(member.code, 0))
        last = quarter_start(now - PATIENCE)
        if member.left:
            last = min(last, midnight(member.left, zone))
        return Span(first, max(first, last))


def _spans(starts: Iterable[int]) -> Iterator[Span]:
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
