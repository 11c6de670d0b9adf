"""Signatures: what an organiser tells all members carries one, so that nobody else can speak in its name.

Ed25519 over canonical JSON; keys and signatures are base64url text. ``cryptography`` is not loaded before it is needed:
most households belong to no community.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURE: Final = "signature"

_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
# Anything else that orjson would write on its own comes to our check instead.
_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_PLAIN: Final = frozenset({str, int, bool, type(None)})


def canonical(value: Mapping[str, Any]) -> bytes:
    """Write a JSON object in the one way that is signed: sorted names, no white space, UTF-8.

    Raises
    ------
    ValueError
        When it holds what two computers might write differently, such as a float, or is no JSON.
    """
    try:
        payload = orjson.dumps(value, option=_OPTIONS)
    except TypeError as error:
        raise ValueError("only JSON of texts, whole numbers, true, false and null is signed") from error
    # Afterwards, for by now it is certain that the value is not nested without end.
    _check(value)
    return payload


def _check(value: Any) -> None:
    if type(value) is dict:
        for each in value.values():
            _check(each)
    elif type(value) is list:
        for each in value:
            _check(each)
    elif type(value) not in _PLAIN:
        raise ValueError(f"only JSON of texts, whole numbers, true, false and null is signed, not a {type(value)}")


def generate_key() -> str:
    """Make a new private key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return _text(Ed25519PrivateKey.generate().private_bytes_raw())


def public_key_of(private: str) -> str:
    """Return the public key that belongs to a private one.

    Raises
    ------
    ValueError
        When it is no key.
    """
    return _text(_private_key(private).public_key().public_bytes_raw())


def is_public_key(text: str) -> bool:
    """Whether a text has the form of a public key."""
    return _bytes(text, _KEY_BYTES) is not None


def sign(message: Mapping[str, Any], private: str) -> dict[str, Any]:
    """Return a message with its signature.

    Raises
    ------
    ValueError
        When the key is none, or the message cannot be written in one way only.
    """
    unsigned = {name: value for name, value in message.items() if name != SIGNATURE}
    return {**unsigned, SIGNATURE: _text(_private_key(private).sign(canonical(unsigned)))}


def verify(message: Mapping[str, Any], public: str) -> bool:
    """Whether a message was signed with the private key that belongs to a public one, and not changed since."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    key, signature = _bytes(public, _KEY_BYTES), _bytes(message.get(SIGNATURE), _SIGNATURE_BYTES)
    if key is None or signature is None:
        return False
    try:
        unsigned = canonical({name: value for name, value in message.items() if name != SIGNATURE})
        Ed25519PublicKey.from_public_bytes(key).verify(signature, unsigned)
    except InvalidSignature, ValueError:
        return False
    return True


def _private_key(text: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = _bytes(text, _KEY_BYTES)
    if key is None:
        raise ValueError("this is no private key")
    return Ed25519PrivateKey.from_private_bytes(key)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: object, length: int) -> bytes | None:
    """Return what a text stands for, if it is exactly what `_text` writes of so many bytes."""
    if not isinstance(text, str):
        return None
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if len(data) == length and _text(data) == text else None
