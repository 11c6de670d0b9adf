"""The benchmark command measures, says what it measured, and refuses what it does not understand.

Nothing here looks at times: the figures of a shared machine prove nothing. They stand in docs/performance.md.
"""

from contextlib import suppress
import json
import math
import os
from pathlib import Path
import signal
import subprocess
import time

import pytest

BENCH = Path(__file__).parents[2] / "scripts" / "bench"
PATIENCE = 800
"""How long a run may take [s]: generous, for it costs nothing where things work."""

pytestmark = pytest.mark.timeout(PATIENCE + 100)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    """One quick run, which starts every process of a real one."""
    result = run("ingest", "--quick", "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_line_has_the_same_keys(lines) -> None:
    keys = {"name", "case", "ours", "peer", "unit", "ratio", "target", "met", "machine"}
    assert all(set(line) == keys for line in lines)
    assert {line["name"] for line in lines} == {"ingest"}
    assert len({line["case"] for line in lines}) == len(lines)


def test_both_paces_are_compared_with_both_peers(lines) -> None:
    asked = {"CPU a message, MQTT sensors", "CPU a message, bare client", "recorder rows a day, MQTT sensors"}
    for pace in ("1 Hz", "20 Hz"):
        assert {f"{pace}: {what}" for what in asked} <= {line["case"] for line in lines}


def test_ratio_is_peer_over_ours_and_is_held_against_the_target(lines) -> None:
    for line in lines:
        assert line["ours"] > 0
        assert line["peer"] > 0
        assert math.isclose(line["ratio"], line["peer"] / line["ours"])
        assert line["met"] is (None if line["target"] is None else line["ratio"] >= line["target"])


def test_built_in_sensors_record_every_message(lines) -> None:
    rows = [line for line in lines if line["unit"] == "rows"]
    assert [line["peer"] for line in rows] == [51 * 86_400] * 2


@pytest.mark.parametrize(
    "arguments", [["no-such-name"], ["--rounds", "0"], ["--seconds", "x"], ["--speed", "1"], ["--speed", "nan"]]
)
def test_wrong_usage_is_one_sentence(arguments) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    assert arguments[-1] in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_benchmark_that_is_stopped(number, tmp_path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([BENCH, "ingest"], env=environment, stderr=subprocess.PIPE, text=True) as bench:
        wait_until(lambda: len(processes_that_name(tmp_path)) >= 6)  # three brokers, three homes
        bench.send_signal(number)
        _, errors = bench.communicate(timeout=120)
    wait_until(lambda: not processes_that_name(tmp_path))
    if number != signal.SIGKILL:
        assert (bench.returncode, errors, list(tmp_path.iterdir())) == (1, "", [])


def wait_until(condition, patience: float = 120) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def processes_that_name(folder: Path) -> list[str]:
    """Return the command lines of the living processes that have to do with a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended since
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in command:
                found.append(command)
    return found
