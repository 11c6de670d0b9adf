"""The meters' own history: blocks of readings, sound and broken, and folders of them."""

import base64
import gzip
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.energy_neighbours.flukso import tmpo
from custom_components.energy_neighbours.flukso.tmpo import (
    BlockFault,
    BlockId,
    SensorHistory,
    find_blocks,
    open_history,
    parse_block,
    uncovered,
)

from .blocks import CONFIG, block, describe, pack, split
from .conftest import SampleMeter

SID = "72cdd1df2febb11638dd3106ff5389d5"
OTHER = "fb51f7dab496da7c45d54a71ae8e2003"
T = 1_699_999_744  # where blocks of level 8 and 12 begin
READINGS = [(T + 3, 100.0), (T + 10, 100.372), (T + 50, 101.0), (T + 200, 99.5)]


def readings(content: bytes) -> list[tuple[int, float]]:
    parsed = parse_block(content)
    return list(zip(parsed.times, parsed.values, strict=True))


def history(blocks: dict[BlockId, bytes]) -> SensorHistory:
    return SensorHistory(blocks, blocks.__getitem__)


@pytest.mark.parametrize("name", ["flm02", "flm03"])
def test_block_of_each_model(name: str, request: pytest.FixtureRequest) -> None:
    meter: SampleMeter = request.getfixturevalue(name)
    for sample in meter.data["tmpo"]:
        parsed = parse_block(base64.b64decode(sample["payload_b64"]))
        header = sample["decoded"]["h"]
        assert parsed.fault is None
        assert [parsed.times[0], parsed.values[0]] == header["head"]
        assert [parsed.times[-1], parsed.values[-1]] == header["tail"]
        assert parsed.config == header["cfg"]


def test_deltas_are_cumulated_from_the_head() -> None:
    assert readings(block(READINGS)) == READINGS


def test_sums_of_a_million_steps_are_exact() -> None:
    content = describe([(T, 0.001), (T + 2**20, 0.001)])
    content["t"], content["v"] = [0] + [1] * 2**20, [0] + [0.001] * 2**20
    content["h"]["tail"] = [T + 2**20, round(0.001 + 2**20 * 0.001, 3)]
    parsed = parse_block(pack(content))
    assert (parsed.fault, len(parsed.times), parsed.values[-1]) == (None, 2**20 + 1, 1048.577)


def changed(**changes: Any) -> bytes:
    return pack(describe(READINGS) | changes)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        # What the daemon of 2014 left behind: values added at each merge, deltas lost, empty elements.
        (changed(v=[0, 0.372, 0.628, -1.5, 0, 0]), BlockFault.LENGTHS_DIFFER),
        (changed(t=[0, 7, 40]), BlockFault.LENGTHS_DIFFER),
        (changed(t=[], v=[]), BlockFault.LENGTHS_DIFFER),
        (changed(v=[0, 0.372, 0.628, -1.0]), BlockFault.TAIL_MISSED),
        (changed(t=[0, 7, 40, 151]), BlockFault.TAIL_MISSED),
        (changed(t=[0, 7, "x", 150]), BlockFault.NOT_JSON),
        (changed(v=[0, None, 1, 2]), BlockFault.NOT_JSON),
        (changed(v=[0, 10**400, 1, 2]), BlockFault.NOT_JSON),
        (changed(t=[0, 10**30, 40, 150]), BlockFault.NOT_JSON),
        (pack(gzip.decompress(block(READINGS)).replace(b"[0, 7", b"[0,, 7")), BlockFault.NOT_JSON),
    ],
)
def test_head_and_tail_of_a_broken_block_hold(content: bytes, fault: BlockFault) -> None:
    assert parse_block(content).fault is fault
    assert readings(content) == [READINGS[0], READINGS[-1]]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", BlockFault.NOT_GZIP),
        (b'{"h":{}}', BlockFault.NOT_GZIP),
        (block(READINGS)[:-9], BlockFault.NOT_GZIP),
        (pack(b"[[[["), BlockFault.NOT_JSON),
        (pack(b"[" * 1_000_000), BlockFault.NOT_JSON),
        (pack([]), BlockFault.NO_HEAD),
        (pack({"h": []}), BlockFault.NO_HEAD),
        (pack({"h": {}, "t": [0], "v": [0]}), BlockFault.NO_HEAD),
        (block(READINGS, head=[T, None]), BlockFault.NO_HEAD),
        (block(READINGS, head=[True, 1]), BlockFault.NO_HEAD),
        (block(READINGS, tail=[T, 1, 2]), BlockFault.NO_HEAD),
        (block(READINGS, tail=[2**60, 1]), BlockFault.NO_HEAD),
        (changed(v="0"), BlockFault.NO_HEAD),
        (gzip.compress(bytes(tmpo.MAX_UNPACKED + 1)), BlockFault.TOO_LARGE),
        (bytes(tmpo.MAX_BLOCK + 1), BlockFault.TOO_LARGE),
    ],
)
def test_block_of_which_nothing_can_be_used(content: bytes, fault: BlockFault) -> None:
    parsed = parse_block(content)
    assert (parsed.fault, len(parsed.times)) == (fault, 0)


def test_tail_before_its_head_is_not_believed() -> None:
    assert readings(block(READINGS, tail=[T - 5, 3])) == [READINGS[0]]


def test_configuration_may_be_absent() -> None:
    assert parse_block(block(READINGS, cfg=None)).config == {}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.booleans(), st.integers(0, 200))
def test_no_bytes_make_the_parser_stumble(content: bytes, wrapped: bool, place: int) -> None:
    parse_block(gzip.compress(content) if wrapped else content)
    sound = block(READINGS)
    parse_block(sound[:place] + content + sound[place:])


# Which blocks are read


def test_blocks_inside_others_are_covered() -> None:
    large = BlockId(0, 12, T)
    inside = [BlockId(0, 8, T), BlockId(0, 8, T + 15 * 256)]
    beside = [BlockId(0, 8, T + 16 * 256), BlockId(1, 8, T), BlockId(0, 8, T - 256)]
    assert uncovered([*inside, *beside, large]) == [beside[2], large, beside[0], beside[1]]


def climbing(count: int, seconds: int = 20) -> list[tuple[int, float]]:
    return [(T + seconds * n, 1000 + 0.5 * n) for n in range(count)]


def test_blocks_of_several_levels_join_to_one_series() -> None:
    series = climbing(400)
    split_at = T + 2**12
    early = split([r for r in series if r[0] < split_at], 12)
    late = split([r for r in series if r[0] >= split_at], 8)
    assert list(history(early | late).readings(0)) == series


def test_broken_block_is_mended_from_its_parts_while_they_are_there() -> None:
    series = climbing(200)
    content = describe(series)
    content["v"].append(0)
    large, parts = BlockId(0, 12, T), split(series, 8)
    known = history({large: pack(content), **dict(list(parts.items())[:3])})
    held = [r for r in series if r[0] < T + 3 * 256]
    assert list(known.readings(0)) == [*held, series[-1]]
    assert known.faults == {large: BlockFault.LENGTHS_DIFFER}


def test_sound_block_is_not_read_twice() -> None:
    series = climbing(200)
    blocks = split(series, 12) | split(series, 8)
    loaded: list[BlockId] = []

    def load(block_id: BlockId) -> bytes:
        loaded.append(block_id)
        return blocks[block_id]

    assert list(SensorHistory(blocks, load).readings(0)) == series
    assert loaded == [BlockId(0, 12, T)]


def test_times_that_do_not_rise_are_dropped_and_counted() -> None:
    back = [(T, 1.0), (T + 9, 2.0), (T + 5, 3.0), (T + 9, 4.0), (T + 12, 5.0)]
    known = history({BlockId(0, 8, T): block(back)})
    assert list(known.readings(0)) == [(T, 1.0), (T + 9, 2.0), (T + 12, 5.0)]
    assert known.dropped == 2


def test_each_run_is_read_for_itself() -> None:
    first, second = climbing(20), [(T + 900, 5.0), (T + 901, 6.0)]
    known = history(split(first, 8, run=0) | {BlockId(3, 12, T): block(second, cfg={**CONFIG, "type": "water"})})
    assert known.runs == [0, 3]
    assert list(known.readings(0)) == first
    assert list(known.readings(3)) == second
    assert (known.config[0]["type"], known.config[3]["type"]) == ("electricity", "water")


def test_times_before_the_clock_was_set_are_dropped() -> None:
    known = history({BlockId(0, 8, 0): block([(5, 1.0), (9, 2.0)]), BlockId(0, 8, T): block([(T, 3.0)])})
    assert list(known.readings(0)) == [(T, 3.0)]


def test_stamp_outside_its_block_does_not_hide_what_follows() -> None:
    far = [(T, 1.0), (T + 10**8, 2.0)]
    known = history({BlockId(0, 8, T): block(far), BlockId(0, 8, T + 256): block([(T + 300, 3.0)])})
    assert list(known.readings(0)) == [(T, 1.0), (T + 300, 3.0)]
    assert (known.dropped, known.span) == (1, (T, T + 512))
    assert history({}).span is None


# Folders


def put(folder: Path, sid: str, blocks: dict[BlockId, bytes], suffix: str = "") -> None:
    for block_id, content in blocks.items():
        path = folder / sid / (block_id.path + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_folder_copied_from_a_meter(tmp_path: Path) -> None:
    series = climbing(100)
    put(tmp_path / "tmpo" / "sensor", SID, split(series, 8))
    put(tmp_path / "tmpo" / "sensor", OTHER, split(series, 12), suffix=".gz")
    for stray in (f"{SID}/0/8/notes.txt", f"{SID}/0/8/17", f"{SID}/0/9/512", "readme", f"{SID}/x/8/256"):
        path = tmp_path / "tmpo" / "sensor" / stray
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("?")
    found = find_blocks(tmp_path)
    assert found.keys() == {SID, OTHER}
    for files in found.values():
        assert list(open_history(files).readings(0)) == series
    assert find_blocks(tmp_path / "tmpo" / "sensor" / SID).keys() == {SID}
    assert find_blocks(tmp_path / "nothing here") == {}


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    put(tmp_path, SID, split(climbing(5), 8))
    files = find_blocks(tmp_path)[SID]
    for path in files.values():
        path.unlink()
    known = open_history(files)
    assert list(known.readings(0)) == []
    assert set(known.faults.values()) == {BlockFault.UNREADABLE}
