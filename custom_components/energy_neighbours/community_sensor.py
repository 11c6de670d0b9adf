"""Sensors of a community, for its organiser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
import time
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfEnergy
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo

from .communities import Source
from .const import DOMAIN
from .core.indicators import percent, rate
from .core.message_fields import Refusal
from .core.quarter_hour import day_of, iso, local_day
from .ledger_shares import Sums
from .runtime_data import CommunityConfigEntry, LoadedCommunity


@dataclass(frozen=True, kw_only=True)
class CommunitySensorDescription(SensorEntityDescription):
    """One sensor of a community."""

    value_fn: Callable[[LoadedCommunity], Any]
    attributes_fn: Callable[[LoadedCommunity], dict[str, Any]] = lambda _community: {}
    daily: bool = False


def _percent(value: Fraction | None) -> float | None:
    found = percent(value)
    return None if found is None else float(found)


def _energy(key: str, read: Callable[[Sums], int]) -> CommunitySensorDescription:
    return CommunitySensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        daily=True,
        value_fn=lambda community: read(community.standing.today) / 1000,
        attributes_fn=lambda community: {"this_month": read(community.standing.month) / 1000},
    )


def _rate(key: str, read: Callable[[Sums], Fraction | None]) -> CommunitySensorDescription:
    return CommunitySensorDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        value_fn=lambda community: _percent(read(community.standing.month)),
        attributes_fn=lambda community: {"today": _percent(read(community.standing.today))},
    )


def _expected(community: LoadedCommunity) -> int:
    """Return how many members should tell their readings now; files come later."""
    today = day_of(time.time(), community.zone)
    return sum(
        each.member.belongs(today) and not each.member.vacant and each.source is not Source.FILES
        for each in community.members
    )


def _completeness(community: LoadedCommunity) -> dict[str, Any]:
    """Return what lacks, up to when files and coefficients are known, and what was not taken."""
    standing = community.standing
    told: dict[str, Any] = {
        "provisional_quarter_hours": standing.month.provisional,
        "files": {code: end and iso(end) for code, end in standing.files.items()},
        "refused": _refused(community),
    }
    if community.asks_for_coefficients:
        told["coefficients_until"] = standing.coefficients_until and iso(standing.coefficients_until)
    return told


def _refused(community: LoadedCommunity) -> dict[str, int]:
    """Return how much of what came over the broker was not taken, by reason."""
    if community.link is None:
        return {}
    oversized = community.link.link.oversized
    return dict(community.link.refused) | ({Refusal.TOO_LARGE.value: oversized} if oversized else {})


COMMUNITY_SENSORS: Final = (
    CommunitySensorDescription(
        key="members_present",
        translation_key="members_present",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda community: _expected(community) - len(community.standing.late),
        attributes_fn=lambda community: {
            "members": _expected(community),
            "late": list(community.standing.late),
            "codes": [each.member.code for each in community.members],
        },
    ),
    CommunitySensorDescription(
        key="data_completeness",
        translation_key="data_completeness",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda community: _percent(rate(community.standing.month.known, community.standing.month.expected)),
        attributes_fn=_completeness,
    ),
    _energy("community_production", lambda sums: sums.production),
    _energy("community_offtake", lambda sums: sums.offtake),
    _energy("community_allocated", lambda sums: sums.allocated),
    _energy("community_surplus", lambda sums: sums.surplus),
    _rate("community_coverage_rate", lambda sums: rate(sums.allocated, sums.offtake)),
    _rate("community_self_consumption_rate", lambda sums: rate(sums.allocated, sums.production)),
)


def community_device(entry: CommunityConfigEntry) -> DeviceInfo:
    """Return the device that stands for a community."""
    return DeviceInfo(
        identifiers={(DOMAIN, entry.entry_id)},
        name=entry.title,
        manufacturer="Energy Neighbours",
        entry_type=DeviceEntryType.SERVICE,
    )


def community_sensors(entry: CommunityConfigEntry) -> Iterator[SensorEntity]:
    """Yield the sensors of a community."""
    for description in COMMUNITY_SENSORS:
        yield CommunitySensor(entry, description)


class CommunitySensor(SensorEntity):
    """One row of the table above."""

    entity_description: CommunitySensorDescription
    _attr_has_entity_name = True
    _attr_should_poll = False
    _unrecorded_attributes = frozenset(
        {
            "this_month",
            "today",
            "members",
            "late",
            "codes",
            "provisional_quarter_hours",
            "files",
            "coefficients_until",
            "refused",
        }
    )

    def __init__(self, entry: CommunityConfigEntry, description: CommunitySensorDescription) -> None:
        self.entity_description = description
        self._community = entry.runtime_data
        self._written: Any = None
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = community_device(entry)

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self._written = self._take_value()
        self.async_on_remove(self._community.async_add_listener(self._write))

    def _take_value(self) -> Any:
        description = self.entity_description
        self._attr_native_value = description.value_fn(self._community)
        self._attr_extra_state_attributes = description.attributes_fn(self._community)
        if description.daily:
            begin = local_day(day_of(time.time(), self._community.zone), self._community.zone).start
            self._attr_last_reset = datetime.fromtimestamp(begin, UTC)
        return self._attr_native_value, self._attr_extra_state_attributes, self.last_reset

    @callback
    def _write(self) -> None:
        now = self._take_value()
        if now != self._written:
            self._written = now
            self.async_write_ha_state()
