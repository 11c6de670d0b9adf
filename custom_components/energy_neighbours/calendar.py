"""Calendar of a site: when each tariff band begins and ends, and what energy costs in it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, override

from homeassistant.components.calendar import CalendarEntity, CalendarEntityDescription, CalendarEvent
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .band_names import async_band_names, price_text
from .core.quarter_hour import Span
from .runtime_data import EnergyNeighboursConfigEntry
from .tariff_entity import TariffEntity

PARALLEL_UPDATES = 0

_AROUND: Final = 8 * 86_400
"""An event that begins or ends outside of what is asked for is shown whole, up to this far [s]."""
_LONGEST: Final = 5 * 366 * 86_400
"""Nobody looks at more than this at once [s]."""

BANDS: Final = CalendarEntityDescription(key="bands", translation_key="bands")


async def async_setup_entry(
    hass: HomeAssistant, entry: EnergyNeighboursConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the calendar of a site whose contract has bands."""
    if (tariff := entry.runtime_data.tariff) and BANDS.key in tariff.entity_keys:
        async_add_entities([BandCalendar(entry, await async_band_names(hass))])


class BandCalendar(TariffEntity, CalendarEntity):
    """The bands of the tariff as events, one after the other."""

    entity_description: CalendarEntityDescription

    def __init__(self, entry: EnergyNeighboursConfigEntry, names: Mapping[str, str]) -> None:
        super().__init__(entry, BANDS)
        self._names = names
        self._event: CalendarEvent | None = None

    @property
    @override
    def event(self) -> CalendarEvent | None:
        return self._event

    @override
    def _take_value(self) -> Any:
        period, price = self._tariff.shown_period, self._tariff.price
        self._event = self._write_event(period.start, period.end, period.band, price)
        return period, price

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        start, end = int(start_date.timestamp()), int(end_date.timestamp())
        around = Span(start - _AROUND, min(end, start + _LONGEST) + _AROUND)
        return [
            self._write_event(period.start, period.end, self._tariff.shown(period.band), period.price)
            for period in await self._tariff.async_bands(around)
            if period.start < end and period.end > start
        ]

    def _write_event(self, start: int, end: int, band: str, price: Decimal | None) -> CalendarEvent:
        name = self._names.get(band, band)
        return CalendarEvent(
            start=datetime.fromtimestamp(start, UTC).astimezone(self._tariff.zone),
            end=datetime.fromtimestamp(end, UTC).astimezone(self._tariff.zone),
            summary=name if price is None else f"{name} · {price_text(self.hass, price)}",
            uid=f"{self.unique_id}_{start}",
        )
