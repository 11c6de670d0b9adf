"""The action `get_bands`: the tariff bands of any span, for templates and planners."""

from datetime import UTC, datetime
from typing import Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .band_names import async_band_names
from .const import DOMAIN
from .core.quarter_hour import QUARTER, Span, quarter_start
from .core.sensor_price import KEPT
from .site_action import site_of_call

ATTR_START: Final = "start"
ATTR_END: Final = "end"
MOST_DAYS: Final = 366
_DAY: Final = 86_400
_LATEST: Final = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
"""The calendar ends soon after."""

SCHEMA: Final = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Optional(ATTR_START): cv.datetime,
        vol.Optional(ATTR_END): cv.datetime,
    }
)


async def async_get_bands(call: ServiceCall) -> ServiceResponse:
    """Return the bands of a span, in order, cut to it; without a span, those of the next 24 hours."""
    entry = site_of_call(call)
    site = entry.runtime_data
    if (tariff := site.tariff) is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_contract", translation_placeholders={"site": entry.title}
        )
    now = dt_util.utcnow().timestamp()
    # A time without an offset is meant by Home Assistant's clock.
    start, end = (
        int(dt_util.as_utc(call.data[key]).timestamp()) if key in call.data else None for key in (ATTR_START, ATTR_END)
    )
    start = int(now) if start is None else start
    end = start + _DAY if end is None else end
    if not 0 <= start < end <= min(start + MOST_DAYS * _DAY, _LATEST):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_such_span", translation_placeholders={"days": str(MOST_DAYS)}
        )
    prices = await site.ledger.async_prices(Span(quarter_start(start), end))
    running = quarter_start(now)
    for quarter in range(max(quarter_start(start), running - KEPT), min(end, running + 1), QUARTER):
        # What the ledger does not have yet; of what runs, the mean so far.
        if (quarter not in prices or quarter == running) and (price := tariff.price_of(quarter)) is not None:
            prices[quarter] = price
    names = await async_band_names(call.hass)
    shown = tariff.shown
    return {
        "bands": [
            {
                "start": dt_util.utc_from_timestamp(period.start).astimezone(tariff.zone).isoformat(),
                "end": dt_util.utc_from_timestamp(period.end).astimezone(tariff.zone).isoformat(),
                "band": (band := shown(period.band)),
                "name": names.get(band, band),
                "network_band": shown(period.network_band),
                "commodity_band": shown(period.commodity_band),
                "price": None if period.price is None else float(period.price),
            }
            for period in await tariff.async_periods(Span(start, end), prices)
        ]
    }
