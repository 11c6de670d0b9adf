"""The community's broker: a folder from which Mosquitto runs with TLS, passwords and an access control list."""

from .configuration import ORGANISER
from .folder import BrokerError, add_member, create, remove_member, renew, renew_organiser

__all__ = ["ORGANISER", "BrokerError", "add_member", "create", "remove_member", "renew", "renew_organiser"]
