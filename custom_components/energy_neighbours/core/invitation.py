"""How a household joins: one text with all that it needs, which survives mail, copying and printing as a QR code.

It is ``ENERGY-NEIGHBOURS:``, the version, base32 with a checksum, and ``:`` at the end. Base32 has no signs that mail
programs change, and makes small QR codes.
"""

from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from enum import StrEnum
import re
from typing import Annotated, Any, Final
import zlib

import orjson

from .message_fields import BYTES, FLAG, NAME, Form, MessageError, Refusal, perhaps, record, text, whole
from .messages import PUBLIC_KEY
from .topics import CODE_PATTERN, COMMUNITY_PATTERN

VERSION: Final = 1
MARK: Final = "ENERGY-NEIGHBOURS:"
MAX_CA: Final = 2048
"""The largest certificate [bytes]; with an elliptic curve it has about 450."""

_MAX_CONTENT: Final = 8192
_CHECKSUM_BYTES: Final = 4
_DER_SEQUENCE: Final = 0x30
_OTHER_SIGNS: Final = re.compile("[^A-Za-z0-9:-]")
_NEWER: Final = re.compile("[2-9]|[1-9][0-9]{1,3}")


class InvitationFault(StrEnum):
    """Why a text is no invitation; each is a translation key."""

    NOT_AN_INVITATION = "not_an_invitation"
    INCOMPLETE = "incomplete"  # its end is not there
    DAMAGED = "damaged"  # it was changed on its way
    NEWER_VERSION = "newer_version"


class InvitationError(ValueError):
    """What was given is no invitation.

    Parameters
    ----------
    fault
        Why; a translation key.
    """

    def __init__(self, fault: InvitationFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def _read_certificate(value: Any) -> bytes:
    certificate: bytes = BYTES.read(value)
    if len(certificate) > MAX_CA:
        raise MessageError(Refusal.TOO_LARGE, f"a certificate of at most {MAX_CA} bytes is wanted")
    if not certificate or certificate[0] != _DER_SEQUENCE:
        raise MessageError(Refusal.WRONG_FORM, "a certificate as DER is wanted")
    return certificate


# Host names, and addresses of both kinds.
_HOST: Final = text("(?=.{1,253}$)[A-Za-z0-9:]([A-Za-z0-9.:_-]*[A-Za-z0-9:])?", "a host name or address")
# Neither a topic's signs, for the broker's rules put the user name into topics, nor those of a password file.
_USERNAME: Final = text("[A-Za-z0-9._@-]{1,64}", "a user name of letters, digits, ., _, @ and -")
_PASSWORD: Final = text("[!-~]{8,128}", "a password of 8 to 128 signs without spaces")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a household needs to join a community.

    Parameters
    ----------
    community, name
        Id and name of the community.
    host, port, tls
        Where its broker is, and whether the connection is encrypted.
    ca
        Certificate of the authority that vouches for the broker, as DER; None if any public one does.
    username, password
        The member's at the broker.
    code
        The member code.
    public_key
        The organiser's.
    """

    community: Annotated[str, text(COMMUNITY_PATTERN, "the id of a community")]
    name: Annotated[str, NAME]
    host: Annotated[str, _HOST]
    port: Annotated[int, whole(1, 65_535)]
    tls: Annotated[bool, FLAG]
    ca: Annotated[bytes | None, perhaps(Form(_read_certificate, BYTES.write))] = field(repr=False)
    username: Annotated[str, _USERNAME]
    password: Annotated[str, _PASSWORD] = field(repr=False)
    code: Annotated[str, text(CODE_PATTERN, "a member code")]
    public_key: Annotated[str, PUBLIC_KEY]


def encode(invitation: Invitation) -> str:
    """Write an invitation.

    Raises
    ------
    ValueError
        When a part of it is not what it has to be; it says which, and never what was given.
    """
    form = record(Invitation)
    content = form.write(invitation)
    form.read(content)
    packed = zlib.compress(orjson.dumps(content), 9)
    return f"{MARK}{VERSION}:{_base32(_checksum(packed) + packed)}:"


def decode(pasted: str) -> Invitation:
    """Read an invitation out of what somebody pasted: quotes, spaces, line breaks and other words do no harm.

    Raises
    ------
    InvitationError
        When there is none in it, or not all of it.
    """
    fault = InvitationFault.NOT_AN_INVITATION
    # The last one holds; but the words around it may bear the mark too.
    for rest in reversed(_OTHER_SIGNS.sub("", pasted).upper().split(MARK)[1:]):
        try:
            return _read(rest)
        except InvitationError as error:
            fault = error.fault
    raise InvitationError(fault)


def _read(rest: str) -> Invitation:
    """Read what follows the mark."""
    version, _, rest = rest.partition(":")
    if _NEWER.fullmatch(version):
        raise InvitationError(InvitationFault.NEWER_VERSION)
    body, end, _ = rest.partition(":")
    try:
        invitation: Invitation = record(Invitation).read(_content(version, body.replace("-", "")))
    except ValueError, zlib.error:
        raise InvitationError(InvitationFault.DAMAGED if end else InvitationFault.INCOMPLETE) from None
    return invitation


def _content(version: str, body: str) -> Any:
    if version != str(VERSION):
        raise ValueError("this is no version")
    data = b32decode(body + "=" * (-len(body) % 8))
    checksum, packed = data[:_CHECKSUM_BYTES], data[_CHECKSUM_BYTES:]
    if _checksum(packed) != checksum or _base32(data) != body:
        raise ValueError("the checksum is that of another text")
    # A small text may unpack to a very large one.
    return orjson.loads(zlib.decompressobj().decompress(packed, _MAX_CONTENT))


def _checksum(packed: bytes) -> bytes:
    return zlib.crc32(packed).to_bytes(_CHECKSUM_BYTES)


def _base32(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=")
