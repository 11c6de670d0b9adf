"""The Flukso cloud: fetches the blocks of a sensor's history into a folder.

The cloud could not be reached while this was written; it follows what the cloud's own client and the meters say of it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
import re
from typing import Any, Final

import aiohttp
import orjson
from yarl import URL

from .exceptions import FluksoCloudError, FluksoConnectionError, FluksoNoDataError, FluksoTokenError
from .tmpo import LEVELS, MAX_BLOCK, BlockId, find_blocks, uncovered

CLOUD: Final = "https://www.flukso.net/api"
PARALLEL: Final = 4
TIMEOUT: Final = 30
"""A single answer may take this long [s]."""
ATTEMPTS: Final = 3
PAUSE: Final = 1.0
"""Between two attempts [s]."""
MAX_LIST: Final = 8 * 2**20
"""The list of a sensor's blocks is shorter than this [bytes]."""

_HEX: Final = re.compile(r"^[0-9a-f]{32}$", re.IGNORECASE)
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(slots=True)
class Download:
    """What a download brought: blocks fetched, those that were there before, and those that the cloud no longer has."""

    fetched: int = 0
    present: int = 0
    gone: int = 0
    empty: frozenset[str] = frozenset()
    """Sensors of which the cloud knows nothing."""


class FluksoCloud:
    """Reads from the cloud with a token of 32 hex digits: a sensor's, or its owner's for all sensors.

    The token is sent to `base` alone, never along a redirection, and is in no error and no log.
    """

    def __init__(self, session: aiohttp.ClientSession, token: str, *, base: str = CLOUD) -> None:
        self._session = session
        self._base = URL(base)
        self._headers = {"X-Version": "1.0", "X-Token": token}
        self._is_token = bool(_HEX.match(token))

    async def list_blocks(self, sid: str, after: BlockId | None = None) -> list[BlockId]:
        """Return a sensor's blocks whose last second lies after that of a block already known; else all of them.

        Raises
        ------
        FluksoTokenError
            The token is refused.
        FluksoNoDataError
            The cloud knows nothing of this sensor.
        FluksoConnectionError
            No answer in time.
        FluksoCloudError
            An answer that is none of the cloud's.
        """
        run, level, start = after or (0, 0, 0)
        query = {"rid": str(run), "lvl": str(level), "bid": str(start)}
        body = await self._get(("sensor", sid, "tmpo", "sync"), query, "application/json", MAX_LIST)
        try:
            entries = orjson.loads(body)
        except orjson.JSONDecodeError:
            entries = None
        if not isinstance(entries, list):
            raise FluksoCloudError("The cloud's list of blocks is no list.")
        return sorted({block for entry in entries if (block := _read_entry(entry))})

    async def fetch_block(self, sid: str, block: BlockId) -> bytes:
        """Return a block as it is kept, packed. Raises as `list_blocks` does."""
        return await self._get(("sensor", sid, "tmpo", block.path), {}, "application/gzip", MAX_BLOCK)

    async def download(
        self, sids: Collection[str], folder: Path, *, on_progress: Callable[[int, int], None] | None = None
    ) -> Download:
        """Fetch all blocks of some sensors into a folder, laid out as `tmpo.find_blocks` reads it.

        Blocks that are there already are not fetched again, so a download that broke off can be taken up. `on_progress`
        is told how many blocks are done, of how many. Raises as `list_blocks` does, and `OSError` when the folder
        cannot be written.
        """
        done = Download()
        there = await asyncio.to_thread(find_blocks, folder)
        wanted: list[tuple[str, BlockId]] = []
        empty = set()
        for sid in sids:
            try:
                blocks = uncovered(await self.list_blocks(sid))
            except FluksoNoDataError:
                blocks = []
            if not blocks:
                empty.add(sid)
            missing = [block for block in blocks if block not in there.get(sid, {})]
            done.present += len(blocks) - len(missing)
            wanted += [(sid, block) for block in missing]
        done.empty = frozenset(empty)
        queue = iter(wanted)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(PARALLEL):
                    group.create_task(self._work(queue, len(wanted), folder, done, on_progress))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return done

    async def _work(
        self,
        queue: Iterator[tuple[str, BlockId]],
        total: int,
        folder: Path,
        done: Download,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        for sid, block in queue:
            try:
                content = await self.fetch_block(sid, block)
            except FluksoNoDataError:
                done.gone += 1  # merged into a larger one meanwhile
            else:
                await asyncio.to_thread(_store, folder / sid / block.path, content)
                done.fetched += 1
            if on_progress:
                on_progress(done.fetched + done.gone, total)

    async def _get(self, path: Iterable[str], query: Mapping[str, str], accept: str, limit: int) -> bytes:
        if not self._is_token:
            raise FluksoTokenError("A token has 32 hex digits.")
        url = self._base.joinpath(*path) % query
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._get_once(url, accept, limit)
            except FluksoConnectionError:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(PAUSE * attempt)
        raise AssertionError  # pragma: no cover

    async def _get_once(self, url: URL, accept: str, limit: int) -> bytes:
        try:
            async with self._session.get(
                url,
                headers={**self._headers, "Accept": accept},
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                allow_redirects=False,
                # Blocks are asked for as they are kept, however the server calls their packing.
                auto_decompress=accept == "application/json",
            ) as response:
                status = response.status
                body = await _read(response, limit)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise FluksoConnectionError(f"The cloud at {self._base.host} does not answer.") from error
        if status in _REFUSED:
            raise FluksoTokenError("The cloud refuses the token.")
        if status == HTTPStatus.NOT_FOUND:
            raise FluksoNoDataError("The cloud knows nothing of that sensor or block.")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise FluksoConnectionError(f"The cloud at {self._base.host} is out of order (status {status}).")
        if status != HTTPStatus.OK:
            raise FluksoCloudError(f"What answers at {self._base.host} refuses a question with status {status}.")
        if len(body) > limit:
            raise FluksoCloudError(f"What answers at {self._base.host} answers at far too great a length.")
        return body


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read an answer, but no more than a little beyond the limit [bytes]."""
    body = bytearray()
    async for part in response.content.iter_chunked(2**16):
        body += part
        if len(body) > limit:
            break
    return bytes(body)


def _read_entry(entry: Any) -> BlockId | None:
    match entry:
        case {"rid": int() as run, "lvl": int() as level, "bid": int() as start} if (
            level in LEVELS and 0 <= run < 2**31 and 0 <= start < 2**40 and start % 2**level == 0
        ):
            return BlockId(run, level, start)
    return None


def _store(path: Path, content: bytes) -> None:
    """Write a file so that it is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
