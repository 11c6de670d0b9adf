"""The two live meters, second by second, without a broker."""

from datetime import UTC, datetime
import gzip
from itertools import pairwise
import json

import pytest

from tools.simulator.blocks import BlockStore
from tools.simulator.flm02 import Flm02
from tools.simulator.flm03 import SUBTYPES, Flm03
from tools.simulator.household import Household, scene_of

from .conftest import Heard

DID = "0123456789abcdef0123456789abcdef"
NOON = scene_of(datetime(2017, 10, 10, 11, tzinfo=UTC))
NIGHT = scene_of(datetime(2017, 10, 10, 1, tzinfo=UTC))
NOW = 1_700_000_000


@pytest.fixture
def flm03():
    return Flm03(DID, Household())


@pytest.fixture
def flm02():
    return Flm02(DID, Household(kwp=3.0))


def seconds(meter, scene, count, first=NOW):
    """Let `count` seconds pass; return the messages of each."""
    return [[Heard(*message) for message in meter.second(first + n, scene + n)] for n in range(count)]


def series(told, topic):
    return [message.reading for second in told for message in second if message.topic == topic]


def sid(meter, index):
    return meter.config.sensor[str(index)]["id"]


def test_flm03_tells_six_counters_then_eleven_gauges_of_each_port(flm03):
    (told,) = seconds(flm03, NIGHT, 1)
    readings = [message for message in told if message.is_reading]
    expected = []
    for port in range(3):
        sids = [sid(flm03, port * 12 + position) for position in range(1, 13)]
        expected += [f"/sensor/{s}/counter" for s in sids[:6]] + [f"/sensor/{s}/gauge" for s in sids[:11]]
    assert [message.topic for message in readings] == expected
    assert not any(message.retain for message in readings)


def test_flm03_dates_clamps_one_second_back_and_pulses_not(flm03):
    for second, told in enumerate(seconds(flm03, NOON, 5)):
        pulse = f"/sensor/{sid(flm03, 37)}/counter"
        for message in told:
            if message.is_reading:
                lag = 0 if message.topic.removesuffix("gauge").removesuffix("counter") in pulse else 1
                assert message.reading[0] == NOW + second - lag


def test_flm03_pulses_share_a_stamp_while_the_counter_rises(flm03):
    told = series(seconds(flm03, NOON, 10), f"/sensor/{sid(flm03, 37)}/counter")
    assert len(told) > len({stamp for stamp, *_ in told})
    steps = {round(after[1] - before[1], 3) for before, after in pairwise(told)}
    assert steps == {0.1}


@pytest.mark.parametrize("subtype", ["pplus", "pminus", "q1", "q4"])
def test_flm03_counters_are_the_integral_of_their_gauges(flm03, subtype):
    told = seconds(flm03, NOON, 3600)
    for port in range(3):
        topic = f"/sensor/{sid(flm03, port * 12 + SUBTYPES.index(subtype) + 1)}"
        counters, gauges = series(told, f"{topic}/counter"), series(told, f"{topic}/gauge")
        energy = sum(value for _, value, _ in gauges[1:]) / 3600
        assert counters[-1][1] - counters[0][1] == pytest.approx(energy, abs=0.01)
        assert counters[0][2] == gauges[0][2] + "h"


def test_flm03_sun_feeds_in_at_noon_and_never_at_night(flm03):
    exports = [f"/sensor/{sid(flm03, port * 12 + 2)}/gauge" for port in range(3)]
    at_noon, at_night = seconds(flm03, NOON, 60), seconds(flm03, NIGHT, 60)
    assert any(value > 100 for topic in exports for _, value, _ in series(at_noon, topic))
    assert not any(value for topic in exports for _, value, _ in series(at_night, topic))


def test_flm03_phases_balance_house_and_roof(flm03):
    household = Household()
    told = seconds(flm03, NOON, 30)
    for second in range(30):
        flow = household.at(NOON + second)
        net = 0.0
        for port in range(3):
            plus = series(told, f"/sensor/{sid(flm03, port * 12 + 1)}/gauge")[second][1]
            minus = series(told, f"/sensor/{sid(flm03, port * 12 + 2)}/gauge")[second][1]
            assert not (plus and minus)
            net += plus - minus
        assert net == pytest.approx(flow.load - flow.solar, abs=0.01)


def test_flm03_power_is_volts_times_amperes_times_power_factor(flm03):
    told = seconds(flm03, NIGHT, 5)
    watts, _, _, _, _, _, volts, amperes, factor = (
        series(told, f"/sensor/{sid(flm03, position)}/gauge")[0][1] for position in range(1, 10)
    )
    assert volts * amperes * factor == pytest.approx(watts, rel=0.01)


def test_flm03_wave_forms_and_a_clock_that_is_no_json(flm03):
    (told,) = seconds(flm03, NOON, 1)
    by_topic = {message.topic: message.payload for message in told}
    head, samples, unit = json.loads(by_topic[f"/device/{DID}/flx/voltage/1"])
    assert (head, len(samples), unit) == ([NOW, 500], 32, "mV")
    assert max(samples) == pytest.approx(232_000 * 2**0.5, rel=0.03)
    with pytest.raises(ValueError, match="property name"):
        json.loads(by_topic[f"/device/{DID}/flx/time"])


def test_flm03_angle_is_told_on_demand_and_misprinted():
    meter = Flm03(DID, Household(), alpha=True)
    assert meter.config.sensor["12"]["enable"] == 1
    told = seconds(meter, NIGHT, 60)
    steps = [
        message.payload for second in told for message in second if message.topic.endswith(f"{sid(meter, 12)}/gauge")
    ]
    assert len(steps) == 60
    assert any(payload.split()[1].startswith(b"-") for payload in steps)


def test_flm02_is_compact_whole_and_retained(flm02):
    for told in seconds(flm02, NOON, 30):
        for message in told:
            assert message.retain
            assert b" " not in message.payload
            if message.kind == "gauge":
                assert isinstance(message.reading[1], int)


def test_flm02_clamp_hides_the_direction_and_p1_shows_it(flm02):
    told = seconds(flm02, NOON, 60)
    clamp = series(told, f"/sensor/{sid(flm02, 1)}/gauge")
    net = series(told, f"/sensor/{sid(flm02, 7)}/gauge")
    assert len(clamp) == 60
    assert len(net) == 6
    assert min(value for _, value, _ in clamp) >= 0 > min(value for _, value, _ in net)


def test_flm02_net_counter_falls_below_zero_while_it_exports(flm02):
    net = [value for _, value, _ in series(seconds(flm02, NOON, 600), f"/sensor/{sid(flm02, 7)}/counter")]
    assert net == sorted(net, reverse=True)
    assert len(net) > 5
    assert net[-1] < 0


def test_flm02_counter_is_told_only_when_it_changed_and_is_the_integral(flm02):
    told = seconds(flm02, NOON, 3600)
    for index in (1, 4):
        gauges = series(told, f"/sensor/{sid(flm02, index)}/gauge")
        counters = [value for _, value, _ in series(told, f"/sensor/{sid(flm02, index)}/counter")]
        assert all(after > before for before, after in pairwise(counters))
        mean = sum(value for _, value, _ in gauges) / len(gauges)
        assert counters[-1] - counters[0] == pytest.approx(mean, rel=0.03, abs=3)


def test_flm02_stamps_rise_strictly_for_each_sensor(flm02):
    told = seconds(flm02, NOON, 120)
    for topic in {message.topic for second in told for message in second}:
        stamps = [stamp for stamp, *_ in series(told, topic)]
        assert stamps == sorted(set(stamps))


def test_flm02_sun_has_no_topic_at_night(flm02):
    assert not series(seconds(flm02, NIGHT, 60), f"/sensor/{sid(flm02, 4)}/counter")


@pytest.mark.parametrize("make", [Flm02, Flm03])
def test_counters_survive_a_restart_of_the_simulator(make):
    before, after = make(DID, Household()), make(DID, Household())
    seconds(before, NOON, 300)
    after.restore(json.loads(json.dumps(before.counters())))
    assert seconds(after, NOON + 300, 1)[0][0] == seconds(before, NOON + 300, 1)[0][0]
    assert after.counters() == before.counters()


def test_block_of_256_seconds_holds_the_counter(flm03):
    store = BlockStore(flm03.config)
    begin = NOW - NOW % 256 + 256
    due = []
    for second in range(256 + 10):
        due += store.note(begin + second, flm03.second(begin + second, NIGHT + second))
    blocks = {message.topic: json.loads(gzip.decompress(message.payload)) for message in due}
    block = blocks[f"/sensor/{sid(flm03, 1)}/tmpo/0/8/{begin}/gz"]  # noqa: S108 - a topic
    assert len(block["t"]) == len(block["v"]) == 256
    head, tail = block["h"]["head"], block["h"]["tail"]
    assert (head[0], tail[0]) == (begin, begin + 255)
    assert head[1] + sum(block["v"]) == pytest.approx(tail[1])
    assert head[0] + sum(block["t"]) == tail[0]
    assert block["h"]["cfg"]["subtype"] == "pplus"
    assert "enable" not in block["h"]["cfg"]
