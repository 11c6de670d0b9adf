"""A meter that replays a recorded sample byte by byte, then again with later stamps and higher counters."""

import json
from pathlib import Path
import re
from typing import Any, NamedTuple, override

from .config import MeterConfig, made_up_id
from .formats import Message, flm02_thousandths, flm03_thousandths
from .meter import Meter

DATA = Path(__file__).parent / "data"
READING = re.compile(r"\[(?P<stamp>\d+),(?P<blank> ?)(?P<value>-?[\d.]+),(?P<rest>.*)", re.DOTALL)


class _Recorded(NamedTuple):
    topic: str
    payload: str
    retain: bool


class Replay(Meter):
    """One of the sample meters of `data/`."""

    def __init__(self, name: str, did: str | None = None, *, shift_stamps: bool = True) -> None:
        """Load the sample `name`. With a `did` the meter and all its sensors get other ids.

        With `shift_stamps` False the first pass keeps the recorded time stamps.
        """
        text = (DATA / f"{name}.json").read_text(encoding="utf-8")
        if did is not None:
            text = _with_other_ids(text, did)
        sample = json.loads(text)
        config = sample["config"]
        recorded = [_Recorded(m["topic"], m["payload"], m["retain"]) for m in sample["messages"]]
        super().__init__(
            MeterConfig(
                did=sample["device"],
                model=sample["model"],
                serial=sample["serial"],
                firmware=sample["firmware"],
                sensor=config["sensor"],
                kube=config["kube"],
                flx=config["flx"],
                tap=next((m.payload for m in recorded if m.topic.endswith("/test/tap")), None),
                cloud=next((m.payload == "1" for m in recorded if m.topic.startswith("$SYS")), True),
                recorded={m.topic.rpartition("/")[2]: m.payload.encode() for m in recorded if "/config/" in m.topic},
            )
        )
        self.time0: int = sample["time0"]
        self._shift_stamps = shift_stamps
        announced = {message.topic for message in self.config.messages()}
        self._seconds = self._by_second([m for m in recorded if m.topic not in announced])
        self._growth = self._growth_of_a_pass(recorded)
        self._passed = 0
        self._offset: dict[str, int] = {}  # added to the recorded counters: earlier passes, resets [thousandths]
        self._told = {  # last value of each counter [thousandths]
            m.topic: round(float(match["value"]) * 1000)
            for m in reversed(recorded)
            if m.topic in self._growth and (match := READING.match(m.payload))
        }
        self._history = _history(sample, self.time0)

    @property
    def length(self) -> int:
        """Length of the sample [s]."""
        return len(self._seconds)

    def _by_second(self, recorded: list[_Recorded]) -> list[list[_Recorded]]:
        """Sort the messages into the seconds in which they were sent; the clamps' stamps lag by one."""
        seconds: list[list[_Recorded]] = [[]]
        for message in recorded:
            if match := READING.match(message.payload):
                lag = 1 if self.config.is_flm03 and not message.retain and self._is_clamp(message.topic) else 0
                while len(seconds) <= int(match["stamp"]) + lag - self.time0:
                    seconds.append([])
            seconds[-1].append(message)
        return seconds

    def _is_clamp(self, topic: str) -> bool:
        sid = topic.split("/")[2]
        return any(entry["id"] == sid and index <= 36 for index, entry in self.config.enabled())  # noqa: PLR2004

    def _growth_of_a_pass(self, recorded: list[_Recorded]) -> dict[str, int]:
        """How much each counter grows from one pass to the next [thousandths], from its own pace or its gauge."""
        values: dict[str, list[float]] = {}
        for message in recorded:
            if match := READING.match(message.payload):
                values.setdefault(message.topic, []).append(float(match["value"]))
        growth: dict[str, int] = {}
        for topic, counts in values.items():
            sid, _, kind = topic.removeprefix("/sensor/").partition("/")
            if kind != "counter":
                continue
            gauges = values.get(f"/sensor/{sid}/gauge", [])
            if len(counts) > 1:
                pace = (counts[-1] - counts[0]) * len(counts) / (len(counts) - 1)
            elif gauges:
                pace = sum(gauges) / len(gauges) * self.length / 3600
            else:
                pace = 1.0
            growth[topic] = round(pace * 1000)
            if not self.config.is_flm03 and len(counts) == 1:
                growth[topic] = round(pace) * 1000
        return growth

    @override
    def second(self, stamp: int, scene: int) -> list[Message]:
        number = self._passed % self.length
        first_pass = self._passed < self.length
        if number == 0 and not first_pass:
            for topic, growth in self._growth.items():
                self._offset[topic] = self._offset.get(topic, 0) + growth
        shift = stamp - self.time0 - number if self._shift_stamps else self._passed - number
        self._passed += 1
        messages = [
            Message(message.topic, self._told_now(message, shift).encode(), message.retain)
            for message in self._seconds[number]
        ]
        return messages + self.kube_messages(stamp)

    def _told_now(self, message: _Recorded, shift: int) -> str:
        match = READING.match(message.payload)
        if match is None:
            return re.sub(r"(?<=\[)\d{10}(?=,)", lambda found: str(int(found[0]) + shift), message.payload)
        value = match["value"]
        if message.topic in self._growth:
            offset = self._offset.get(message.topic, 0)
            self._told[message.topic] = thousandths = round(float(value) * 1000) + offset
            if offset:
                value = flm03_thousandths(thousandths) if match["blank"] else flm02_thousandths(thousandths)
        return f"[{int(match['stamp']) + shift},{match['blank']}{value},{match['rest']}"

    @override
    def reset_counters(self) -> None:
        for topic in self._growth:
            self._offset[topic] = self._offset.get(topic, 0) - self._told[topic]
            self._told[topic] = 0

    @override
    def recorded_gauges(self) -> dict[str, list[tuple[int, int]]]:
        return self._history


def _with_other_ids(text: str, did: str) -> str:
    """Give the sample's meter the id `did`, and to all its sensors ids made from it."""
    sample: dict[str, Any] = json.loads(text)
    for entry in sample["config"]["sensor"].values():
        if "id" in entry:
            text = text.replace(entry["id"], made_up_id(did, entry["id"]))
    text = text.replace(sample["device"], did)
    return text.replace(sample["hostname"], f"flukso-{did[:6]}")


def _history(sample: dict[str, Any], time0: int) -> dict[str, list[tuple[int, int]]]:
    """Take the readings before the sample's first message, from its first REST answer."""
    history: dict[str, list[tuple[int, int]]] = {}
    for answer in sample.get("rest", []):
        if answer["status"] == 200 and "callback" not in answer["path"]:  # noqa: PLR2004
            sid = answer["path"].split("/")[2].partition("?")[0]
            past = [(time0 - stamp, value) for stamp, value in json.loads(answer["body"]) if stamp < time0]
            if past:
                history[sid] = past
    return history
