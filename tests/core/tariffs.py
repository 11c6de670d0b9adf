"""Grids, contracts and clocks that several tests of the tariff share."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from custom_components.energy_neighbours.core.contract import ComponentKind, ContractTerms, PriceComponent, Region
from custom_components.energy_neighbours.core.tariff import BandGrid

BRUSSELS = ZoneInfo("Europe/Brussels")
NO_HOLIDAYS: frozenset[date] = frozenset()
NATIONAL_DAY = date(2026, 7, 21)
"""A Tuesday."""


def grid(*parts: str, grid_id: str = "test", solar: str = "", **days: str) -> BandGrid:
    """Make a grid of "22:00-06:00 night", alike on every day, or of days that are such parts with commas between."""

    def intervals(texts) -> list[dict]:
        return [
            {"start": text[:5], "end": text[6:11], "band": text[12:], "solar": text == solar}
            for text in map(str.strip, texts)
        ]

    written = {kind: intervals(text.split(",")) for kind, text in days.items()} or {"every_day": intervals(parts)}
    bands = dict.fromkeys(part["band"] for day in written.values() for part in day)
    return BandGrid.from_dict({"id": grid_id, "bands": list(bands), "days": written})


IMPACT = grid(
    "01:00-07:00 eco",
    "07:00-11:00 medium",
    "11:00-17:00 eco",
    "17:00-22:00 peak",
    "22:00-01:00 medium",
    grid_id="impact",
    solar="11:00-17:00 eco",
)
TWO_RATES = grid(
    "22:00-07:00 off_peak", "07:00-11:00 full", "11:00-17:00 off_peak", "17:00-22:00 full", grid_id="two_rates"
)
ONE_RATE = grid("00:00-24:00 single", grid_id="one_rate")
WORKING_DAYS = grid(
    grid_id="working_days",
    weekday="22:00-07:00 off_peak,07:00-22:00 full",
    saturday="00:00-24:00 off_peak",
    sunday="00:00-24:00 off_peak",
    holiday="00:00-24:00 off_peak",
)


def part(kind: ComponentKind, prices: str | dict[str, str], **more) -> PriceComponent:
    return PriceComponent.from_dict({"kind": kind.value, "prices": prices} | more)


NETWORK = part(ComponentKind.NETWORK, {"eco": "0.0271", "medium": "0.0813", "peak": "0.1354"})
COMMODITY = part(ComponentKind.COMMODITY, "0.14")


def terms(**more) -> ContractTerms:
    """Return Impact on the network, one price of the supplier, in Wallonia since 2026, with what is said otherwise."""
    given = {
        "valid_from": date(2026, 1, 1),
        "region": Region.WALLONIA,
        "network_grid": IMPACT,
        "commodity_grid": ONE_RATE,
        "components": (NETWORK, COMMODITY),
        "vat_rate": Decimal("0.06"),
    }
    return ContractTerms(**(given | more))
