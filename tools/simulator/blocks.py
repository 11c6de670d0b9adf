"""The meter's own history (tmpo): level-8 blocks of 256 seconds, published as gzip when they are closed."""

from collections.abc import Iterable
from gzip import compress
from itertools import pairwise
import json
from typing import Any

from .config import MeterConfig
from .formats import Message, flm02_thousandths

LEVEL = 8
SPAN = 1 << LEVEL  # [s]
CLOCK_SET = 1_234_567_890  # stamps before this come from an unset clock
GRACE = 8  # a block is published so long after its end [s]


class BlockStore:
    """Collects the stored series of each sensor: the topic of its `data_type`, unless `tmpo` is 0."""

    def __init__(self, config: MeterConfig) -> None:
        """Collect for the meter of `config`, which may change."""
        self._config = config
        self._points: dict[str, dict[int, list[tuple[int, int]]]] = {}
        self._stored: dict[str, dict[str, Any]] = {}
        self.configure()

    def configure(self) -> None:
        """Take note of a changed configuration."""
        self._stored = {
            f"/sensor/{entry['id']}/{entry.get('data_type', 'counter')}": entry
            for _, entry in self._config.enabled()
            if entry.get("tmpo") != 0
        }

    def clear(self) -> None:
        """Lose what has not been written yet, as a power cut does."""
        self._points.clear()

    def note(self, stamp: int, messages: Iterable[Message]) -> list[Message]:
        """Collect the messages of a second; return the blocks that are due now."""
        for message in messages:
            if message.topic in self._stored:
                told = message.payload[1:].split(b",", 2)
                second, value = int(told[0]), round(float(told[1]) * 1000)
                if second < CLOCK_SET:
                    continue
                blocks = self._points.setdefault(message.topic, {})
                points = blocks.setdefault(second - second % SPAN, [])
                if not points or points[-1][0] < second:
                    points.append((second, value))
        if stamp % SPAN != GRACE:
            return []
        due = []
        for topic, blocks in self._points.items():
            for begin in [begin for begin in blocks if begin + SPAN <= stamp]:
                points = blocks.pop(begin)
                entry = self._stored.get(topic)
                if entry is not None:
                    rid = entry.get("rid", 0)
                    name = f"/sensor/{entry['id']}/tmpo/{rid}/{LEVEL}/{begin}/gz"  # noqa: S108 - a topic
                    due.append(Message(name, block(entry, points)))
        return due


def block(entry: dict[str, Any], points: list[tuple[int, int]]) -> bytes:
    """Write one block: `points` are (stamp, value in thousandths) in rising order."""
    told = {key: value for key, value in entry.items() if key != "enable"}
    head, tail = points[0], points[-1]
    times, values = [0], ["0"]
    for before, after in pairwise(points):
        times.append(after[0] - before[0])
        values.append(flm02_thousandths(after[1] - before[1]))
    header = (
        f'{{"head":[{head[0]},{flm02_thousandths(head[1])}],"tail":[{tail[0]},{flm02_thousandths(tail[1])}],'
        f'"vsn":1,"cfg":{json.dumps(told, separators=(",", ":"), ensure_ascii=False)}}}'
    )
    text = f'{{"h":{header},"t":[{",".join(map(str, times))}],"v":[{",".join(values)}]}}'
    return compress(text.encode(), mtime=0)
