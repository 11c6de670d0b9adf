"""The last minute over HTTP, as an FLM02 serves it."""

import asyncio
import json
import logging
import socket
import struct
import time

import aiohttp
import pytest

from tools.simulator import Simulator
from tools.simulator.formats import flm02_message
from tools.simulator.replay import Replay
from tools.simulator.rest import MinuteWindow, RestService

from .conftest import eventually, sample

NAME = "flm02_single_phase_pv"
QUERY = "version=1.0&interval=minute&unit=watt"
SID = "72cdd1df2febb11638dd3106ff5389d5"
SOLAR = "fb51f7dab496da7c45d54a71ae8e2003"
NOW = 1_700_000_000


async def get(port, path):
    """Fetch as any client would; return status, body and headers."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text(), response.headers


@pytest.fixture
async def recorded():
    """Serve the sample as it stood in its last second; its solar sensor has told nothing yet."""
    meter = Replay(NAME, shift_stamps=False)
    service = RestService("127.0.0.1", 0, meter)
    for stamp in range(NOW, NOW + meter.length):
        service.window.note(stamp, [message for message in meter.second(stamp, 0) if SOLAR not in message.topic])
    await service.start()
    yield service
    await service.stop()


@pytest.mark.parametrize("answer", sample(NAME)["rest"], ids=lambda answer: answer["path"].partition("?")[2][-40:])
async def test_recorded_answers(recorded, answer):
    status, body, headers = await get(recorded.port, answer["path"])
    assert status == answer["status"]
    if status == 200:
        assert body == answer["body"]
        assert headers["Content-Type"] == "application/json"
        assert headers["Transfer-Encoding"] == "chunked"
        assert headers["Connection"] == "close"
    if status == 400:
        assert "Content-Type" not in headers
        assert body


async def test_client_that_leaves_before_the_answer_is_no_error(recorded, caplog):
    path = next(answer["path"] for answer in sample(NAME)["rest"] if answer["status"] == 200)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", recorded.port)) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: meter\r\n\r\n".encode())
            # Closed at once, without waiting for what is under way.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await asyncio.sleep(0.01)
    assert (await get(recorded.port, path))[0] == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_live_minute_ends_now_with_a_gap_of_a_second_or_two():
    async with Simulator("single-phase", speed=10) as meter:
        await eventually(lambda: meter.seconds > 15)
        sid = meter.meter.config.sensor["1"]["id"]
        asked = time.time()
        _, body, _ = await get(meter.rest_port, f"/sensor/{sid}?unit=lperday&extra=1&{QUERY.replace('&unit=watt', '')}")
    entries = json.loads(body)
    assert asked - 5 < entries[-1][0] <= time.time()
    assert entries[-1][1] == "nan"
    assert all(isinstance(value, int) for _, value in entries[:-2])


async def test_callback_wraps_readings_but_not_an_empty_answer():
    async with Simulator("single-phase") as meter:
        config = meter.meter.config
        await eventually(lambda: meter.seconds > 1)
        _, wrapped, headers = await get(meter.rest_port, f"/sensor/{config.sensor['1']['id']}?{QUERY}&jsonp_callback=f")
        await meter.silence(0)  # else the next second could tell of it again
        meter.forget_readings()
        _, empty, _ = await get(meter.rest_port, f"/sensor/{config.sensor['4']['id']}?{QUERY}&callback=f")
    assert wrapped.startswith("f([[")
    assert wrapped.endswith("]);")
    assert headers["Content-Type"] == "application/json"
    assert empty == "[]"


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("version=1.0&interval=minute", 400), ("version=1.0&interval=minute&unit=kwh", 400), (QUERY, 200)],
)
async def test_all_three_parameters_are_required(query, status):
    async with Simulator("single-phase") as meter:
        assert (await get(meter.rest_port, f"/sensor/{meter.meter.config.sensor['1']['id']}?{query}"))[0] == status


async def test_only_enabled_sensors_are_served():
    async with Simulator("single-phase") as meter:
        for sid in (meter.meter.config.sensor["2"]["id"], "0" * 32, "x"):
            assert (await get(meter.rest_port, f"/sensor/{sid}?{QUERY}"))[0] == 404


def window_of(*readings, end):
    window = MinuteWindow({})
    for stamp, value in readings:
        window.note(stamp, [flm02_message(f"/sensor/{SID}/gauge", stamp, str(value), "W")])
    window.note(end, [flm02_message(f"/sensor/{SOLAR}/gauge", end, "1", "W")])
    return json.loads(window.body(SID))


def test_holes_take_the_next_later_value():
    assert window_of((NOW, 10), (NOW + 3, 40), end=NOW + 4) == [
        [NOW, 10],
        [NOW + 1, 40],
        [NOW + 2, 40],
        [NOW + 3, 40],
        [NOW + 4, "nan"],
    ]


def test_a_sensor_that_stopped_ends_in_nan_and_then_is_all_nan():
    assert [value for _, value in window_of((NOW, 10), end=NOW + 5)] == [10] + ["nan"] * 5
    gone = window_of((NOW, 10), end=NOW + 200)
    assert len(gone) == 60
    assert {value for _, value in gone} == {"nan"}


def test_window_stands_still_while_no_sensor_tells_a_gauge():
    window = MinuteWindow({})
    window.note(NOW, [flm02_message(f"/sensor/{SID}/gauge", NOW, "10", "W")])
    window.note(NOW + 1, [flm02_message(f"/sensor/{SID}/gauge", NOW + 1, "11", "W")])
    before = window.body(SID)
    window.note(NOW + 30, [flm02_message(f"/sensor/{SID}/counter", NOW + 30, "5", "Wh")])
    assert window.body(SID) == before
