"""What a member's site and a community show: entities, units, attributes, and that each is translated."""

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.energy_neighbours.community_sensor import COMMUNITY_SENSORS
from custom_components.energy_neighbours.share_sensor import SHARE_SENSORS

from .conftest import load
from .contracted import TWO_CLOCKS
from .neighbours import community, member, quarters, remember, settle, site, street
from .translations import texts

NOON = "2026-06-10T12:00:00+02:00"
TEN = "2026-06-10T10:00:00+02:00"


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


async def test_what_a_member_and_its_organiser_see(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, snapshot: SnapshotAssertion
) -> None:
    ash, roof = site("Ash", contract=TWO_CLOCKS), site("Roof")
    await street(hass, freezer, NOON, ash, roof)
    await remember(hass, ash, quarters(TEN, 4, 600))
    await remember(hass, roof, quarters(TEN, 4, 0, 400))
    entry = community(
        [member(ash, "aaaa"), member(roof, "cccc", part="producer")], shared_prices={"": "0.11"}, region="wallonia"
    )
    await load(hass, entry)
    await settle(hass, freezer)
    keys = {description.key for description in (*SHARE_SENSORS, *COMMUNITY_SENSORS)}
    registry = er.async_get(hass)
    shown = {
        each.entity_id: {"state": state.state, **state.attributes}
        for of in (ash, entry)
        for each in er.async_entries_for_config_entry(registry, of.entry_id)
        if each.translation_key in keys and (state := hass.states.get(each.entity_id))
    }
    assert len(shown) == len(keys)
    assert dict(sorted(shown.items())) == snapshot


@pytest.mark.parametrize("language", ["en", "fr", "nl", "de"])
async def test_each_of_their_attributes_has_a_name(hass: HomeAssistant, freezer, language: str) -> None:
    ash = site("Ash")
    await street(hass, freezer, NOON, ash)
    entry = await load(hass, community([member(ash, "aaaa")]))
    named = texts(language)["entity"]["sensor"]
    told = [
        *((each.key, each.attributes_fn(ash.runtime_data.share)) for each in SHARE_SENSORS),
        *((each.key, each.attributes_fn(entry.runtime_data)) for each in COMMUNITY_SENSORS),
    ]
    for key, attributes in told:
        assert set(attributes) <= set(named[key].get("state_attributes", {})), key
