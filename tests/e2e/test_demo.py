"""`scripts/demo` as a newcomer uses it: it gets ready, lives, ends as asked, and leaves nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import re
import signal
import socket
import socketserver
import subprocess
import sys
from threading import Thread
import time

import pytest

from tools.demo.site_entities import SiteEntities
from tools.home import Api

ROOT = Path(__file__).parents[2]
PORT = 8200
PATIENCE = 120  # [s]
FIRST_TIME_ONLY = ("Adding the meter", "Giving it a contract")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


class Demo:
    """A running demo and what it says."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        # What scripts/demo runs after the set-up, which needs the network that these tests do without.
        command = [sys.executable, "-m", "tools.demo", "--no-browser", "--data-dir", str(directory), *options]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.pid = self._process.pid

    def wait_until_ready(self) -> None:
        """Wait until it prints the dashboard's address."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready: http://127.0.0.1:" in line:
                return
        pytest.fail(f"it ended before it was ready: {self.end()}")

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return its exit status and what it printed on standard output and standard error."""
        output, errors = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, output, errors

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def left_behind(self) -> list[tuple[int, str]]:
        """Return the processes (id and command line) of its children that live after it, once they had time to end."""
        end = time.monotonic() + 20
        while (living := list(_processes_that_name(self.directory))) and time.monotonic() < end:
            time.sleep(0.2)
        return living


@pytest.fixture(scope="module")
def used_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which a demo has run to its end."""
    directory = tmp_path_factory.mktemp("demo") / "data"
    demo = Demo(directory, "--port", str(PORT), "--duration", "25")
    status, output, errors = demo.end()
    assert status == 0, errors
    assert all(step in errors for step in FIRST_TIME_ONLY)
    assert f"Ready: http://127.0.0.1:{PORT}/energy-neighbours" in output
    assert "user demo, password demo-demo" in output
    assert "derived, not measured" in output
    assert demo.left_behind() == []
    return directory


def test_a_second_start_finds_all_prepared_and_ctrl_c_stops_everything(used_directory: Path) -> None:
    demo = Demo(used_directory, "--port", str(PORT))

    demo.wait_until_ready()
    demo.signal(signal.SIGINT)

    status, _, errors = demo.end()
    assert status == 0
    assert not [step for step in FIRST_TIME_ONLY if step in errors]
    assert demo.left_behind() == []


def test_it_has_bands_prices_and_sixteen_weeks_of_costs(used_directory: Path) -> None:
    demo = Demo(used_directory, "--port", str(PORT))
    demo.wait_until_ready()
    account = json.loads((used_directory / "home-assistant" / "account.json").read_text(encoding="utf-8"))
    api = Api(f"http://127.0.0.1:{PORT}", account["token"])
    site = SiteEntities.find(api)
    states = api.states()
    first = api.websocket(
        "recorder/statistics_during_period",
        start_time="2000-01-01T00:00:00+00:00",
        statistic_ids=list(site.history.values()),
        period="month",
        types=["change"],
    )
    demo.signal(signal.SIGINT)
    assert demo.end()[0] == 0

    assert states[site.band]["state"] in {"eco", "medium", "peak"}
    assert 0 < float(states[site.price]["state"]) < 1
    assert float(states[site.cost_this_month]["state"]) >= 0, "it may be the first minutes of a month"
    assert set(site.history) == {"offtake", "injection", "production"}
    for months in first.values():
        assert len(months) >= 4
        assert sum(month["change"] for month in months) > 200  # kWh


def test_nothing_outlives_a_demo_that_is_killed(used_directory: Path) -> None:
    demo = Demo(used_directory, "--port", str(PORT))
    demo.wait_until_ready()

    demo.signal(signal.SIGKILL)

    assert demo.left_behind() == []


def test_on_the_network_the_meter_is_discovered(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data", "--lan", "--port", str(PORT), "--language", "fr", "--duration", "25")

    status, _, errors = demo.end()

    assert status == 0, errors
    assert "Discovering the meter on the network" in errors


def test_a_meter_at_another_port_is_found_again(used_directory: Path) -> None:
    with _another_program_at(_meter_port(used_directory)):
        demo = Demo(used_directory, "--port", str(PORT), "--duration", "25")
        status, _, errors = demo.end()

    assert status == 0, errors
    assert "the meter's new address" in errors


def test_a_meter_that_ends_is_no_success(used_directory: Path) -> None:
    demo = Demo(used_directory, "--port", str(PORT), "--duration", "60")
    demo.wait_until_ready()

    (meter,) = [pid for pid, command in _processes_that_name(used_directory) if "tools.simulator" in command]
    os.kill(meter, signal.SIGKILL)

    status, _, errors = demo.end()
    assert status == 1
    assert "the simulated meter ended" in errors
    assert demo.left_behind() == []


def test_a_port_that_is_taken_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", PORT)):
        status, output, errors = Demo(tmp_path / "data", "--port", str(PORT)).end()

    assert (status, output) == (1, "")
    assert errors == f"scripts/demo: port {PORT} is taken; give another --port, or none to let the demo choose\n"


def test_a_directory_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work", encoding="utf-8")

    status, _, errors = Demo(tmp_path).end()

    assert status == 1
    assert "holds something else" in errors
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("options", [["--port", "0"], ["--duration", "soon"], ["--language", "it"], ["--at", "noon"]])
def test_a_wrong_option_is_refused_in_one_sentence(tmp_path: Path, options: list[str]) -> None:
    status, _, errors = Demo(tmp_path / "data", *options).end()

    assert status == 2
    assert errors.startswith("scripts/demo: ")
    assert errors.count("\n") == 1


class _Server(socketserver.TCPServer):
    allow_reuse_address = True


@contextmanager
def _another_program_at(port: int) -> Iterator[None]:
    """Listen there, and hang up on everyone."""
    with _Server(("127.0.0.1", port), socketserver.BaseRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def _meter_port(directory: Path) -> int:
    match = re.search(r'"meter": \["127.0.0.1", (\d+)\]', (directory / "demo.json").read_text(encoding="utf-8"))
    assert match
    return int(match[1])


def _processes_that_name(directory: Path) -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it has ended since
                continue
            if str(directory) in command:
                yield int(entry.name), command
