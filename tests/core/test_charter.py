"""Members take a charter only from their own organiser, and never an old one for a new one."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from custom_components.energy_neighbours.core.charter import verified_charter
from custom_components.energy_neighbours.core.message_fields import MessageError
from custom_components.energy_neighbours.core.messages import Charter, CharterKey, encode_signed
from custom_components.energy_neighbours.core.signing import generate_key, public_key_of

PRIVATE = generate_key()
PUBLIC = public_key_of(PRIVATE)


def charter(**changes: Any) -> Charter:
    values: dict[str, Any] = {
        "issued_at": 1_790_000_000,
        "community": "oakstreet",
        "name": "Oak Street",
        "zone": "Europe/Brussels",
        "revision": 7,
        "k": 5,
        "keys": (CharterKey(date(2026, 1, 1), {"kind": "prorata"}),),
        "tariff": None,
        "prices": {"shared": Decimal("0.11")},
        "public_key": PUBLIC,
    }
    return Charter(**values | changes)


def taken(payload: bytes, revision: int = 0) -> Charter:
    return verified_charter(payload, community="oakstreet", public_key=PUBLIC, revision=revision)


def test_a_charter_of_the_organiser_is_taken() -> None:
    assert taken(encode_signed(charter(), PRIVATE)) == charter()
    assert taken(encode_signed(charter(), PRIVATE), revision=7) == charter()


@pytest.mark.parametrize(
    ("changes", "key", "revision", "reason"),
    [
        ({}, generate_key(), 0, "not_signed"),
        ({"community": "elmstreet"}, PRIVATE, 0, "not_signed"),
        ({"public_key": public_key_of(generate_key())}, PRIVATE, 0, "not_signed"),
        ({"k": 2}, PRIVATE, 0, "out_of_range"),
        ({}, PRIVATE, 8, "replayed"),
    ],
)
def test_any_other_is_not(changes: dict[str, Any], key: str, revision: int, reason: str) -> None:
    with pytest.raises(MessageError) as refusal:
        taken(encode_signed(charter(**changes), key), revision)
    assert refusal.value.reason == reason


def test_one_that_was_changed_on_its_way_is_not() -> None:
    payload = encode_signed(charter(), PRIVATE).replace(b'"0.11"', b'"0.10"')
    with pytest.raises(MessageError, match="not_signed"):
        taken(payload)
