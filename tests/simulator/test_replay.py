"""The samples, byte by byte, as a client at the embedded broker hears them."""

import json

import pytest

from tools.simulator import Simulator
from tools.simulator.replay import Replay

from .conftest import SAMPLES, Heard, eventually, listening, sample


def by_topic(messages):
    """Order within each topic is what a client relies on."""
    told = {}
    for message in messages:
        told.setdefault(message.topic, []).append(message.payload)
    return told


@pytest.mark.parametrize("name", SAMPLES)
async def test_client_hears_the_sample_byte_by_byte(name):
    recorded = [Heard(m["topic"], m["payload"].encode(), m["retain"]) for m in sample(name)["messages"]]
    length = Replay(name).length
    async with Simulator(name, shift_stamps=False, paused=True, speed=5) as meter, listening(meter.port) as ear:
        await eventually(lambda: sum(message.retain for message in ear.heard) >= len(meter.meter.config.messages()) - 1)
        meter.resume()
        await eventually(lambda: meter.seconds > length)
        await eventually(lambda: len(ear.readings) > len([message for message in recorded if message.is_reading]))
    heard = by_topic(ear.heard)
    assert by_topic(recorded).keys() - heard.keys() <= {message.topic for message in recorded if not message.payload}
    for topic, payloads in by_topic(recorded).items():
        if any(payloads):
            assert heard[topic][: len(payloads)] == payloads


@pytest.mark.parametrize("name", SAMPLES)
def test_stamps_are_shifted_to_now_and_nothing_else_changes(name):
    now = 1_800_000_000
    meter, recorded = Replay(name), Replay(name, shift_stamps=False)
    shift = now - meter.time0
    for second in range(meter.length):
        for told, original in zip(meter.second(now + second, 0), recorded.second(0, 0), strict=True):
            assert told.topic == original.topic
            first = next(part for part in original.payload.decode().replace("[", ",").split(",") if part.isdigit())
            if int(first) > 1_600_000_000:
                assert told.payload == original.payload.replace(first.encode(), str(int(first) + shift).encode())
            else:
                assert told.payload == original.payload


@pytest.mark.parametrize("name", SAMPLES)
def test_after_its_end_the_sample_goes_on_with_rising_stamps_and_counters(name):
    meter = Replay(name)
    p1 = {entry["id"] for _, entry in meter.config.enabled() if entry.get("class") == "cosem"}
    last = {}
    for second in range(meter.length * 4):
        for message in meter.second(1_800_000_000 + second, 0):
            if message.topic.endswith("/counter"):
                stamp, value, unit = json.loads(message.payload)
                before = last.get(message.topic)
                if before and message.topic.split("/")[2] not in p1:
                    assert stamp >= before[0]
                    assert value >= before[1]
                last[message.topic] = (stamp, value, unit)
    assert last


def test_another_id_makes_another_meter():
    did = "a" * 32
    one, other = Replay("flm03_three_phase"), Replay("flm03_three_phase", did)
    assert other.config.did == did
    assert other.config.hostname == "flukso-aaaaaa"
    ids = [{entry["id"] for _, entry in meter.config.enabled()} for meter in (one, other)]
    assert not ids[0] & ids[1]
    topics = {message.topic for message in other.second(1_800_000_000, 0)}
    assert all(topic.split("/")[2] in ids[1] | {did} or topic.startswith("$SYS") for topic in topics)
