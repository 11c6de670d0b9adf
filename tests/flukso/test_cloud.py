"""Fetching a sensor's history from the cloud, against a real web server that stands in for it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
import gzip
import logging
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.energy_neighbours.flukso import cloud
from custom_components.energy_neighbours.flukso.cloud import Download, FluksoCloud
from custom_components.energy_neighbours.flukso.exceptions import (
    FluksoAuthError,
    FluksoCloudError,
    FluksoConnectionError,
    FluksoError,
    FluksoNoDataError,
    FluksoTokenError,
)
from custom_components.energy_neighbours.flukso.tmpo import BlockId, find_blocks, open_history

from .blocks import split

SID = "72cdd1df2febb11638dd3106ff5389d5"
OTHER = "fb51f7dab496da7c45d54a71ae8e2003"
TOKEN = "0123456789abcdef" * 2
SENSOR = f"/api/sensor/{SID}/" + "tmpo"
T = 1_699_999_744
SERIES = [(T + 20 * n, 1000 + 0.5 * n) for n in range(300)]


@dataclass
class StandIn:
    """Answers as the cloud does, as far as it is known."""

    blocks: dict[str, dict[BlockId, bytes]] = field(default_factory=dict)
    answers: dict[str, web.StreamResponse] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    waiting: int = 0
    most_waiting: int = 0
    failures: int = 0
    company: asyncio.Barrier | None = None
    """The first who ask for a block are answered when so many have asked."""

    def check(self, request: web.Request) -> None:
        assert request.headers["X-Version"] == "1.0"
        assert "token" not in request.query
        self.asked.append(request.path_qs)
        if request.headers["X-Token"] != TOKEN:
            raise web.HTTPUnauthorized
        if self.failures:
            self.failures -= 1
            raise web.HTTPBadGateway
        if request.match_info["sid"] not in self.blocks:
            raise web.HTTPNotFound

    async def sync(self, request: web.Request) -> web.StreamResponse:
        self.check(request)
        sid = request.match_info["sid"]
        if sid in self.answers:
            return self.answers[sid]
        after = BlockId(*(int(request.query[name]) for name in ("rid", "lvl", "bid")))
        wanted = [b for b in self.blocks[sid] if b.run >= after.run and b.end > after.end]
        return web.json_response([{"rid": b.run, "lvl": b.level, "bid": b.start, "ext": "gz"} for b in wanted])

    async def block(self, request: web.Request) -> web.StreamResponse:
        self.check(request)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        if self.company:
            await self.company.wait()
            self.company = None
        await asyncio.sleep(0.01)
        self.waiting -= 1
        block = BlockId(*(int(request.match_info[name]) for name in ("rid", "lvl", "bid")))
        content = self.blocks[request.match_info["sid"]][block]
        if not content:
            raise web.HTTPNotFound
        assert request.headers["Accept"] == "application/gzip"
        return web.Response(body=content, content_type="application/gzip")


@pytest.fixture
def stand_in() -> StandIn:
    """What the cloud holds."""
    return StandIn({SID: split(SERIES, 8)})


@pytest.fixture
async def server(stand_in: StandIn) -> AsyncGenerator[TestServer]:
    """Serve it."""
    application = web.Application()
    application.router.add_get("/api/sensor/{sid}/tmpo/sync", stand_in.sync)
    application.router.add_get("/api/sensor/{sid}/tmpo/{rid}/{lvl}/{bid}", stand_in.block)
    service = TestServer(application)
    await service.start_server()
    yield service
    await service.close()


@pytest.fixture
async def client(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[FluksoCloud]:
    """A client with the right token."""
    monkeypatch.setattr(cloud, "PAUSE", 0.01)
    async with aiohttp.ClientSession() as session:
        yield FluksoCloud(session, TOKEN, base=str(server.make_url("/api")))


async def test_blocks_of_a_sensor_are_listed(client: FluksoCloud, stand_in: StandIn) -> None:
    every = sorted(stand_in.blocks[SID])
    assert await client.list_blocks(SID) == every
    assert await client.list_blocks(SID, every[-3]) == every[-2:]
    assert stand_in.asked[0] == f"{SENSOR}/sync?rid=0&lvl=0&bid=0"


async def test_download_can_be_read_as_a_folder(client: FluksoCloud, stand_in: StandIn, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    count = len(stand_in.blocks[SID])
    stand_in.company = asyncio.Barrier(cloud.PARALLEL)
    done = await client.download([SID, OTHER], tmp_path, on_progress=lambda *told: seen.append(told))
    assert done == Download(fetched=count, empty=frozenset({OTHER}))
    assert seen == [(number, count) for number in range(1, count + 1)]
    assert list(open_history(find_blocks(tmp_path)[SID]).readings(0)) == SERIES
    assert stand_in.most_waiting == cloud.PARALLEL


async def test_download_is_taken_up_where_it_broke_off(client: FluksoCloud, stand_in: StandIn, tmp_path: Path) -> None:
    await client.download([SID], tmp_path)
    newest = max(stand_in.blocks[SID])
    (tmp_path / SID / newest.path).unlink()
    stand_in.asked.clear()
    done = await client.download([SID], tmp_path)
    assert (done.fetched, done.present) == (1, len(stand_in.blocks[SID]) - 1)
    assert stand_in.asked[1:] == [f"{SENSOR}/{newest.path}"]


async def test_covered_blocks_are_not_fetched(client: FluksoCloud, stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.blocks[SID] |= split(SERIES, 12)
    assert (await client.download([SID], tmp_path)).fetched == 2


async def test_block_that_is_gone_is_no_failure(client: FluksoCloud, stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.blocks[SID][max(stand_in.blocks[SID])] = b""
    done = await client.download([SID], tmp_path)
    assert (done.fetched, done.gone) == (len(stand_in.blocks[SID]) - 1, 1)


async def test_block_that_the_server_calls_encoded_stays_packed(
    server: TestServer, client: FluksoCloud, stand_in: StandIn
) -> None:
    packed = gzip.compress(b"{}")

    async def encoded(request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    stand_in.block = encoded  # type: ignore[method-assign]
    application = web.Application()
    application.router.add_get("/sensor/{sid}/tmpo/{rid}/{lvl}/{bid}", encoded)
    async with TestServer(application) as other, aiohttp.ClientSession() as session:
        fetched = await FluksoCloud(session, TOKEN, base=str(other.make_url(""))).fetch_block(SID, BlockId(0, 8, T))
    assert fetched == packed


async def test_wrong_token_is_refused(server: TestServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = TOKEN[::-1]
    async with aiohttp.ClientSession() as session:
        refused = FluksoCloud(session, wrong, base=str(server.make_url("/api")))
        for question in (refused.list_blocks(SID), refused.download([SID], tmp_path)):
            with pytest.raises(FluksoTokenError) as error:
                await question
            assert wrong not in str(error.value)
    assert isinstance(error.value, FluksoAuthError)
    assert wrong not in caplog.text


@pytest.mark.parametrize("token", ["", "secret", f"{TOKEN}\r\nX-Other: 1", TOKEN + "0"])
async def test_what_cannot_be_a_token_is_not_sent(server: TestServer, stand_in: StandIn, token: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(FluksoTokenError):
            await FluksoCloud(session, token, base=str(server.make_url("/api"))).list_blocks(SID)
    assert stand_in.asked == []


async def test_unknown_sensor(client: FluksoCloud) -> None:
    with pytest.raises(FluksoNoDataError):
        await client.list_blocks(OTHER)


async def test_failing_cloud_is_asked_again(client: FluksoCloud, stand_in: StandIn) -> None:
    stand_in.failures = 2
    assert len(await client.list_blocks(SID)) == len(stand_in.blocks[SID])
    stand_in.failures = 3
    with pytest.raises(FluksoConnectionError):
        await client.list_blocks(SID)


async def test_failure_amid_a_download_ends_it(client: FluksoCloud, stand_in: StandIn, tmp_path: Path) -> None:
    await client.list_blocks(SID)

    def fail(done: int, total: int) -> None:
        stand_in.failures = 1000

    with pytest.raises(FluksoConnectionError):
        await client.download([SID], tmp_path, on_progress=fail)
    assert all(path.suffix != ".part" for paths in find_blocks(tmp_path).values() for path in paths.values())


async def test_nobody_answers(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "PAUSE", 0.01)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(FluksoConnectionError):
            await FluksoCloud(session, TOKEN, base=f"http://127.0.0.1:{closed_port}").list_blocks(SID)


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>"),
        web.Response(text="{}"),
        web.Response(status=302, headers={"Location": "/elsewhere"}),
        web.Response(status=400),
        web.Response(body=b"[" + b"1," * cloud.MAX_LIST + b"1]"),
    ],
    ids=["no JSON", "no list", "redirection", "refusal", "flood"],
)
async def test_answer_that_is_none_of_the_clouds(
    client: FluksoCloud, stand_in: StandIn, answer: web.StreamResponse
) -> None:
    stand_in.answers[SID] = answer
    with pytest.raises(FluksoCloudError):
        await client.list_blocks(SID)
    assert issubclass(FluksoCloudError, FluksoError)


async def test_entries_that_name_no_block_are_left_out(client: FluksoCloud, stand_in: StandIn) -> None:
    entry = {"rid": 0, "lvl": 8, "bid": T, "ext": "gz"}
    wrong = [{**entry, "lvl": 9}, {**entry, "bid": T + 1}, {**entry, "rid": -1}, {**entry, "bid": "../.."}, {}, 5, None]
    stand_in.answers[SID] = web.json_response([*wrong, entry])
    assert await client.list_blocks(SID) == [BlockId(0, 8, T)]
