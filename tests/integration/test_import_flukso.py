"""A Fluksometer's own history, from a folder of blocks and from its cloud, as the site's channels have their roles."""

from collections.abc import AsyncIterator, Iterator
from errno import EACCES, ENOSPC
import logging
import os
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours import history_sources
from custom_components.energy_neighbours.core.channel import Role
from custom_components.energy_neighbours.core.quarter_hour import QuarterHour
from custom_components.energy_neighbours.flukso.tmpo import BlockId
from custom_components.energy_neighbours.flukso_meter import FluksoMeter
from custom_components.energy_neighbours.site import Site
from tests.flukso.blocks import split
from tools.simulator import Simulator

from .importing import BEGIN, begin, home, known, walk

TOKEN = "0123456789abcdef" * 2
HOUR = 3600
WATTS = 400

type Blocks = dict[str, dict[BlockId, bytes]]


def blocks(entry: MockConfigEntry, *roles: Role) -> Blocks:
    """Return two hours of history of the channels with some roles, each counting forward alone."""
    site: Site = entry.runtime_data
    assert isinstance(site.meter, FluksoMeter)
    channels = {key for role in roles for key in site.meter.layout.keys(role)}
    made = {}
    for sid, register in site.meter.registers.items():
        if register.channel in channels:
            power = WATTS if register.forward else 0
            made[sid] = split([(BEGIN + s, round(5000 + power * s / HOUR, 3)) for s in range(0, 2 * HOUR + 1, 10)], 12)
    return made


def store(found: Blocks, folder: Path) -> None:
    for sid, of_sensor in found.items():
        for block, content in of_sensor.items():
            path = folder / sid / f"{block.path}.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder that Home Assistant may read."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path


async def quarters(entry: MockConfigEntry) -> list[QuarterHour]:
    return [quarter for quarter in await known(entry) if quarter.start < BEGIN + 2 * HOUR]


async def test_folder_of_blocks_is_booked_as_the_channels_are_live(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, folder: Path
) -> None:
    store(blocks(site, Role.GRID, Role.PRODUCTION), folder)
    result = await begin(hass, site, "import_blocks")
    result = await walk(hass, result, {"folder": str(folder)})
    assert result["step_id"] == "import_preview"
    result = await walk(hass, result, {})
    assert result["step_id"] == "import_done"
    found = await quarters(site)
    layout = site.runtime_data.meter.layout
    phases, roofs = len(layout.keys(Role.GRID)), len(layout.keys(Role.PRODUCTION))
    assert len(found) >= 7
    for quarter in found:
        assert quarter.offtake == pytest.approx(phases * WATTS / 4, abs=1)
        assert (quarter.injection, quarter.production) == (0, pytest.approx(roofs * WATTS / 4, abs=1))


async def test_side_is_known_as_long_as_all_its_channels_are(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, folder: Path
) -> None:
    found = blocks(site, Role.GRID, Role.PRODUCTION)
    shortened = next(iter(found))
    first, *_ = sorted(found[shortened])
    found[shortened] = {first: found[shortened][first]}
    store(found, folder)
    result = await walk(hass, await begin(hass, site, "import_blocks"), {"folder": str(folder)})
    assert "is only known from 20" in result["description_placeholders"]["preview"]


async def test_side_without_all_its_blocks_is_left_out_and_named(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, folder: Path
) -> None:
    store(blocks(site, Role.GRID), folder)
    result = await walk(hass, await begin(hass, site, "import_blocks"), {"folder": str(folder)})
    assert "Production is missing" in result["description_placeholders"]["preview"]


async def test_folder_that_is_not_allowed_or_empty_is_refused(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, folder: Path
) -> None:
    result = await begin(hass, site, "import_blocks")
    result = await walk(hass, result, {"folder": "/etc"})
    assert "may not read /etc" in result["description_placeholders"]["reason"]
    result = await walk(hass, result, {"folder": f"{folder}/\0"})
    assert "may not read" in result["description_placeholders"]["reason"]
    result = await walk(hass, result, {"folder": str(folder)})
    assert "holds no Flukso blocks" in result["description_placeholders"]["reason"]


async def test_site_of_sensors_has_no_fluksometer_s_history(hass: HomeAssistant) -> None:
    entry = await home(hass)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": "import_readings"})
    assert result["menu_options"] == ["import_file", "import_statistics"]


class StandIn:
    """Answers as the cloud does, as far as it is known."""

    def __init__(self) -> None:
        self.blocks: Blocks = {}
        self.merged: Blocks = {}
        """What takes the place of a sensor's blocks when the first of them is asked for."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers["X-Token"] != TOKEN:
            raise web.HTTPUnauthorized
        of_sensor = self.blocks.get(request.match_info["sid"])
        if of_sensor is None:
            raise web.HTTPNotFound
        if request.match_info["rest"] != "sync" and self.merged:
            self.blocks, self.merged = self.merged, {}
            of_sensor = self.blocks[request.match_info["sid"]]
        if request.match_info["rest"] == "sync":
            return web.json_response([{"rid": b.run, "lvl": b.level, "bid": b.start, "ext": "gz"} for b in of_sensor])
        block = BlockId(*map(int, request.match_info["rest"].split("/")))
        if block not in of_sensor:
            raise web.HTTPNotFound
        return web.Response(body=of_sensor[block])


@pytest.fixture
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandIn]:
    """A web server in the place of the cloud."""
    stand_in = StandIn()
    application = web.Application()
    application.router.add_get("/api/sensor/{sid}/tmpo/{rest:.*}", stand_in.answer)
    async with TestServer(application, host="127.0.0.1") as server:
        monkeypatch.setattr(history_sources, "CLOUD", str(server.make_url("/api")))
        yield stand_in


async def test_cloud_gives_the_blocks_and_the_token_is_kept_nowhere(
    hass: HomeAssistant,
    meter: Simulator,
    site: MockConfigEntry,
    cloud: StandIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.blocks = blocks(site, Role.GRID, Role.PRODUCTION)
    options = dict(site.options)
    result = await walk(hass, await begin(hass, site, "import_cloud"), {"token": f" {TOKEN}"}, {})
    assert result["step_id"] == "import_done"
    assert len(await quarters(site)) >= 7
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(history_sources.CloudSource(TOKEN))
    assert site.options == options
    assert not _stands_in_a_file(Path(hass.config.config_dir), TOKEN)


def _stands_in_a_file(folder: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("token", "reason"), [("f" * 32, "refuses this token"), ("short", "refuses this token"), (TOKEN, "has no history")]
)
async def test_cloud_that_gives_nothing_says_why(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, cloud: StandIn, token: str, reason: str
) -> None:
    result = await walk(hass, await begin(hass, site, "import_cloud"), {"token": token})
    assert (result["step_id"], result["errors"]) == ("import_cloud", {"base": "import_refused"})
    assert reason in result["description_placeholders"]["reason"]


async def test_blocks_that_are_merged_meanwhile_are_fetched_as_they_are_then(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, cloud: StandIn
) -> None:
    cloud.merged = blocks(site, Role.GRID, Role.PRODUCTION)
    cloud.blocks = {sid: {BlockId(0, 8, b.start): b"gone soon" for b in found} for sid, found in cloud.merged.items()}
    result = await walk(hass, await begin(hass, site, "import_cloud"), {"token": TOKEN})
    assert "could not be fetched" not in result["description_placeholders"]["preview"]
    await walk(hass, result, {})
    assert len(await quarters(site)) >= 7


async def test_blocks_that_the_cloud_lists_and_does_not_have_are_told(
    hass: HomeAssistant, meter: Simulator, site: MockConfigEntry, cloud: StandIn
) -> None:
    cloud.blocks = blocks(site, Role.GRID, Role.PRODUCTION)
    sid = next(iter(cloud.blocks))
    lost = max(cloud.blocks[sid])
    del cloud.blocks[sid][lost]
    cloud.blocks[sid] = _Listed(cloud.blocks[sid], lost)
    result = await walk(hass, await begin(hass, site, "import_cloud"), {"token": TOKEN})
    assert "could not be fetched (1)" in result["description_placeholders"]["preview"]


class _Listed(dict[BlockId, bytes]):
    """Blocks of which one more is listed than there is."""

    def __init__(self, blocks: dict[BlockId, bytes], more: BlockId) -> None:
        super().__init__(blocks)
        self._more = more

    def __iter__(self) -> Iterator[BlockId]:
        return iter([*self.keys(), self._more])


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (ENOSPC, "There is no room left"),
        (EACCES, "disk (Permission denied)"),
    ],
    ids=["full", "refused"],
)
async def test_disk_that_takes_no_blocks_ends_a_download_with_a_sentence(
    hass: HomeAssistant,
    meter: Simulator,
    site: MockConfigEntry,
    cloud: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    sentence: str,
) -> None:
    cloud.blocks = blocks(site, Role.GRID, Role.PRODUCTION)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    result = await walk(hass, await begin(hass, site, "import_cloud"), {"token": TOKEN})
    assert sentence in result["description_placeholders"]["reason"]
    monkeypatch.setattr(history_sources, "TemporaryDirectory", refuse)
    result = await walk(hass, result, {"token": TOKEN})
    assert sentence in result["description_placeholders"]["reason"]
