"""A year of one site's quarter-hours: its figures are made up, and cost what any others cost."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
import random
import time
from typing import Any, Final

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour, Span, quarter_start
from custom_components.energy_neighbours.ledger import Ledger

SITE: Final = "01JYEAR"
"""The id of the site's entry."""
QUARTERS: Final = 35_040
MONTH: Final = 31 * 86_400
SEED: Final = 2026
CHANNELS: Final = 12
"""Channels of the meter whose state is kept with each booking."""


def year_until_now() -> Span:
    """Return the year up to the present quarter-hour."""
    end = quarter_start(time.time())
    return Span(end - QUARTERS * QUARTER, end)


def quarter_hours(year: Span) -> list[QuarterHour]:
    """Return the quarter-hours of a household with a roof."""
    dice = random.Random(SEED)  # noqa: S311 - not for secrets
    return [
        QuarterHour(start, dice.randrange(2500), dice.randrange(1200), dice.randrange(1400))
        for start in year.quarter_hours
    ]


def state(number: int) -> dict[str, Any]:
    """Return a meter's state of a usual size."""
    return {f"channel {channel}": [number, 1234.5678, 0.25, "forward", None] for channel in range(CHANNELS)}


def write_measured(path: Path, quarters: Sequence[QuarterHour]) -> None:
    """Write a ledger as its meter does, with a price for each quarter-hour, as dynamic contracts have them."""
    dice = random.Random(SEED)  # noqa: S311 - not for secrets
    prices = {each.start: Decimal(dice.randrange(-50_000, 450_000)) / 1_000_000 for each in quarters}
    ledger = Ledger.open(path)
    ledger.book(SITE, quarters, state(0), prices)
    ledger.close()


def write_imported(path: Path, quarters: Sequence[QuarterHour]) -> None:
    """Write a ledger as an import does: its meter begins anew, as on the first day."""
    ledger = Ledger.open(path)
    ledger.replace(SITE, quarters, "a year of a household")
    ledger.close()
