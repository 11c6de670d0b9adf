"""Invitations: what an organiser gives a household, so that it can join from afar."""

from collections.abc import Mapping
import secrets
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD

from .brokers import CONF_BROKER, read_broker
from .communities import CONF_CODE, CONF_COMMUNITY, CONF_SIGNING_KEY
from .core.invitation import Invitation, encode
from .core.signing import public_key_of


def new_password() -> str:
    """Make a password for a member at the broker; it can be read out and typed."""
    return secrets.token_hex(16)


def invitation_text(entry: ConfigEntry[Any], member: Mapping[str, Any]) -> str:
    """Return the invitation of a member who is far away.

    Parameters
    ----------
    entry
        The community, which has a broker.
    member
        The member, as its subentry keeps it.
    """
    broker = read_broker(entry.options[CONF_BROKER])
    return encode(
        Invitation(
            community=entry.data[CONF_COMMUNITY],
            name=entry.title,
            host=broker.host,
            port=broker.port,
            tls=broker.tls,
            ca=broker.ca,
            username=member[CONF_CODE],
            password=member[CONF_PASSWORD],
            code=member[CONF_CODE],
            public_key=public_key_of(entry.options[CONF_SIGNING_KEY]),
        )
    )
