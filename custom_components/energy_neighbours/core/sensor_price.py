"""What a sensor tells of the price of energy: in euros a kWh, and what each quarter-hour's price was on average."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
import re
from typing import Final

from .contract import UNIT_PRICE
from .quarter_hour import QUARTER, quarter_start

KEPT: Final = 7 * 86_400
"""Prices are kept so long [s]: a meter that was not reached for days tells its quarter-hours afterwards."""
MOST: Final = 1000
"""A price beyond this [€/kWh] is none: it is a hundred times what markets ever saw."""

_MONEY: Final = {
    **dict.fromkeys(("€", "eur", "euro"), Decimal(1)),
    **dict.fromkeys(
        ("c€", "ceur", "€c", "eurc", "¢", "c", "ct", "cts", "cent", "cents", "centime", "centimes"), Decimal("0.01")
    ),
    **dict.fromkeys(("m€", "meur"), Decimal("0.001")),
}
_ENERGY: Final = {"wh": Decimal("0.001"), "kwh": Decimal(1), "mwh": Decimal(1000)}


def per_kwh(unit: str | None) -> Decimal | None:
    """Return what one of a price's unit is in €/kWh; None if it is no price of energy in euros, or leaves that open."""
    money, stroke, energy = re.sub(r"\s|\.", "", unit or "").casefold().partition("/")
    if not stroke or money not in _MONEY or energy not in _ENERGY:
        return None
    return _MONEY[money] / _ENERGY[energy]


def read_price(text: str, unit: str | None) -> Decimal | None:
    """Return a price as a sensor shows it [€/kWh], to 6 decimals; None if it cannot be a price in euros.

    Zero and negative prices are prices.
    """
    factor = per_kwh(unit)
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    if factor is None or not price.is_finite() or abs(price * factor) > MOST:
        return None
    return (price * factor).quantize(UNIT_PRICE, ROUND_HALF_UP)


class PriceTrack:
    """Follows a price, and knows the mean of each quarter-hour over the time in which it was known."""

    def __init__(self) -> None:
        self.price: Decimal | None = None
        """The price now [€/kWh]; None while it is not known."""
        self._since: float | None = None
        self._sums: dict[int, tuple[Decimal, Decimal]] = {}

    def tell(self, time: float, price: Decimal | None) -> None:
        """Take note that from a time on [s, Unix] the price is this [€/kWh], or is not known."""
        self._advance(time)
        self.price = price

    def mean(self, quarter: int, now: float) -> Decimal | None:
        """Return the mean price of a quarter-hour up to now [€/kWh]; None if nothing of it is known."""
        self._advance(now)
        seconds, total = self._sums.get(quarter, (Decimal(0), Decimal(0)))
        if seconds:
            return (total / seconds).quantize(UNIT_PRICE, ROUND_HALF_UP)
        return self.price if quarter == quarter_start(now) else None

    def dump(self, now: float, since: int) -> dict[str, tuple[str, str]]:
        """Return what is known of the quarter-hours from `since` on, JSON-ready: seconds, and price times seconds."""
        self._advance(now)
        return {
            str(quarter): (f"{seconds:.3f}", f"{total:.9f}")
            for quarter, (seconds, total) in self._sums.items()
            if quarter >= since
        }

    def restore(self, data: Mapping[str, Sequence[str]]) -> None:
        """Add what `dump` gave.

        Raises
        ------
        ValueError, TypeError, ArithmeticError
            When it is something else.
        """
        for quarter, (seconds, total) in data.items():
            known = self._sums.get(int(quarter), (Decimal(0), Decimal(0)))
            self._sums[int(quarter)] = known[0] + Decimal(seconds), known[1] + Decimal(total)

    def _advance(self, now: float) -> None:
        """Spread the price until now over its quarter-hours."""
        since, self._since = self._since, now
        if since is None or self.price is None or now <= since:
            return  # a clock that was set back tells nothing about what was
        time = max(since, now - KEPT)
        while time < now:
            quarter = quarter_start(time)
            end = min(now, quarter + QUARTER)
            seconds, total = self._sums.get(quarter, (Decimal(0), Decimal(0)))
            length = Decimal(end - time)
            self._sums[quarter] = seconds + length, total + length * self.price
            time = end
        for quarter in [quarter for quarter in self._sums if quarter < now - KEPT]:
            del self._sums[quarter]
