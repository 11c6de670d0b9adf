"""Past readings of a member whose readings come in files: from the file into the organiser's ledger."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from homeassistant.util import dt as dt_util

from .communities import CommunityMember, Source
from .community import Community
from .community_ledger import CommunityLedger
from .core.history import History, HistoryError
from .core.member_history import of_member
from .core.quarter_hour import QuarterHour
from .history_import import HistoryImport
from .ledger import Replaced
from .ledger_coefficients import SettledError

COME_OTHERWISE: Final[Mapping[Source, str]] = {
    Source.LOCAL: "readings_come_from_site",
    Source.REMOTE: "readings_come_from_afar",
    Source.VACANT: "readings_come_from_nobody",
}
"""Translation keys of why a file of a member's readings is not taken."""


class MemberLedger:
    """The ledger as imports into one member see it.

    Parameters
    ----------
    ledger
        The community's.
    site
        Under which name it keeps the member's readings.
    """

    def __init__(self, ledger: CommunityLedger, site: str) -> None:
        self._ledger = ledger
        self._site = site

    async def async_staying(self, quarters: Sequence[QuarterHour]) -> int:
        """Return in how many quarter-hours something would stay that is known better."""
        return await self._ledger.async_staying(self._site, quarters)

    async def async_replace(self, quarters: Sequence[QuarterHour], note: str) -> Replaced:
        """Keep quarter-hours, all or none; HistoryError if some were settled since the file was read."""
        try:
            return await self._ledger.async_replace(self._site, quarters, note)
        except SettledError as error:
            raise HistoryError("import_settled_meanwhile") from error


def import_for(community: Community, member: CommunityMember) -> HistoryImport:
    """Begin an import of a member's readings.

    Raises
    ------
    HistoryError
        When its readings come otherwise.
    """
    if member.source is not Source.FILES:
        raise HistoryError(COME_OTHERWISE[member.source], member=member.member.code)
    return HistoryImport(
        community.hass,
        member.site,
        community.entry.subentries[member.subentry_id].title,
        community.zone,
        MemberLedger(community.ledger, member.site),
        check=partial(_check, community, member),
    )


async def _check(community: Community, member: CommunityMember, history: History) -> History:
    closed, now = await community.ledger.async_closed_until(), dt_util.utcnow().timestamp()
    keep = partial(
        of_member,
        history,
        member.member,
        connection_power=member.connection_power,
        closed_until=closed,
        now=now,
        zone=community.zone,
    )
    return await community.hass.async_add_executor_job(keep)
