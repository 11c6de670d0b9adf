"""A household joins by pasting one text, whatever mail and clipboard did to it."""

from dataclasses import replace
from datetime import UTC, datetime
import zlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.energy_neighbours.core.invitation import (
    MAX_CA,
    Invitation,
    InvitationError,
    InvitationFault,
    _base32,
    _checksum,
    decode,
    encode,
)

HALL = Invitation(
    community="maple7street",
    name="Rue des Érables",
    host="broker.example.org",
    port=8883,
    tls=True,
    ca=None,
    username="maple7street-k3x9",
    password="correct-horse:battery",  # noqa: S106 - of nobody
    code="k3x9",
    public_key="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
)
TEXT = encode(HALL)
QR_ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Energy Neighbours, Rue des Érables")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2046, 1, 1, tzinfo=UTC))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return made.sign(key, SHA256()).public_bytes(Encoding.DER)


def fault(text):
    with pytest.raises(InvitationError) as caught:
        decode(text)
    assert str(caught.value) == caught.value.fault.value
    return caught.value.fault


def packed(content, checksum=None):
    return f"ENERGY-NEIGHBOURS:1:{_base32((_checksum(content) if checksum is None else checksum) + content)}:"


def test_an_invitation_is_one_word_that_says_what_it_is():
    assert TEXT.startswith("ENERGY-NEIGHBOURS:1:")
    assert TEXT.endswith(":")
    assert set(TEXT) <= QR_ALPHANUMERIC
    assert decode(TEXT) == HALL


def test_with_the_certificate_of_a_private_authority_it_still_fits_into_a_qr_code():
    with_ca = replace(HALL, ca=certificate())
    assert 350 < len(with_ca.ca) < 500
    assert len(encode(with_ca)) < 1300
    assert decode(encode(with_ca)) == with_ca


def test_it_survives_what_mail_and_clipboard_do():
    lines = [TEXT[place : place + 60] for place in range(0, len(TEXT), 60)]
    for pasted in (
        f"  {TEXT}\n",
        f"“{TEXT}”",
        f"Bonjour !\nVoici votre invitation : {TEXT}\nÀ bientôt : Anne",
        "\r\n".join(lines),
        "\n".join(f"> {line}" for line in lines),
        "-\n".join(lines),
        "\u200b ".join(TEXT),
        TEXT.lower(),
        TEXT.removesuffix(":"),
        f"Please paste all from ENERGY-NEIGHBOURS: to the end.\n{TEXT}",
        f"{encode(replace(HALL, code='older'))}\n{TEXT}",
        f"{TEXT}\nSent by Energy-Neighbours: share your roof",
    ):
        assert decode(pasted) == HALL


@pytest.mark.parametrize(
    "text", ["", "hello", "https://example.org:8883/", TEXT[:15], TEXT[30:], "ENERGY NEIGHBOURS 1"]
)
def test_another_text_is_no_invitation(text):
    assert fault(text) is InvitationFault.NOT_AN_INVITATION


@pytest.mark.parametrize("length", [18, 19, 20, 21, 24, 60, len(TEXT) - 10, len(TEXT) - 2])
def test_a_text_that_was_cut_off_is_incomplete(length):
    assert fault(TEXT[:length]) is InvitationFault.INCOMPLETE
    assert fault(f"{TEXT[:length]}\nAnne") is InvitationFault.INCOMPLETE


def test_every_mistyped_sign_and_every_lost_one_is_noticed():
    head = len("ENERGY-NEIGHBOURS:1:")
    for place in range(head, len(TEXT) - 1):
        before, sign, after = TEXT[:place], TEXT[place], TEXT[place + 1 :]
        assert fault(before + ("B" if sign == "A" else "A") + after) is InvitationFault.DAMAGED
        assert fault(f"{before}0{after}") is InvitationFault.DAMAGED
        assert fault(before + after) is InvitationFault.DAMAGED


@pytest.mark.parametrize("version", ["2", "10", "9999"])
def test_an_invitation_of_a_later_program_says_so(version):
    assert fault(TEXT.replace(":1:", f":{version}:")) is InvitationFault.NEWER_VERSION


@pytest.mark.parametrize("version", ["", "0", "01", "A", "1" * 5000])
def test_what_is_no_version_is_damage(version):
    assert fault(TEXT.replace(":1:", f":{version}:")) is InvitationFault.DAMAGED


CONTENT = zlib.compress(orjson.dumps({"community": "maple7street"}))


@pytest.mark.parametrize(
    "text",
    [
        packed(b""),
        packed(b"", b""),
        packed(b"not compressed"),
        packed(CONTENT[:-9]),
        packed(CONTENT),
        packed(zlib.compress(b"not JSON")),
        packed(zlib.compress(b"[1, 2]")),
        packed(zlib.compress(b" " * 100_000_000)),
    ],
)
def test_a_right_checksum_does_not_make_an_invitation(text):
    assert fault(text) is InvitationFault.DAMAGED


def test_what_a_later_program_adds_is_ignored():
    content = {
        "community": HALL.community, "name": HALL.name, "host": HALL.host, "port": 8883, "tls": True, "ca": None,
        "username": HALL.username, "password": HALL.password, "code": HALL.code, "public_key": HALL.public_key,
        "added": 5,
    }  # fmt: skip
    assert decode(packed(zlib.compress(orjson.dumps(content)))) == HALL


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("community", "Maple"),
        ("community", "maple/+"),
        ("name", ""),
        ("name", "two\nlines"),
        ("name", "é" * 101),
        ("host", ""),
        ("host", "broker example.org"),
        ("host", "mqtts://broker"),
        ("host", "broker."),
        ("host", "a" * 254),
        ("port", 0),
        ("port", 65_536),
        ("port", True),
        ("tls", 1),
        ("ca", b""),
        ("ca", b"-----BEGIN CERTIFICATE-----"),
        ("ca", b"\x30" * (MAX_CA + 1)),
        ("username", "a b"),
        ("username", "k3x9/#"),
        ("password", "short"),
        ("password", "with a space"),
        ("password", "p" * 129),
        ("code", "K3X9"),
        ("code", "k3x"),
        ("public_key", "11qYAYKxCrfVS"),
    ],
)
def test_nobody_is_invited_to_what_cannot_be(field, value):
    with pytest.raises(ValueError, match=field) as caught:
        encode(replace(HALL, **{field: value}))
    shown = str(value)
    assert len(shown) < 4 or shown not in str(caught.value)


@pytest.mark.parametrize("host", ["192.0.2.5", "2001:db8::1", "::1", "homeassistant", "broker-1.example.org"])
def test_a_broker_is_found_by_name_or_by_address(host):
    assert decode(encode(replace(HALL, host=host))).host == host


def test_the_password_is_not_shown():
    assert HALL.password not in repr(replace(HALL, ca=b"0secret"))
    assert "secret" not in repr(replace(HALL, ca=b"0secret"))
    assert HALL.host in repr(HALL)


printable = st.characters(min_codepoint=33, max_codepoint=126)
invitations = st.builds(
    Invitation,
    community=st.from_regex("[a-z0-9]{6,32}", fullmatch=True),
    name=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=100),
    host=st.sampled_from(["192.0.2.2", "broker.example.org", "2001:db8::2"]),
    port=st.integers(1, 65_535),
    tls=st.booleans(),
    ca=st.none() | st.binary(max_size=600).map(lambda rest: b"\x30" + rest),
    username=st.from_regex("[A-Za-z0-9._@-]{1,64}", fullmatch=True),
    password=st.text(printable, min_size=8, max_size=128),
    code=st.from_regex("[a-z0-9]{4,16}", fullmatch=True),
    public_key=st.just(HALL.public_key),
)


@given(invitations)
def test_every_invitation_comes_back_as_it_was(invitation):
    text = encode(invitation)
    assert decode(text) == invitation
    assert set(text) <= QR_ALPHANUMERIC


@given(st.text() | st.text("AB27:1-", max_size=40).map(lambda rest: f"ENERGY-NEIGHBOURS:1:{rest}"))
def test_whatever_is_pasted_is_an_invitation_or_refused(pasted):
    with pytest.raises(InvitationError):
        decode(pasted)
