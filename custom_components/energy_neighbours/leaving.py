"""The end of a membership: the organiser is told, and nothing is kept."""

import time

from homeassistant.core import HomeAssistant

from .brokers import read_broker
from .community_ledger import async_forget_community
from .core.messages import Consent, encode
from .core.topics import Kind, member_topic
from .link import async_publish_once
from .memberships import MembershipTerms


async def async_withdraw(hass: HomeAssistant, terms: MembershipTerms, *, erase: bool = False) -> bool:
    """Tell the organiser that nothing is agreed to any more; return whether the broker took that.

    The membership must not be connected any more: the broker allows it one connection.

    Parameters
    ----------
    hass
        Home Assistant.
    terms
        The membership.
    erase
        Whether the organiser is asked to forget what it has of the member, too.
    """
    now = int(time.time())
    consent = Consent(issued_at=now, readings=False, live=False, statistics=False, since=now, erase=erase)
    topic = member_topic(terms.community, terms.code, Kind.CONSENT)
    return await async_publish_once(hass, read_broker(terms.broker), topic, encode(consent), retain=True)


async def async_end_membership(hass: HomeAssistant, terms: MembershipTerms, *, told: bool = False) -> None:
    """Forget a membership, and tell its organiser unless that is done."""
    await async_forget_community(hass, terms.name)
    if not told:
        await async_withdraw(hass, terms)
