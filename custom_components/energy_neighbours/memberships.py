"""A site's membership in a community far away, as its subentry keeps it.

It is what the invitation told, with a random id for this installation, the day from which on readings are sent, and
what the household agreed to send.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import callback

SUBENTRY_MEMBERSHIP: Final = "membership"
CONF_COMMUNITY_ID: Final = "community_id"
CONF_NAME: Final = "community_name"
CONF_CODE: Final = "code"
CONF_DEVICE: Final = "device"
CONF_PUBLIC_KEY: Final = "public_key"
CONF_SINCE: Final = "since"
CONF_READINGS: Final = "readings"
CONF_LIVE: Final = "live"
CONF_STATISTICS: Final = "statistics"
CONF_BROKER: Final = "broker"

CONSENTS: Final = (CONF_READINGS, CONF_LIVE, CONF_STATISTICS)


class MembershipTerms(NamedTuple):
    """A membership.

    Parameters
    ----------
    name
        Under which the ledger knows it: its subentry's id.
    community, title
        Id and name of the community.
    code
        The site's member code.
    device
        Random id of this installation.
    public_key
        The organiser's.
    since
        The day from which on readings are sent.
    readings, live, statistics
        What the household agreed to: its quarter-hours go to the organiser, its power of now does too, and it is part
        of sums that all members see.
    broker
        Where the broker is, as the entry keeps it.
    """

    name: str
    community: str
    title: str
    code: str
    device: str
    public_key: str
    since: date
    readings: bool
    live: bool
    statistics: bool
    broker: Mapping[str, Any]


@callback
def membership_subentry(entry: ConfigEntry[Any]) -> ConfigSubentry | None:
    """Return the membership of a site; None if it has none."""
    return next(iter(entry.get_subentries_of_type(SUBENTRY_MEMBERSHIP)), None)


@callback
def membership_of(entry: ConfigEntry[Any]) -> MembershipTerms | None:
    """Return the membership of a site; None if it has none."""
    subentry = membership_subentry(entry)
    if subentry is None:
        return None
    data = subentry.data
    return MembershipTerms(
        name=subentry.subentry_id,
        community=data[CONF_COMMUNITY_ID],
        title=subentry.title,
        code=data[CONF_CODE],
        device=data[CONF_DEVICE],
        public_key=data[CONF_PUBLIC_KEY],
        since=date.fromisoformat(data[CONF_SINCE]),
        readings=data[CONF_READINGS],
        live=data[CONF_LIVE],
        statistics=data[CONF_STATISTICS],
        broker=data[CONF_BROKER],
    )
