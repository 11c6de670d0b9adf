"""What organiser and members tell each other, and what is refused of what arrives."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import orjson
import pytest

from custom_components.energy_neighbours.core.messages import (
    MAX_PAYLOAD,
    MAX_QUARTERS,
    MAX_SPANS,
    BucketTotals,
    Charter,
    CharterKey,
    CommunityTotals,
    Consent,
    Live,
    LiveShare,
    MessageError,
    Reading,
    ReadingQuarter,
    ReadingRefusal,
    Refusal,
    RefusedQuarter,
    Request,
    Share,
    ShareQuarter,
    StoredQuarter,
    batches,
    decode,
    decode_signed,
    encode,
    encode_signed,
)
from custom_components.energy_neighbours.core.quarter_hour import Quality, Span
from custom_components.energy_neighbours.core.signing import canonical, generate_key, public_key_of, sign
from custom_components.energy_neighbours.core.topics import Kind

NOON = 1_782_907_200  # 2026-07-01T12:00:00Z
PRIVATE = generate_key()
PUBLIC = public_key_of(PRIVATE)
READING = Reading(
    issued_at=NOON + 1805,
    device="Zk3_x9-2b",
    shares_seen=41,
    quarters=(
        ReadingQuarter(NOON, 120, 0, 310, Quality.MEASURED, 1),
        ReadingQuarter(NOON + 900, 95, 0, None, Quality.ESTIMATED, 2),
    ),
)
LIVE = Live(issued_at=NOON, time=NOON - 0.5, offtake=730, injection=0)
REQUEST = Request(
    issued_at=NOON,
    acknowledged=(StoredQuarter(NOON - 900, 2),),
    wanted=(Span(NOON - 9000, NOON - 7200),),
    refused=(RefusedQuarter(NOON + 86_400, 1, ReadingRefusal.FUTURE),),
    other_device=False,
)
SHARE = Share(
    issued_at=NOON,
    revision=42,
    after=41,
    quarters=(ShareQuarter(NOON, 80, 64, 56, 42, provisional=True, key_version=3),),
)
TOTALS = BucketTotals(NOON, 12, 4100, 2900, 2650, 1450)
COMMUNITY = CommunityTotals(
    issued_at=NOON,
    quarters=(TOTALS,),
    groups={"flats": (BucketTotals(NOON, 3, None, None, None, None),)},
)
CHARTER = Charter(
    issued_at=NOON,
    community="maple7street",
    name="Rue des Érables",
    zone="Europe/Brussels",
    revision=2,
    k=5,
    keys=(CharterKey(date(2026, 1, 1), {"kind": "prorata"}), CharterKey(date(2026, 7, 1), {"kind": "equal"})),
    tariff=None,
    prices={"shared": Decimal("0.155")},
    public_key=PUBLIC,
)
EVERY = [
    READING,
    LIVE,
    Consent(issued_at=NOON, readings=True, live=False, statistics=True, since=NOON - 86_400),
    REQUEST,
    SHARE,
    LiveShare(issued_at=NOON, time=NOON, power=410),
    COMMUNITY,
]


def sent(message, **changes):
    """What is sent, with other contents; those that are `...` are left out."""
    data = orjson.loads(encode(message)) | changes
    return orjson.dumps({name: value for name, value in data.items() if value is not ...})


def refusal(of, payload):
    with pytest.raises(MessageError) as caught:
        decode(of, payload)
    assert str(caught.value) == f"{caught.value.reason.value}: {caught.value.detail}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.reason


@pytest.mark.parametrize("message", EVERY, ids=lambda message: message.kind)
def test_a_message_arrives_as_it_was_sent(message):
    assert decode(type(message), encode(message)) == message


def test_every_kind_of_message_is_among_these():
    assert {message.kind for message in [*EVERY, CHARTER]} == set(Kind)


def test_quarter_hours_are_sent_as_short_lists():
    assert orjson.loads(encode(READING)) == {
        "v": 1,
        "issued_at": NOON + 1805,
        "device": "Zk3_x9-2b",
        "shares_seen": 41,
        "quarters": [[NOON, 120, 0, 310, "measured", 1], [NOON + 900, 95, 0, None, "estimated", 2]],
    }


def test_a_reading_without_quarter_hours_asks_for_shares():
    asking = replace(READING, quarters=())
    assert decode(Reading, encode(asking)) == asking


def test_what_a_newer_sender_adds_is_ignored():
    longer = [[*quarter, "more"] for quarter in orjson.loads(encode(READING))["quarters"]]
    assert decode(Reading, sent(READING, added={"more": 1}, quarters=longer)) == READING


def test_another_version_has_its_own_reason():
    assert refusal(Live, sent(LIVE, v=2)) is Refusal.UNKNOWN_VERSION
    assert refusal(Live, sent(LIVE, v=0)) is Refusal.UNKNOWN_VERSION
    assert refusal(Live, sent(LIVE, v=True)) is Refusal.WRONG_TYPE
    assert refusal(Live, sent(LIVE, v=...)) is Refusal.MISSING_FIELD
    assert refusal(Live, b'{"v":2,"all":"different"}') is Refusal.UNKNOWN_VERSION


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Refusal.NOT_JSON),
        (b"{", Refusal.NOT_JSON),
        (b'{"v":1,"time":NaN}', Refusal.NOT_JSON),
        (b'{"v":1,"time":1e999}', Refusal.NOT_JSON),
        (b'{"v":1,"name":"\xff"}', Refusal.NOT_JSON),
        (b"[" * 60_000, Refusal.NOT_JSON),
        (b'{"a":' * 10_000, Refusal.NOT_JSON),
        (b"[]", Refusal.WRONG_TYPE),
        (b"null", Refusal.WRONG_TYPE),
        (b'"v"', Refusal.WRONG_TYPE),
        (b'{"v":1}' + b" " * MAX_PAYLOAD, Refusal.TOO_LARGE),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_json_object_of_64_kib_at_most(payload, reason):
    assert refusal(Live, payload) is reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issued_at": ...}, Refusal.MISSING_FIELD),
        ({"issued_at": None}, Refusal.WRONG_TYPE),
        ({"issued_at": 1.5}, Refusal.WRONG_TYPE),
        ({"issued_at": -1}, Refusal.NEGATIVE),
        ({"issued_at": 1 << 60}, Refusal.OUT_OF_RANGE),
        ({"device": ...}, Refusal.MISSING_FIELD),
        ({"device": "short"}, Refusal.WRONG_FORM),
        ({"device": "no spaces please"}, Refusal.WRONG_FORM),
        ({"device": "12345678\n"}, Refusal.WRONG_FORM),
        ({"device": 12_345_678}, Refusal.WRONG_TYPE),
        ({"shares_seen": True}, Refusal.WRONG_TYPE),
        ({"shares_seen": -1}, Refusal.NEGATIVE),
        ({"shares_seen": 1 << 63}, Refusal.OUT_OF_RANGE),
        ({"quarters": None}, Refusal.WRONG_TYPE),
        ({"quarters": {}}, Refusal.WRONG_TYPE),
        ({"quarters": [5]}, Refusal.WRONG_TYPE),
        ({"quarters": [[NOON, 1, 0, 0, "measured"]]}, Refusal.MISSING_FIELD),
        ({"quarters": [[NOON + 1, 1, 0, 0, "measured", 1]]}, Refusal.OFF_GRID),
        ({"quarters": [[float(NOON), 1, 0, 0, "measured", 1]]}, Refusal.WRONG_TYPE),
        ({"quarters": [[NOON, -1, 0, 0, "measured", 1]]}, Refusal.NEGATIVE),
        ({"quarters": [[NOON, 1.0, 0, 0, "measured", 1]]}, Refusal.WRONG_TYPE),
        ({"quarters": [[NOON, False, 0, 0, "measured", 1]]}, Refusal.WRONG_TYPE),
        ({"quarters": [[NOON, "1", 0, 0, "measured", 1]]}, Refusal.WRONG_TYPE),
        ({"quarters": [[NOON, 1 << 63, 0, 0, "measured", 1]]}, Refusal.OUT_OF_RANGE),
        ({"quarters": [[NOON, 1, 0, 0, "guessed", 1]]}, Refusal.WRONG_FORM),
        ({"quarters": [[NOON, 1, 0, 0, None, 1]]}, Refusal.WRONG_TYPE),
        ({"quarters": [[NOON, 1, 0, 0, "measured", 0]]}, Refusal.OUT_OF_RANGE),
        ({"quarters": [[NOON, 1, 0, 0, "measured", revision] for revision in (1, 2)]}, Refusal.DUPLICATE),
        ({"quarters": [[NOON, None, None, None, "missing", 1]] * (MAX_QUARTERS + 1)}, Refusal.TOO_MANY),
    ],
    ids=str,
)
def test_a_reading_that_is_refused(changes, reason):
    assert refusal(Reading, sent(READING, **changes)) is reason


@pytest.mark.parametrize(
    ("message", "changes", "reason"),
    [
        (LIVE, {"time": "now"}, Refusal.WRONG_TYPE),
        (LIVE, {"time": True}, Refusal.WRONG_TYPE),
        (LIVE, {"time": -0.5}, Refusal.OUT_OF_RANGE),
        (LIVE, {"time": 1e300}, Refusal.OUT_OF_RANGE),
        (LIVE, {"offtake": 730.4}, Refusal.WRONG_TYPE),
        (LIVE, {"injection": -5}, Refusal.NEGATIVE),
        (LIVE, {"injection": None}, Refusal.WRONG_TYPE),
        (REQUEST, {"wanted": [[NOON, NOON]]}, Refusal.WRONG_ORDER),
        (REQUEST, {"wanted": [[NOON]]}, Refusal.WRONG_TYPE),
        (REQUEST, {"wanted": [NOON]}, Refusal.WRONG_TYPE),
        (REQUEST, {"wanted": [[NOON, NOON + 901]]}, Refusal.OFF_GRID),
        (REQUEST, {"wanted": [[n * 900, n * 900 + 900] for n in range(MAX_SPANS + 1)]}, Refusal.TOO_MANY),
        (REQUEST, {"refused": [[NOON, 1, "because"]]}, Refusal.WRONG_FORM),
        (REQUEST, {"other_device": 0}, Refusal.WRONG_TYPE),
        (SHARE, {"after": 43}, Refusal.WRONG_ORDER),
        (SHARE, {"quarters": [[NOON, 80, None, 56, 42, True, 3]]}, Refusal.WRONG_TYPE),
        (SHARE, {"quarters": [[NOON, 80, 64, 56, 42, None, 3]]}, Refusal.WRONG_TYPE),
        (COMMUNITY, {"groups": []}, Refusal.WRONG_TYPE),
        (COMMUNITY, {"groups": {"": []}}, Refusal.WRONG_FORM),
        (COMMUNITY, {"groups": {"flats": [[NOON, -3, 0, 0, 0, 0]]}}, Refusal.NEGATIVE),
    ],
    ids=str,
)
def test_other_messages_that_are_refused(message, changes, reason):
    assert refusal(type(message), sent(message, **changes)) is reason


def test_a_refusal_says_where_but_never_what_was_found():
    with pytest.raises(MessageError) as caught:
        decode(Reading, sent(READING, quarters=[[NOON, 1, 2, 3, "measured", 1], [NOON + 900, 1, -987_654, 3, "x", 1]]))
    assert caught.value.detail == "quarters[1].injection: a whole number that is not negative is wanted"
    with pytest.raises(MessageError) as caught:
        decode(CommunityTotals, sent(COMMUNITY, groups={"Anne": [[NOON, "Bob", 0, 0, 0, 0]]}))
    assert caught.value.detail == "groups[0][0].members: a whole number is wanted"


def test_nobody_sends_what_nobody_would_accept():
    quarter = READING.quarters[0]
    for wrong in (
        replace(READING, quarters=(quarter, quarter)),
        replace(READING, quarters=tuple(quarter._replace(start=900 * n) for n in range(MAX_QUARTERS + 1))),
        replace(READING, device="?"),
        replace(LIVE, offtake=-1),
        replace(LIVE, time=float("nan")),
        replace(COMMUNITY, groups={f"g{n}": (TOTALS._replace(start=900 * n),) for n in range(2000)}),
    ):
        with pytest.raises(ValueError, match=r"duplicate|too_many|wrong_form|negative|out_of_range|too_large"):
            encode(wrong)
    with pytest.raises(ValueError, match="before its own"):
        replace(SHARE, after=43)


def test_a_long_absence_is_sent_in_several_messages():
    month = [ReadingQuarter(NOON + 900 * n, 120, 0, None, Quality.MEASURED, 1) for n in range(2976)]
    parts = list(batches(month))
    assert [len(part) for part in parts] == [500] * 5 + [476]
    assert [
        quarter for part in parts for quarter in decode(Reading, encode(replace(READING, quarters=part))).quarters
    ] == month
    assert list(batches([])) == []


def test_the_largest_reading_and_the_largest_share_fit():
    most = (1 << 63) - 1
    starts = [(1 << 36) // 900 * 900 - 900 * n for n in range(MAX_QUARTERS)]
    readings = tuple(ReadingQuarter(start, most, most, most, Quality.ESTIMATED, most) for start in starts)
    assert len(encode(replace(READING, quarters=readings))) < MAX_PAYLOAD
    shares = tuple(ShareQuarter(start, most, most, most, most, provisional=False, key_version=99) for start in starts)
    assert len(encode(replace(SHARE, revision=most, quarters=shares))) < MAX_PAYLOAD


def test_a_charter_is_believed_only_with_the_organisers_signature():
    payload = encode_signed(CHARTER, PRIVATE)
    assert decode_signed(Charter, payload, PUBLIC) == CHARTER
    assert orjson.loads(payload)["prices"] == {"shared": "0.155"}
    unsigned = orjson.loads(payload)
    del unsigned["signature"]
    for wrong in (
        encode_signed(CHARTER, generate_key()),
        payload.replace(b'"k":5', b'"k":3'),
        canonical(unsigned),
        canonical(sign({**unsigned, "kind": "signal"}, PRIVATE)),
    ):
        with pytest.raises(MessageError) as caught:
            decode_signed(Charter, wrong, PUBLIC)
        assert caught.value.reason is Refusal.NOT_SIGNED


def test_the_organisers_signature_covers_what_a_newer_program_adds():
    newer = sign({**orjson.loads(encode_signed(CHARTER, PRIVATE)), "added": [1]}, PRIVATE)
    assert decode_signed(Charter, canonical(newer), PUBLIC) == CHARTER
    with pytest.raises(MessageError):
        decode_signed(Charter, canonical({**newer, "added": [2]}), PUBLIC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"community": "Maple"}, Refusal.WRONG_FORM),
        ({"name": ""}, Refusal.WRONG_FORM),
        ({"name": None}, Refusal.WRONG_TYPE),
        ({"zone": "../etc/passwd"}, Refusal.WRONG_FORM),
        ({"k": 0}, Refusal.OUT_OF_RANGE),
        ({"keys": [["2026-01-01", None]]}, Refusal.WRONG_TYPE),
        ({"keys": [["20260101", {}]]}, Refusal.WRONG_FORM),
        ({"keys": [["2026-02-30", {}]]}, Refusal.OUT_OF_RANGE),
        ({"keys": [[5, {}]]}, Refusal.WRONG_TYPE),
        ({"tariff": []}, Refusal.WRONG_TYPE),
        ({"prices": {"shared": "1e5"}}, Refusal.WRONG_FORM),
        ({"prices": {"shared": "NaN"}}, Refusal.WRONG_FORM),
        ({"prices": {"shared": 1}}, Refusal.WRONG_TYPE),
        ({"public_key": "none"}, Refusal.WRONG_FORM),
        ({"public_key": None}, Refusal.WRONG_TYPE),
    ],
    ids=str,
)
def test_a_signed_charter_is_checked_too(changes, reason):
    data = orjson.loads(encode_signed(CHARTER, PRIVATE)) | changes
    with pytest.raises(MessageError) as caught:
        decode_signed(Charter, canonical(sign(data, PRIVATE)), PUBLIC)
    assert caught.value.reason is reason


def test_an_organiser_does_not_sign_what_cannot_be():
    for wrong in (replace(CHARTER, name=""), replace(CHARTER, tariff={"price": 0.1})):
        with pytest.raises(ValueError, match=r"name|signed"):
            encode_signed(wrong, PRIVATE)
    with pytest.raises(ValueError, match="65536 bytes"):
        encode_signed(replace(CHARTER, tariff={"holidays": "x" * MAX_PAYLOAD}), PRIVATE)
