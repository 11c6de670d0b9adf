"""The standing link to a meter, against a real broker and a real web server."""

import asyncio
from collections.abc import AsyncGenerator
import json
import logging
import time

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.energy_neighbours.flukso import client as client_module, fallback
from custom_components.energy_neighbours.flukso.client import FluksoClient, LinkState
from custom_components.energy_neighbours.flukso.messages import DropReason
from custom_components.energy_neighbours.flukso.models import Device, MessageKind, Reading

from .conftest import Background, Broker, SampleMeter, eventually, free_port

CLAMP = "72cdd1df2febb11638dd3106ff5389d5"
OTHER_DID = "b" * 32


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect and poll without the pauses that a real meter deserves."""
    monkeypatch.setattr(client_module, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(client_module, "MAX_DELAY", 0.2)
    monkeypatch.setattr(fallback, "POLL_INTERVAL", 0.1)


class Ears:
    """Everything that a client tells."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.devices: list[Device] = []
        self.states: list[LinkState] = []

    def client(self, port: int, **options: object) -> FluksoClient:
        """Make a client that tells it all to us."""
        return FluksoClient(
            "127.0.0.1",
            port,
            on_reading=self.readings.append,
            on_device=self.devices.append,
            on_state=self.states.append,
            **options,
        )


@pytest.fixture
def ears() -> Ears:
    """Somebody who listens."""
    return Ears()


def gauge(sid: str = CLAMP, value: float = 412, age: int = 0) -> tuple[str, str, bool]:
    """Write a live gauge message."""
    return f"/sensor/{sid}/gauge", f'[{int(time.time()) - age},{value},"W"]', False


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
    background(ears.client(broker.port).run())
    await asyncio.sleep(0.2)
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
    await eventually(lambda: client.state is LinkState.ONLINE)
    await eventually(lambda: client.state is LinkState.SILENT)


async def test_silent_connection_is_made_anew_without_flapping(
    broker: Broker, flm02: SampleMeter, background: Background, ears: Ears
) -> None:
    await broker.publish(*flm02.config)
    client = ears.client(broker.port, silent_after=0.2)
    background(client.run())
    await eventually(lambda: client.statistics.connects >= 3)
    assert ears.states == [LinkState.ONLINE, LinkState.SILENT]
    assert len(ears.devices) == 1
    await broker.publish(gauge())
    await eventually(lambda: LinkState.ONLINE in ears.states[2:])


async def test_meter_with_pulse_inputs_alone_may_be_silent(broker: Broker, background: Background, ears: Ears) -> None:
    sensor = {"id": CLAMP, "type": "water", "class": "pulse", "port": [5], "enable": 1}
    await broker.publish((f"/device/{OTHER_DID}/config/sensor", json.dumps({"5": sensor}), True))
    client = ears.client(broker.port, silent_after=0.6)
    background(client.run())
    await eventually(lambda: client.device)
    await asyncio.sleep(1.5)
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


class RestService:
    """An FLM02's REST service with what its sensors measured in the last minute."""

    def __init__(self) -> None:
        self.windows: dict[str, list[list[object]]] = {}
        self.status = 200
        application = web.Application()
        application.router.add_get("/sensor/{sid}", self._answer)
        self.server = TestServer(application)

    async def _answer(self, request: web.Request) -> web.Response:
        assert dict(request.query) == {"version": "1.0", "interval": "minute", "unit": "watt"}
        sid = request.match_info["sid"]
        if sid not in self.windows:
            return web.Response(status=404)
        return web.json_response(self.windows[sid], status=self.status)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self.server.port is not None
        return self.server.port


@pytest.fixture
async def rest() -> AsyncGenerator[RestService]:
    """A REST service without any sensor yet."""
    service = RestService()
    await service.server.start_server()
    yield service
    await service.server.close()


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    """An HTTP session."""
    async with aiohttp.ClientSession() as opened:
        yield opened


async def test_rest_takes_over_while_the_broker_of_an_flm02_is_down(
    broker: Broker,
    flm02: SampleMeter,
    background: Background,
    ears: Ears,
    rest: RestService,
    session: aiohttp.ClientSession,
) -> None:
    await broker.publish(*flm02.config)
    client = ears.client(broker.port, session=session, rest_port=rest.port)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.publish(gauge(value=1, age=5))
    await eventually(lambda: ears.readings)
    known = int(client.statistics.last_message or 0)
    rest.windows[CLAMP] = [[known - 1, 1], [known + 1, 640], [known + 2, 650], [known + 3, "nan"]]
    rest.windows["4dce2920b68c4c0797b34b273c08cbea"] = [[known + 1, 8640]]
    await broker.stop()
    await eventually(lambda: len(ears.readings) >= 4)
    assert client.state is LinkState.FALLBACK
    assert ears.readings[1:] == [
        Reading(CLAMP, MessageKind.GAUGE, 640, "W", known + 1),
        Reading(CLAMP, MessageKind.GAUGE, 650, "W", known + 2),
        Reading("4dce2920b68c4c0797b34b273c08cbea", MessageKind.GAUGE, 8640, "L/day", known + 1),
    ]
    rest.windows[CLAMP].append([known + 3, 660])
    await eventually(lambda: len(ears.readings) == 5)
    rest.status = 500
    await eventually(lambda: client.state is LinkState.OFFLINE)
    rest.status = 200
    await eventually(lambda: client.state is LinkState.FALLBACK)
    await broker.start()
    await eventually(lambda: client.state is LinkState.ONLINE)
    assert client.statistics.rest_values == 4
    await broker.publish(gauge(value=670))
    await eventually(lambda: ears.readings[-1].value == 670)


async def test_rest_serves_known_sensors_before_any_configuration(
    background: Background, ears: Ears, rest: RestService, session: aiohttp.ClientSession
) -> None:
    now = int(time.time())
    rest.windows[CLAMP] = [[now, 412], [now + 100_000, 5]]
    client = ears.client(free_port(), session=session, rest_port=rest.port, rest_sensors={CLAMP: "W", "9" * 32: None})
    background(client.run())
    await eventually(lambda: client.state is LinkState.FALLBACK)
    await eventually(lambda: client.statistics.failures >= 3)
    assert [(reading.value, reading.unit) for reading in ears.readings] == [(412, "W")]


async def test_flm03_has_no_rest_service_to_fall_back_on(
    broker: Broker,
    flm03: SampleMeter,
    background: Background,
    ears: Ears,
    rest: RestService,
    session: aiohttp.ClientSession,
) -> None:
    await broker.publish(*flm03.config)
    client = ears.client(broker.port, session=session, rest_port=rest.port)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.stop()
    await eventually(lambda: client.statistics.failures >= 3)
    assert client.state is LinkState.OFFLINE


async def test_fallback_survives_a_receiver_that_fails(
    background: Background, rest: RestService, session: aiohttp.ClientSession
) -> None:
    def fail(_: object) -> None:
        raise LookupError

    now = int(time.time())
    rest.windows[CLAMP] = [[now, 412], [now + 1, 413]]
    client = FluksoClient(
        "127.0.0.1", free_port(), on_reading=fail, session=session, rest_port=rest.port, rest_sensors={CLAMP: "W"}
    )
    background(client.run())
    await eventually(lambda: client.statistics.dropped.get(DropReason.CONSUMER) == 2)


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
