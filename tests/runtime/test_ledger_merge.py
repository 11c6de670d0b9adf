"""What becomes of a quarter-hour that both the meter and imports tell of: the better knowledge of each energy."""

from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.energy_neighbours.core.quarter_hour import Quality, QuarterHour
from custom_components.energy_neighbours.ledger import Ledger
from custom_components.energy_neighbours.ledger_rows import ENERGIES, Row, replaced, supplemented

from .ledger_samples import ALL, T

MEASURED, ESTIMATED, MISSING, LATE = Quality.MEASURED, Quality.ESTIMATED, Quality.MISSING, Quality.LATE


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "energy_neighbours.db")
    yield ledger
    ledger.close()


def quarter(offtake=None, injection=None, production=None, quality=MEASURED) -> QuarterHour:
    return QuarterHour(T, offtake, injection, production, quality)


def tell(ledger: Ledger, *told: tuple[str, QuarterHour]) -> QuarterHour:
    """Let the meter and imports tell of one quarter-hour, each import twice; return what is known then."""
    for who, each in told:
        if who == "meter":
            ledger.book("site", [each], {})
        else:
            ledger.replace("site", [each], who)
            known = ledger.read("site", ALL)
            assert ledger.replace("site", [each], who)[1:3] == (0, 0)
            assert ledger.read("site", ALL) == known
    (known_now,) = ledger.read("site", ALL)
    return known_now


def test_part_of_what_flowed_replaces_nothing_that_is_known(ledger) -> None:
    meter = quarter(200, 50, 300)
    assert tell(ledger, ("meter", meter), ("blocks", quarter(65, 0, quality=MISSING))) == meter
    assert ledger.replace("site", [quarter(65, 0, quality=MISSING)], "blocks")[1:] == (0, 0, 0, 1)


def test_estimate_fills_only_what_was_not_measured(ledger) -> None:
    assert tell(ledger, ("meter", quarter(100, 50)), ("statistics", quarter(90, 40, 300, ESTIMATED))) == quarter(
        100, 50, 300
    )  # quality is the grid's


def test_estimate_beside_a_measurement_does_not_open_it_to_the_next_estimate(ledger) -> None:
    statistics = "statistics", quarter(120, 30, quality=ESTIMATED)
    assert tell(ledger, ("meter", quarter(100)), statistics) == quarter(100, 30, quality=ESTIMATED)


def test_better_estimate_replaces_an_imported_one(ledger) -> None:
    first, second = quarter(90, 40, 300, ESTIMATED), quarter(91, 41, 301, ESTIMATED)
    assert tell(ledger, ("statistics", first), ("statistics", second)) == second


def test_estimate_decided_upon_before_the_meter_booked_is_judged_when_it_is_kept(ledger) -> None:
    estimate = quarter(77, quality=ESTIMATED)
    assert ledger.staying("site", [estimate]) == 0
    assert ledger.staying("site", [estimate], [quarter(100, 50, 300)]) == 1
    ledger.book("site", [quarter(100, 50, 300)], {})
    assert ledger.replace("site", [estimate], "statistics")[1:] == (0, 0, 0, 1)
    assert ledger.read("site", ALL) == [quarter(100, 50, 300)]


@pytest.mark.parametrize("quality", [ESTIMATED, MISSING])
def test_what_the_meter_measures_takes_the_place_of_an_earlier_estimate(ledger, quality) -> None:
    told = ("statistics", quarter(100, quality=quality)), ("meter", quarter(110, 50, 300))
    assert tell(ledger, *told) == quarter(110, 50, 300)
    assert not ledger.history_of("site", T)[-1].imported
    assert tell(ledger, ("meter", quarter(5, quality=ESTIMATED))) == quarter(115, 50, 300, ESTIMATED)


def test_meter_fills_what_the_import_did_not_tell(ledger) -> None:
    told = ("ores.csv", quarter(90)), ("meter", quarter(100, 50, 300, ESTIMATED))
    assert tell(ledger, *told) == quarter(90, 50, 300, ESTIMATED)
    assert ledger.history_of("site", T)[-1].imported == {"offtake"}


def test_supplement_takes_the_place_of_no_estimate(ledger) -> None:
    told = ("meter", quarter(10, 0, quality=MISSING)), ("statistics", quarter(100, 5, quality=ESTIMATED))
    assert tell(ledger, *told, ("meter", quarter(30, quality=ESTIMATED))) == quarter(100, 5, quality=ESTIMATED)


def test_file_of_the_offtake_says_nothing_of_how_well_the_injection_is_known(ledger) -> None:
    told = ("meter", quarter(100, 50, quality=MISSING)), ("offtake.csv", quarter(120))
    assert tell(ledger, *told) == quarter(120, 50, quality=MISSING)


@pytest.mark.parametrize("before", [("meter", MISSING), ("statistics", ESTIMATED)])
def test_files_of_offtake_and_injection_make_it_measured_together(ledger, before) -> None:
    who, quality = before
    told = ("offtake.csv", quarter(120)), ("injection.csv", quarter(None, 60))
    assert tell(ledger, (who, quarter(100, 50, quality=quality)), *told) == quarter(120, 60)


def test_production_alone_leaves_the_quality_of_the_grid(ledger) -> None:
    told = ("meter", quarter(100, 50, quality=MISSING)), ("roof.csv", quarter(production=300))
    assert tell(ledger, *told) == quarter(100, 50, 300, MISSING)


def test_production_without_any_grid_has_its_own_quality(ledger) -> None:
    told = ("statistics", quarter(production=280, quality=ESTIMATED)), ("roof.csv", quarter(production=300))
    assert tell(ledger, *told) == quarter(production=300)


def test_estimate_never_replaces_a_file(ledger) -> None:
    told = ("offtake.csv", quarter(90)), ("meter", quarter(100, 50, quality=MISSING))
    assert tell(ledger, *told, ("statistics", quarter(95, 45, quality=ESTIMATED))) == quarter(90, 45, quality=ESTIMATED)


ENERGY = st.none() | st.integers(0, 3)
IMPORTS = st.builds(quarter, ENERGY, ENERGY, ENERGY, st.sampled_from(Quality))
BOOKINGS = st.builds(quarter, ENERGY, ENERGY, ENERGY, st.sampled_from([MEASURED, ESTIMATED, MISSING]))
TOLD = st.lists(st.tuples(st.booleans(), IMPORTS) | st.tuples(st.just(False), BOOKINGS), max_size=6)


def rows_after(told: list[tuple[bool, QuarterHour]]) -> dict[int, Row]:
    rows: dict[int, Row] = {}
    for is_import, each in told:
        rows |= replaced(rows, [each]).after if is_import else supplemented(rows, [each])
    return rows


@given(TOLD, IMPORTS)
def test_same_import_again_changes_nothing_whatever_came_before(told, last) -> None:
    rows = rows_after([*told, (True, last)])
    assert replaced(rows, [last]).after == {}


@given(TOLD, IMPORTS)
def test_nothing_that_is_known_becomes_unknown_and_what_is_not_told_stays(told, last) -> None:
    before = rows_after(told).get(T)
    after = rows_after([*told, (True, last)])[T]
    for name in ENERGIES:
        old, new, now = (getattr(each, name, None) for each in (before, last, after))
        assert now == new or now == old  # noqa: PLR1714 - which of both is the question
        assert now is not None or (old is None and new is None)
        if new is not None and last.quality in {MEASURED, LATE}:
            assert now == new
    assert after.doubtful & ~after.imported == 0
