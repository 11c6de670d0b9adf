"""What holds for any grid, any moment and any energies: no minute without a band, no cent from nowhere."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import numpy as np

from custom_components.energy_neighbours.core.contract import (
    ComponentKind,
    Contract,
    ContractTerms,
    PriceComponent,
    PriceSensor,
    Region,
    SensorReplaces,
    price_periods,
)
from custom_components.energy_neighbours.core.cost_table import UNKNOWN, CostTable
from custom_components.energy_neighbours.core.costs import costs
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, Span, midnight, quarter_start
from custom_components.energy_neighbours.core.tariff import (
    BandGrid,
    DayType,
    Interval,
    band_at,
    band_periods,
    classify,
    interval_at,
    next_change,
    next_solar_change,
    solar_periods,
)

BANDS = ("a", "b", "c")
ZONES = st.sampled_from([ZoneInfo("Europe/Brussels"), ZoneInfo("Europe/Paris")])
CHANGES = [midnight(date(2026, 3, 29), ZoneInfo("Europe/Brussels")), midnight(date(2026, 10, 25), ZoneInfo("UTC"))]
TIMES = st.integers(
    midnight(date(2019, 1, 1), ZoneInfo("UTC")), midnight(date(2031, 1, 1), ZoneInfo("UTC"))
) | st.builds(int.__add__, st.sampled_from(CHANGES), st.integers(-7200, 5 * 3600))
SPANS = st.builds(lambda start, length: Span(start, start + length), TIMES, st.integers(1, 5 * 86_400))
HOLIDAYS = st.frozensets(st.dates(date(2019, 1, 1), date(2030, 12, 31)) | st.just(date(2026, 3, 29)), max_size=8)


@st.composite
def days(draw: st.DrawFn) -> tuple[Interval, ...]:
    """Return a day cut at random minutes."""
    minutes = draw(st.integers(1, 1439) | st.integers(1, 95).map(lambda quarter: 15 * quarter))
    cuts = sorted({0, 1440, minutes, *draw(st.lists(st.integers(1, 1439), max_size=6))})
    return tuple(
        Interval(start, end, draw(st.sampled_from(BANDS)), draw(st.booleans())) for start, end in pairwise(cuts)
    )


@st.composite
def grids(draw: st.DrawFn) -> BandGrid:
    kinds = [*list(DayType)[:3], *([DayType.HOLIDAY] if draw(st.booleans()) else [])]
    alike = draw(st.booleans())
    first = draw(days())
    return BandGrid(id="any", bands=BANDS, days={kind: first if alike else draw(days()) for kind in kinds})


@given(grids(), TIMES, ZONES, HOLIDAYS)
def test_every_moment_is_in_one_band_however_it_is_asked(grid, time, zone, holidays) -> None:
    band = band_at(grid, time, zone, holidays)
    assert [period.band for period in band_periods(grid, Span(time, time + 1), zone, holidays)] == [band]
    start = quarter_start(time)
    (place,) = classify(grid, np.array([time]), zone, holidays)
    assert grid.bands[place] == band_at(grid, start, zone, holidays)


@given(grids(), SPANS, ZONES, HOLIDAYS)
def test_periods_cover_every_minute_once_and_neighbours_differ(grid, span, zone, holidays) -> None:
    periods = band_periods(grid, span, zone, holidays)
    assert (periods[0].start, periods[-1].end) == span
    for before, after in pairwise(periods):
        assert before.end == after.start
        assert before.band != after.band
    for start, end, band in periods:
        assert {band_at(grid, time, zone, holidays) for time in (start, (start + end) // 2, end - 1)} == {band}


@given(grids(), SPANS, ZONES, HOLIDAYS)
def test_many_quarter_hours_at_once_are_the_same_as_one_by_one(grid, span, zone, holidays) -> None:
    starts = np.array(span.quarter_hours, np.int64)
    expected = [band_at(grid, int(start), zone, holidays) for start in starts]
    assert [grid.bands[place] for place in classify(grid, starts, zone, holidays)] == expected
    backwards = classify(grid, starts[::-1], zone, holidays)
    assert [grid.bands[place] for place in backwards[::-1]] == expected


@given(grids(), TIMES, ZONES, HOLIDAYS)
def test_next_change_is_where_the_running_period_ends(grid, time, zone, holidays) -> None:
    change = next_change(grid, time, zone, holidays)
    if change is None:
        far = band_periods(grid, Span(time, time + 366 * 86_400), zone, holidays)
        assert len(far) == 1
        return
    assert change > time
    before, after = band_periods(grid, Span(time, change + 1), zone, holidays)
    assert before.end == after.start == change
    assert band_at(grid, change - 1, zone, holidays) != band_at(grid, change, zone, holidays)


@given(grids(), SPANS, ZONES, HOLIDAYS)
def test_time_made_for_the_sun_is_where_its_intervals_are(grid, span, zone, holidays) -> None:
    sunny = solar_periods(grid, span, zone, holidays)
    for time in (span.start, (span.start + span.end) // 2, span.end - 1):
        inside = any(start <= time < end for start, end in sunny)
        assert interval_at(grid, time, zone, holidays).solar is inside
        change = next_solar_change(grid, time, zone, holidays)
        if change is not None:
            assert interval_at(grid, change - 1, zone, holidays).solar is inside
            assert interval_at(grid, change, zone, holidays).solar is not inside


@given(grids())
def test_grid_survives_writing_and_reading(grid) -> None:
    assert BandGrid.from_dict(grid.as_dict()) == grid


PRICES = st.decimals("-0.5", "1", places=6)
VALID = st.none() | st.dates(date(2026, 3, 20), date(2026, 11, 5))
COMPONENTS = st.lists(
    st.builds(
        PriceComponent,
        kind=st.sampled_from(ComponentKind),
        prices=st.dictionaries(st.sampled_from(["", *BANDS]), PRICES, min_size=1),
        with_vat=st.booleans(),
        valid_from=VALID,
        valid_to=VALID,
    ),
    max_size=4,
).map(tuple)
SENSORS = st.none() | st.builds(
    PriceSensor, entity_id=st.just("sensor.price"), replaces=st.sampled_from(SensorReplaces), with_vat=st.booleans()
)
VERSIONS = st.builds(
    ContractTerms,
    valid_from=st.dates(date(2026, 3, 20), date(2026, 11, 5)),
    region=st.sampled_from([Region.WALLONIA, Region.BRUSSELS, Region.FLANDERS]),
    network_grid=grids(),
    commodity_grid=grids(),
    components=COMPONENTS,
    vat_rate=st.sampled_from([Decimal(0), Decimal("0.06"), Decimal("0.21")]),
    price_sensor=SENSORS,
    injection_price=st.none() | PRICES,
)
CONTRACTS = st.lists(VERSIONS, min_size=1, max_size=3, unique_by=lambda version: version.valid_from).map(
    lambda versions: Contract(tuple(versions))
)
ENERGIES = st.none() | st.integers(0, 50_000)


@st.composite
def histories(draw: st.DrawFn) -> list[QuarterHour]:
    first = quarter_start(draw(st.sampled_from(CHANGES)) + draw(st.integers(-86_400, 86_400)))
    energies = draw(st.lists(st.none() | st.tuples(ENERGIES, ENERGIES), min_size=1, max_size=120))
    rows = [
        QuarterHour(first + place * QUARTER, energy[0], energy[1], None)
        for place, energy in enumerate(energies)
        if energy
    ]
    return draw(st.permutations(rows)) if rows and draw(st.booleans()) else rows


@given(CONTRACTS, histories(), HOLIDAYS, st.dictionaries(st.integers(0, 120), PRICES, max_size=30))
def test_table_and_records_cost_the_same_and_no_energy_is_lost(contract, quarters, holidays, told) -> None:
    first = min((quarter.start for quarter in quarters), default=0)
    sensor_prices = {first + place * QUARTER: price for place, price in told.items()}
    one_by_one = costs(quarters, contract, holidays, sensor_prices)

    span = Span(first, max((quarter.end for quarter in quarters), default=QUARTER))
    table = CostTable.of(contract, span, holidays, sensor_prices)
    starts = np.array([quarter.start for quarter in quarters], np.int64)
    offtake = np.array([UNKNOWN if q.offtake is None else q.offtake for q in quarters], np.int64)
    injection = np.array([UNKNOWN if q.injection is None else q.injection for q in quarters], np.int64)
    assert table.costs(starts, offtake, injection) == one_by_one

    assert one_by_one.offtake == sum(quarter.offtake or 0 for quarter in quarters)
    assert one_by_one.injection == sum(quarter.injection or 0 for quarter in quarters)
    assert one_by_one.without_offtake == sum(quarter.offtake is None for quarter in quarters)


@given(CONTRACTS, histories(), HOLIDAYS)
def test_cost_is_the_sum_over_quarter_hours_of_energy_times_the_price_at_their_start(
    contract, quarters, holidays
) -> None:
    known: list[Decimal] = []
    for quarter in quarters:
        periods = price_periods(contract, Span(quarter.start, quarter.start + 1), holidays)
        if quarter.offtake is not None and periods and periods[0].price is not None:
            known.append(periods[0].price * quarter.offtake / 1000)
    assert costs(quarters, contract, holidays).cost == (sum(known, Decimal(0)) if known else None)
