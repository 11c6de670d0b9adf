"""`scripts/demo` as a newcomer uses it: it gets ready, lives, ends as asked, and leaves nothing behind."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
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
from tools.demo.street_entities import Street
from tools.home import Api

ROOT = Path(__file__).parents[2]
PORT = 8200
PATIENCE = 120  # [s]
FIRST_TIME_ONLY = ("Adding the meters", "Giving each a contract", "Founding a community", "inviting twelve homes")

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
    assert "Derived, not measured" in output
    assert re.search(r"1[45] members present, [1-9]\d*\.\d+ kWh from the neighbours so far and \d+ W now", errors)
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


def test_it_has_sixteen_weeks_behind_it_and_a_community_that_shares(used_directory: Path) -> None:
    demo = Demo(used_directory, "--port", str(PORT))
    demo.wait_until_ready()
    account = json.loads((used_directory / "home-assistant" / "account.json").read_text(encoding="utf-8"))
    api = Api(f"http://127.0.0.1:{PORT}", account["token"])
    notes = json.loads((used_directory / "demo.json").read_text(encoding="utf-8"))
    sites = [SiteEntities.find(api, site) for site in notes["sites"]]
    street = Street.find(api, notes["community"], notes["sites"])
    site, shares, states = sites[0], street.homes[0].shares, api.states()
    first = _statistics(api, site.history.values(), "2000-01-01T00:00:00+00:00", "month")
    week = _statistics(api, (shares.from_neighbours, shares.from_supplier, site.offtake), _days_ago(6), "hour")
    sources = api.websocket("energy/get_prefs")["energy_sources"]
    complaints = api.websocket("energy/validate")["energy_sources"]
    dashboard = api.websocket("lovelace/config", url_path="energy-neighbours")
    demo.signal(signal.SIGINT)
    assert demo.end()[0] == 0

    # The past weeks of each home, and what they cost.
    assert states[site.band]["state"] in {"eco", "medium", "peak"}
    assert 0 < float(states[site.price]["state"]) < 1
    assert float(states[site.cost_this_month]["state"]) >= 0, "it may be the first minutes of a month"
    assert set(site.history) == {"offtake", "injection", "production"}
    assert len({each.grid for each in sites}) == 3
    for months in first.values():
        assert len(months) >= 4
        assert sum(month["change"] for month in months) > 40  # kWh
    # What came from the neighbours and from the supplier is what was taken, hour by hour.
    neighbours, supplier, taken = (
        sum(hour["change"] for hour in week[each])
        for each in (shares.from_neighbours, shares.from_supplier, site.offtake)
    )
    assert neighbours > 0.5
    assert neighbours + supplier == pytest.approx(taken, rel=0.1)
    assert float(states[shares.price]["state"]) < float(states[site.price]["state"])
    assert [each["type"] for each in sources] == ["grid", "grid", "solar"]
    assert [each.get("stat_energy_from") for each in sources[:2]] == [shares.from_neighbours, shares.from_supplier]
    assert {issue["type"] for issues in complaints for issue in issues} <= {"statistics_not_defined"}
    # The community of the three and the twelve.
    assert [home.name for home in street.homes] == ["Lime Street 2", "Lime Street 4", "Lime Street 6"]
    assert len(street.names) == 15
    assert states[street.community.present]["attributes"]["members"] == 15
    assert [view["path"] for view in dashboard["views"]] == ["now", "community"]


def _statistics(api: Api, entities: Iterable[str], since: str, period: str) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = api.websocket(
        "recorder/statistics_during_period",
        start_time=since,
        statistic_ids=list(entities),
        period=period,
        types=["change"],
    )
    return found


def _days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).replace(minute=0, second=0, microsecond=0).isoformat()


def test_nothing_outlives_a_demo_that_is_killed(used_directory: Path) -> None:
    demo = Demo(used_directory, "--port", str(PORT))
    demo.wait_until_ready()

    demo.signal(signal.SIGKILL)

    assert demo.left_behind() == []


def test_on_the_network_the_meter_is_discovered(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data", "--lan", "--port", str(PORT), "--language", "fr", "--duration", "25")

    status, _, errors = demo.end()

    assert status == 0, errors
    assert "Discovering the first meter on the network" in errors


def test_a_meter_and_a_broker_at_other_ports_are_found_again(used_directory: Path) -> None:
    before = _ports(used_directory)
    with _another_program_at(before[0]), _another_program_at(before[1]):
        demo = Demo(used_directory, "--port", str(PORT), "--duration", "25")
        status, _, errors = demo.end()

    assert status == 0, errors
    assert "the meter's new address" in errors
    assert not set(before) & set(_ports(used_directory))


@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        ("tools.simulator", "the simulated meter ended"),
        ("tools.neighbourhood broker", "the community's broker ended"),
        ("tools.neighbourhood homes", "the simulated neighbours ended"),
    ],
)
def test_a_part_that_ends_is_no_success(used_directory: Path, program: str, complaint: str) -> None:
    demo = Demo(used_directory, "--port", str(PORT), "--duration", "60")
    demo.wait_until_ready()

    part = next(pid for pid, command in _processes_that_name(used_directory) if program in command)
    os.kill(part, signal.SIGKILL)

    status, _, errors = demo.end()
    assert status == 1
    assert complaint in errors
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


def _ports(directory: Path) -> tuple[int, int]:
    """Return the ports of the first meter and of the community's broker."""
    notes = json.loads((directory / "demo.json").read_text(encoding="utf-8"))
    return notes["meters"][0][1], notes["broker"]


def _processes_that_name(directory: Path) -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it has ended since
                continue
            if str(directory) in command:
                yield int(entry.name), command
