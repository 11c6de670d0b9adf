"""What a site shows of each sample meter: entities, units, devices, and what is off unless asked for."""

from typing import Any

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import ATTR_DEVICE_CLASS, ATTR_FRIENDLY_NAME, ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.energy_neighbours import async_remove_config_entry_device
from custom_components.energy_neighbours.const import DOMAIN

from .conftest import SecondHand, number, state

SAMPLES = {"flm02_single_phase_pv": 12, "flm03_three_phase": 4, "flm03_three_phase_kube": 4}
"""The sample meters, and their length [s]."""


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def _everything_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable what is off by default."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


samples = pytest.mark.parametrize("paused_meter", SAMPLES, indirect=True)
with_kubes = pytest.mark.parametrize("paused_meter", ["flm03_three_phase_kube"], indirect=True)


@samples
@pytest.mark.usefixtures("_everything_enabled")
async def test_shows_all_that_a_sample_meter_measures(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    await hand.turn_and_show(paused_site, SAMPLES[hand.meter.profile])
    shown = {
        s.entity_id: {"state": s.state, **s.attributes}
        for s in sorted(hass.states.async_all(), key=lambda s: s.entity_id)
        # These tell of the time at which the test runs.
        if not s.entity_id.endswith(("last_reading", "quarter_hour_power", "quarter_hour_peak_this_month"))
    }
    assert shown == snapshot


@samples
async def test_unique_ids_and_what_is_off_by_default(
    hass: HomeAssistant,
    hand: SecondHand,
    paused_site: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    entries = er.async_entries_for_config_entry(entity_registry, paused_site.entry_id)
    assert {e.entity_id: (e.unique_id, "off" if e.disabled else "on") for e in entries} == snapshot
    assert all(e.unique_id.startswith(hand.meter.did) for e in entries)


@samples
@pytest.mark.usefixtures("_everything_enabled")
async def test_units_fit_device_classes_and_values_are_plausible(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry
) -> None:
    await hand.turn_and_show(paused_site, SAMPLES[hand.meter.profile])
    plausible = {
        SensorDeviceClass.VOLTAGE: ("V", 2, 260),
        SensorDeviceClass.POWER: ("W", -10_000, 10_000),
        SensorDeviceClass.POWER_FACTOR: ("%", 0, 100),
        SensorDeviceClass.ATMOSPHERIC_PRESSURE: ("hPa", 900, 1100),
        SensorDeviceClass.ENERGY: ("kWh", 0, 1),
        SensorDeviceClass.WATER: ("m³", 0, 1),
        SensorDeviceClass.TEMPERATURE: ("°C", 0, 40),
        SensorDeviceClass.HUMIDITY: ("%", 0, 100),
        SensorDeviceClass.CURRENT: ("A", 0, 60),
        SensorDeviceClass.REACTIVE_POWER: ("var", -10_000, 10_000),
        SensorDeviceClass.VOLUME_FLOW_RATE: ("L/min", 0, 100),
        SensorDeviceClass.ILLUMINANCE: ("lx", 0, 100_000),
    }
    for shown in hass.states.async_all("sensor"):
        if expected := plausible.get(shown.attributes.get(ATTR_DEVICE_CLASS)):
            unit, least, most = expected
            assert shown.attributes[ATTR_UNIT_OF_MEASUREMENT] == unit, shown
            assert shown.state == "unknown" or least <= float(shown.state) <= most, shown


async def test_gas_and_water_have_volumes_in_cubic_metres(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry
) -> None:
    gas, water = hass.states.get("sensor.flukso_gas_volume"), hass.states.get("sensor.flukso_water_volume")
    assert (gas.attributes[ATTR_DEVICE_CLASS], gas.attributes[ATTR_UNIT_OF_MEASUREMENT]) == ("gas", "m³")
    assert (water.attributes[ATTR_DEVICE_CLASS], water.attributes[ATTR_UNIT_OF_MEASUREMENT]) == ("water", "m³")
    tap = hand.meter.meter._pulses[5]
    await hand.turn_and_show(paused_site)
    tap.pulses += 10
    tap.part = 0.9999
    hand.meter.meter._household._water = lambda scene: 0.5
    await hand.turn_and_show(paused_site)
    first = tap.total
    await hand.turn_and_show(paused_site, 4)
    assert number(hass, "sensor.flukso_water_volume") == pytest.approx((tap.total - first) / 1e6, abs=6e-4)
    assert number(hass, "sensor.flukso_water_volume") > 0


@with_kubes
async def test_kubes_are_devices_of_their_own_on_the_meter(
    hass: HomeAssistant,
    hand: SecondHand,
    paused_site: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    devices = dr.async_entries_for_config_entry(device_registry, paused_site.entry_id)
    [hub] = [d for d in devices if d.identifiers == {(DOMAIN, hand.meter.did)}]
    kubes = {d.name: d for d in devices if d is not hub}
    assert hub.model == "FLM03"
    assert hub.serial_number == hand.meter.meter.config.serial
    assert hub.sw_version == str(hand.meter.meter.config.firmware)
    assert kubes.keys() == {"living room", "Kube 2"}
    for kube in kubes.values():
        assert kube.via_device_id == hub.id
        names = {
            e.original_name or e.original_device_class
            for e in er.async_entries_for_device(entity_registry, kube.id, include_disabled_entities=True)
        }
        assert {"Temperature", "Humidity", "Battery voltage", "Motion"} <= names
        assert ({"Air pressure", "Light"} <= names) is (kube.name == "living room"), "an older kube measures less"


@with_kubes
async def test_kube_tells_movement_when_its_count_rises(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.energy_neighbours.flukso_meter.MOTION_LASTS", 1e9)
    await hand.turn_and_show(paused_site, 4)
    entity_id = "binary_sensor.living_room_motion"
    assert state(hass, entity_id) == "off", "a first count tells no movement"
    await hand.turn_and_show(paused_site, 4)
    assert state(hass, entity_id) == "on"
    monkeypatch.setattr("custom_components.energy_neighbours.flukso_meter.MOTION_LASTS", 0)
    await hand.turn_and_show(paused_site, 0)
    assert state(hass, entity_id) == "off"


@with_kubes
async def test_only_devices_that_are_gone_can_be_deleted(
    hass: HomeAssistant, hand: SecondHand, paused_site: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    for device in dr.async_entries_for_config_entry(device_registry, paused_site.entry_id):
        assert not await async_remove_config_entry_device(hass, paused_site, device)
    gone = device_registry.async_get_or_create(
        config_entry_id=paused_site.entry_id, identifiers={(DOMAIN, f"{hand.meter.did}_gone")}
    )
    assert await async_remove_config_entry_device(hass, paused_site, gone)
    assert await hass.config_entries.async_unload(paused_site.entry_id)
    assert not await async_remove_config_entry_device(hass, paused_site, gone), "nobody knows without the meter"


async def test_names_are_translated(hass: HomeAssistant, hand: SecondHand) -> None:
    from .conftest import entry_of, load  # noqa: PLC0415

    hass.config.language = "fr"
    await load(hass, entry_of(hand.meter))
    names: dict[str, Any] = {s.entity_id: s.attributes[ATTR_FRIENDLY_NAME] for s in hass.states.async_all()}
    assert any("Phase L1" in name or "phase L1" in name for name in names.values())
    assert not any("Grid power" in name for name in names.values())
