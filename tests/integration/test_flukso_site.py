"""A Fluksometer becomes a site."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry


async def test_shows_power_per_phase_and_in_total(hass: HomeAssistant, site: MockConfigEntry, until) -> None:
    await until(lambda: hass.states.get("sensor.flukso_grid_power").state not in ("unknown", "unavailable"))
    for s in hass.states.async_all():
        print(s.entity_id, s.state, s.attributes.get("unit_of_measurement"), s.attributes.get("friendly_name"))
