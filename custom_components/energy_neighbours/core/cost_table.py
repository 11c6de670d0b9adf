"""What each quarter-hour of a span costs, worked out once, to price a site's energies all at once.

The same figures as `costs.costs`, to the billionth of a euro, for long spans and many sites.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

import numpy as np

from .band_table import band_table, look_up, unbroken
from .contract import Contract, Stretch, stretches
from .costs import BandCost, Costs, euros, millionths
from .quarter_hour import Span
from .tariff import Holidays

UNKNOWN: Final = -1
"""Stands in an array of energies for what nobody measured."""


class _Cell(NamedTuple):
    """What quarter-hours with the same bands and the same prices [€/kWh] have in common."""

    band: str
    price: Decimal | None
    injection_price: Decimal | None


_BEFORE_CONTRACT: Final = _Cell("", None, None)


class CostTable:
    """Prices the energies of a span; make it with `of`.

    Parameters
    ----------
    origin
        Start of its first quarter-hour [s, Unix].
    codes
        For each of its quarter-hours, the place of its cell.
    cells
        The cells.
    """

    def __init__(self, origin: int, codes: np.ndarray, cells: Sequence[_Cell]) -> None:
        self._origin = origin
        self._codes = codes
        # Neighbours mostly share their cell: adding up run by run is much faster than row by row.
        self._runs = _run_starts(codes).astype(np.int32)
        self._run_cells = codes[self._runs]
        self._bands = list(dict.fromkeys(cell.band for cell in cells))
        places = {band: place for place, band in enumerate(self._bands)}
        band_of_cell = np.array([places[cell.band] for cell in cells])
        self._by_band = np.argsort(band_of_cell, kind="stable")
        self._first_of_band = np.searchsorted(band_of_cell[self._by_band], np.arange(len(self._bands)))
        self._price = _Prices([cell.price for cell in cells])
        self._injection_price = _Prices([cell.injection_price for cell in cells])

    @classmethod
    def of(
        cls, contract: Contract, span: Span, holidays: Holidays, sensor_prices: Mapping[int, Decimal] | None = None
    ) -> Self:
        """Work out what each quarter-hour that begins in a span costs; arguments as for `contract.price_periods`."""
        origin, count = span.quarter_hours.start, len(span.quarter_hours)
        cells = [_BEFORE_CONTRACT]
        pieces = [
            _stretch_codes(stretch, contract.zone, holidays, sensor_prices or {}, cells)
            for stretch in stretches(contract, span)
        ]
        before = np.zeros(count - sum(map(len, pieces)), np.int16)
        return cls(origin, np.concatenate([before, *pieces]).astype(np.min_scalar_type(len(cells))), cells)

    @property
    def memory(self) -> int:
        """What it keeps for the quarter-hours of its span [bytes]."""
        return self._codes.nbytes + self._runs.nbytes + self._run_cells.nbytes

    def costs(self, starts: np.ndarray, offtake: np.ndarray, injection: np.ndarray | None = None) -> Costs:
        """Add up what a site's quarter-hours cost.

        Parameters
        ----------
        starts
            Beginnings [s, Unix], int64; in any order, but fastest in that of time and without a hole.
        offtake, injection
            Energies [Wh], int64; `UNKNOWN` where nobody measured, and None where nobody measures at all. All together
            are less than 2^53 Wh.

        Raises
        ------
        ValueError
            If a start lies outside the table's span.
        """
        rows = starts.size
        if not rows:
            return Costs.none()
        cells, runs = self._cells_of_runs(starts)
        taken = self._price.apply(*self._by_cell(cells, runs, offtake))
        bands = {
            band: BandCost(offtake=energy, unpriced=unpriced, cost=euros(cost) if priced else None)
            for band, (known, priced, energy, unpriced, cost) in zip(
                self._bands,
                np.add.reduceat(taken[:, self._by_band], self._first_of_band, axis=1).T.tolist(),
                strict=True,
            )
            if known
        }
        known, priced = taken[:2].sum(axis=1).tolist()
        put = [0] * 5
        if injection is not None:
            put = self._injection_price.apply(*self._by_cell(cells, runs, injection)).sum(axis=1).tolist()
        return Costs(
            bands=bands,
            quarter_hours=rows,
            without_offtake=rows - known,
            without_price=known - priced,
            injection=put[2],
            without_injection=rows - put[0],
            unpaid=put[3],
            revenue=euros(put[4]) if put[1] else None,
        )

    def _cells_of_runs(self, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the cell of each run of rows that share one, and where the runs begin."""
        first = unbroken(starts, self._origin)
        if first is None or first < 0 or first + starts.size > self._codes.size:
            codes = look_up(self._codes, self._origin, starts)
            runs = _run_starts(codes)
            return codes[runs], runs
        begin, end = np.searchsorted(self._runs, (first + 1, first + starts.size)).tolist()
        runs = self._runs[begin - 1 : end].astype(np.intp) - first
        runs[0] = 0
        return self._run_cells[begin - 1 : end], runs

    def _by_cell(self, cells: np.ndarray, runs: np.ndarray, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how many quarter-hours of each cell have a known energy, and what these add up to [Wh]."""
        if energy.min() < 0:
            known = energy >= 0
            lengths = np.add.reduceat(known, runs, dtype=np.int64)
            energy = np.where(known, energy, 0)
        else:
            lengths = np.diff(runs, append=energy.size)
        sums = np.add.reduceat(energy, runs)
        count = self._price.count
        # Floats, but exact: whole numbers below 2^53.
        return (
            np.bincount(cells, lengths, count).astype(np.int64),
            np.bincount(cells, sums, count).astype(np.int64),
        )


class _Prices:
    """Prices by cell, in whole millionths of a euro a kWh."""

    def __init__(self, prices: Sequence[Decimal | None]) -> None:
        self.count = len(prices)
        self._known = np.array([price is not None for price in prices], np.int64)
        self._millionths = np.array([0 if price is None else millionths(price) for price in prices], np.int64)

    def apply(self, known: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Price the energy of each cell.

        Returns
        -------
        np.ndarray
            Rows: how many have a known energy, how many of them a price, energy [Wh], the part of it without a price
            [Wh], cost of the rest [billionths of a euro].
        """
        unpriced = energy * (1 - self._known)
        return np.array([known, known * self._known, energy, unpriced, energy * self._millionths])


def _run_starts(codes: np.ndarray) -> np.ndarray:
    """Return where another code begins, the first included."""
    if not codes.size:
        return np.empty(0, np.intp)
    changes = np.flatnonzero(codes[1:] != codes[:-1])
    runs = np.zeros(changes.size + 1, np.intp)
    np.add(changes, 1, out=runs[1:])
    return runs


def _stretch_codes(
    stretch: Stretch, zone: ZoneInfo, holidays: Holidays, sensor_prices: Mapping[int, Decimal], cells: list[_Cell]
) -> np.ndarray:
    """Return the cell of every quarter-hour that begins in a stretch; the stretch's cells are added to `cells`."""
    terms, span = stretch.terms, Span(stretch.start, stretch.end)
    network, commodity = terms.network_grid, terms.commodity_grid
    pairs = list(product(network.bands, commodity.bands))
    pair = band_table(network, span, zone, holidays).astype(np.int16)
    if len(commodity.bands) > 1:
        pair *= len(commodity.bands)
        pair += band_table(commodity, span, zone, holidays)

    def add(bands: tuple[str, str], sensor_price: Decimal | None) -> int:
        shown = bands[0] if terms.band_grid is network else bands[1]
        cells.append(_Cell(shown, terms.price(stretch.day, *bands, sensor_price), terms.injection_price))
        return len(cells) - 1

    if not terms.price_sensor:
        pair += len(cells)
        for bands in pairs:
            add(bands, None)
        return pair
    known: dict[tuple[int, Decimal | None], int] = {}
    codes = np.empty(pair.size, np.int32)
    for row, (quarter, place) in enumerate(zip(span.quarter_hours, pair.tolist(), strict=True)):
        told = place, sensor_prices.get(quarter)
        if told not in known:
            known[told] = add(pairs[place], told[1])
        codes[row] = known[told]
    return codes
