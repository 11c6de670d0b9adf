"""Where past quarter-hours come from: files, statistics, and a Fluksometer's own history on disk or in its cloud."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from errno import EDQUOT, ENOSPC
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.requirements import RequirementsNotFound, async_process_requirements
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .core.channel import Role
from .core.history import History, HistoryError
from .flukso.cloud import CLOUD, FluksoCloud
from .flukso.exceptions import FluksoConnectionError, FluksoError, FluksoTokenError
from .flukso_meter import FluksoMeter
from .history_blocks import read_folder
from .history_files import read_history
from .history_statistics import async_read_statistics
from .meter import Meter

SPREADSHEET: Final = "openpyxl==3.1.5"
"""Reads a spreadsheet; only fetched when somebody imports one."""
DOWNLOAD_SHARE: Final = 0.8
"""So much of the time that the cloud takes goes by until its blocks are here."""

type Progress = Callable[[float], None]
"""Is told, on the event loop, the share that is done."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source needs to be read.

    Parameters
    ----------
    hass
        Home Assistant.
    zone
        Of times that do not say theirs.
    meter
        Of the site that it is for; None if there is none here.
    eans
        Access points that are wanted.
    progress
        A listener.
    """

    hass: HomeAssistant
    zone: ZoneInfo
    meter: Meter | None
    eans: Collection[str]
    progress: Progress


class Source(Protocol):
    """Where past quarter-hours come from."""

    @property
    def note(self) -> str:
        """Return what the ledger notes beside the import."""
        ...

    async def async_read(self, reading: Reading) -> History:
        """Read it; HistoryError when it holds no history at all."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A table of readings: CSV or a spreadsheet."""

    path: Path

    @property
    def note(self) -> str:
        """Return the file's name."""
        return f"file {self.path.name}"

    async def async_read(self, reading: Reading) -> History:
        """Read it in an executor thread."""
        hass = reading.hass
        if await hass.async_add_executor_job(_is_spreadsheet, self.path):
            try:
                await async_process_requirements(hass, DOMAIN, [SPREADSHEET], is_built_in=False)
            except RequirementsNotFound as error:
                raise HistoryError("spreadsheet_reader_missing") from error
        zone, now, wanted = reading.zone, dt_util.utcnow().timestamp(), reading.eans or None
        return await hass.async_add_executor_job(partial(read_history, self.path, zone=zone, now=now, ean=wanted))


@dataclass(frozen=True, slots=True)
class StatisticsSource:
    """Long-term statistics of Home Assistant: their ids by `offtake`, `injection` and `production`."""

    series: Mapping[str, Sequence[str]]

    @property
    def note(self) -> str:
        """Return the statistics' ids."""
        return "statistics " + " ".join(sorted({statistic for ids in self.series.values() for statistic in ids}))

    async def async_read(self, reading: Reading) -> History:
        """Read them from the recorder."""
        return await async_read_statistics(reading.hass, self.series, reading.progress)


@dataclass(frozen=True, slots=True)
class BlocksSource:
    """A folder with blocks of a Fluksometer's own history."""

    folder: Path

    @property
    def note(self) -> str:
        """Return the folder's name."""
        return f"blocks {self.folder.name}"

    async def async_read(self, reading: Reading) -> History:
        """Read the blocks of the site's meter in an executor thread."""
        return await _async_read_folder(self.folder, reading, _meter(reading), reading.progress)


@dataclass(frozen=True, slots=True)
class CloudSource:
    """The cloud that Fluksometers send their history to; the token is used once and kept nowhere."""

    token: str = field(repr=False)

    @property
    def note(self) -> str:
        """Return the cloud's name; the token is nobody's business."""
        return "cloud"

    async def async_read(self, reading: Reading) -> History:
        """Fetch the blocks of the site's meter into a folder that does not last, and read them."""
        hass, meter = reading.hass, _meter(reading)
        counted = {*meter.layout.keys(Role.GRID), *meter.layout.keys(Role.PRODUCTION)}
        sids = [sid for sid, register in meter.registers.items() if register.channel in counted]
        cloud = FluksoCloud(async_get_clientsession(hass), self.token.strip(), base=CLOUD)
        try:
            folder = await hass.async_add_executor_job(TemporaryDirectory)
            try:
                lost = await _async_download(cloud, sids, Path(folder.name), reading.progress)
                history = await _async_read_folder(
                    Path(folder.name),
                    reading,
                    meter,
                    lambda share: reading.progress(DOWNLOAD_SHARE + (1 - DOWNLOAD_SHARE) * share),
                )
            finally:
                await hass.async_add_executor_job(folder.cleanup)
        except FluksoTokenError as error:
            raise HistoryError("cloud_token") from error
        except FluksoConnectionError as error:
            raise HistoryError("cloud_silent") from error
        except FluksoError as error:
            raise HistoryError("cloud_odd") from error
        except HistoryError as error:
            raise HistoryError("never_together" if error.key == "never_together" else "cloud_empty") from error
        except OSError as error:
            if error.errno in (ENOSPC, EDQUOT):
                raise HistoryError("no_room_for_download") from error
            raise HistoryError("download_unwritable", reason=error.strerror or str(error)) from error
        return replace(history, notes={**history.notes, "blocks_lost": str(lost)}) if lost else history


async def async_allowed(hass: HomeAssistant, path: str) -> Path:
    """Return a path on Home Assistant's machine; HistoryError when it may not be read."""
    # No path holds a NUL, and all that opens one stumbles over it.
    if "\0" in path or not await hass.async_add_executor_job(hass.config.is_allowed_path, path):
        raise HistoryError("path_not_allowed", path=path)
    return Path(path)


def _meter(reading: Reading) -> FluksoMeter:
    if not isinstance(reading.meter, FluksoMeter):
        raise HistoryError("import_needs_fluksometer")
    return reading.meter


async def _async_download(cloud: FluksoCloud, sids: Collection[str], folder: Path, progress: Progress) -> int:
    """Fetch blocks into a folder and return how many of those that the cloud listed it did not have.

    The cloud may merge blocks while they are fetched: then the larger ones are fetched in a second round.
    """

    def tell(done: int, of: int) -> None:
        progress(DOWNLOAD_SHARE * done / max(of, 1))

    download = await cloud.download(sids, folder, on_progress=tell)
    if download.gone:
        download = await cloud.download(sids, folder)
    return download.gone


async def _async_read_folder(folder: Path, reading: Reading, meter: FluksoMeter, progress: Progress) -> History:
    hass = reading.hass

    def tell(share: float) -> None:
        hass.loop.call_soon_threadsafe(progress, share)

    now = dt_util.utcnow().timestamp()
    read = partial(read_folder, folder, meter.registers, meter.layout, now=now, on_progress=tell)
    return await hass.async_add_executor_job(read)


def _is_spreadsheet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"PK"
    except OSError:
        return False  # the reader says what is wrong with it
