"""Coefficients in the ledger: whole quarter-hours are replaced, and what they change is divided again."""

from pathlib import Path

import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span
from custom_components.energy_neighbours.ledger import Ledger
from custom_components.energy_neighbours.ledger_coefficients import SettledError

from .ledger_samples import ALL, T

STREET = "street"
LATER = T + 86_400


@pytest.fixture
def ledger(tmp_path: Path):
    ledger = Ledger.open(tmp_path / "energy_neighbours.db")
    yield ledger
    ledger.close()


def starts(*numbers):
    return [T + number * QUARTER for number in numbers]


def of_all(ash, elm):
    return {"": {"ash": ash, "elm": elm}}


def test_coefficients_are_kept_and_their_quarter_hours_are_due(ledger) -> None:
    given = {T: of_all(1, 2), T + QUARTER: {"roof": {"ash": 5}, "barn": {"elm": 0}}}
    assert ledger.shares.set_coefficients(STREET, given, LATER) == (starts(0, 1), [], 0)
    assert ledger.shares.coefficients(STREET, ALL) == given
    assert ledger.shares.coefficients(STREET, Span(T, T + QUARTER)) == {T: of_all(1, 2)}
    assert ledger.shares.coefficients("elsewhere", ALL) == {}
    assert ledger.shares.known_coefficients(STREET) == Span(T, T + 2 * QUARTER)
    assert ledger.shares.due(STREET, 10) == starts(0, 1)


def test_the_same_again_changes_nothing_and_a_correction_replaces_the_whole_quarter_hour(ledger) -> None:
    ledger.shares.set_coefficients(STREET, {T: of_all(1, 2), T + QUARTER: of_all(3, 4)}, LATER)
    ledger.shares.write(STREET, {}, done=starts(0, 1))
    assert ledger.shares.set_coefficients(STREET, {T: of_all(1, 2)}, LATER) == ([], [], 1)
    assert ledger.shares.due(STREET, 10) == []
    correction = {T: of_all(1, 2), T + QUARTER: {"roof": {"ash": 9}}}
    assert ledger.shares.compare_coefficients(STREET, correction) == ([], starts(1), 1)
    assert ledger.shares.set_coefficients(STREET, correction, LATER) == ([], starts(1), 1)
    assert ledger.shares.coefficients(STREET, ALL) == correction
    assert ledger.shares.due(STREET, 10) == starts(1)


def test_quarter_hours_to_come_are_not_due_yet(ledger) -> None:
    ledger.shares.set_coefficients(STREET, {T: of_all(1, 2), T + QUARTER: of_all(3, 4)}, T + QUARTER)
    assert ledger.shares.due(STREET, 10) == starts(0)


def test_settled_quarter_hours_are_refused_unless_nothing_changes(ledger) -> None:
    ledger.shares.set_coefficients(STREET, {T: of_all(1, 2)}, LATER)
    ledger.shares.close_until(STREET, T + QUARTER)
    with pytest.raises(SettledError):
        ledger.shares.set_coefficients(STREET, {T: of_all(2, 2), T + QUARTER: of_all(1, 1)}, LATER)
    assert ledger.shares.coefficients(STREET, ALL) == {T: of_all(1, 2)}
    assert ledger.shares.set_coefficients(STREET, {T: of_all(1, 2), T + QUARTER: of_all(1, 1)}, LATER).unchanged == 1


def test_a_member_that_is_erased_and_a_community_that_is_removed_leave_none(ledger) -> None:
    given = {T: of_all(1, 2), T + QUARTER: {"ash": {"elm": 5}, "barn": {"elm": 6}}}
    ledger.shares.set_coefficients(STREET, given, LATER)
    of_elm = [(T, "", 2), (T + QUARTER, "ash", 5), (T + QUARTER, "barn", 6)]
    assert ledger.shares.coefficients_of(STREET, "elm") == of_elm
    ledger.shares.forget_coefficients(STREET, "ash")
    assert ledger.shares.coefficients(STREET, ALL) == {T: {"": {"elm": 2}}, T + QUARTER: {"barn": {"elm": 6}}}
    ledger.shares.forget_community(STREET)
    assert ledger.shares.known_coefficients(STREET) is None
