"""The ledger's benchmark measures all that it names; its times prove nothing here, its size does."""

import json
import math

import pytest

from .test_bench import run


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    result = run("ledger", "--quick", "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_case_is_measured_on_both_sides(lines) -> None:
    assert {line["name"] for line in lines} == {"ledger"}
    assert len({line["case"] for line in lines}) == len(lines)
    for line in lines:
        assert line["ours"] > 0
        assert math.isclose(line["ratio"], line["peer"] / line["ours"])


def test_targets_are_those_of_the_project(lines) -> None:
    limits = {line["case"]: (line["peer"], line["unit"]) for line in lines if line["target"] is not None}
    assert limits == {
        "read a month, limit": (10, "ms"),
        "file of a year, limit": (6, "MB"),
        "set-up with a year: event loop, limit": (500, "ms"),
    }
    assert all(line["target"] == 1 for line in lines if line["target"] is not None)


def test_year_fits(lines) -> None:
    (size,) = [line for line in lines if line["unit"] == "MB"]
    assert size["met"]
