"""What all entities of the tariff share: they follow the clock and the contract, and need no meter."""

from typing import override

from homeassistant.helpers.entity import EntityDescription

from .entity import SiteEntity
from .runtime_data import EnergyNeighboursConfigEntry
from .site_tariff import SiteTariff


def tariff_of(entry: EnergyNeighboursConfigEntry) -> SiteTariff:
    """Return the tariff of a site that has one."""
    tariff = entry.runtime_data.tariff
    assert tariff is not None  # noqa: S101 - entities of the tariff are made only with one
    return tariff


class TariffEntity(SiteEntity):
    """An entity of the tariff. It writes at the very moment of a change, also while the meter does not answer."""

    def __init__(self, entry: EnergyNeighboursConfigEntry, description: EntityDescription) -> None:
        super().__init__(entry, description)
        self._tariff = tariff_of(entry)

    @property
    @override
    def available(self) -> bool:
        return True

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._tariff.async_add_listener(self._write))
