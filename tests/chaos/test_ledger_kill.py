"""A ledger whose process is killed while it writes opens again: nothing told is lost, nothing is half there."""

from collections.abc import Iterator
import os
from pathlib import Path
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span
from custom_components.energy_neighbours.ledger import Ledger

from .ledger_writer import IMPORT, IMPORTED, METER, SUPPLEMENT, T, energy, quarter

ALL = Span(0, 1 << 33)
KILLS = 200
KILLS_AT_BIRTH = 40
LONGEST = 0.02
"""A writer lives at most so long [s] after its first word: some ten bookings."""

ROOT = Path(__file__).parents[2]

type Told = list[tuple[str, int]]


class Writers:
    """Lets one writer after the other live and die."""

    def __init__(self, mother: subprocess.Popen[str]) -> None:
        self._mother = mother

    def write_until_killed(self, path: Path, moment: float, *, from_birth: bool = False) -> Told:
        """Let a process write and kill it some time [s] after its first word, or its birth; return what it told."""
        self._mother.stdin.write(f"{path}\n")
        self._mother.stdin.flush()
        word, pid = self._listen()
        assert word == "born"
        told = [] if from_birth else [self._listen()]
        time.sleep(moment)
        os.kill(pid, signal.SIGKILL)
        while (heard := self._listen())[0] != "dead":
            told.append(heard)
        assert heard[1] == -signal.SIGKILL, "it died of itself"
        return told

    def _listen(self) -> tuple[str, int]:
        word, number = self._mother.stdout.readline().split()
        return word, int(number)


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.ledger_writer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as mother:
        yield Writers(mother)
        mother.stdin.close()


@pytest.fixture
def dice() -> random.Random:
    return random.Random()  # noqa: S311 - other moments each time


def last(told: Told, site: str) -> int:
    return max((number for name, number in told if name == site), default=-1)


def check_meter(ledger: Ledger, told: Told) -> None:
    """What was told is there; beside it at most the one booking that was being told."""
    state = ledger.load_state(METER) or {"next": 0, "counted": 0}
    if told:
        assert last(told, METER) < state["next"] <= last(told, METER) + 2
    rows = ledger.read(METER, ALL)
    expected = [quarter(n, energy(n) + SUPPLEMENT) for n in range(state["next"] - 1)]
    if state["next"]:
        expected.append(quarter(state["next"] - 1, energy(state["next"] - 1)))
    assert rows == expected
    assert sum(row.offtake for row in rows) == state["counted"]
    if len(rows) > 1:
        before, after = ledger.history_of(METER, T + (len(rows) - 2) * QUARTER)
        assert after.quarter_hour.offtake == before.quarter_hour.offtake + SUPPLEMENT


def check_import(ledger: Ledger, told: Told) -> None:
    """Of an import all is there, or nothing."""
    said = {row.offtake for row in ledger.read(IMPORT, ALL)}
    notes = [each.note for each in ledger.imports(IMPORT)]
    if not said:
        assert notes == []
        assert last(told, IMPORT) == -1
        return
    (number,) = said
    assert len(ledger.read(IMPORT, ALL)) == IMPORTED
    assert number >= last(told, IMPORT)
    assert notes[-1] == f"import {number}"
    assert len(ledger.history_of(IMPORT, T)) == len(notes)


def check_whole(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_two_hundred_kills_lose_nothing(tmp_path, dice, writers) -> None:
    path = tmp_path / "energy_neighbours.db"
    for number in range(KILLS):
        told = writers.write_until_killed(path, dice.uniform(0, LONGEST))
        if number % 20 == 0:
            check_whole(path)
        ledger = Ledger.open(path)
        check_meter(ledger, told)
        check_import(ledger, told)
        ledger.close()
    check_whole(path)


def test_file_whose_creation_was_killed_is_created_again(tmp_path, dice, writers) -> None:
    for number in range(KILLS_AT_BIRTH):
        path = tmp_path / f"{number}.db"
        told = writers.write_until_killed(path, dice.uniform(0, LONGEST), from_birth=True)
        ledger = Ledger.open(path)
        check_meter(ledger, told)
        check_import(ledger, told)
        ledger.book("another", [quarter(0, 1)], {})
        ledger.close()
