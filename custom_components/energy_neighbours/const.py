"""Names that several rooms of the integration share."""

from collections.abc import Sequence
from typing import Final

from homeassistant.util.signal_type import SignalTypeFormat

DOMAIN: Final = "energy_neighbours"

CONF_METER: Final = "meter"
METER_FLUKSO: Final = "flukso"
METER_SENSORS: Final = "sensors"

CONF_DID: Final = "did"
CONF_MODEL: Final = "model"
CONF_ENTITIES: Final = "entities"

CONF_CHANNELS: Final = "channels"
CONF_ROLE: Final = "role"
CONF_PHASE: Final = "phase"
CONF_REVERSED: Final = "reversed"
CONF_WRITE_INTERVAL: Final = "write_interval"
CONF_RETENTION: Final = "retention"

DEFAULT_PORT: Final = 1883
DEFAULT_WRITE_INTERVAL: Final = 10
"""Shortest time [s] between two states of one entity, unless the site's power jumps."""

HISTORY_CHANGED: Final = SignalTypeFormat[int]("energy_neighbours_history_changed_{}")
"""Past quarter-hours of a site (its entry id) were imported; told is the start of the first one [s, Unix]."""

QUARTERS_BOOKED: Final = SignalTypeFormat[Sequence[int]]("energy_neighbours_quarters_booked_{}")
"""Quarter-hours of a site (its entry id) came into its ledger; told are their starts [s, Unix]."""
SHARES_CHANGED: Final = SignalTypeFormat[Sequence[int]]("energy_neighbours_shares_changed_{}_{}")
"""Shares of a site (its name in the ledger) in a community (its) came or changed; told are the starts."""
LIVE_SHARE: Final = SignalTypeFormat[float, int]("energy_neighbours_live_share_{}_{}")
"""What a site probably gets in a community now; told are the moment [s, Unix] and the power [W]."""

RETENTION: Final = {
    "forever": None,
    "ten_years": 3653,
    "three_years": 1096,
    "one_year": 366,
    "sixteen_weeks": 112,
}
"""How long quarter-hours are kept [days]; alerts look back fifteen weeks."""
DEFAULT_RETENTION: Final = "forever"

ZONE: Final = "Europe/Brussels"
"""The delivery point's time zone where no contract tells another: never that of Home Assistant's computer."""

CONTRACT_KEYS: Final = frozenset(
    {"band", "next_band", "band_ends_at", "price", "solar_band", "bands", "cost_today", "cost_this_month"}
)
"""Translation keys of the entities that a site has only with a contract."""
CHANGING_KEYS: Final = frozenset({"next_band", "band_ends_at", "bands"})
"""Those of them that it has only where the band changes: with one price all day there is no other band to wait for."""
SOLAR_KEYS: Final = frozenset({"solar_band"})
"""Those that it has only where some time is made for the sun."""
