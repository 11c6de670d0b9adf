"""Totals of what came from the neighbours go on when the quarter-hours that they were made of are forgotten."""

from pathlib import Path

import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Span
from custom_components.energy_neighbours.ledger import Ledger
from custom_components.energy_neighbours.ledger_shares import Share
from custom_components.energy_neighbours.ledger_sources import Carried

from .ledger_samples import T, at

STREET, HOUSE = "street", "house"
END = T + 8 * QUARTER


@pytest.fixture
def ledger(tmp_path: Path):
    """A ledger in which a house took 100 Wh in each of eight quarter-hours; of all but the fourth it has a share."""
    ledger = Ledger.open(tmp_path / "energy_neighbours.db")
    ledger.book(HOUSE, [at(number) for number in range(8)], {})
    shares = [Share(T + number * QUARTER, 50, 40, None, 1, provisional=False) for number in range(8) if number != 3]
    ledger.shares.write(STREET, {HOUSE: shares})
    yield ledger
    ledger.close()


def totals(ledger: Ledger, joined: int = T) -> tuple[int, int]:
    """Return what came from the neighbours and from the supplier since a site joined, as it is shown."""
    carried = ledger.shares.carried(STREET, HOUSE)
    span = Span(max(joined, carried.until), END)
    hours = ledger.shares.grid_sources(STREET, HOUSE, span, END, END).values()
    return carried.neighbours + sum(hour[0] for hour in hours), carried.supplier + sum(hour[1] for hour in hours)


def test_totals_stay_what_they_were(ledger) -> None:
    before = totals(ledger)
    assert before == (7 * 40, 7 * 60 + 100)
    for number in (3, 5):
        ledger.shares.carry(STREET, HOUSE, T, T + number * QUARTER)
        assert totals(ledger) == before, "also if what was added up was not forgotten any more"
        ledger.purge(HOUSE, T + number * QUARTER)
        assert totals(ledger) == before
    assert ledger.shares.carried(STREET, HOUSE) == Carried(T + 5 * QUARTER, 4 * 40, 4 * 60 + 100)


def test_what_was_added_up_is_not_added_up_again(ledger) -> None:
    for number in (4, 4, 2):
        ledger.shares.carry(STREET, HOUSE, T, T + number * QUARTER)
    assert ledger.shares.carried(STREET, HOUSE) == Carried(T + 4 * QUARTER, 3 * 40, 3 * 60 + 100)


def test_what_was_before_a_site_joined_does_not_count(ledger) -> None:
    joined = T + 2 * QUARTER
    before = totals(ledger, joined)
    ledger.shares.carry(STREET, HOUSE, joined, T + 4 * QUARTER)
    assert ledger.shares.carried(STREET, HOUSE) == Carried(T + 4 * QUARTER, 40, 60 + 100)
    assert totals(ledger, joined) == before


def test_shares_and_acknowledgements_are_forgotten(ledger) -> None:
    ledger.shares.acknowledge(STREET, HOUSE, [(T, 1), (T + 4 * QUARTER, 1)])
    ledger.shares.forget_shares(STREET, HOUSE, T + 2 * QUARTER)
    span = Span(T, END)
    assert min(share.start for share in ledger.shares.shares(STREET, HOUSE, span)) == T + 2 * QUARTER
    waiting = [reading.quarter.start for reading in ledger.shares.unacknowledged(STREET, HOUSE, span, 9)]
    assert T in waiting
    assert T + 4 * QUARTER not in waiting


def test_a_community_that_is_forgotten_takes_the_sums_along(ledger) -> None:
    ledger.shares.carry(STREET, HOUSE, T, T + 4 * QUARTER)
    ledger.shares.forget_community(STREET)
    assert ledger.shares.carried(STREET, HOUSE) == Carried()
