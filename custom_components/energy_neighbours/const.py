"""Names that several rooms of the integration share."""

from typing import Final

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

DEFAULT_PORT: Final = 1883
DEFAULT_WRITE_INTERVAL: Final = 10
"""Shortest time [s] between two states of one entity, unless the site's power jumps."""
