"""What a meter tells about itself: ids and the retained configuration, with the changes that an owner can make."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2s
import json
from typing import Any

from .formats import Message

type Section = dict[str, Any]
"""One section of a UCI file, which the device publishes as a JSON object."""

KUBE_QUANTITIES = {
    "error": "gauge",
    "battery": "gauge",
    "temperature": "gauge",
    "humidity": "gauge",
    "pressure": "gauge",
    "light": "gauge",
    "movement": "counter",
    "vibration": "counter",
    "proximity": "counter",
}
FLK01B = 19218
FLM02_FIRST_KUBE_INDEX = 7
FLM03_FIRST_KUBE_INDEX = 40


def made_up_id(*seeds: object) -> str:
    """Make an id of 32 hex digits that depends only on `seeds`."""
    return blake2s("/".join(map(str, seeds)).encode(), digest_size=16).hexdigest()


@dataclass(kw_only=True)
class MeterConfig:
    """Identity and configuration of one meter. `flx` is None on an FLM02, which has no such object."""

    did: str
    model: str
    serial: str
    firmware: int
    sensor: dict[str, Section]
    kube: dict[str, Section]
    flx: dict[str, Section] | None = None
    tap: str | None = None
    cloud: bool = True  # the bridge to the maker's cloud is up (only the FLM03's `$SYS` topic shows it)
    recorded: dict[str, bytes] = field(default_factory=dict)  # payloads as recorded, until the object changes

    @property
    def is_flm03(self) -> bool:
        """Whether it is of the newer family."""
        return self.model.startswith("FLM03")

    @property
    def hostname(self) -> str:
        """The name the meter gives itself: `flukso-` and the first six digits of its id."""
        return f"flukso-{self.did[:6]}"

    def topic(self, suffix: str) -> str:
        """Topic of the device itself."""
        return f"/device/{self.did}/{suffix}"

    def messages(self) -> list[Message]:
        """All configuration messages, as published when the daemons start."""
        messages = []
        if self.flx is not None:
            state = b"1" if self.cloud else b"0"
            messages.append(Message(f"$SYS/broker/connection/{self.hostname}.flukso/state", state, retain=True))
            messages.append(self._object("flx", self.flx))
        messages.append(self._object("kube", self.kube))
        messages.append(self._object("sensor", self.sensor))
        if self.tap is not None:
            messages.append(Message(self.topic("test/tap"), self.tap.encode(), retain=True))
        messages.append(Message(self.topic("tmpo/sync"), b""))
        return messages

    def _object(self, kind: str, sections: dict[str, Section]) -> Message:
        payload = self.recorded.get(kind) or json.dumps(sections, separators=(",", ":"), ensure_ascii=False).encode()
        return Message(self.topic(f"config/{kind}"), payload, retain=True)

    def enabled(self) -> Iterator[tuple[int, Section]]:
        """Entries of `config/sensor` in use, with their index."""
        for index, entry in self.sensor.items():
            if index.isdigit() and entry.get("enable") == 1:
                yield int(index), entry

    def rename_port(self) -> tuple[str, str]:
        """Rename the first named port (FLM03) or sensor (FLM02), as its owner would; return old and new name."""
        if self.flx is not None:
            sections, key, kind = self.flx, "name", "flx"
        else:
            sections, key, kind = self.sensor, "function", "sensor"
        section = next(entry for entry in sections.values() if entry.get("enable") == 1 and entry.get(key))
        before = str(section[key])
        section[key] = before.removesuffix(" renamed") if before.endswith(" renamed") else f"{before[:8]} renamed"
        self.recorded.pop(kind, None)
        return before, str(section[key])

    def switch_branch(self, branch: str, *, on: bool) -> None:
        """Switch the FLM02's `wan` (cloud) or `lan` branch."""
        self.sensor["daemon"][f"enable_{branch}_branch"] = int(on)
        self.recorded.pop("sensor", None)

    def branch_on(self, branch: str) -> bool:
        """Whether the `wan` (counters) or `lan` (gauges) branch is on; an FLM03 has none to switch off."""
        return bool(self.sensor.get("daemon", {}).get(f"enable_{branch}_branch", 1))

    def pair_kube(self) -> int:
        """Pair one more FLK01B: a free sensor entry for each of its quantities. Return the number of the kube."""
        number = 1 + max((int(key) for key in self.kube if key.isdigit()), default=0)
        self.kube[str(number)] = {
            "enable": 1,
            "hw_id": made_up_id(self.did, "kube", number),
            "hw_type": FLK01B,
            "sw_version": 1,
            "name": f"kube {number}",
        }
        first = FLM03_FIRST_KUBE_INDEX if self.is_flm03 else FLM02_FIRST_KUBE_INDEX
        free = (
            entry
            for index, entry in self.sensor.items()
            if index.isdigit() and int(index) >= first and "enable" not in entry
        )
        for (quantity, data_type), entry in zip(KUBE_QUANTITIES.items(), free, strict=False):
            recycle = int(entry["rid"]) + 1 if "rid" in entry else 0
            entry |= {
                "class": "kube",
                "type": quantity,
                "data_type": data_type,
                "kid": number,
                "rid": recycle,
                "enable": 1,
            }
        self.recorded.pop("kube", None)
        self.recorded.pop("sensor", None)
        return number

    def kube_sensors(self, number: int) -> dict[str, str]:
        """Sensor ids of the kube `number`, by quantity."""
        return {
            str(entry["type"]): str(entry["id"])
            for _, entry in self.enabled()
            if entry.get("class") == "kube" and entry.get("kid") == number
        }


def kube_main(did: str) -> Section:
    """Return the `main` section of `config/kube`; its radio key is made up."""
    return {
        "pair_group": 212,
        "collect_group": 1 + int(did[:2], 16) % 200,
        "max_nodes": 30,
        "key": made_up_id(did, "radio key"),
        "null_key": "0123456789abcdef0123456789abcdef",
        "encryption": 0,
        "cache": "/usr/share/kube",
    }


def tap_report(serial: str, firmware: int, date: str) -> str:
    """Return the daily self-test of an FLM03, the only source of serial and firmware on MQTT. `date` as in RFC 2822."""
    return (
        f"1..5\n# date: {date}\n# serial: {serial}\n# firmware: {firmware}\n"
        "ok 1 - sensor daemon is up\nok 2 - sensor board answers\nok 3 - block store present\n"
        "ok 4 - wireless link\nok 5 - cloud host answers ping\n"
    )
