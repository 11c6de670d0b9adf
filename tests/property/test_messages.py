"""Every message comes back as it was, and whatever else arrives is refused and nothing worse."""

from contextlib import suppress
from datetime import date
from decimal import Decimal

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.energy_neighbours.core.messages import (
    BucketTotals,
    Charter,
    CharterKey,
    CommunityTotals,
    Consent,
    Live,
    LiveShare,
    Message,
    MessageError,
    Reading,
    ReadingQuarter,
    ReadingRefusal,
    RefusedQuarter,
    Request,
    Share,
    ShareQuarter,
    StoredQuarter,
    decode,
    decode_signed,
    encode,
    encode_signed,
)
from custom_components.energy_neighbours.core.quarter_hour import Quality, Span
from custom_components.energy_neighbours.core.signing import public_key_of, sign
from custom_components.energy_neighbours.core.topics import COMMUNITY_PATTERN, parse_topic

PRIVATE = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
PUBLIC = public_key_of(PRIVATE)

times = st.integers(0, 1 << 36)
moments = times | st.floats(0, 1 << 36)
starts = st.integers(0, (1 << 36) // 900).map(lambda number: 900 * number)
wholes = st.integers(0, 20_000) | st.integers(0, (1 << 63) - 1)
perhaps = st.none() | wholes
revisions = st.integers(1, (1 << 63) - 1)
flags = st.booleans()
names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)


def rows(of, *fields):
    return st.lists(st.builds(of, starts, *fields), max_size=20, unique_by=lambda row: row.start).map(tuple)


totals = rows(BucketTotals, wholes, perhaps, perhaps, perhaps, perhaps)
spans = st.builds(
    lambda start, length: Span(start, start + 900 * length), starts.filter(lambda s: s < 1 << 35), st.integers(1, 3000)
)
shares = rows(ShareQuarter, wholes, wholes, perhaps, revisions, flags, wholes)
messages = st.one_of(
    st.builds(
        Reading,
        issued_at=times,
        device=st.from_regex("[A-Za-z0-9_-]{8,64}", fullmatch=True),
        shares_seen=wholes,
        quarters=rows(ReadingQuarter, perhaps, perhaps, perhaps, st.sampled_from(Quality), revisions),
    ),
    st.builds(Live, issued_at=times, time=moments, offtake=wholes, injection=wholes),
    st.builds(Consent, issued_at=times, readings=flags, live=flags, statistics=flags, since=times),
    st.builds(
        Request,
        issued_at=times,
        acknowledged=rows(StoredQuarter, revisions),
        wanted=st.lists(spans, max_size=20, unique_by=lambda span: span.start).map(tuple),
        refused=rows(RefusedQuarter, revisions, st.sampled_from(ReadingRefusal)),
        other_device=flags,
    ),
    st.builds(
        lambda pair, **fields: Share(after=min(pair), revision=max(pair), **fields),
        st.tuples(wholes, wholes),
        issued_at=times,
        quarters=shares,
    ),
    st.builds(LiveShare, issued_at=times, time=moments, power=wholes),
    st.builds(CommunityTotals, issued_at=times, quarters=totals, groups=st.dictionaries(names, totals, max_size=3)),
)
plain = st.recursive(
    st.none() | flags | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), plain, max_size=4)
charters = st.builds(
    Charter,
    issued_at=times,
    community=st.from_regex(COMMUNITY_PATTERN, fullmatch=True),
    name=names,
    zone=st.sampled_from(["Europe/Brussels", "Europe/Paris", "Etc/GMT+1"]),
    revision=revisions,
    k=st.integers(3, 50),
    keys=st.lists(st.builds(CharterKey, st.dates(date(1, 1, 1)), objects), max_size=4).map(tuple),
    tariff=st.none() | objects,
    prices=st.dictionaries(names, st.decimals(-10, 10, places=5, allow_nan=False).map(Decimal), max_size=3),
    public_key=st.just(PUBLIC),
)
# What stands where something else is expected.
odd = st.one_of(
    plain,
    st.floats(),
    st.sampled_from([[], {}, [[]], "", "measured", -1, 900, 1.0, True, 1 << 63, [[900, 0]], [[0, 900], [0, 900]]]),
)


@st.composite
def mutated(draw, of):
    """A message in which something, anywhere, is another thing, or was left out, or put in twice."""
    data = orjson.loads(draw(of))
    place = data
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        if isinstance(place[key], (dict, list)) and place[key] and draw(st.booleans()):
            place = place[key]
            continue
        match draw(st.integers(0, 3)):
            case 0:
                del place[key]
            case 1 if isinstance(place, list):
                place.append(place[key])
            case _:
                place[key] = draw(odd)
        break
    return orjson.dumps(data)


def received(payload):
    """What any receiver makes of it."""
    for of in Message.__subclasses__():
        with suppress(MessageError):
            decode(of, payload)
    with suppress(MessageError):
        decode_signed(Charter, payload, PUBLIC)


@given(messages)
def test_every_message_comes_back_as_it_was(message):
    assert decode(type(message), encode(message)) == message


@given(charters)
def test_every_charter_comes_back_as_it_was_signed(charter):
    assert decode_signed(Charter, encode_signed(charter, PRIVATE), PUBLIC) == charter


@given(messages, st.dictionaries(st.text(st.characters(codec="utf-8")).map(lambda name: f"new {name}"), plain))
def test_unknown_fields_are_ignored(message, more):
    assert decode(type(message), orjson.dumps(more | orjson.loads(encode(message)))) == message


@given(st.binary() | st.binary().map(lambda data: b'{"v":1,' + data))
def test_random_bytes_are_refused(payload):
    received(payload)


@given(odd, st.booleans())
def test_any_json_is_refused(value, framed):
    received(orjson.dumps({"v": 1, "issued_at": value, "quarters": value, "time": value} if framed else value))


@given(mutated(messages.map(encode)))
def test_a_mutated_message_is_a_message_or_refused(payload):
    received(payload)


@given(mutated(charters.map(lambda charter: encode_signed(charter, PRIVATE))), st.booleans())
def test_a_mutated_charter_is_refused_and_one_that_was_signed_so_is_a_charter_or_refused(payload, signed_so):
    received(payload)
    data = orjson.loads(payload)
    with suppress(ValueError):  # the organiser's own program refuses to sign it
        received(orjson.dumps(sign(data, PRIVATE)))


@given(charters, st.data())
def test_a_charter_with_a_changed_byte_is_refused_or_says_the_same(charter, data):
    payload = bytearray(encode_signed(charter, PRIVATE))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    with suppress(MessageError):
        # JSON writes some signs in several ways.
        assert decode_signed(Charter, bytes(payload), PUBLIC) == charter


@given(st.integers(1, 3000), st.sampled_from([(b"[", b"]"), (b'{"v":', b"}")]), st.booleans())
def test_deep_nesting_is_refused(depth, brackets, closed):
    opening, closing = brackets
    deep = opening * depth + b"1" + (closing * depth if closed else b"")
    for payload in (
        deep,
        b'{"v":1,"issued_at":900,"quarters":' + deep + b"}",
        b'{"v":1,"kind":"charter","signature":' + deep + b"}",
    ):
        received(payload)
        with pytest.raises(MessageError):
            decode(Reading, payload)


@given(st.text() | st.lists(st.sampled_from(["members", "charter", "share", "k3x9", "maple7", "+", ""])).map("/".join))
def test_no_topic_is_too_strange(rest):
    for topic in (rest, f"energy-neighbours/v1/{rest}"):
        found = parse_topic(topic)
        assert found is None or topic.endswith(f"/{found.kind}")
