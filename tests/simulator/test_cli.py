"""The command scripts/flukso-simulator."""

from contextlib import suppress
import os
from pathlib import Path
import re
import signal
import subprocess

import pytest

from tools.simulator import FAULTS, PROFILES, Simulator

COMMAND = Path(__file__).parents[2] / "scripts" / "flukso-simulator"
READY = re.compile(
    r"ready mqtt=127\.0\.0\.1:(\d+) rest=(-|127\.0\.0\.1:\d+) did=([0-9a-f]{32}) hostname=flukso-([0-9a-f]{6})\n"
)


def run(*arguments):
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_help_documents_every_option_and_fault():
    told = run("--help")
    assert told.returncode == 0
    assert not told.stderr
    for word in (*FAULTS, "--profile", "--broker", "--mdns", "--speed", "--at", "--state"):
        assert word in told.stdout


def test_list_names_the_profiles():
    told = run("--list")
    assert told.returncode == 0
    assert [line.split()[0] for line in told.stdout.splitlines()] == list(PROFILES)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--profile", "nobody"],
        ["--fault", "fire"],
        ["--fault", "silence@x"],
        ["--port", "70000"],
        ["--speed", "0"],
        ["--did", "xyz"],
        ["--at", "noon"],
        ["--broker", "1883"],
        ["--kwp", "-1"],
        ["--days-later", "some"],
        ["--duration", "-1"],
        ["--nothing"],
        ["--host", "nowhere.invalid"],
        ["--fault", "lan-branch-off"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_one_sentence(arguments):
    told = run(*arguments)
    assert told.returncode == 2
    assert not told.stdout
    assert told.stderr.startswith("flukso-simulator: ")
    assert told.stderr.count("\n") == 1


def test_it_prints_one_line_and_ends_after_its_duration():
    told = run("--port", "0", "--profile", "single-phase", "--rest-port", "0", "--duration", "0.5")
    assert told.returncode == 0
    assert not told.stderr
    assert READY.fullmatch(told.stdout)


def test_on_a_terminal_it_shows_one_calm_line():
    master, terminal = os.openpty()
    with subprocess.Popen([COMMAND, "--port", "0", "--fault", "silence", "--duration", "1"], stdout=terminal):
        os.close(terminal)
        told = ""
        with suppress(OSError):  # Linux says so when the other end is closed
            while part := os.read(master, 4096).decode():
                told += part
    os.close(master)
    assert READY.match(told.replace("\r\n", "\n"))
    assert "fault: silence" in told
    assert told.count("\n") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_when_told_to(number):
    with subprocess.Popen([COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as meter:
        assert READY.fullmatch(meter.stdout.readline())
        meter.send_signal(number)
        out, err = meter.communicate(timeout=30)
    assert (meter.returncode, out, err) == (0, "", "")


def test_a_port_in_use_is_told_in_one_sentence():
    with subprocess.Popen([COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True) as first:
        port = READY.fullmatch(first.stdout.readline())[1]
        told = run("--port", port)
        first.terminate()
    assert told.returncode == 1
    assert "in use" in told.stderr
    assert told.stderr.count("\n") == 1


async def test_names_and_ids_make_different_meters():
    told = run("--port", "0", "--duration", "0.1", "--name", "anna")
    ids = {READY.fullmatch(told.stdout)[3]}
    for profile in PROFILES:
        ids |= {Simulator(profile, name=name).did for name in (None, "anna", "ben")}
        assert Simulator(profile, did="f" * 32).did == "f" * 32
    assert len(ids) == 3 * len(PROFILES)


def test_counters_go_on_after_a_restart(tmp_path):
    state = tmp_path / "counters.json"
    for _ in range(2):
        before = state.read_text() if state.is_file() else ""
        assert run("--port", "0", "--duration", "0.3", "--speed", "100", "--state", str(state)).returncode == 0
        assert state.read_text() != before


def test_a_broken_state_file_is_told_in_one_sentence(tmp_path):
    state = tmp_path / "counters.json"
    state.write_text("{")
    told = run("--port", "0", "--duration", "1", "--state", str(state))
    assert told.returncode == 1
    assert str(state) in told.stderr
    assert told.stderr.count("\n") == 1


def test_a_state_file_that_cannot_be_written_is_told_before_the_meter_is_ready(tmp_path):
    told = run("--port", "0", "--duration", "1", "--state", str(tmp_path / "nowhere" / "counters.json"))
    assert (told.returncode, told.stdout) == (1, "")
    assert str(tmp_path / "nowhere") in told.stderr
    assert told.stderr.count("\n") == 1
