"""Members take a charter only from their own organiser, and never an old one for a new one."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from custom_components.energy_neighbours.core.charter import tariff_of, verified_charter, write_tariff
from custom_components.energy_neighbours.core.message_fields import MessageError
from custom_components.energy_neighbours.core.messages import Charter, CharterKey, encode_signed
from custom_components.energy_neighbours.core.sharing_costs import SharedTariff
from custom_components.energy_neighbours.core.signing import generate_key, public_key_of

from .tariffs import IMPACT

BANDS = {"eco": Decimal("0.10"), "medium": Decimal("0.14"), "peak": Decimal("0.18")}
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
    ids=["signed by another", "of another community", "with another key", "with too low a threshold", "older"],
)
def test_any_other_is_not(changes: dict[str, Any], key: str, revision: int, reason: str) -> None:
    with pytest.raises(MessageError) as refusal:
        taken(encode_signed(charter(**changes), key), revision)
    assert refusal.value.reason == reason


def test_it_tells_one_price_or_one_for_each_band() -> None:
    for shared in (None, SharedTariff.flat(Decimal("0.11")), SharedTariff(BANDS, IMPACT)):
        tariff, prices = write_tariff(shared)
        told = taken(encode_signed(charter(tariff=tariff, prices=prices), PRIVATE))
        assert tariff_of(told) == shared
        assert (tariff_of(told) or SharedTariff({})).prices == (shared.prices if shared else {})


@pytest.mark.parametrize(
    ("tariff", "prices"),
    [
        (None, {"eco": Decimal("0.11")}),
        (IMPACT.as_dict(), {"sunny": Decimal("0.11")}),
        ({**IMPACT.as_dict(), "days": {}}, {"eco": Decimal("0.11")}),
    ],
)
def test_prices_for_bands_that_there_are_not_make_it_none(tariff: Any, prices: dict[str, Decimal]) -> None:
    with pytest.raises(MessageError, match="wrong_form"):
        taken(encode_signed(charter(tariff=tariff, prices=prices), PRIVATE))


def test_one_that_was_changed_on_its_way_is_not() -> None:
    payload = encode_signed(charter(), PRIVATE).replace(b'"0.11"', b'"0.10"')
    with pytest.raises(MessageError, match="not_signed"):
        taken(payload)
