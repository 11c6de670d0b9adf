"""A community's charter as its members take it: signed by the organiser, of their community, and none of the past."""

from decimal import Decimal
from typing import Any, Final

from .band_grid import BandGrid
from .contract import FLAT
from .message_fields import MessageError, Refusal
from .messages import Charter, decode_signed
from .sharing_costs import SharedTariff

LEAST_THRESHOLD: Final = 3
"""No community may show its members numbers behind which fewer of them stand."""
_ALL_HOURS: Final = "shared"
"""Stands in a charter's prices for that of a kWh of the neighbours in all hours: a name there is never empty."""


def write_tariff(shared: SharedTariff | None) -> tuple[dict[str, Any] | None, dict[str, Decimal]]:
    """Return what a charter says of a tariff: its bands, and its prices."""
    if shared is None:
        return None, {}
    prices = {_ALL_HOURS if band == FLAT else band: price for band, price in shared.prices.items()}
    return shared.grid.as_dict() if shared.grid else None, prices


def tariff_of(charter: Charter) -> SharedTariff | None:
    """Return what a community asks for a kWh; None if its charter does not say.

    Raises
    ------
    ValueError
        When its bands cannot be read, or have not these prices.
    """
    if not charter.prices:
        return None
    grid = None if charter.tariff is None else BandGrid.from_dict(charter.tariff)
    return SharedTariff({FLAT if name == _ALL_HOURS else name: price for name, price in charter.prices.items()}, grid)


def verified_charter(payload: bytes, *, community: str, public_key: str, revision: int = 0) -> Charter:
    """Read a charter that members may act upon.

    Parameters
    ----------
    payload
        What arrived.
    community, public_key
        The community that the member joined, and its organiser's key, as its invitation told them.
    revision
        Of the charter that is known already; 0 if none is.

    Raises
    ------
    MessageError
        It is none, or another one's, or older than what is known.
    """
    charter = decode_signed(Charter, payload, public_key)
    if charter.community != community or charter.public_key != public_key:
        raise MessageError(Refusal.NOT_SIGNED, "a charter of this community is wanted")
    if charter.k < LEAST_THRESHOLD:
        raise MessageError(Refusal.OUT_OF_RANGE, f"k: {LEAST_THRESHOLD} or more is wanted")
    if charter.revision < revision:
        raise MessageError(Refusal.REPLAYED, "revision: one that is not older than the known charter is wanted")
    try:
        tariff_of(charter)
    except ValueError:
        raise MessageError(Refusal.WRONG_FORM, "tariff, prices: bands, and prices for these, are wanted") from None
    return charter
