"""The meter's broker, and somebody else's."""

import socket

import aiomqtt
import pytest

from tools.mosquitto import Mosquitto
from tools.simulator import Fault, Simulator
from tools.simulator.broker import matches

from .conftest import catch_up, connects, eventually, listening


@pytest.mark.parametrize(
    ("topic", "a_filter", "expected"),
    [
        ("/sensor/a/gauge", "/sensor/+/gauge", True),
        ("/sensor/a/counter", "/sensor/+/gauge", False),
        ("/sensor/a/tmpo/0/8/1/gz", "/sensor/+/tmpo/+/8/+/gz", True),
        ("/sensor/a/gauge", "/sensor/#", True),
        ("/sensor", "/sensor/#", True),
        ("/sensor/a/gauge", "#", True),
        ("/sensor/a/gauge", "/sensor/+", False),
        ("$SYS/broker/x", "#", False),
        ("$SYS/broker/x", "+/broker/x", False),
        ("$SYS/broker/x", "$SYS/#", True),
    ],
)
def test_topic_filters(topic, a_filter, expected):
    assert matches(topic, a_filter) is expected


async def test_flm03_keeps_configuration_but_no_reading():
    async with Simulator("household") as meter:
        async with listening(meter.port) as ear:
            await eventually(lambda: len(ear.readings) > 100)
        async with listening(meter.port) as ear:
            await eventually(lambda: ear.readings)
            await catch_up(meter, ear)  # a second may end between the subscription and what is retained
            retained = {message.topic.replace(meter.did, "DID") for message in ear.heard if message.retain}
    assert retained == {
        "/device/DID/config/sensor",
        "/device/DID/config/flx",
        "/device/DID/config/kube",
        "/device/DID/test/tap",
        f"$SYS/broker/connection/{meter.hostname}.flukso/state",
    }


async def test_flm02_keeps_its_last_readings():
    async with Simulator("single-phase") as meter:
        async with listening(meter.port) as ear:
            await eventually(lambda: ear.readings)
        async with listening(meter.port) as ear:
            await eventually(lambda: [message for message in ear.readings if message.retain])
            await eventually(lambda: [message for message in ear.readings if not message.retain])


async def test_every_client_hears_each_message_once():
    async with Simulator("household", paused=True, speed=10) as meter:
        topics = ("/sensor/+/gauge", "/sensor/+/counter", "/sensor/#")
        first = f"/sensor/{meter.meter.config.sensor['1']['id']}/counter"
        async with listening(meter.port, *topics) as one, listening(meter.port, *topics) as other:
            meter.resume()
            await eventually(lambda: len(one.heard) > 500 and len(other.heard) > 500)
            assert one.heard[:500] == other.heard[:500]
            assert 5 < len(one.of(first)) <= meter.seconds


async def test_mqtt_5_is_not_spoken():
    async with Simulator("household") as meter:
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", meter.port, protocol=aiomqtt.ProtocolVersion.V5, timeout=5):
                pass
        assert await connects(meter)


async def test_what_clients_publish_is_passed_on_and_written_down():
    async with Simulator("household") as meter, listening(meter.port, "/device/+/note") as ear:
        async with aiomqtt.Client("127.0.0.1", meter.port) as client:
            await client.publish("/device/x/note", b"hello", qos=1)
        await eventually(lambda: ear.heard)
        assert [(message.topic, message.payload) for message in meter.received] == [("/device/x/note", b"hello")]


async def test_a_meter_takes_no_orders():
    async with Simulator("household", speed=10) as meter, listening(meter.port) as ear:
        topic = f"/sensor/{meter.meter.config.sensor['1']['id']}/counter"
        await eventually(lambda: ear.of(topic))
        async with aiomqtt.Client("127.0.0.1", meter.port) as client:
            await client.publish(topic, b'[1, 99999999, "Wh"]', qos=1)
        await eventually(lambda: b'[1, 99999999, "Wh"]' in [message.payload for message in ear.heard])
        count = len(ear.of(topic))
        await eventually(lambda: len(ear.of(topic)) > count)
        assert ear.of(topic)[-1].reading[1] < 2_000_000


async def test_a_client_that_does_not_read_holds_nobody_up(monkeypatch):
    monkeypatch.setattr("tools.simulator.broker.BACKLOG", 20_000)
    # Its large messages fill a connection that nobody reads.
    async with Simulator("household", speed=100, faults=[Fault("garbage", 0, 0)]) as meter:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", meter.port))
        deaf.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04deaf" + b"\x82\x06\x00\x01\x00\x01#\x00")
        async with listening(meter.port, "/sensor/+/gauge") as ear:
            await eventually(lambda: meter.broker.slow_clients == ["deaf"])
            count = len(ear.heard)
            await eventually(lambda: len(ear.heard) > count + 1000)
        deaf.close()


async def test_a_client_hears_retained_messages_of_its_own_subscriptions_only():
    async with Simulator("household") as meter, listening(meter.port) as everything:
        await eventually(lambda: everything.of("test/tap"))
        async with listening(meter.port, "/device/+/config/flx") as ear:
            await eventually(lambda: ear.heard)
            seconds = meter.seconds
            await eventually(lambda: meter.seconds > seconds + 1)
            assert [message.kind for message in ear.heard] == ["flx"]


async def test_port_in_use_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await Simulator("household", port=taken.getsockname()[1]).start()


@pytest.fixture
def mosquitto(tmp_path):
    """Run a real Mosquitto; its port."""
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker.port


async def test_meter_publishes_to_a_mosquitto(mosquitto):
    async with listening(mosquitto) as ear, Simulator("household", broker=("127.0.0.1", mosquitto)) as meter:
        await eventually(lambda: len(ear.readings) > 100)
        async with listening(mosquitto, "/device/#") as late:
            await eventually(lambda: {message.kind for message in late.heard if message.retain} >= {"flx", "tap"})
        await meter.fault("no-config")
        await eventually(lambda: not ear.of("config/sensor")[-1].payload)
        async with listening(mosquitto, "/device/#") as late:
            await eventually(lambda: late.of("flx/time"))
            assert not late.of("config/sensor")


async def test_no_broker_there_is_an_error():
    with pytest.raises(OSError, match=r"\w"):
        await Simulator("household", broker=("127.0.0.1", 1)).start()
