"""What all actions have in common: which site, community or member is meant."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import service

from .communities import CommunityMember, is_community, members_of
from .const import DOMAIN
from .runtime_data import CommunityConfigEntry, EnergyNeighboursConfigEntry

ATTR_MEMBER: Final = "member"
"""A member code."""


def refusal(key: str, **placeholders: str) -> ServiceValidationError:
    """Return a translated error that tells what cannot be done."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)


def entry_of_call(call: ServiceCall) -> ConfigEntry[Any]:
    """Return the entry that is meant; a translated error if it is not loaded."""
    return service.async_get_config_entry(call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID])


def site_of_call(call: ServiceCall) -> EnergyNeighboursConfigEntry:
    """Return the entry of the site that is meant; a translated error if it is none, or not loaded."""
    entry: EnergyNeighboursConfigEntry = entry_of_call(call)
    if is_community(entry):
        raise refusal("not_a_site", name=entry.title)
    return entry


def community_of_call(call: ServiceCall) -> CommunityConfigEntry:
    """Return the entry of the community that is meant; a translated error if it is none, or not loaded."""
    entry: CommunityConfigEntry = entry_of_call(call)
    if not is_community(entry):
        raise refusal("not_a_community", name=entry.title)
    return entry


def member_of_call(call: ServiceCall) -> tuple[CommunityConfigEntry, CommunityMember]:
    """Return the community and its member that are meant; a translated error if there is none."""
    entry = community_of_call(call)
    code = call.data.get(ATTR_MEMBER, "")
    for each in members_of(entry):
        if each.member.code == code:
            return entry, each
    codes = ", ".join(sorted(each.member.code for each in members_of(entry))) or "-"
    raise refusal("no_such_member", name=entry.title, member=code or "-", members=codes)
