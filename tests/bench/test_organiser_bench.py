"""The benchmark of an organiser measures all that it names, and only shares that the engine would make too."""

import json
import math

import pytest

from tools.bench.organiser import results

from .test_bench import run


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    result = run("organiser", "--quick", "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_case_is_measured(lines) -> None:
    assert {line["name"] for line in lines} == {"organiser"}
    assert len({line["case"] for line in lines}) == len(lines) == 5
    for line in lines:
        assert math.isclose(line["ratio"], line["peer"] / line["ours"])
        assert line["target"] == 1


def test_the_limits_are_the_projects() -> None:
    assert (results.CPU_LIMIT, results.STEP_LIMIT, max(results.SIZES)) == (2, 50, 500)


def test_an_organiser_that_tells_other_shares_is_not_measured() -> None:
    results._check({"ash": [[5, 4]]}, {"ash": [[5, 4]]})
    with pytest.raises(RuntimeError, match="1 of 2 members were told wrong shares, ash among them"):
        results._check({"ash": [[5, 4]], "elm": [[1, 1]]}, {"ash": [[5, 3]], "elm": [[1, 1]]})
