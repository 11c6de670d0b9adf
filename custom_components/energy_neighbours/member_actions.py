"""Actions on members: invite one, erase one, and tell why a share is what it is."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, CONF_PASSWORD
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .brokers import CONF_BROKER
from .communities import Source, communities_of_site, is_community
from .const import DOMAIN
from .core.quarter_hour import QUARTER, Span, iso, midnight, quarter_start
from .invitations import invitation_text
from .leaving import async_withdraw
from .ledger import LedgerError
from .memberships import membership_subentry
from .runtime_data import CommunityConfigEntry, EnergyNeighboursConfigEntry
from .site_action import ATTR_MEMBER, entry_of_call, member_of_call, refusal, site_of_call

ATTR_START: Final = "start"

INVITE: Final = vol.Schema({vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string, vol.Required(ATTR_MEMBER): cv.string})
ERASE: Final = vol.Schema({vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string, vol.Optional(ATTR_MEMBER): cv.string})
EXPLAIN: Final = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_START): cv.datetime,
        vol.Optional(ATTR_MEMBER): cv.string,
    }
)


async def async_invite_member(call: ServiceCall) -> ServiceResponse:
    """Return the invitation of a member who is far away, and what the broker has to know of it."""
    entry, member = member_of_call(call)
    if member.source is not Source.REMOTE:
        raise refusal("member_is_here", member=member.member.code)
    if not entry.options.get(CONF_BROKER):
        raise refusal("community_without_broker", name=entry.title)
    data = entry.subentries[member.subentry_id].data
    text = await call.hass.async_add_executor_job(invitation_text, entry, data)
    return {"invitation": text, "code": member.member.code, "password": data[CONF_PASSWORD]}


async def async_erase_member(call: ServiceCall) -> ServiceResponse:
    """Erase a member: as its organiser, or, on a site, as the member itself."""
    if is_community(entry_of_call(call)):
        await _erase_as_organiser(call)
    else:
        await _erase_as_member(call)
    return None


async def _erase_as_organiser(call: ServiceCall) -> None:
    """Forget who has left. What the others got then stays as it is: those days are closed."""
    entry, member = member_of_call(call)
    community, code = entry.runtime_data, member.member.code
    today = dt_util.now(community.zone).date()
    if member.member.left is None or member.member.left > today:
        raise refusal("member_has_not_left", member=code)
    name, left = community.ledger.name, midnight(member.member.left, community.zone)
    try:
        closed = await community.ledger.async_look(lambda shares: shares.closed_until(name)) or 0
        await community.ledger.async_change(lambda shares: shares.close_until(name, max(left, closed)))
        await community.ledger.async_change(lambda shares: shares.forget_coefficients(name, code))
        if member.source is Source.LOCAL:
            await community.ledger.async_change(lambda shares: shares.forget_member(name, member.site))
        else:
            await community.ledger.async_erase_site(member.site)
    except LedgerError as error:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key=error.fault) from error
    if community.link and member.source is Source.REMOTE:
        await community.link.async_clear(code)
    call.hass.config_entries.async_remove_subentry(entry, member.subentry_id)


async def _erase_as_member(call: ServiceCall) -> None:
    """Leave a community far away, ask its organiser to forget, and forget here."""
    entry = site_of_call(call)
    subentry, membership = membership_subentry(entry), entry.runtime_data.membership
    if subentry is None or membership is None:
        raise refusal("no_membership", name=entry.title)
    await membership.async_stop()
    if not await async_withdraw(call.hass, membership.terms, erase=True):
        await membership.async_start(entry)
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="organiser_not_asked",
            translation_placeholders={"community": subentry.title},
        )
    membership.has_left = True
    # What is known of it is forgotten when the site is loaded anew without it.
    call.hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)


async def async_explain_share(call: ServiceCall) -> ServiceResponse:
    """Tell why a member was allocated what it was in the quarter-hour that holds a moment."""
    start = quarter_start(dt_util.as_utc(call.data[ATTR_START]).timestamp())
    entry = entry_of_call(call)
    try:
        if is_community(entry):
            organiser, member = member_of_call(call)
            return await _explain(organiser, member.member.code, start)
        for community, member in communities_of_site(call.hass, entry.entry_id):
            return await _explain(community, member.member.code, start)
        return await _explain_afar(site_of_call(call), start)
    except LedgerError as error:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key=error.fault) from error


async def _explain(entry: CommunityConfigEntry, code: str, start: int) -> dict[str, Any]:
    """Tell all that the organiser knows."""
    try:
        found = await entry.runtime_data.async_explain(code, start)
    except ValueError:
        raise refusal("nothing_to_explain", member=code) from None
    answer = asdict(found)
    answer["rounds"] = [each._asdict() for each in found.rounds]
    answer["start"], answer["weight"] = iso(found.start), None if found.weight is None else float(found.weight)
    answer["end"] = iso(found.start + QUARTER)
    return {"community": entry.title, **answer}


async def _explain_afar(entry: EnergyNeighboursConfigEntry, start: int) -> dict[str, Any]:
    """Tell what a member knows of its own share; what the others did is not for it to know."""
    share, membership = entry.runtime_data.share, entry.runtime_data.membership
    if share is None or membership is None:
        raise refusal("no_membership", name=entry.title)
    found = next(iter(await share.async_shares(Span(start, start + QUARTER))), None)
    quarter = await membership.async_quarter_hour(start)
    charter = membership.notes.charter
    kinds = [key.key.get("kind") for key in charter.keys] if charter else []
    return {
        "community": membership.terms.title,
        "start": iso(start),
        "end": iso(start + QUARTER),
        "code": membership.terms.code,
        "offtake": quarter.offtake if quarter else None,
        "offered": found.offered if found else None,
        "allocated": found.allocated if found else None,
        "version": found.version if found else None,
        "kind": kinds[found.version - 1] if found and 0 < found.version <= len(kinds) else None,
        "quality": quarter.quality.value if quarter else None,
        "provisional": found.provisional if found else True,
    }
