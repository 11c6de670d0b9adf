"""A simulated Fluksometer, as faithful as the public firmware sources allow."""

from .faults import FAULTS, Fault, FaultError
from .formats import Message
from .profiles import DEFAULT_PROFILE, PROFILES
from .simulator import Simulator

__all__ = ["DEFAULT_PROFILE", "FAULTS", "PROFILES", "Fault", "FaultError", "Message", "Simulator"]
