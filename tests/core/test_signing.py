"""Only who has the private key can speak in the organiser's name."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
import subprocess
import sys
from uuid import UUID

import pytest

from custom_components.energy_neighbours.core.signing import (
    canonical,
    generate_key,
    is_public_key,
    public_key_of,
    sign,
    verify,
)

# The first test of RFC 8032, section 7.1.
PRIVATE = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
MESSAGE = {"name": "Rue des Érables", "k": 5, "keys": [["2026-01-01", {"kind": "prorata"}]], "tariff": None}


class Word(StrEnum):
    ONE = "one"


@dataclass
class Thing:
    one: int


def test_canonical_json_is_sorted_without_white_space_and_in_utf8():
    assert (
        canonical({"b": [1, True, None], "a": {"é": "€", "A": -2}})
        == '{"a":{"A":-2,"é":"€"},"b":[1,true,null]}'.encode()
    )


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        {"price": 0.1},
        {"deep": [{"er": [1.0]}]},
        {"nan": float("nan")},
        {"large": 1 << 64},
        {"half a sign": "\ud800"},
        {1: "a name that is no text"},
        {"day": date(2026, 3, 29)},
        {"time": datetime(2026, 3, 29, tzinfo=UTC)},
        {"word": Word.ONE},
        {"id": UUID(int=0)},
        {"thing": Thing(1)},
        {"pair": (1, 2)},
        {"bytes": b""},
        nested(300),
    ],
    ids=lambda value: str(next(iter(value))),
)
def test_what_could_be_written_in_two_ways_is_not_signed(value):
    with pytest.raises(ValueError, match="is signed"):
        canonical(value)
    with pytest.raises(ValueError, match="is signed"):
        sign(value, PRIVATE)
    assert not verify({**value, "signature": "A" * 86}, PUBLIC)


def test_a_signed_message_is_that_message_with_a_signature():
    signed = sign(MESSAGE, PRIVATE)
    assert {name: value for name, value in signed.items() if name != "signature"} == MESSAGE
    assert len(signed["signature"]) == 86
    assert verify(signed, PUBLIC)
    assert verify(dict(reversed(signed.items())), PUBLIC), "the order of names means nothing"
    assert sign(signed, PRIVATE) == signed, "a signature is not itself signed"


def test_whatever_is_changed_the_signature_no_longer_fits():
    signed = sign(MESSAGE, PRIVATE)
    assert not verify({**signed, "k": 3}, PUBLIC)
    assert not verify({**signed, "k": True}, PUBLIC)
    assert not verify({**signed, "added": None}, PUBLIC)
    assert not verify({name: value for name, value in signed.items() if name != "tariff"}, PUBLIC)
    assert not verify(MESSAGE, PUBLIC)
    other = {"A": "B"}
    for place, sign_ in enumerate(signed["signature"]):
        changed = signed["signature"][:place] + other.get(sign_, "A") + signed["signature"][place + 1 :]
        assert not verify({**signed, "signature": changed}, PUBLIC)


@pytest.mark.parametrize(
    "signature", ["", "?" * 86, "é" * 86, "A" * 85, "A" * 86, "A" * 200, 5, None, [], True, b"A" * 86]
)
def test_what_is_no_signature_is_a_wrong_one(signature):
    assert not verify({**MESSAGE, "signature": signature}, PUBLIC)


@pytest.mark.parametrize(
    "key", ["", PUBLIC[:-1], PUBLIC + "A", f"{PUBLIC}=", PUBLIC[:-1] + "p", "é" * 43, "_" * 43, None]
)
def test_what_is_no_key_has_signed_nothing(key):
    assert not verify(sign(MESSAGE, PRIVATE), key)


def test_every_key_is_another_and_vouches_for_its_own_only():
    ours, theirs = generate_key(), generate_key()
    assert ours != theirs
    assert is_public_key(public_key_of(ours))
    assert verify(sign(MESSAGE, ours), public_key_of(ours))
    assert not verify(sign(MESSAGE, ours), public_key_of(theirs))


def test_the_public_key_of_a_private_one_is_always_the_same():
    assert public_key_of(PRIVATE) == PUBLIC
    assert is_public_key(PUBLIC)
    assert not is_public_key(PUBLIC[:-1])


@pytest.mark.parametrize("key", ["", "secret", f"{PRIVATE}="])
def test_nothing_is_signed_with_what_is_no_private_key(key):
    with pytest.raises(ValueError, match="no private key"):
        sign(MESSAGE, key)
    with pytest.raises(ValueError, match="no private key"):
        public_key_of(key)


def test_a_household_without_a_community_does_not_load_the_cryptography():
    loaded = "import sys, energy_neighbours_core.invitation as it; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
