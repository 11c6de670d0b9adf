"""The standing link to a meter, against a real broker."""

import asyncio
import json
import logging
import time

import pytest

from custom_components.energy_neighbours.flukso import client as client_module
from custom_components.energy_neighbours.flukso.client import FluksoClient, LinkState
from custom_components.energy_neighbours.flukso.messages import DropReason

from .conftest import CLAMP, PATIENCE, Background, Broker, Ears, SampleMeter, eventually, gauge

pytestmark = pytest.mark.usefixtures("impatience")
OTHER_DID = "b" * 32


async def test_device_and_every_reading_arrive(
    broker: Broker, flm03_kube: SampleMeter, background: Background, ears: Ears
) -> None:
    await broker.publish(*flm03_kube.config)
    client = ears.client(broker.port)
    assert (client.state, client.device, client.did) == (LinkState.CONNECTING, None, None)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.publish(*flm03_kube.readings)
    await eventually(lambda: len(ears.readings) == len(flm03_kube.readings))
    assert [device.did for device in ears.devices] == [flm03_kube.did]
    assert ears.devices[0].channels[0].name == "main L1"  # the ports' names came before it was announced
    assert ears.states == [LinkState.ONLINE]
    assert client.did == flm03_kube.did
    statistics = client.statistics
    assert statistics.gauges + statistics.counters == len(flm03_kube.readings)
    assert (statistics.configs, statistics.connects, statistics.dropped) == (4, 1, {})
    assert statistics.last_message == pytest.approx(time.time(), abs=60)


async def test_retained_readings_that_come_before_the_configuration_are_not_lost(
    broker: Broker, flm02: SampleMeter, background: Background, ears: Ears
) -> None:
    await broker.publish(*flm02.readings)
    client = ears.client(broker.port)
    background(client.run())
    await eventually(lambda: client._dispatcher.heard)
    assert ears.readings == []
    await broker.publish(*flm02.config)
    await eventually(lambda: len(ears.readings) == len({topic for topic, _, _ in flm02.readings}))
    assert all(reading.retained for reading in ears.readings)


async def test_client_never_publishes(broker: Broker, flm03: SampleMeter, background: Background, ears: Ears) -> None:
    heard: list[str] = []
    background(broker.overhear(heard))
    await eventually(lambda: heard)
    client = ears.client(broker.port)
    running = background(client.run())
    await eventually(lambda: client.state is LinkState.ONLINE)
    messages = [*flm03.config, *flm03.readings]
    await broker.publish(*messages)
    await eventually(lambda: len(ears.readings) == len(flm03.readings))
    running.cancel()
    await asyncio.wait([running])
    await broker.publish(("the/end", "", False))
    await eventually(lambda: heard[-1] == "the/end")
    assert heard[1:-1] == [topic for topic, _, _ in messages]


async def test_another_meter_on_a_bridged_broker_is_refused(
    broker: Broker, flm02: SampleMeter, flm03: SampleMeter, background: Background, ears: Ears
) -> None:
    await broker.publish(*flm02.config, *flm03.config)
    client = ears.client(broker.port, did=flm02.did)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.publish(*flm03.readings, gauge())
    await eventually(lambda: ears.readings)
    assert {reading.sid for reading in ears.readings} == {CLAMP}
    assert [device.did for device in ears.devices] == [flm02.did]
    assert client.statistics.dropped[DropReason.OTHER_DEVICE] == len(flm03.config)
    assert client.statistics.dropped[DropReason.UNKNOWN_SENSOR] == len(flm03.readings)


async def test_without_an_id_the_first_described_device_is_taken(
    broker: Broker, flm02: SampleMeter, flm03: SampleMeter, background: Background, ears: Ears
) -> None:
    client = ears.client(broker.port)
    background(client.run())
    await eventually(lambda: client.state is LinkState.ONLINE)
    flx, *rest = flm03.config
    assert "flx" in flx[0]
    await broker.publish(flx, *flm02.config)
    await eventually(lambda: client.device)
    await broker.publish(*rest, gauge())
    await eventually(lambda: ears.readings)
    assert [device.did for device in ears.devices] == [flm02.did]


async def test_changed_configuration_is_told_once_and_obeyed(
    broker: Broker, flm02: SampleMeter, background: Background, ears: Ears
) -> None:
    await broker.publish(*flm02.config)
    client = ears.client(broker.port)
    background(client.run())
    await eventually(lambda: client.device)
    config = json.loads(str(flm02.config[1][1]))
    config["1"]["enable"] = 0
    config["4"]["function"] = "roof"
    topic = f"/device/{flm02.did}/config/sensor"
    await broker.publish((topic, json.dumps(config), True), (topic, json.dumps(config), True), (topic, "{", False))
    await eventually(lambda: len(ears.devices) == 2)
    await broker.publish(gauge(), gauge("fb51f7dab496da7c45d54a71ae8e2003"))
    await eventually(lambda: ears.readings)
    assert [reading.sid for reading in ears.readings] == ["fb51f7dab496da7c45d54a71ae8e2003"]
    assert ears.devices[1].channels[0].name == "roof"
    await broker.publish(flm02.config[1])
    await eventually(lambda: len(ears.devices) == 3)
    assert ears.devices[2] == ears.devices[0]


async def test_client_returns_after_a_restart_of_the_broker(
    broker: Broker, flm02: SampleMeter, background: Background, ears: Ears
) -> None:
    await broker.publish(*flm02.config)
    client = ears.client(broker.port)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.stop()
    await eventually(lambda: client.state is LinkState.OFFLINE)
    await broker.start()  # its store is in memory: nothing is retained any more
    await eventually(lambda: client.state is LinkState.ONLINE)
    await broker.publish(gauge(value=640))
    await eventually(lambda: ears.readings)
    assert ears.readings[0].value == 640
    assert len(ears.devices) == 1
    assert ears.states == [LinkState.ONLINE, LinkState.CONNECTING, LinkState.OFFLINE, LinkState.ONLINE]
    assert client.statistics.connects == 2
    assert client.statistics.failures >= 2


async def test_silent_meter_is_told_and_recovers_by_itself(
    broker: Broker, flm02: SampleMeter, background: Background, ears: Ears
) -> None:
    await broker.publish(*flm02.config)
    client = ears.client(broker.port, silent_after=0.3)
    background(client.run())
    await eventually(lambda: client.state is LinkState.SILENT)
    topic, payload, _ = gauge()
    await broker.publish((topic, payload, True), (topic.replace("gauge", "counter"), "[", False))
    await broker.publish(gauge())
    await eventually(lambda: ears.states[2:4] == [LinkState.ONLINE, LinkState.SILENT])
    assert ears.states[:2] == [LinkState.ONLINE, LinkState.SILENT]


async def test_silent_connection_is_made_anew_without_flapping(
    broker: Broker, flm02: SampleMeter, background: Background, ears: Ears
) -> None:
    await broker.publish(*flm02.config)
    client = ears.client(broker.port, silent_after=0.2)
    background(client.run())
    await eventually(lambda: client.statistics.connects >= 3)
    assert ears.states == [LinkState.ONLINE, LinkState.SILENT]
    assert len(ears.devices) == 1
    async with asyncio.timeout(PATIENCE):
        while LinkState.ONLINE not in ears.states[2:]:  # what is sent while it connects anew is lost
            await broker.publish(gauge())
            await asyncio.sleep(0.02)


async def test_meter_with_pulse_inputs_alone_may_be_silent(
    broker: Broker, background: Background, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "SETTLE_CONFIG", 0.01)  # it knows the meter long before it misses a reading
    sensor = {"id": CLAMP, "type": "water", "class": "pulse", "port": [5], "enable": 1}
    await broker.publish((f"/device/{OTHER_DID}/config/sensor", json.dumps({"5": sensor}), True))
    client = ears.client(broker.port, silent_after=0.8)
    background(client.run())
    await eventually(lambda: client.device)
    await asyncio.sleep(2)
    assert ears.states == [LinkState.ONLINE]


async def test_broker_that_hangs_is_noticed(
    broker: Broker, flm02: SampleMeter, background: Background, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen process accepts connections but answers none, and its old connections look alive."""
    await broker.publish(*flm02.config)
    monkeypatch.setattr(client_module, "CONNECT_LIMIT", 0.5)
    client = ears.client(broker.port, silent_after=0.2)
    background(client.run())
    await eventually(lambda: client.device)
    broker.freeze()
    await eventually(lambda: client.state is LinkState.OFFLINE)
    broker.thaw()
    await eventually(lambda: client.state is LinkState.ONLINE)


async def test_broker_with_a_password_keeps_the_link_down(
    locked_broker: Broker, background: Background, ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = ears.client(locked_broker.port)
    background(client.run())
    await eventually(lambda: client.statistics.failures >= 3)
    assert ears.states == [LinkState.OFFLINE]
    assert [record.message for record in caplog.records if "password" in record.message] == [
        "The broker at 127.0.0.1 wants a user name and password, so it is not a Fluksometer's own."
    ]


async def test_failing_receivers_do_not_end_the_link(
    broker: Broker, flm02: SampleMeter, background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise LookupError

    await broker.publish(*flm02.config)
    client = FluksoClient("127.0.0.1", broker.port, on_reading=fail, on_device=fail, on_state=fail)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.publish(gauge(), gauge(), gauge())
    await eventually(lambda: client.statistics.dropped.get(DropReason.CONSUMER) == 3)
    assert client.statistics.connects == 1
    assert len([record for record in caplog.records if record.exc_info]) == 3  # state, device, one of the readings


async def test_client_without_receivers_still_learns_the_device(
    broker: Broker, flm02: SampleMeter, background: Background
) -> None:
    await broker.publish(*flm02.config, *flm02.readings)
    client = FluksoClient("127.0.0.1", broker.port)
    background(client.run())
    await eventually(lambda: client.device and client.statistics.gauges)


@pytest.mark.parametrize("pause", [0, 0.001, 0.005, 0.02, 0.1])
async def test_cancelled_at_any_moment_it_leaves_nothing_behind(broker: Broker, pause: float, ears: Ears) -> None:
    task = asyncio.ensure_future(ears.client(broker.port).run())
    await asyncio.sleep(pause)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()})


def test_back_off_grows_up_to_its_limit(monkeypatch: pytest.MonkeyPatch, ears: Ears) -> None:
    limits: list[float] = []
    monkeypatch.setattr(client_module, "FIRST_DELAY", 1.0)
    monkeypatch.setattr(client_module, "MAX_DELAY", 300.0)
    monkeypatch.setattr("random.uniform", lambda low, high: limits.append(high) or high)
    client = ears.client(1)
    for failures in range(12):
        client._failures = failures
        client._delay()
    client._state = LinkState.FALLBACK
    client._delay()
    assert limits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 30]
