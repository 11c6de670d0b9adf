"""One measured comparison, as a row of the table and as a line of JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
import json
import os
from pathlib import Path
import platform
from statistics import median
from typing import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What several rounds gave: median, least and most."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up the values of all rounds."""
        return cls(middle=median(values), least=min(values), most=max(values))

    @override
    def __str__(self) -> str:
        if self.least == self.most:
            return _number(self.middle)
        return f"{_number(self.middle)} ({_number(self.least)}-{_number(self.most)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One comparison with one peer.

    `ratio` is peer over ours, so that more is better whatever the unit; it is the median of the rounds' own ratios, as
    only what was measured in the same moments compares. `target` is the least ratio that is wanted, if one is set.
    """

    name: str
    case: str
    ours: Spread
    peer: Spread
    unit: str
    ratio: Spread
    target: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else self.ratio.middle >= self.target

    def as_json(self) -> str:
        """Return the line for programs: the medians."""
        line = {
            **asdict(self),
            "ours": self.ours.middle,
            "peer": self.peer.middle,
            "ratio": self.ratio.middle,
            "met": self.met,
            "machine": machine(),
        }
        return json.dumps(line)


def compare(
    name: str, case: str, unit: str, ours: Sequence[float], peer: Sequence[float], target: float | None
) -> Result:
    """Compare the values of the rounds, round by round. Ours must be above zero."""
    return Result(
        name=name,
        case=case,
        ours=Spread.of(ours),
        peer=Spread.of(peer),
        unit=unit,
        ratio=Spread.of([theirs / own for own, theirs in zip(ours, peer, strict=True)]),
        target=target,
    )


def table(results: Sequence[Result]) -> str:
    """Lay out results for people: median and range of the rounds, ratio peer over ours."""
    rows = [("case", "ours", "peer", "unit", "ratio", "target", "")]
    for result in results:
        target = "" if result.target is None else f">= {_number(result.target)}"
        verdict = {True: "met", False: "MISSED", None: ""}[result.met]
        rows.append((result.case, str(result.ours), str(result.peer), result.unit, str(result.ratio), target, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def machine() -> str:
    """Say on what was measured."""
    versions = ", ".join(f"{package} {version(package)}" for package in ("homeassistant", "aiomqtt", "paho-mqtt"))
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.process_cpu_count()} x {_processor()}, {system}, {versions}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _number(value: float) -> str:
    """Write three significant digits, and whole numbers in full."""
    if abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"
