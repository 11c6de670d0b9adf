"""A simulated Fluksometer, as faithful as the public firmware sources allow."""

from .profiles import DEFAULT_PROFILE, PROFILES
from .simulator import Simulator

__all__ = ["DEFAULT_PROFILE", "PROFILES", "Simulator"]
