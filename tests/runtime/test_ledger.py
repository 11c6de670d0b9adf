"""The ledger keeps every quarter-hour of every site, adds supplements up, and forgets nothing that it replaces."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
import random
from zoneinfo import ZoneInfo

import pytest

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, QuarterHour, Span, local_month
from custom_components.energy_neighbours.ledger import Ledger

from .ledger_samples import ALL, T, at

DAY = Span(T, T + 86_400)
STATE = {"counters": {"L1+": [T, 1234.5]}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "energy_neighbours.db"


@pytest.fixture
def ledger(path) -> Iterator[Ledger]:
    ledger = Ledger.open(path)
    yield ledger
    ledger.close()


def test_what_is_booked_is_read_in_order_within_the_span(ledger) -> None:
    ledger.book("site", [at(2), at(0), at(1)], STATE)
    assert ledger.read("site", ALL) == [at(0), at(1), at(2)]
    assert ledger.read("site", Span(T + QUARTER, T + 2 * QUARTER)) == [at(1)]
    assert ledger.read("site", Span(T - QUARTER, T)) == []


def test_unknown_is_not_zero(ledger) -> None:
    quarters = [
        QuarterHour(T, None, 0, None, Quality.MISSING),
        QuarterHour(T + QUARTER, 0, None, 7, Quality.ESTIMATED),
        QuarterHour(T + 2 * QUARTER, None, None, None, Quality.LATE),
    ]
    ledger.book("site", quarters, STATE)
    assert ledger.read("site", ALL) == quarters


def test_all_is_there_after_closing_and_the_file_stands_alone(ledger, path) -> None:
    ledger.book("site", [at(0)], STATE)
    ledger.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    again = Ledger.open(path)
    assert again.read("site", ALL) == [at(0)]
    assert again.load_state("site") == STATE
    again.close()


def test_sites_do_not_see_each_other(ledger) -> None:
    ledger.book("one", [at(0, 1)], {"of": "one"}, {T: Decimal(1)})
    ledger.book("other", [at(0, 2)], {"of": "other"})
    assert ledger.read("one", ALL) == [at(0, 1)]
    assert ledger.read("other", ALL) == [at(0, 2)]
    assert ledger.load_state("other") == {"of": "other"}
    assert ledger.prices("other", ALL) == {}
    assert ledger.read("third", ALL) == []
    assert ledger.load_state("third") is None
    assert ledger.known_span("third") is None
    assert ledger.highest_offtake("third", ALL) is None


def test_state_is_the_newest_told(ledger) -> None:
    ledger.save_state("site", {"n": 1})
    assert ledger.load_state("site") == {"n": 1}
    ledger.book("site", [at(0)], {"n": 2})
    assert ledger.load_state("site") == {"n": 2}
    ledger.save_state("site", {"n": 3})
    assert ledger.load_state("site") == {"n": 3}
    assert ledger.read("site", ALL) == [at(0)]


def test_supplement_adds_to_what_was_booked_and_keeps_what_it_said(ledger) -> None:
    ledger.book("site", [at(0, 100, injection=5), at(1)], STATE)
    ledger.book("site", [at(0, 30, production=9, quality=Quality.ESTIMATED)], STATE)
    now = at(0, 130, injection=5, production=9, quality=Quality.ESTIMATED)
    assert ledger.read("site", ALL) == [now, at(1)]
    before, after = ledger.history_of("site", T)
    assert (before.quarter_hour, before.imported) == (at(0, 100, injection=5), set())
    assert (after.quarter_hour, after.imported) == (now, set())
    assert before.revision < after.revision
    assert len(ledger.history_of("site", T + QUARTER)) == 1


def test_supplement_within_one_booking_adds_up_as_well(ledger) -> None:
    ledger.book("site", [at(0, 1), at(0, 2), at(0, 4)], STATE)
    assert ledger.read("site", ALL) == [at(0, 7)]


def test_better_quality_of_a_supplement_does_not_mend_what_was_guessed(ledger) -> None:
    ledger.book("site", [at(0, quality=Quality.ESTIMATED)], STATE)
    ledger.book("site", [at(0, 0)], STATE)
    assert ledger.read("site", ALL) == [at(0, quality=Quality.ESTIMATED)]
    assert len(ledger.history_of("site", T)) == 1


def test_import_takes_the_place_of_what_was_measured(ledger) -> None:
    ledger.book("site", [at(0), at(1)], STATE)
    result = ledger.replace("site", [at(0, 90), at(1), at(2)], "ores.csv")
    assert result[1:] == (1, 2, 0, 0)
    assert ledger.read("site", ALL) == [at(0, 90), at(1), at(2)]
    assert [each[1:] for each in ledger.history_of("site", T)] == [
        (at(0), set()),
        (at(0, 90), {"offtake", "injection"}),
    ]
    assert [(each.revision, each.note) for each in ledger.imports("site")] == [(result.revision, "ores.csv")]
    assert ledger.load_state("site") == STATE


def test_same_import_again_changes_nothing(ledger, path) -> None:
    first = ledger.replace("site", [at(0), at(1)], "ores.csv")
    assert first[1:] == (2, 0, 0, 0)
    assert ledger.replace("site", [at(1), at(0)], "the same, renamed.csv") == (first.revision, 0, 0, 2, 0)
    assert len(ledger.history_of("site", T)) == 1
    assert len(ledger.imports("site")) == 1


def test_each_import_that_changes_something_is_a_revision_of_its_own(ledger) -> None:
    first = ledger.replace("site", [at(0, 1), at(1, 1)], "January, preliminary")
    second = ledger.replace("site", [at(0, 2), at(1, 1)], "January, final")
    third = ledger.replace("site", [at(0, 3)], "January, corrected")
    assert first.revision < second.revision < third.revision
    assert second[1:] == (0, 1, 1, 0)
    told = [(each.revision, each.quarter_hour.offtake) for each in ledger.history_of("site", T)]
    assert told == [(first.revision, 1), (second.revision, 2), (third.revision, 3)]


def test_meter_adds_nothing_to_what_was_imported(ledger) -> None:
    ledger.replace("site", [at(0, 90)], "ores.csv")
    ledger.book("site", [at(0, 30), at(1, 30)], {"n": 1})
    assert ledger.read("site", ALL) == [at(0, 90), at(1, 30)]
    assert ledger.load_state("site") == {"n": 1}


def test_import_that_does_not_tell_of_the_roof_leaves_its_production(ledger) -> None:
    ledger.book("site", [at(0, 100, production=40)], STATE)
    ledger.replace("site", [at(0, 90)], "ores.csv")
    assert ledger.read("site", ALL) == [at(0, 90, production=40)]
    assert ledger.replace("site", [at(0, 90)], "ores.csv")[1:] == (0, 0, 1, 0)


def test_import_that_tells_nothing_makes_nothing_worse(ledger) -> None:
    ledger.book("site", [at(0, 100)], STATE)
    nothing = [QuarterHour(T + n * QUARTER, None, None, None, Quality.MISSING) for n in range(2)]
    assert ledger.replace("site", nothing, "ores.csv")[1:] == (1, 0, 1, 0)
    assert ledger.read("site", ALL) == [at(0, 100), nothing[1]]


def test_prices_of_a_sensor_stand_beside_exactly(ledger) -> None:
    prices = {T: Decimal("0.123456"), T + QUARTER: Decimal("-0.02"), T + 2 * QUARTER: Decimal(0)}
    ledger.book("site", [], STATE, prices)
    ledger.book("site", [at(0)], STATE, {T: Decimal("0.3")})
    assert ledger.prices("site", ALL) == {**prices, T: Decimal("0.3")}
    assert ledger.prices("site", Span(T, T + QUARTER)) == {T: Decimal("0.3")}


@pytest.mark.parametrize(("start", "price"), [(T + 1, Decimal(1)), (T, Decimal("NaN")), (T, Decimal("Infinity"))])
def test_price_that_is_none_is_refused_with_its_booking(ledger, start, price) -> None:
    with pytest.raises(ValueError, match="is not the price of a quarter-hour"):
        ledger.book("site", [at(0)], STATE, {start: price})
    assert ledger.read("site", ALL) == []


def test_known_span_reaches_from_the_first_to_the_last(ledger) -> None:
    ledger.book("site", [at(5), at(9)], STATE)
    ledger.replace("site", [at(-100)], "ores.csv")
    assert ledger.known_span("site") == Span(T - 100 * QUARTER, T + 10 * QUARTER)


def test_highest_offtake_is_the_first_of_the_highest_in_the_span(ledger) -> None:
    ledger.book("site", [at(0, 900), at(1, None), at(2, 500), at(3, 700), at(4, 700)], STATE)
    assert ledger.highest_offtake("site", Span(T + QUARTER, DAY.end)) == at(3, 700)
    assert ledger.highest_offtake("site", Span(T + QUARTER, T + 2 * QUARTER)) is None


def test_what_waits_is_read_as_if_it_were_booked(ledger) -> None:
    ledger.book("site", [at(0, 100)], STATE)
    ledger.replace("site", [at(1, 50)], "ores.csv")
    waiting = [at(0, 11), at(1, 11), at(2, 11), at(2, 1), at(100, 11)]
    read = ledger.read("site", DAY, waiting)
    assert read == [at(0, 111), at(1, 50), at(2, 12)]
    ledger.book("site", waiting, STATE)
    assert ledger.read("site", DAY) == read


def test_purge_forgets_what_is_older(ledger) -> None:
    ledger.book("site", [at(0), at(1), at(2)], STATE, {T: Decimal(1), T + 2 * QUARTER: Decimal(2)})
    ledger.book("site", [at(0, 5)], STATE)
    ledger.book("other", [at(0)], STATE)
    ledger.purge("site", T + QUARTER)
    assert ledger.read("site", ALL) == [at(1), at(2)]
    assert ledger.history_of("site", T) == []
    assert ledger.prices("site", ALL) == {T + 2 * QUARTER: Decimal(2)}
    assert ledger.load_state("site") == STATE
    assert ledger.read("other", ALL) == [at(0)]


def test_nothing_of_an_erased_site_is_left_in_the_file(ledger, path) -> None:
    ledger.book("erased", [at(0)], {"secret": "the household of the erased"}, {T: Decimal(1)})
    ledger.replace("erased", [at(0, 5)], "a note on the erased")
    ledger.book("other", [at(0)], STATE)
    ledger.erase("erased")
    assert ledger.read("erased", ALL) == []
    assert ledger.load_state("erased") is None
    assert ledger.history_of("erased", T) == []
    assert ledger.imports("erased") == []
    assert ledger.read("other", ALL) == [at(0)]
    assert all(b"erased" not in file.read_bytes() for file in path.parent.iterdir())


def test_year_of_a_site_is_small_and_stays_so_when_all_of_it_is_corrected(ledger, path) -> None:
    dice = random.Random(2026)  # noqa: S311 - not for secrets
    starts = range(T, T + 35_040 * QUARTER, QUARTER)
    year = [QuarterHour(start, dice.randrange(9000), dice.randrange(9000), dice.randrange(9000)) for start in starts]
    ledger.book(
        "site", year, STATE, {start: Decimal(dice.randrange(-100_000, 900_000)) / 1_000_000 for start in starts}
    )
    ledger.replace("site", [QuarterHour(each.start, dice.randrange(9000), 0, None) for each in year], "corrected.csv")
    ledger.close()
    assert path.stat().st_size <= 6_000_000
    assert (
        sum(
            len(ledger.read("site", local_month(date(2026, month, 1), ZoneInfo("Europe/Brussels"))))
            for month in range(1, 13)
        )
        == 35_040
    )
