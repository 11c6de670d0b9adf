"""The charter of a community, from its config entry: what its members agreed, for those who are far away."""

from typing import Any

from homeassistant.config_entries import ConfigEntry

from .communities import (
    CONF_COMMUNITY,
    CONF_SIGNING_KEY,
    CONF_THRESHOLD,
    DEFAULT_THRESHOLD,
    read_keys,
    region_of,
    shared_tariff_of,
)
from .core.charter import write_tariff
from .core.messages import Charter, CharterKey
from .core.repartition_key import key_to_dict
from .core.signing import public_key_of


def charter_of(entry: ConfigEntry[Any]) -> Charter:
    """Return the charter of a community.

    Its revision is the moment of the entry's last change: a member takes none that is older than what it knows.

    Raises
    ------
    CommunityError
        What the entry holds is no community.
    """
    tariff, prices = write_tariff(shared_tariff_of(entry.options))
    changed = int(entry.modified_at.timestamp())
    return Charter(
        issued_at=changed,
        community=entry.data[CONF_COMMUNITY],
        name=entry.title,
        # Zones are kept, and Home Assistant may have asked for this one with a text of a kind of its own.
        zone=str(region_of(entry).zone.key),
        revision=changed,
        k=entry.options.get(CONF_THRESHOLD, DEFAULT_THRESHOLD),
        keys=tuple(CharterKey(version.valid_from, key_to_dict(version.key)) for version in read_keys(entry.options)),
        tariff=tariff,
        prices=prices,
        public_key=public_key_of(entry.options[CONF_SIGNING_KEY]),
    )
