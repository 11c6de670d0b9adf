"""Makes blocks of a meter's history, sound ones and broken ones."""

from collections.abc import Sequence
import gzip
from itertools import pairwise
import json
from typing import Any

from custom_components.energy_neighbours.flukso.tmpo import BlockId

type Readings = Sequence[tuple[int, float]]
CONFIG = {"type": "electricity", "subtype": "pplus", "data_type": "counter", "rid": 0}


def describe(readings: Readings, **header: Any) -> dict[str, Any]:
    """Return what a block of some readings holds, as the meter writes it."""
    return {
        "h": {"head": list(readings[0]), "tail": list(readings[-1]), "vsn": 1, "cfg": CONFIG, **header},
        "t": [0, *(after[0] - before[0] for before, after in pairwise(readings))],
        "v": [0, *(round(after[1] - before[1], 3) for before, after in pairwise(readings))],
    }


def pack(content: object) -> bytes:
    """Return a block as it is kept: gzip, with JSON in it unless it is given as bytes."""
    return gzip.compress(content if isinstance(content, bytes) else json.dumps(content).encode())


def block(readings: Readings, **header: Any) -> bytes:
    """Return a sound block."""
    return pack(describe(readings, **header))


def split(readings: Readings, level: int, run: int = 0) -> dict[BlockId, bytes]:
    """Return the blocks of a level that hold some readings."""
    parts: dict[BlockId, list[tuple[int, float]]] = {}
    for time, value in readings:
        parts.setdefault(BlockId(run, level, time >> level << level), []).append((time, value))
    return {block_id: block(part) for block_id, part in parts.items()}
