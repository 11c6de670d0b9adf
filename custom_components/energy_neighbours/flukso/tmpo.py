"""The meters' own history: blocks of counter readings, as they keep them in files and in the cloud.

A block covers 2^level seconds. Sixteen blocks of one level become one of the next; then the parts are deleted. Block
files of 2014 have faults that a version of the meters' firmware made when it merged blocks: what cannot be trusted in
them is left out, their first and last reading hold all the same.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate, chain
import os
from pathlib import Path
import re
from typing import Any, Final, NamedTuple
import zlib

import orjson

LEVELS: Final = (8, 12, 16, 20)
"""A block of a level covers 2^level seconds: 256 s, 68 min, 18 h, 12 days."""
MAX_BLOCK: Final = 16 * 2**20
"""A larger block [bytes] is none."""
MAX_UNPACKED: Final = 64 * 2**20
"""Twelve days of readings each second unpack to a sixth of this [bytes]."""
MAX_FILES: Final = 200_000
FIRST_TIME: Final = 1_234_567_890
"""A meter's clock that is not past this [s, Unix] has not been set."""

_GZIP: Final = 31  # zlib's way to ask for a gzip header
_MILLI: Final = 1000
_TOLERANCE: Final = 0.0025  # values were cut to thousandths, not rounded, when they were written
_SID: Final = re.compile(r"^[0-9a-f]{32}$")
_NUMBER: Final = rb"(-?\d+(?:\.\d+)?)"
_HEAD, _TAIL = (
    re.compile(rb'"%s"\s*:\s*\[\s*(\d{1,12})\s*,\s*%s\s*\]' % (name, _NUMBER)) for name in (b"head", b"tail")
)


class BlockId(NamedTuple):
    """Which block of a sensor: its run (`rid`), level, and first second (`bid`) [s, Unix].

    A new run begins when a sensor's id is given to something else.
    """

    run: int
    level: int
    start: int

    @property
    def end(self) -> int:
        """The first second after it [s, Unix]."""
        return self.start + (1 << self.level)

    @property
    def path(self) -> str:
        """Where it is found below its sensor."""
        return f"{self.run}/{self.level}/{self.start}"


class BlockFault(StrEnum):
    """What is wrong with a block."""

    UNREADABLE = "unreadable"
    NOT_GZIP = "not_gzip"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NO_HEAD = "no_head"
    LENGTHS_DIFFER = "lengths_differ"
    TAIL_MISSED = "tail_missed"


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of a block: times [s, Unix] and values, and what the meter said of the sensor then.

    With a fault there are none, or the first and the last alone.
    """

    times: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    config: Mapping[str, Any] = field(default_factory=dict)
    fault: BlockFault | None = None


def parse_block(content: bytes) -> Block:
    """Read a block; never raises, but tells its fault."""
    unpacked = _unpack(content)
    if isinstance(unpacked, BlockFault):
        return Block(fault=unpacked)
    try:
        data = orjson.loads(unpacked)
    except orjson.JSONDecodeError:
        return _ends(_salvage(_HEAD, unpacked), _salvage(_TAIL, unpacked), {}, BlockFault.NOT_JSON)
    match data:
        case {"h": {"head": head, "tail": tail} as about, "t": list() as times, "v": list() as values} if _is_reading(
            head
        ) and _is_reading(tail):
            config = about.get("cfg")
            return _cumulate(head, tail, times, values, config if isinstance(config, dict) else {})
    return Block(fault=BlockFault.NO_HEAD)


def _cumulate(
    head: list[float], tail: list[float], times: list[int], values: list[float], config: Mapping[str, Any]
) -> Block:
    if len(times) != len(values) or not times:
        return _ends(head, tail, config, BlockFault.LENGTHS_DIFFER)
    try:
        # In whole thousandths sums are exact, however many there are.
        all_times = array("q", accumulate(times, initial=int(head[0])))
        steps = (round(step * _MILLI) for step in values)
        all_values = array("d", (each / _MILLI for each in accumulate(steps, initial=round(head[1] * _MILLI))))
    except TypeError, ValueError, OverflowError:
        return _ends(head, tail, config, BlockFault.NOT_JSON)
    if all_times[-1] != tail[0] or abs(all_values[-1] - tail[1]) > _TOLERANCE:
        return _ends(head, tail, config, BlockFault.TAIL_MISSED)
    # The first deltas are zero: they stand for the head itself.
    return Block(all_times[1:], all_values[1:], config)


def _unpack(content: bytes) -> bytes | BlockFault:
    if len(content) > MAX_BLOCK:
        return BlockFault.TOO_LARGE
    unpacking = zlib.decompressobj(wbits=_GZIP)
    try:
        unpacked = unpacking.decompress(content, MAX_UNPACKED)
    except zlib.error:
        return BlockFault.NOT_GZIP
    if unpacking.unconsumed_tail:
        return BlockFault.TOO_LARGE
    return unpacked if unpacking.eof else BlockFault.NOT_GZIP


def _salvage(pattern: re.Pattern[bytes], unpacked: bytes) -> list[float] | None:
    found = pattern.search(unpacked)
    return [int(found[1]), float(found[2])] if found else None


def _ends(head: list[float] | None, tail: list[float] | None, config: Mapping[str, Any], fault: BlockFault) -> Block:
    """Return a block of which the first and the last reading alone can be trusted."""
    readings = [reading for reading in (head, tail) if reading]
    if len(readings) == 2 and readings[0][0] >= readings[1][0]:  # noqa: PLR2004 - head and tail
        del readings[1:]
    times = array("q", (int(time) for time, _ in readings))
    return Block(times, array("d", (float(value) for _, value in readings)), config, fault)


def _is_reading(entry: object) -> bool:
    match entry:
        case [int() as time, int() | float() as value]:
            return type(time) is int and type(value) is not bool and 0 <= time < 2**40 and abs(value) < 2**40
    return False


def uncovered(blocks: Iterable[BlockId]) -> list[BlockId]:
    """Return the blocks that lie in no other, in order of run and time."""
    tops: list[BlockId] = []
    for block in sorted(blocks, key=_by_time):
        if not tops or tops[-1].run != block.run or block.end > tops[-1].end:
            tops.append(block)
    return tops


def _by_time(block: BlockId) -> tuple[int, int, int]:
    return block.run, block.start, -block.level


class SensorHistory:
    """The readings of one sensor, from its blocks.

    Each run is read for itself: its counter is another than that of the run before. A block that lies in one of a
    higher level is only read if that one has a fault.

    Parameters
    ----------
    blocks
        Those that there are.
    load
        Returns the bytes of one; may raise `OSError`.
    """

    def __init__(self, blocks: Iterable[BlockId], load: Callable[[BlockId], bytes]) -> None:
        self._blocks = sorted(blocks, key=_by_time)
        self._load = load
        self.faults: dict[BlockId, BlockFault] = {}
        """Blocks that were found broken so far."""
        self.dropped = 0
        """Readings so far whose time did not rise, or lies outside their block."""
        self.config: dict[int, Mapping[str, Any]] = {}
        """What the meter said of the sensor, by run: `type`, `subtype`, `data_type` and so on."""

    @property
    def span(self) -> tuple[int, int] | None:
        """From the first second of the first block to the end of the last [s, Unix]; None if there is no block."""
        if not self._blocks:
            return None
        return min(block.start for block in self._blocks), max(block.end for block in self._blocks)

    @property
    def runs(self) -> list[int]:
        """The runs, oldest first."""
        return sorted({block.run for block in self._blocks})

    def readings(self, run: int) -> Iterator[tuple[int, float]]:
        """Yield the readings of a run: time [s, Unix], always rising, and value. One block at a time is in memory."""
        last = FIRST_TIME
        for time, value in self._read([block for block in self._blocks if block.run == run]):
            if time > last:
                last = time
                yield time, value
            else:
                self.dropped += 1

    def _read(self, blocks: list[BlockId]) -> Iterator[tuple[int, float]]:
        place = 0
        while place < len(blocks):
            top, inside = blocks[place], []
            place += 1
            while place < len(blocks) and blocks[place].end <= top.end:
                inside.append(blocks[place])
                place += 1
            block = self._parse(top)
            readings: Iterable[tuple[int, float]] = zip(block.times, block.values, strict=True)
            if block.fault and inside:
                readings = sorted(set(chain(readings, self._read(inside))))
            for reading in readings:
                if top.start <= reading[0] < top.end:
                    yield reading
                else:
                    self.dropped += 1

    def _parse(self, block_id: BlockId) -> Block:
        try:
            block = parse_block(self._load(block_id))
        except OSError:
            block = Block(fault=BlockFault.UNREADABLE)
        if block.fault:
            self.faults[block_id] = block.fault
        if block.config:
            self.config[block_id.run] = block.config
        return block


def find_blocks(folder: Path) -> dict[str, dict[BlockId, Path]]:
    """Find block files below a folder, by sensor: `<sid>/<rid>/<level>/<bid>`, with or without `.gz`.

    The folder may be that of one sensor, or a copy of a meter's whole `tmpo/sensor`. Reads directories: for an executor
    thread only.
    """
    found: dict[str, dict[BlockId, Path]] = {}
    count = 0
    for directory, _, names in os.walk(folder.absolute()):
        of_level = Path(directory)
        sid, run, level = (of_level.parts[-3:] + ("",) * 3)[:3]
        if not (_SID.match(sid) and run.isdecimal() and level.isdecimal() and int(level) in LEVELS):
            continue
        for name in names:
            bid = name.removesuffix(".gz")
            if bid.isdecimal() and int(bid) % 2 ** int(level) == 0 and count < MAX_FILES:
                count += 1
                found.setdefault(sid, {})[BlockId(int(run), int(level), int(bid))] = of_level / name
    return found


def open_history(files: Mapping[BlockId, Path]) -> SensorHistory:
    """Return the readings of a sensor whose blocks lie in files."""
    return SensorHistory(files, lambda block: _load_file(files[block]))


def _load_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BLOCK + 1)
