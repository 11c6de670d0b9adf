"""A community's charter as its members take it: signed by the organiser, of their community, and none of the past."""

from typing import Final

from .message_fields import MessageError, Refusal
from .messages import Charter, decode_signed

LEAST_THRESHOLD: Final = 3
"""No community may show its members numbers behind which fewer of them stand."""


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
    return charter
