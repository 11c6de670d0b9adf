"""The tariff of one site as it is now: band, price and what comes next, told at the very moment they change."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers.event import async_track_point_in_utc_time, async_track_state_change_event

from .const import CHANGING_KEYS, CONTRACT_KEYS, SOLAR_KEYS
from .core.band_grid import BandGrid, DayType
from .core.contract import Contract, ContractTerms, PricePeriod, price_periods
from .core.quarter_hour import Span, day_of, midnight
from .core.sensor_price import PriceTrack, per_kwh, read_price
from .core.tariff import BandPeriod, Holidays, band_at, interval_at, next_solar_change
from .faults import UNREACHABLE_AFTER, FaultList
from .tariff_library import holidays_of

_DAY: Final = 86_400
_NEAR: Final = 8 * _DAY
"""So far back and ahead [s] bands are always known; most change within a day, some only after a long weekend."""
_FAR: Final = 400 * _DAY
"""So far ahead [s] the next band is looked for where the hours do not change: another contract may begin."""


class SiteTariff:
    """What a site's contract says about now.

    One timer wakes it at the next moment at which anything changes: a band, the time made for the sun, or the day, with
    which a contract or a price can change. A clock that jumps is noticed by `check`.

    Parameters
    ----------
    contract
        What the household agreed.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], contract: Contract) -> None:
        self.contract = contract
        self.zone = contract.zone
        self.period: PricePeriod
        """The present bands; its price is None."""
        self.shown_period: BandPeriod
        """From when until when the shown band lasts, as far as that is known."""
        self.next_period: BandPeriod | None = None
        """The time of the next band that is shown; None if none begins within a year."""
        self._hass = hass
        self._entry = entry
        self._bare = Contract(tuple(replace(terms, price_sensor=None, components=()) for terms in contract.versions))
        self._faults = FaultList(hass, entry.entry_id, entry.title)
        grids = [grid for terms in contract.versions for grid in (terms.network_grid, terms.commodity_grid)]
        self._need_holidays = any(DayType.HOLIDAY in grid.days for grid in grids)
        self._holidays: Holidays = frozenset()
        self._years: set[int] = set()
        self._timeline: list[PricePeriod] = []
        self._timeline_day: date | None = None
        self._valid = Span(0, 0)
        self._listeners: list[Callable[[], None]] = []
        self._cancel_timer: CALLBACK_TYPE | None = None
        self._cancel_follow: CALLBACK_TYPE | None = None
        sensors = {sensor.entity_id for terms in contract.versions if (sensor := terms.price_sensor)}
        self._tracks = {entity_id: PriceTrack() for entity_id in sensors}
        self._missing_since: float | None = None

    async def async_start(self) -> None:
        """Begin to follow the clock and the price."""
        await self._load_holidays(self._years_around(time.time()))
        if self._tracks:
            self._cancel_follow = async_track_state_change_event(self._hass, self._tracks, self._take_price)
            for entity_id, track in self._tracks.items():
                track.tell(time.time(), self._read_price(self._hass.states.get(entity_id)))
        self._look()

    @callback
    def stop(self) -> None:
        """Follow nothing any more."""
        for cancel in (self._cancel_timer, self._cancel_follow):
            if cancel:
                cancel()
        self._cancel_timer = self._cancel_follow = None
        self._faults.clear()

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `listener` whenever a band, the day or the price has changed."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # What is now

    @property
    def terms(self) -> ContractTerms:
        """The version of the contract that is in force."""
        return self.contract.terms_at(time.time()) or self.contract.versions[0]

    @property
    def band(self) -> str:
        """The present band as it is shown."""
        return self.shown(self.period.band)

    @property
    def price(self) -> Decimal | None:
        """What a kWh costs now, with VAT [€/kWh]; None if it is not known."""
        now = time.time()
        return self.price_at(now, self.period, self._sensor_price(self.terms))

    def price_at(self, moment: float, period: PricePeriod, sensor_price: Decimal | None) -> Decimal | None:
        """Return what a kWh costs at a moment in a period [€/kWh], given what the price sensor tells."""
        terms = self.contract.terms_at(moment)
        if terms is None:
            return None
        return terms.price(day_of(moment, self.zone), period.network_band, period.commodity_band, sensor_price)

    def price_under(self, contract: Contract) -> Decimal | None:
        """Return what a kWh would cost now under another contract with the same hours of the network [€/kWh]."""
        now = time.time()
        terms = contract.terms_at(now)
        if terms is None:
            return None
        band = band_at(terms.commodity_grid, now, self.zone, self._holidays)
        return terms.price(day_of(now, self.zone), self.period.network_band, band)

    @property
    def solar(self) -> bool:
        """Whether it is the time made for the sun."""
        grid = self._solar_grid()
        return grid is not None and interval_at(grid, time.time(), self.zone, self._holidays).solar

    # What holds for long

    @property
    def grids(self) -> list[BandGrid]:
        """All grids of the contract whose bands are shown, that of now first."""
        terms = self.terms
        later = (other.band_grid for other in self.contract.versions if other.valid_from > terms.valid_from)
        return [terms.band_grid, *later]

    @property
    def bands(self) -> list[str]:
        """The bands that can be shown from now on, those of now first."""
        return list(dict.fromkeys(self.shown(band) for grid in self.grids for band in grid.bands))

    @property
    def changes(self) -> bool:
        """Whether there is more than one band."""
        return any(len(grid.bands) > 1 for terms in self.contract.versions for grid in (terms.band_grid,))

    @property
    def has_solar_time(self) -> bool:
        """Whether some time is made for the sun."""
        return any(
            grid.has_solar_time
            for terms in self.contract.versions
            for grid in (terms.network_grid, terms.commodity_grid)
        )

    @property
    def entity_keys(self) -> frozenset[str]:
        """Translation keys of the entities that a site has with this contract."""
        without = (frozenset() if self.changes else CHANGING_KEYS) | (
            frozenset() if self.has_solar_time else SOLAR_KEYS
        )
        return CONTRACT_KEYS - without

    @property
    def holidays(self) -> Holidays:
        """The public holidays of the years that were needed so far."""
        return self._holidays

    def shown(self, band: str) -> str:
        """Return what stands for a band: the name that the household gave it, else its id."""
        for terms in reversed(self.contract.versions):
            for grid in (terms.network_grid, terms.commodity_grid):
                if name := grid.names.get(band):
                    return name
        return band

    # Other times

    async def async_periods(self, span: Span, sensor_prices: dict[int, Decimal] | None = None) -> list[PricePeriod]:
        """Return the bands and prices of a span; `sensor_prices` as for `core.contract.price_periods`."""
        if span.start >= span.end:
            return []
        await self._load_holidays(self._years_of(span))
        return await self._hass.async_add_executor_job(
            price_periods, self.contract, span, self._holidays, sensor_prices
        )

    async def async_bands(self, span: Span) -> list[PricePeriod]:
        """Return the bands of a span, with their prices as far as no sensor tells them, and without quarter-hours."""
        merged: list[PricePeriod] = []
        for period in await self.async_periods(span):
            last = merged[-1] if merged else None
            if last and last.end == period.start and (last.band, last.price) == (period.band, period.price):
                merged[-1] = last._replace(end=period.end)
            else:
                merged.append(period)
        return merged

    async def async_need_holidays(self, span: Span, other: BandGrid | None = None) -> Holidays:
        """Return the public holidays, those of a span among them, if the contract or another grid asks for them."""
        if other and DayType.HOLIDAY in other.days and not self._need_holidays:
            self._need_holidays = True
            self._years.clear()
        await self._load_holidays(self._years_of(span))
        return self._holidays

    @callback
    def price_of(self, quarter: int) -> Decimal | None:
        """Return what the price sensor told of a quarter-hour [€/kWh]: its mean over the time in which it was known."""
        terms = self.contract.terms_at(quarter)
        if terms is None or terms.price_sensor is None:
            return None
        return self._tracks[terms.price_sensor.entity_id].mean(quarter, time.time())

    def dump_prices(self, since: int) -> dict[str, Any]:
        """Return what the price sensors told of the quarter-hours from a start on, JSON-ready."""
        now = time.time()
        return {entity_id: track.dump(now, since) for entity_id, track in self._tracks.items()}

    def restore_prices(self, data: Mapping[str, Any]) -> None:
        """Add what `dump_prices` gave."""
        for entity_id, track in self._tracks.items():
            with suppress(ArithmeticError, TypeError, ValueError):
                track.restore(data.get(entity_id, {}))

    # The clock

    @callback
    def check_clock(self) -> None:
        """Look at the clock: somebody may have put it forward or back, or the machine may have slept."""
        if not self._valid.start <= time.time() < self._valid.end:
            self._look()

    @callback
    def check(self) -> None:
        """Look at the clock and at the price sensor."""
        self.check_clock()
        self._look_for_sensor()

    @callback
    def _wake(self, _now: datetime) -> None:
        self._cancel_timer = None
        self._look()

    @callback
    def _look(self) -> None:
        """Take over what holds now, and wait for when it ends."""
        now = time.time()
        today = day_of(now, self.zone)
        if missing := self._years_around(now) - self._years:
            self._entry.async_create_task(self._hass, self._renew(missing), "public holidays")
        if today != self._timeline_day:
            self._timeline_day = today
            self._timeline = self._find_timeline(now)
        self.period = next(period for period in self._timeline if now < period.end)
        shown = (period for period in self._shown_periods() if now < period.end)
        self.shown_period, self.next_period = next(shown), next(shown, None)
        ends = [self.period.end, midnight(today + timedelta(days=1), self.zone)]
        if (grid := self._solar_grid()) and (change := next_solar_change(grid, now, self.zone, self._holidays)):
            ends.append(change)
        self._valid = Span(max(self.period.start, midnight(today, self.zone)), min(ends))
        if self._cancel_timer:
            self._cancel_timer()
        wake = datetime.fromtimestamp(self._valid.end, UTC)
        self._cancel_timer = async_track_point_in_utc_time(self._hass, self._wake, wake)
        self._tell()

    @callback
    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _find_timeline(self, now: float) -> list[PricePeriod]:
        begin = int(now)
        for ahead in (_NEAR, _FAR):
            timeline = price_periods(self._bare, Span(begin - _NEAR, begin + ahead), self._holidays)
            if len({self.shown(period.band) for period in timeline if period.end > now}) > 1:
                break
        return timeline

    def _shown_periods(self) -> Iterator[BandPeriod]:
        for band, alike in groupby(self._timeline, lambda period: self.shown(period.band)):
            joined = list(alike)
            yield BandPeriod(joined[0].start, joined[-1].end, band)

    def _solar_grid(self) -> BandGrid | None:
        terms = self.terms
        other = terms.commodity_grid if terms.band_grid is terms.network_grid else terms.network_grid
        return next((grid for grid in (terms.band_grid, other) if grid.has_solar_time), None)

    # Public holidays

    def _years_around(self, now: float) -> set[int]:
        return self._years_of(Span(int(now) - _FAR, int(now) + _FAR))

    def _years_of(self, span: Span) -> set[int]:
        return set(range(day_of(span.start, self.zone).year, day_of(span.end, self.zone).year + 1))

    async def _load_holidays(self, years: set[int]) -> None:
        """Load the public holidays of some years, if any of the contract's grids asks for them."""
        missing = years - self._years
        if missing and self._need_holidays:
            region = self.contract.versions[0].region
            self._holidays |= await self._hass.async_add_executor_job(holidays_of, region, missing)
        self._years |= missing

    async def _renew(self, years: set[int]) -> None:
        await self._load_holidays(years)
        self._timeline_day = None
        self._look()

    # The price sensor

    def _sensor_price(self, terms: ContractTerms) -> Decimal | None:
        return self._tracks[terms.price_sensor.entity_id].price if terms.price_sensor else None

    @callback
    def _take_price(self, event: Event[EventStateChangedData]) -> None:
        track = self._tracks[event.data["entity_id"]]
        before = track.price
        track.tell(time.time(), self._read_price(event.data["new_state"]))
        self.check_clock()  # the price may come before the boundary's timer
        if track.price != before:
            self._tell()

    def _read_price(self, state: State | None) -> Decimal | None:
        return None if state is None else read_price(state.state, state.attributes.get("unit_of_measurement"))

    @callback
    def _look_for_sensor(self) -> None:
        """Raise a repair for a price sensor that is gone, or whose unit leaves its meaning open."""
        found: dict[str, dict[str, str]] = {}
        if (sensor := self.terms.price_sensor) is not None:
            state = self._hass.states.get(sensor.entity_id)
            now = time.time()
            self._missing_since = (self._missing_since or now) if state is None else None
            if self._missing_since is not None and now - self._missing_since > UNREACHABLE_AFTER:
                found["price_sensor_missing"] = {"entity": sensor.entity_id}
            elif state and _is_number(state.state):
                unit = state.attributes.get("unit_of_measurement")
                if per_kwh(unit) is None:
                    found["price_unit_unknown"] = {"entity": sensor.entity_id, "unit": unit or "—"}
        self._faults.update(found)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
