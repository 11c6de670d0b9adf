"""The meters that can be simulated, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from .config import made_up_id
from .flm02 import Flm02
from .flm03 import Flm03
from .household import KWP, Household
from .meter import Meter
from .replay import Replay


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked of a profile. `did` None takes the profile's own id; `name` makes another one.

    `kwp` is the size of the roof [kWp], None: that of the profile; `days` as for `Household`.
    """

    did: str | None = None
    name: str | None = None
    seed: int = 0
    kwp: float | None = None
    days: int = 0
    alpha: bool = False
    shift_stamps: bool = True


@dataclass(frozen=True)
class Profile:
    """One kind of meter. `live` ones follow the household, the others replay a sample."""

    description: str
    make: Callable[[str, Request], Meter]
    live: bool


def _did(profile: str, request: Request) -> str:
    return request.did or made_up_id(profile, request.name or "")


def _home(request: Request, kwp: float) -> Household:
    return Household(request.seed, kwp if request.kwp is None else request.kwp, request.days)


def _household(profile: str, request: Request) -> Meter:
    return Flm03(_did(profile, request), _home(request, KWP), alpha=request.alpha)


def _single_phase(profile: str, request: Request) -> Meter:
    return Flm02(_did(profile, request), _home(request, 3.0))


def _sample(profile: str, request: Request) -> Meter:
    other = request.did or (made_up_id(profile, request.name) if request.name else None)
    return Replay(profile, other, shift_stamps=request.shift_stamps)


PROFILES = {
    "household": Profile(
        "FLM03E, three phases with neutral: a recorded household, 5 kWp of solar, water and gas", _household, live=True
    ),
    "single-phase": Profile(
        "FLM02B, one phase: the same household by clamp and P1 meter, 3 kWp of solar, water", _single_phase, live=True
    ),
    "flm02_single_phase_pv": Profile(
        "FLM02B sample, 12 s: clamp, solar and water pulses, exporting P1 meter", _sample, live=False
    ),
    "flm03_three_phase": Profile(
        "FLM03E sample, 4 s: three phases with neutral, solar feeds in on port 3", _sample, live=False
    ),
    "flm03_three_phase_kube": Profile(
        "FLM03E sample, 4 s: as before with reversed clamps and two kubes", _sample, live=False
    ),
}
DEFAULT_PROFILE = "household"
