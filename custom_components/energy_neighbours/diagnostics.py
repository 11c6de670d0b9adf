"""Diagnostics of a site or a community, without anything that names a household, its meter or its radio key."""

from typing import Any, cast

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from .brokers import CONF_BROKER
from .communities import CONF_AUTHOR, CONF_SIGNING_KEY, is_community
from .const import CONF_CHANNELS, CONF_DID, CONF_ENTITIES
from .contracts import anonymous, contract_subentry
from .link import Link
from .membership import Membership
from .runtime_data import CommunityConfigEntry, EnergyNeighboursConfigEntry

TO_REDACT = {CONF_HOST, CONF_DID, CONF_ENTITIES, CONF_BROKER, CONF_SIGNING_KEY, CONF_AUTHOR}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: EnergyNeighboursConfigEntry | CommunityConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of a site, or of a community."""
    if is_community(entry):
        return _of_community(cast("CommunityConfigEntry", entry))
    return _of_site(cast("EnergyNeighboursConfigEntry", entry))


def _of_community(entry: CommunityConfigEntry) -> dict[str, Any]:
    """Tell of members what they are to others: a code."""
    community = entry.runtime_data
    standing, link = community.standing, community.link
    return {
        "options": async_redact_data(dict(entry.options), TO_REDACT),
        "link": link
        and {**_link(link.link), "refused": dict(link.refused), "other_devices": sorted(link.other_devices)},
        "members": [
            {
                "code": each.member.code,
                "source": each.source,
                "consumes": each.member.consumes,
                "produces": each.member.produces,
                "joined": each.member.joined.isoformat(),
                "left": each.member.left and each.member.left.isoformat(),
                "offtake_part": str(each.member.offtake_part),
                "consent": link and link.consent(each.member.code),
                "heard": link and link.heard(each.member.code),
            }
            for each in community.members
        ],
        "today": standing.today._asdict(),
        "month": standing.month._asdict(),
        "last": standing.last and standing.last._asdict(),
        "late": list(standing.late),
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "connected": link.connected,
        "fault": link.fault,
        "since": link.since,
        "oversized": link.oversized,
    }


def _membership(membership: Membership) -> dict[str, Any]:
    """Tell of a membership what helps, and nothing with which somebody could join in its place."""
    terms, charter = membership.terms, membership.notes.charter
    return {
        "code": terms.code,
        "since": terms.since.isoformat(),
        "consent": {"readings": terms.readings, "live": terms.live, "statistics": terms.statistics},
        "link": _link(membership.link),
        "charter": charter and {"revision": charter.revision, "k": charter.k, "zone": charter.zone},
        "charters_refused": dict(membership.notes.refused),
        "dropped": dict(membership.dropped),
        "refused": dict(membership.refused),
        "told": membership.notes.told,
        "other_device": membership.other_device,
    }


def _of_site(entry: EnergyNeighboursConfigEntry) -> dict[str, Any]:
    site = entry.runtime_data
    balance = site.live.balance
    contract = contract_subentry(entry)
    return {
        "entry": async_redact_data(dict(entry.data), TO_REDACT),
        "options": {
            **entry.options,
            # The keys hold the meter's sensor ids, which also open its data in the cloud.
            CONF_CHANNELS: list(entry.options.get(CONF_CHANNELS, {}).values()),
        },
        "connected": site.connected,
        "power": {
            "grid": balance.grid,
            "production": balance.production,
            "consumption": balance.consumption,
            "phases": dict(balance.phases),
        },
        "registers": {
            "offtake": site.registers.offtake,
            "injection": site.registers.injection,
            "production": site.registers.production,
            "netted_share": site.registers.netted / site.registers.counted if site.registers.counted else None,
        },
        "membership": site.membership and _membership(site.membership),
        "contract": anonymous(contract.data) if contract else None,
        "meter": site.meter.diagnostics(),
    }
