"""The shipped tariffs are what regulators and operators published, and say what they are not sure of."""

from datetime import date, timedelta
from decimal import Decimal
import json
import subprocess
import sys

import numpy as np
import pytest

from custom_components.energy_neighbours import tariff_library
from custom_components.energy_neighbours.core.contract import ComponentKind, ContractTerms, Region
from custom_components.energy_neighbours.core.quarter_hour import Span, local_day, local_week, midnight
from custom_components.energy_neighbours.core.tariff import BandGrid, DayType, band_periods, classify
from custom_components.energy_neighbours.tariff_library import holidays_of, shipped_grids, shipped_price_sheets

GRIDS = shipped_grids()
SHEETS = shipped_price_sheets()
BRUSSELS = Region.BRUSSELS.zone
FOLDER = tariff_library._FOLDER
ORDINARY, TO_SUMMER, TO_WINTER = date(2026, 6, 1), date(2026, 3, 29), date(2026, 10, 25)


def hours(grid: BandGrid, span: Span, holidays: frozenset[date] = frozenset()) -> dict[str, float]:
    """Return how many hours of a span each band has."""
    places = classify(grid, np.array(span.quarter_hours), grid_zone(grid), holidays)
    return dict(zip(grid.bands, (np.bincount(places, minlength=len(grid.bands)) / 4).tolist(), strict=True))


def grid_zone(grid: BandGrid):
    return Region(grid.region).zone if grid.region else BRUSSELS


def test_every_file_is_loaded_under_its_own_name() -> None:
    for folder, loaded in (("grids", GRIDS), ("prices", SHEETS)):
        assert {path.stem for path in (FOLDER / folder).iterdir()} == set(loaded)
    assert set(GRIDS) == {
        "acrus_phase1",
        "bihoraire_be_classic",
        "bihoraire_wal_2026",
        "bihoraire_wal_classic",
        "flanders_capacity",
        "heures_creuses",
        "impact_2026",
        "mono",
    }


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_grid_says_where_it_comes_from_and_survives_writing(grid) -> None:
    assert grid.source
    assert grid.region == "" or Region(grid.region)
    assert BandGrid.from_dict(grid.as_dict()) == grid
    assert json.loads((FOLDER / f"grids/{grid.id}.json").read_text())["id"] == grid.id == grid.translation_key
    assert set(grid.multipliers) in (set(), set(grid.bands))


@pytest.mark.parametrize(
    ("grid_id", "day", "expected"),
    [
        ("impact_2026", ORDINARY, {"eco": 12, "medium": 7, "peak": 5}),
        ("impact_2026", TO_SUMMER, {"eco": 11, "medium": 7, "peak": 5}),
        ("impact_2026", TO_WINTER, {"eco": 13, "medium": 7, "peak": 5}),
        ("bihoraire_wal_2026", ORDINARY, {"off_peak": 15, "full": 9}),
        ("bihoraire_wal_2026", TO_SUMMER, {"off_peak": 14, "full": 9}),
        ("bihoraire_wal_2026", TO_WINTER, {"off_peak": 16, "full": 9}),
        ("acrus_phase1", ORDINARY, {"solar": 6, "night": 8, "morning": 5, "evening": 5}),
        ("acrus_phase1", TO_SUMMER, {"solar": 6, "night": 7, "morning": 5, "evening": 5}),
        ("acrus_phase1", TO_WINTER, {"solar": 6, "night": 9, "morning": 5, "evening": 5}),
        ("heures_creuses", ORDINARY, {"off_peak": 8, "full": 16}),
        ("mono", TO_WINTER, {"single": 25}),
        ("flanders_capacity", ORDINARY, {"single": 24}),
    ],
)
def test_hours_of_each_band(grid_id, day, expected) -> None:
    assert hours(GRIDS[grid_id], local_day(day, BRUSSELS)) == expected


def test_new_two_rate_tariff_has_105_cheap_hours_a_week_where_the_old_had_93() -> None:
    week = local_week(ORDINARY, BRUSSELS)
    assert hours(GRIDS["bihoraire_wal_2026"], week)["off_peak"] == 105
    assert hours(GRIDS["bihoraire_wal_classic"], week)["off_peak"] == 93
    assert hours(GRIDS["bihoraire_be_classic"], week)["off_peak"] == 93


def test_from_22_to_1_o_clock_is_cheap_with_two_rates_but_not_with_impact() -> None:
    night = Span(midnight(ORDINARY, BRUSSELS) - 2 * 3600, midnight(ORDINARY, BRUSSELS) + 3600)
    assert [period.band for period in band_periods(GRIDS["impact_2026"], night, BRUSSELS, frozenset())] == ["medium"]
    assert [period.band for period in band_periods(GRIDS["bihoraire_wal_2026"], night, BRUSSELS, frozenset())] == [
        "off_peak"
    ]


def test_noon_is_made_for_the_sun_in_the_tariffs_that_have_it() -> None:
    for grid in GRIDS.values():
        sunny = {(part.start, part.end) for parts in grid.days.values() for part in parts if part.solar}
        with_sun = grid.id in {"acrus_phase1", "impact_2026", "bihoraire_wal_2026"}
        assert sunny == ({(11 * 60, 17 * 60)} if with_sun else set())


def test_holidays_are_off_peak_in_brussels_every_day_alike_in_the_others() -> None:
    national_day = local_day(date(2026, 7, 21), BRUSSELS)
    holidays = holidays_of(Region.BRUSSELS, [2026])
    assert hours(GRIDS["bihoraire_be_classic"], national_day, holidays) == {"off_peak": 24, "full": 0}
    assert hours(GRIDS["bihoraire_wal_classic"], national_day, holidays) == {"off_peak": 9, "full": 15}
    assert hours(GRIDS["impact_2026"], national_day, holidays) == {"eco": 12, "medium": 7, "peak": 5}
    assert [grid.id for grid in GRIDS.values() if DayType.HOLIDAY in grid.days] == ["bihoraire_be_classic"]


def test_pilot_in_peruwelz_weighs_its_hours_and_claims_nothing_of_its_second_phase() -> None:
    grid = GRIDS["acrus_phase1"]
    day = hours(grid, local_day(ORDINARY, BRUSSELS))
    assert sum(day[band] * grid.multipliers[band] for band in grid.bands) == 67
    assert (grid.valid_from, grid.valid_to) == (date(2022, 4, 1), date(2023, 9, 30))
    assert "second phase" in grid.uncertain
    assert "acrus_phase2" not in GRIDS


def test_observed_network_cost_of_the_pilot_is_no_multiple_of_its_weights() -> None:
    (network,) = SHEETS["acrus_phase1"].components("acrus_phase1")
    assert network.uncertain
    assert SHEETS["acrus_phase1"].all_in
    for band, weight in GRIDS["acrus_phase1"].multipliers.items():
        fit = Decimal("0.0526") + Decimal("0.0219") * weight
        assert abs(network.prices[band] - fit) <= Decimal("0.0006")
    assert network.prices["evening"] / network.prices["solar"] < Decimal("2.2")


def test_validity_of_the_new_tariffs_begins_where_the_old_one_ends() -> None:
    end = GRIDS["bihoraire_wal_classic"].valid_to
    assert end is not None
    assert GRIDS["impact_2026"].valid_from == GRIDS["bihoraire_wal_2026"].valid_from == end + timedelta(days=1)


def test_only_the_french_hours_are_an_example_to_change() -> None:
    assert [grid.id for grid in GRIDS.values() if grid.editable] == ["heures_creuses"]
    assert GRIDS["heures_creuses"].uncertain


@pytest.mark.parametrize(
    ("grid_id", "card"),
    [
        ("impact_2026", {"eco": "5.09", "medium": "10.83", "peak": "16.57"}),
        ("bihoraire_wal_2026", {"off_peak": "7.39", "full": "13.27"}),
        ("mono", {"single": "11.98"}),
    ],
)
def test_prices_of_ores_make_what_tariff_cards_print(grid_id, card) -> None:
    # Cards print cents with VAT; the commodity is not among them.
    nothing = tariff_library.PriceComponent(kind=ComponentKind.COMMODITY, prices={"": Decimal(0)})
    terms = ContractTerms(
        valid_from=date(2026, 1, 1),
        region=Region.WALLONIA,
        network_grid=GRIDS[grid_id],
        commodity_grid=GRIDS["mono"],
        components=(*SHEETS["ores_2026"].components(grid_id), nothing),
        vat_rate=SHEETS["ores_2026"].vat_rate,
    )
    for band, printed in card.items():
        price = terms.price(date(2026, 5, 4), band, "single")
        assert price is not None
        assert abs(100 * price - Decimal(printed)) < Decimal("0.011")


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_sheet_prices_every_band_of_its_grids_and_says_its_source_and_date(sheet) -> None:
    assert sheet.source
    assert sheet.retrieved
    for price in sheet.prices:
        assert price.component.source
        assert price.component.id
        if price.grid:
            bands = GRIDS[price.grid].bands
            assert set(price.component.prices) in ({""}, set(bands))
            assert price.component in sheet.components(price.grid)


def test_sheet_has_nothing_for_a_grid_that_it_does_not_know() -> None:
    assert SHEETS["ores_2026"].components("heures_creuses") == ()
    assert len(SHEETS["belgium_levies_residential"].components("heures_creuses")) == 3


def test_what_is_derived_or_inferred_says_so() -> None:
    unsure = {
        (sheet.id, price.component.id, price.grid, str(price.component.valid_from or ""))
        for sheet in SHEETS.values()
        for price in sheet.prices
        if price.component.uncertain
    }
    assert unsure == {
        ("acrus_phase1", "network_all_in", "acrus_phase1", ""),
        ("belgium_levies_professional", "energy_contribution", "", ""),
        ("belgium_levies_professional", "excise", "", ""),
        ("belgium_levies_residential", "excise", "", "2026-08-01"),
        ("ores_2026", "distribution", "mono", ""),
        ("ores_2026", "surcharges", "", ""),
    }
    assert {grid.id for grid in GRIDS.values() if grid.uncertain} == {
        "acrus_phase1",
        "bihoraire_be_classic",
        "bihoraire_wal_classic",
        "heures_creuses",
    }


@pytest.mark.parametrize(
    ("day", "with_vat"), [(date(2026, 7, 31), "0.052370"), (date(2026, 8, 1), "0.046000")], ids=str
)
def test_excise_and_energy_contribution_before_and_after_august_2026(day, with_vat) -> None:
    sheet = SHEETS["belgium_levies_residential"]
    nothing = tariff_library.PriceComponent(kind=ComponentKind.COMMODITY, prices={"": Decimal(0)})
    terms = ContractTerms(
        valid_from=date(2026, 1, 1),
        region=Region.WALLONIA,
        network_grid=GRIDS["mono"],
        commodity_grid=GRIDS["mono"],
        components=(*sheet.components("mono"), nothing),
        vat_rate=sheet.vat_rate,
    )
    assert terms.price(day, "single", "single") == Decimal(with_vat)
    (excise, *_) = sheet.components("mono")
    assert round(excise.prices[""] * Decimal("1.06"), 5) == Decimal("0.05033")


def test_flanders_has_a_floor_and_a_maximum_and_no_invented_rate() -> None:
    sheet = SHEETS["flanders_2026"]
    assert (sheet.capacity_floor, sheet.capacity_maximum) == (Decimal("2.5"), Decimal("0.203548"))
    assert sheet.prices == ()


def test_belgium_has_ten_public_holidays_and_two_that_are_sundays_anyway() -> None:
    for year in range(2019, 2036):
        days = holidays_of(Region.WALLONIA, [year])
        assert len({day for day in days if day != easter(year) and day != easter(year) + timedelta(49)}) == 10
        assert {easter(year), easter(year) + timedelta(days=49)} <= days
        moving = {easter(year) + timedelta(days=after) for after in (1, 39, 50)}
        fixed = {date(year, *day) for day in ((1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25))}
        assert moving | fixed <= days


def test_holidays_of_several_years_and_of_france() -> None:
    assert {day.year for day in holidays_of(Region.BRUSSELS, range(2025, 2028))} == {2025, 2026, 2027}
    assert date(2026, 7, 14) in holidays_of(Region.FRANCE, [2026])
    assert date(2026, 7, 21) not in holidays_of(Region.FRANCE, [2026])
    assert holidays_of(Region.BRUSSELS, []) == frozenset()


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def test_neither_numpy_nor_holidays_are_loaded_before_they_are_needed() -> None:
    code = (
        "import sys\n"
        "from custom_components.energy_neighbours import tariff_library\n"
        "from custom_components.energy_neighbours.core import capacity, contract, costs, tariff\n"
        "tariff_library.shipped_grids(), tariff_library.shipped_price_sheets()\n"
        "print(sorted({'numpy', 'holidays', 'pandas'} & set(sys.modules)))"
    )
    # The package's own first file loads Home Assistant, which may load numpy; what counts is what these modules add.
    stub = "import sys, types, pathlib\npackage = types.ModuleType('custom_components.energy_neighbours')\n"
    stub += "package.__path__ = [str(pathlib.Path('custom_components/energy_neighbours').resolve())]\n"
    stub += "sys.modules['custom_components.energy_neighbours'] = package\n"
    run = subprocess.run(
        [sys.executable, "-c", stub + code], cwd=FOLDER.parents[2], capture_output=True, text=True, check=False
    )
    assert (run.stderr, run.stdout) == ("", "[]\n")
