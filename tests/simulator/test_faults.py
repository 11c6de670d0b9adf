"""Every fault, as a client sees it."""

import asyncio
from datetime import UTC, datetime
import json
from pathlib import Path
import time

import aiomqtt
import pytest

from tools.simulator import FAULTS, Fault, FaultError, Simulator

from .conftest import PATIENCE, catch_up, connects, eventually, listening

NOON, NIGHT = (datetime(2017, 10, 12, hour, tzinfo=UTC) for hour in (11, 1))


def stamps(ear):
    return [int(message.payload[1:].split(b",")[0]) for message in ear.readings]


async def _exhaust(client):
    async for _ in client.messages:
        pass


def config_topics(ear):
    return {message.kind for message in ear.heard if "/config/" in message.topic}


async def test_reboot_closes_the_ports_and_comes_back_with_an_unset_clock_first():
    async with Simulator("single-phase") as meter:
        port = meter.port
        async with listening(port) as ear:
            await eventually(lambda: ear.readings)
        await meter.fault("reboot", 0)
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection("127.0.0.1", meter.rest_port)
        await meter.repair("reboot")
        assert meter.port == port
        async with listening(port) as ear:
            await eventually(lambda: config_topics(ear) == {"sensor", "kube"})
            await meter.recovered()
            await eventually(lambda: ear.readings)
            assert not [message for message in ear.readings if message.retain]  # the store was in memory


async def test_flm03_tells_tiny_stamps_after_a_reboot():
    async with Simulator("household") as meter:
        await meter.fault("reboot", 0)
        await meter.repair("reboot")
        async with listening(meter.port) as ear:
            await eventually(lambda: ear.readings)
            assert min(stamps(ear)) < 1000
            await meter.recovered()
            await eventually(lambda: max(stamps(ear)) > 1_234_567_890)


@pytest.mark.parametrize("profile", ["household", "single-phase", "flm03_three_phase", "flm02_single_phase_pv"])
async def test_counter_reset(profile):
    async with Simulator(profile, speed=5, at=NOON) as meter, listening(meter.port, "/sensor/+/counter") as ear:
        topic = f"/sensor/{meter.meter.config.sensor['1']['id']}/counter"
        await eventually(lambda: ear.of(topic) and ear.of(topic)[-1].reading[1] > 1000)
        await meter.fault("counter-reset")
        await eventually(lambda: 0 <= ear.of(topic)[-1].reading[1] < 100)


async def test_unset_clock_of_an_flm03_starts_below_zero():
    # It measures often enough to do so within the first second of its clock.
    async with Simulator("household", speed=10) as meter, listening(meter.port) as ear:
        await meter.fault("clock-unset", 3)
        await eventually(lambda: min(stamps(ear), default=0) == -1)
        await meter.recovered()
        await catch_up(meter, ear)
        count = len(ear.readings)
        await eventually(lambda: len(ear.readings) > count)
        assert time.time() - 10 < stamps(ear)[count] <= time.time()


async def test_unset_clock_silences_an_flm02():
    async with Simulator("single-phase") as meter, listening(meter.port) as ear:
        await eventually(lambda: ear.readings)
        await meter.fault("clock-unset", 0)
        await catch_up(meter, ear)
        told, seconds = len(ear.heard), meter.seconds
        await eventually(lambda: meter.seconds > seconds + 2)
        await catch_up(meter, ear)
        assert len(ear.heard) == told + 1, "only the mark of the catching up"


async def test_wrong_clock_is_two_hours_ahead():
    async with Simulator("household") as meter, listening(meter.port) as ear:
        await meter.fault("clock-wrong", 0)
        await eventually(lambda: max(stamps(ear), default=0) > time.time() + 7000)
        await meter.repair("clock-wrong")
        await catch_up(meter, ear)
        count = len(ear.readings)
        await eventually(lambda: len(ear.readings) > count)
        assert stamps(ear)[count] <= time.time()


async def test_silence_keeps_the_broker_open_and_loses_no_energy():
    async with Simulator("household", speed=10, at=NIGHT) as meter, listening(meter.port) as ear:
        topic = f"/sensor/{meter.meter.config.sensor['1']['id']}/counter"
        await eventually(lambda: ear.of(topic))
        await meter.silence(0)
        await catch_up(meter, ear)
        told, seconds = len(ear.heard), meter.seconds
        await eventually(lambda: meter.seconds > seconds + 10)
        assert await connects(meter)
        await catch_up(meter, ear)
        assert len(ear.heard) == told + 1, "only the mark of the catching up"
        before = ear.of(topic)
        await meter.repair("silence")
        await eventually(lambda: len(ear.of(topic)) > len(before))
        assert ear.of(topic)[len(before)].reading[1] > before[-1].reading[1]


async def test_garbage_comes_among_the_true_messages_and_is_never_retained():
    async with Simulator("household", speed=20, faults=[Fault("garbage", 0, 0)]) as meter:
        async with listening(meter.port) as ear:
            await eventually(lambda: {message.kind for message in ear.heard} >= {"weird", "gz"})
            for broken in (b"null", b"\xff\xfe\x00", b"", b'[412,"W"]'):
                await eventually(lambda broken=broken: any(message.payload == broken for message in ear.heard))
            await eventually(lambda: any(len(message.payload) >= 100_000 for message in ear.heard))
            true = b' "V"]'
            await eventually(lambda: any(m.kind == "gauge" and m.payload.endswith(true) for m in ear.heard))
        async with listening(meter.port, "/device/+/config/+") as ear:
            await eventually(lambda: {m.kind for m in ear.heard if m.retain} == {"sensor", "flx", "kube"})
            assert all(json.loads(message.payload) for message in ear.heard if message.retain)


async def test_broker_comes_back_empty_and_then_with_its_configuration():
    async with Simulator("household") as meter:
        await meter.fault("broker-down", 0)
        assert not await connects(meter)
        await meter.repair("broker-down")
        async with listening(meter.port) as ear:
            await eventually(lambda: ear.readings)
            await eventually(lambda: config_topics(ear) == {"sensor", "flx", "kube"})
            assert not [message for message in ear.heard if message.retain and "/config/" in message.topic]


async def test_broker_down_throws_clients_out():
    async with Simulator("household") as meter, aiomqtt.Client("127.0.0.1", meter.port) as client:
        await client.subscribe("#")
        await meter.fault("broker-down", 0.2)
        with pytest.raises(aiomqtt.MqttError):
            await asyncio.wait_for(_exhaust(client), PATIENCE)


@pytest.mark.parametrize(
    ("profile", "kind", "section", "key"),
    [
        ("household", "flx", "1", "name"),
        ("flm03_three_phase", "flx", "1", "name"),
        ("single-phase", "sensor", "1", "function"),
    ],
)
async def test_a_port_gets_another_name(profile, kind, section, key):
    async with Simulator(profile) as meter, listening(meter.port, f"/device/+/config/{kind}") as ear:
        await eventually(lambda: ear.heard)
        await meter.fault("config-change")
        await eventually(lambda: len(ear.heard) == 2)
        before, after = (json.loads(message.payload)[section][key] for message in ear.heard)
        assert after == f"{before[:8]} renamed"


@pytest.mark.parametrize(("profile", "first"), [("household", 40), ("flm03_three_phase_kube", 58), ("single-phase", 8)])
async def test_a_kube_is_paired_and_reports_at_once(profile, first):
    async with Simulator(profile) as meter, listening(meter.port) as ear:
        await eventually(lambda: ear.of("/config/kube"))
        number = str(len(json.loads(ear.of("/config/kube")[-1].payload)))
        await meter.fault("kube-paired")
        await eventually(lambda: number in json.loads(ear.of("/config/kube")[-1].payload))
        await eventually(lambda: json.loads(ear.of("/config/sensor")[-1].payload)[str(first)].get("kid") == int(number))
        sensors = json.loads(ear.of("/config/sensor")[-1].payload)
        new = {entry["type"]: entry["id"] for entry in sensors.values() if entry.get("kid") == int(number)}
        assert len(new) == 9
        await eventually(lambda: ear.of(f"{new['temperature']}/gauge"))
        report = ear.of(f"{new['temperature']}/gauge")[0]
        assert report.reading[2] == "°C"
        assert b" " not in report.payload
        assert not ear.of(f"{new['proximity']}/counter")


@pytest.mark.parametrize(("branch", "missing", "left"), [("lan", "gauge", "counter"), ("wan", "counter", "gauge")])
async def test_a_branch_that_is_off_takes_its_readings_with_it(branch, missing, left):
    fault = Fault(f"{branch}-branch-off")
    async with Simulator("flm02_single_phase_pv", speed=10, faults=[fault]) as meter, listening(meter.port) as ear:
        await eventually(lambda: [message for message in ear.readings if message.kind == left])
        assert not [message for message in ear.readings if message.kind == missing]
        await eventually(lambda: ear.of("/config/sensor"))
        told = json.loads(ear.of("/config/sensor")[0].payload)
        assert told["daemon"][f"enable_{branch}_branch"] == 0
        await meter.repair(fault.kind)
        await eventually(lambda: [message for message in ear.readings if message.kind == missing])


async def test_no_config_from_the_start_and_later():
    async with Simulator("household", faults=[Fault("no-config")]) as meter:
        async with listening(meter.port) as ear:
            await eventually(lambda: ear.readings)
            assert not config_topics(ear)
            await meter.repair("no-config")
            await eventually(lambda: config_topics(ear) == {"sensor", "flx", "kube"})
        await meter.fault("no-config")
        async with listening(meter.port) as ear:
            await eventually(lambda: ear.readings)
            assert not config_topics(ear)


async def test_password_keeps_everybody_out_until_it_is_over():
    async with Simulator("household") as meter:
        assert await connects(meter)
        await meter.fault("password")
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed"):
            async with aiomqtt.Client("127.0.0.1", meter.port, timeout=PATIENCE):
                pass
        await meter.repair("password")
        assert await connects(meter)


async def test_faults_begin_later_and_end_by_themselves():
    async with Simulator("household", faults=[Fault("silence", 0.3, 0.3)]) as meter:
        assert not meter.active
        await eventually(lambda: meter.active == {"silence"})
        await eventually(lambda: not meter.active)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("silence", Fault("silence")),
        ("reboot@10", Fault("reboot", 10)),
        ("reboot@10+5", Fault("reboot", 10, 5)),
        ("password+0", Fault("password", 0, 0)),
    ],
)
def test_a_fault_is_written_kind_at_start_plus_duration(text, fault):
    assert Fault.parse(text) == fault


@pytest.mark.parametrize("text", ["", "fire", "silence@soon", "silence@-1", "silence@1+x", "silence@nan"])
def test_nonsense_is_no_fault(text):
    with pytest.raises(FaultError):
        Fault.parse(text)


async def test_a_meter_refuses_faults_that_it_cannot_have():
    with pytest.raises(FaultError, match="FLM02 only"):
        Simulator("household", faults=[Fault("lan-branch-off")])
    with pytest.raises(FaultError, match="own broker"):
        Simulator("household", broker=("127.0.0.1", 1), faults=[Fault("password")])
    async with Simulator("household") as meter:
        with pytest.raises(FaultError, match="unknown fault"):
            await meter.fault("fire")


def test_every_fault_is_tested_here():
    source = Path(__file__).read_text(encoding="utf-8")
    for kind in FAULTS:
        assert f'"{kind}"' in source or kind.removeprefix("lan").removeprefix("wan") == "-branch-off", kind
