"""What a site's energy cost today and this month, and its highest quarter-hour: from the ledger, and what runs now."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
import logging
import time
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .const import HISTORY_CHANGED
from .core.capacity import KNOWN_SHARE, MONTHS, CapacityCost, capacity_cost
from .core.contract import ComponentKind, Contract, ContractTerms
from .core.costs import BandCost, Costs, costs
from .core.quarter_hour import QUARTER, QuarterHour, Span, day_of, local_day, local_month
from .core.quarter_hour_meter import OpenQuarterHour
from .core.tariff import Holidays
from .ledger_schema import LedgerError
from .site import Site
from .site_tariff import SiteTariff

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Closed:
    """What the ledger holds of a span, worked out."""

    span: Span
    costs: Costs


@dataclass(frozen=True, slots=True)
class _Month:
    """What counts of a month for the capacity tariff."""

    peak: int | None
    """Highest power [W]."""
    known: int
    """Number of quarter-hours whose offtake is known."""
    offtake: int
    """Energy of these [Wh]."""
    network: Decimal
    """What the network asks for that energy, with VAT [€]."""


class SiteCosts:
    """Costs of today and of this month, and the month's highest quarter-hour.

    What is over is worked out from the ledger, in a thread: when the site starts, after each quarter-hour, and after an
    import. What runs now is added whenever somebody asks.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], site: Site, tariff: SiteTariff | None) -> None:
        self._hass = hass
        self._entry = entry
        self._site = site
        self._tariff = tariff
        self._zone = tariff.zone if tariff else site.zone
        self._day = self._month = _Closed(Span(0, 0), Costs.none())
        self._peak: QuarterHour | None = None
        self._last = 0
        self._fresh: list[QuarterHour] = []
        self._past_months: dict[date, _Month] = {}
        self._months_changed = False
        self._present_month: _Month | None = None
        self._listeners: list[Callable[[], None]] = []
        self._cancel: list[CALLBACK_TYPE] = []
        self._refreshing = False
        self._again = False

    async def async_start(self) -> None:
        """Work out what is over, and follow what comes."""
        await self.async_refresh()
        self._cancel = [
            self._site.async_add_boundary_listener(self._take),
            async_dispatcher_connect(self._hass, HISTORY_CHANGED.format(self._entry.entry_id), self._begin_anew),
        ]
        if self._tariff:
            self._cancel.append(self._tariff.async_add_listener(self._look_at_day))

    @callback
    def stop(self) -> None:
        """Follow nothing any more."""
        while self._cancel:
            self._cancel.pop()()

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `listener` when quarter-hours were added."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # What is shown

    @property
    def today(self) -> Costs | None:
        """What today cost so far; None without a contract."""
        return self._costs(self._day, self.day_span)

    @property
    def month(self) -> Costs | None:
        """What this month cost so far; None without a contract."""
        return self._costs(self._month, self.month_span)

    @property
    def day_span(self) -> Span:
        """The local day."""
        return local_day(self._today, self._zone)

    @property
    def month_span(self) -> Span:
        """The local month."""
        return local_month(self._today, self._zone)

    @property
    def running(self) -> OpenQuarterHour:
        """The quarter-hour that runs."""
        return self._site.quarter_hour

    @property
    def peak(self) -> QuarterHour | None:
        """The quarter-hour of this month in which most was taken from the grid, the first of equal ones."""
        span = self.month_span
        quarters = [*([self._peak] if self._peak else []), *self._fresh]
        known = [each for each in quarters if each.offtake is not None and span.start <= each.start < span.end]
        return max(known, key=lambda each: each.offtake or 0, default=None)

    @property
    def capacity(self) -> CapacityCost | None:
        """What the highest quarter-hours of twelve months cost in a year; None where nobody asks for them."""
        terms = self._tariff.terms if self._tariff else None
        if terms is None or terms.capacity is None:
            return None
        months = [self._past_months[day] for day in sorted(self._past_months)]
        peaks = [float(month.peak) for month in months if month.peak is not None]
        if (peak := self.peak) and peak.offtake_power is not None:
            peaks.append(peak.offtake_power)
        if self._present_month and self._month.span == self.month_span:
            months.append(self._present_month)
        known = sum(month.known for month in months)
        if terms.capacity.maximum is None or len(peaks) < MONTHS or known < KNOWN_SHARE * self._quarters_of_a_year():
            return capacity_cost(terms.capacity, peaks, terms.vat_rate)
        return capacity_cost(
            terms.capacity,
            peaks,
            terms.vat_rate,
            offtake=sum(month.offtake for month in months),
            energy_cost=sum((month.network for month in months), Decimal(0)),
            quarter_hours=known,
        )

    def _quarters_of_a_year(self) -> float:
        """Return how many quarter-hours passed since the first of the months that count."""
        return (time.time() - local_month(min(self._past_months), self._zone).start) / QUARTER

    @property
    def _today(self) -> date:
        return day_of(time.time(), self._zone)

    def _costs(self, closed: _Closed, span: Span) -> Costs | None:
        if self._tariff is None:
            return None
        known = closed.costs if closed.span == span else Costs.none()
        opened = [each for each in self._open_quarters() if span.start <= each.start < span.end]
        prices = {each.start: price for each in opened if (price := self._tariff.price_of(each.start)) is not None}
        return add(known, costs(opened, self._tariff.contract, self._tariff.holidays, prices))

    def _open_quarters(self) -> list[QuarterHour]:
        """Return what is not in the ledger as it was read last."""
        waiting = [_rounded(each) for each in self._site.waiting]
        running = self._site.quarter_hour
        if self._site.connected and all(each.start != running.start for each in waiting):
            waiting.append(_rounded(running))  # nothing so far is something that is known
        return [each for each in self._fresh if each.start > self._last] + waiting

    # What is over

    @callback
    def _take(self, quarters: Sequence[QuarterHour]) -> None:
        self._fresh += quarters
        earlier = any(each.start < self.month_span.start for each in quarters)  # the last ones of a month, or late ones
        self._entry.async_create_task(self._hass, self.async_refresh(months=earlier), "costs")

    @callback
    def _begin_anew(self, _since: int) -> None:
        self._entry.async_create_task(self._hass, self.async_refresh(), "costs after an import")

    @callback
    def _look_at_day(self) -> None:
        if self.day_span != self._day.span:
            self._entry.async_create_task(self._hass, self.async_refresh(), "costs of a new day")

    async def async_refresh(self, *, months: bool = True) -> None:
        """Work out again what is over: after each quarter-hour, and with `months` when older ones have changed."""
        self._months_changed |= months
        self._again = True
        if self._refreshing:
            return
        self._refreshing = True
        try:
            while self._again:
                self._again = False
                await self._refresh()
        except LedgerError as err:
            _LOGGER.warning("The costs of %s cannot be worked out: %s", self._entry.title, err)
        finally:
            self._refreshing = False
        for listener in tuple(self._listeners):
            listener()

    async def _refresh(self) -> None:
        fresh = list(self._fresh)
        if self._months_changed:
            self._past_months, self._months_changed = {}, False
        ledger, day, month = self._site.ledger, self.day_span, self.month_span
        quarters = await ledger.async_read(month)
        if self._tariff:
            prices = await ledger.async_prices(month)
            holidays = await self._tariff.async_need_holidays(month)
            today, whole = await self._hass.async_add_executor_job(
                _work_out, quarters, self._tariff.contract, holidays, prices, day
            )
            await self._read_past_months(month)
            terms, present = self._tariff.terms, None
            if terms.capacity:
                present = await self._hass.async_add_executor_job(_month_of, quarters, terms, holidays)
            self._day, self._month, self._present_month = _Closed(day, today), _Closed(month, whole), present
        known = [quarter for quarter in quarters if quarter.offtake is not None]
        self._peak = max(known, key=lambda each: each.offtake or 0, default=None)
        self._last = quarters[-1].start if quarters else 0
        self._fresh = self._fresh[len(fresh) :]

    async def _read_past_months(self, month: Span) -> None:
        """Read what the capacity tariff asks of the eleven months before."""
        assert self._tariff  # noqa: S101 - only with a contract
        terms = self._tariff.terms
        if terms.capacity is None:
            return
        wanted: list[date] = []
        day = day_of(month.start, self._zone)
        for _ in range(MONTHS - 1):
            day = (day - timedelta(days=1)).replace(day=1)
            wanted.append(day)
        self._past_months = {day: known for day, known in self._past_months.items() if day in wanted}
        for day in wanted:
            if day not in self._past_months:
                span = local_month(day, self._zone)
                quarters = await self._site.ledger.async_read(span)
                holidays = await self._tariff.async_need_holidays(span)
                self._past_months[day] = await self._hass.async_add_executor_job(_month_of, quarters, terms, holidays)


def _work_out(
    quarters: Sequence[QuarterHour], contract: Contract, holidays: Holidays, prices: dict[int, Decimal], day: Span
) -> tuple[Costs, Costs]:
    """Return the costs of a day of these quarter-hours, and of all."""
    today = [quarter for quarter in quarters if day.start <= quarter.start < day.end]
    return costs(today, contract, holidays, prices), costs(quarters, contract, holidays, prices)


def _month_of(quarters: Sequence[QuarterHour], terms: ContractTerms, holidays: Holidays) -> _Month:
    known = [quarter.offtake for quarter in quarters if quarter.offtake is not None]
    return _Month(
        peak=max((power for quarter in quarters if (power := quarter.offtake_power) is not None), default=None),
        known=len(known),
        offtake=sum(known),
        network=_network_cost(quarters, terms, holidays),
    )


def _network_cost(quarters: Sequence[QuarterHour], terms: ContractTerms, holidays: Holidays) -> Decimal:
    """Return what the network asks for energy under some terms, with VAT [€]."""
    parts = tuple(
        replace(part, kind=ComponentKind.COMMODITY) for part in terms.components if part.kind is ComponentKind.NETWORK
    )
    network = replace(
        terms, valid_from=date.min, commodity_grid=terms.network_grid, components=parts, price_sensor=None
    )
    return costs(quarters, Contract((network,)), holidays).cost or Decimal(0)


def _rounded(quarter: QuarterHour | OpenQuarterHour) -> QuarterHour:
    offtake, injection, production = (
        None if energy is None else round(energy) for energy in (quarter.offtake, quarter.injection, quarter.production)
    )
    return QuarterHour(quarter.start, offtake, injection, production)


def add(one: Costs, other: Costs) -> Costs:
    """Return what both cost together."""
    return Costs(
        bands={
            band: _add_bands([each.bands[band] for each in (one, other) if band in each.bands])
            for band in dict.fromkeys([*one.bands, *other.bands])
        },
        quarter_hours=one.quarter_hours + other.quarter_hours,
        without_offtake=one.without_offtake + other.without_offtake,
        without_price=one.without_price + other.without_price,
        injection=one.injection + other.injection,
        without_injection=one.without_injection + other.without_injection,
        unpaid=one.unpaid + other.unpaid,
        revenue=_sum_known([one.revenue, other.revenue]),
    )


def _add_bands(parts: Sequence[BandCost]) -> BandCost:
    return BandCost(
        offtake=sum(part.offtake for part in parts),
        unpriced=sum(part.unpriced for part in parts),
        cost=_sum_known([part.cost for part in parts]),
    )


def _sum_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None
