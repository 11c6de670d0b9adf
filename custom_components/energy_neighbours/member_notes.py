"""What the organiser of a community far away tells all its members, as one member has it."""

from collections import Counter
import logging
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .community_ledger import CommunityLedger
from .const import ZONE
from .core.charter import verified_charter
from .core.message_fields import MessageError, Refusal
from .core.messages import Charter
from .ledger import LedgerError
from .memberships import MembershipTerms

_LOGGER = logging.getLogger(__name__)

_CHARTER: Final = "charter"
_TOLD: Final = "told"


class MemberNotes:
    """What a membership keeps beside readings and shares: the charter, and what the organiser acknowledged last.

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
    """

    def __init__(self, hass: HomeAssistant, site: str, ledger: CommunityLedger, terms: MembershipTerms) -> None:
        self._hass = hass
        self._site = site
        self._ledger = ledger
        self._terms = terms
        self._state: dict[str, Any] = {}
        self.charter: Charter | None = None
        self.zone: ZoneInfo | None = None
        """Where the community lies."""
        self.refused: Counter[str] = Counter()
        """How many charters were not taken, by reason."""

    @property
    def told(self) -> dict[str, Any] | None:
        """What the organiser acknowledged last: `start` and `revision` of a quarter-hour, and `time` [s, Unix]."""
        return self._state.get(_TOLD)

    async def async_load(self) -> None:
        """Read what was kept; `LedgerError` if that cannot be done."""
        name, site = self._ledger.name, self._site
        self._state = await self._ledger.async_look(lambda shares: shares.load_member(name, site))
        self.zone = await dt_util.async_get_time_zone(ZONE)
        if payload := self._state.get(_CHARTER):
            await self._read(payload.encode())
            self.refused.clear()  # a new invitation may have told another key

    async def async_take(self, payload: bytes) -> bool:
        """Take a charter that came; return whether it says something new."""
        before = self.charter
        if not await self._read(payload) or self.charter == before:
            return False
        self._state[_CHARTER] = payload.decode()
        await self._save()
        return True

    async def async_note_told(self, start: int, revision: int, now: int) -> None:
        """Take note of the latest quarter-hour that the organiser has."""
        self._state[_TOLD] = {"start": start, "revision": revision, "time": now}
        await self._save()

    async def _read(self, payload: bytes) -> bool:
        known = self.charter.revision if self.charter else 0
        try:
            charter = verified_charter(
                payload, community=self._terms.community, public_key=self._terms.public_key, revision=known
            )
        except MessageError as error:
            self.refused[error.reason.value] += 1
            _LOGGER.debug("A charter was not taken: %s", error)
            return False
        zone = await dt_util.async_get_time_zone(charter.zone)
        if zone is None:
            self.refused[Refusal.WRONG_FORM.value] += 1
            return False
        self.charter, self.zone = charter, zone
        return True

    async def _save(self) -> None:
        name, site, state = self._ledger.name, self._site, dict(self._state)
        try:
            await self._ledger.async_change(lambda shares: shares.save_member(name, site, state))
        except LedgerError as error:
            _LOGGER.debug("%s; it will be told again", error)
