"""A simulated Fluksometer, as faithful as the public firmware sources allow."""

from typing import TYPE_CHECKING, Any

from .faults import FAULTS, Fault, FaultError
from .formats import Message
from .profiles import DEFAULT_PROFILE, PROFILES

if TYPE_CHECKING:
    from .simulator import Simulator

__all__ = ["DEFAULT_PROFILE", "FAULTS", "PROFILES", "Fault", "FaultError", "Message", "Simulator"]


def __getattr__(name: str) -> Any:
    """Load the simulator itself, with broker and web server, only when it is asked for: `--help` needs neither."""
    if name != "Simulator":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .simulator import Simulator  # noqa: PLC0415 - takes a second

    return Simulator
