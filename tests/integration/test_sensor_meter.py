"""Existing sensors as a meter: their watts and kilowatt-hours become a site's."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours import sensor_meter
from custom_components.energy_neighbours.const import CONF_ENTITIES, CONF_METER, DOMAIN, METER_SENSORS
from custom_components.energy_neighbours.core.quarter_hour import QUARTER, Quality, Span
from custom_components.energy_neighbours.diagnostics import async_get_config_entry_diagnostics

from .conftest import Wait, load, number, state
from .translations import LANGUAGES, fill, find

type Site = Callable[..., Awaitable[MockConfigEntry]]

GRID, CONSUMPTION = "sensor.home_grid_power", "sensor.home_consumption_power"
OFFTAKE, INJECTION = "sensor.home_offtake_energy", "sensor.home_injection_energy"
PRODUCED = "sensor.home_production_energy"


@pytest.fixture
def a_site(hass: HomeAssistant) -> Site:
    """Set up a site of the given entities."""

    async def make(**entities: Any) -> MockConfigEntry:
        return await load(
            hass,
            MockConfigEntry(
                domain=DOMAIN,
                title="Home",
                data={
                    CONF_METER: METER_SENSORS,
                    CONF_ENTITIES: {key: [f"sensor.{e}" for e in ids] for key, ids in entities.items()},
                },
                options={"write_interval": 300},
            ),
        )

    return make


def tell(hass: HomeAssistant, entity: str, value: Any, unit: str = "W") -> None:
    hass.states.async_set(f"sensor.{entity}", str(value), {"unit_of_measurement": unit})


async def show(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.async_block_till_done()
    entry.runtime_data._tick(None)
    await hass.async_block_till_done()


class Clock:
    """The event loop's time as the meter sees it, at our will."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.ahead = 0.0
        real = hass.loop.time

        class Loop:
            time = staticmethod(lambda: real() + self.ahead)

        class Home:
            loop = Loop()

            def __getattr__(self, name: str) -> Any:
                return getattr(hass, name)

        self.home = Home()


async def test_power_in_watts_and_kilowatts(hass: HomeAssistant, a_site: Site) -> None:
    tell(hass, "grid", 1.5, "kW")
    tell(hass, "roof", 500)
    entry = await a_site(grid_power=["grid"], production_power=["roof"])
    await show(hass, entry)
    assert (number(hass, GRID), number(hass, CONSUMPTION)) == (1500, 2000)
    tell(hass, "grid", -0.2, "kW")
    await show(hass, entry)
    assert (number(hass, GRID), number(hass, CONSUMPTION)) == (-200, 300)


async def test_injected_power_measured_apart_is_subtracted(hass: HomeAssistant, a_site: Site) -> None:
    tell(hass, "taken", 0)
    tell(hass, "given", 300)
    entry = await a_site(grid_power=["taken"], injection_power=["given"])
    await show(hass, entry)
    assert number(hass, GRID) == -300


async def test_three_phases(hass: HomeAssistant, a_site: Site) -> None:
    for phase, watts in enumerate((100, -500, 1000), 1):
        tell(hass, f"l{phase}", watts)
    entry = await a_site(power_l1=["l1"], power_l2=["l2"], power_l3=["l3"])
    await show(hass, entry)
    assert number(hass, GRID) == 600
    assert [number(hass, f"sensor.home_phase_l{p}_power") for p in (1, 2, 3)] == [100, -500, 1000]
    assert number(hass, "sensor.home_phase_imbalance") == 1500


@pytest.mark.parametrize("lost", ["unavailable", "unknown", "nonsense", "nan", "inf"])
async def test_lost_source_is_unknown_not_zero(hass: HomeAssistant, a_site: Site, lost: str) -> None:
    tell(hass, "grid", 100)
    tell(hass, "roof", 500)
    entry = await a_site(grid_power=["grid"], production_power=["roof"])
    tell(hass, "roof", lost)
    await show(hass, entry)
    assert state(hass, "sensor.home_production_power") == "unknown"
    assert state(hass, CONSUMPTION) == "unknown"
    assert number(hass, GRID) == 100, "the other source goes on"


async def test_source_in_a_unit_that_is_no_power_is_not_used(hass: HomeAssistant, a_site: Site) -> None:
    tell(hass, "grid", 100, "°C")
    tell(hass, "roof", 500)
    entry = await a_site(grid_power=["grid"], production_power=["roof"])
    await show(hass, entry)
    assert state(hass, GRID) == "unknown"


async def test_all_sources_lost_is_an_outage(
    hass: HomeAssistant, a_site: Site, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.energy_neighbours.site.GRACE", 0.1)
    tell(hass, "grid", 100)
    entry = await a_site(grid_power=["grid"])
    tell(hass, "grid", "unavailable")
    await until(lambda: state(hass, GRID) == "unavailable")
    assert state(hass, "binary_sensor.home_meter") == "off"
    tell(hass, "grid", 200)
    await show(hass, entry)
    assert number(hass, GRID) == 200


async def test_energy_of_day_and_night_registers_in_kwh_and_wh(hass: HomeAssistant, a_site: Site) -> None:
    tell(hass, "day", 1000, "kWh")
    tell(hass, "night", 2_000_000, "Wh")
    tell(hass, "back", 3, "MWh")
    entry = await a_site(offtake_energy=["day", "night"], injection_energy=["back"])
    await show(hass, entry)
    assert (number(hass, OFFTAKE), number(hass, INJECTION)) == (0, 0), "what was before is not ours"
    tell(hass, "day", 1001.5, "kWh")
    tell(hass, "night", 2_000_250, "Wh")
    tell(hass, "back", 3.001, "MWh")
    await show(hass, entry)
    assert number(hass, OFFTAKE) == pytest.approx(1.75)
    assert number(hass, INJECTION) == pytest.approx(1)
    assert hass.states.get(GRID) is None, "energy alone tells no power"


async def test_energy_catches_up_after_an_outage_and_a_restart(hass: HomeAssistant, a_site: Site) -> None:
    tell(hass, "day", 1000, "kWh")
    entry = await a_site(offtake_energy=["day"])
    tell(hass, "day", "unavailable", "kWh")
    tell(hass, "day", 1002, "kWh")
    await show(hass, entry)
    assert number(hass, OFFTAKE) == pytest.approx(2)
    assert await hass.config_entries.async_unload(entry.entry_id)
    tell(hass, "day", 1005, "kWh")
    await load(hass, entry)
    await show(hass, entry)
    assert number(hass, OFFTAKE) == pytest.approx(5)


async def test_register_that_starts_again_at_midnight_goes_on(hass: HomeAssistant, a_site: Site) -> None:
    tell(hass, "today", 12, "kWh")
    entry = await a_site(production_energy=["today"])
    for value in (12.5, 0, 0.25):
        tell(hass, "today", value, "kWh")
    await show(hass, entry)
    assert number(hass, PRODUCED) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("told", "kwh"),
    [
        pytest.param([1000.01, 1000.0, 1000.01, 1000.0, 1000.01, 1000.02], 0.02, id="noise of a sum of sensors"),
        pytest.param([0, 0.2, 1], 1, id="meter that begins anew every day"),
        pytest.param([0, 1000.1, 1000.6], 0.5, id="zero while the device starts"),
        pytest.param([8000, 8000.5], 0.5, id="another meter"),
    ],
)
async def test_energy_is_not_invented(hass: HomeAssistant, a_site: Site, told: list[float], kwh: float) -> None:
    tell(hass, "day", 1000, "kWh")
    entry = await a_site(offtake_energy=["day"])
    for value in told:
        tell(hass, "day", value, "kWh")
        await hass.async_block_till_done()
    await show(hass, entry)
    assert number(hass, OFFTAKE) == pytest.approx(kwh)


async def test_reading_that_repeats_itself_is_one(hass: HomeAssistant, a_site: Site) -> None:
    tell(hass, "grid", 100)
    entry = await a_site(grid_power=["grid"])
    first = entry.runtime_data.meter.last_reading
    tell(hass, "grid", 100)
    await hass.async_block_till_done()
    assert entry.runtime_data.meter.last_reading > first


async def test_last_reading_at_the_start_is_that_of_the_newest_sensor(hass: HomeAssistant, a_site: Site) -> None:
    for entity in "abcdefgh":
        tell(hass, entity, 100)
    entry = await a_site(production_power=list("abcdefgh"))
    assert entry.runtime_data.meter.last_reading == hass.states.get("sensor.h").last_reported_timestamp


async def test_nothing_but_totals_and_phases_is_shown(
    hass: HomeAssistant, a_site: Site, entity_registry: er.EntityRegistry
) -> None:
    tell(hass, "grid", 100)
    tell(hass, "roof", 100)
    entry = await a_site(grid_power=["grid"], production_power=["roof"])
    shown = {e.translation_key for e in er.async_entries_for_config_entry(entity_registry, entry.entry_id)}
    assert shown == {
        "grid_power",
        "production_power",
        "consumption_power",
        "quarter_hour_power",
        "peak_quarter_hour",
        "offtake_energy",
        "injection_energy",
        "production_energy",
        "last_reading",
        "meter_connected",
    }


async def test_sensors_without_a_value_for_long_are_a_repair(
    hass: HomeAssistant, a_site: Site, issue_registry: ir.IssueRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.energy_neighbours.site.UNREACHABLE_AFTER", -1)
    tell(hass, "grid", "unavailable")
    entry = await a_site(grid_power=["grid"])
    await show(hass, entry)
    issue = issue_registry.issues[DOMAIN, f"sensors_silent_{entry.entry_id}"]
    assert (DOMAIN, f"meter_unreachable_{entry.entry_id}") not in issue_registry.issues
    for language in LANGUAGES:
        fill(find(language, "issues.sensors_silent.title"), issue.translation_placeholders)
        fill(find(language, "issues.sensors_silent.description"), issue.translation_placeholders)
    tell(hass, "grid", 100)
    await show(hass, entry)
    assert (DOMAIN, f"sensors_silent_{entry.entry_id}") not in issue_registry.issues


async def test_power_alone_is_integrated_over_time(hass: HomeAssistant, a_site: Site) -> None:
    clock = Clock(hass)
    tell(hass, "grid", 2000)
    tell(hass, "roof", 500)
    entry = await a_site(grid_power=["grid"], production_power=["roof"])
    entry.runtime_data.meter._hass = clock.home
    clock.ahead += 1800
    tell(hass, "grid", -1000)
    await hass.async_block_till_done()
    clock.ahead += 3600
    entry.runtime_data.meter._integrate()
    await show(hass, entry)
    assert number(hass, OFFTAKE) == pytest.approx(1, abs=0.002)
    assert number(hass, INJECTION) == pytest.approx(1, abs=0.002)
    assert number(hass, PRODUCED) == pytest.approx(0.75, abs=0.002)


async def test_unknown_power_is_not_integrated(hass: HomeAssistant, a_site: Site) -> None:
    clock = Clock(hass)
    tell(hass, "grid", 2000)
    entry = await a_site(grid_power=["grid"])
    entry.runtime_data.meter._hass = clock.home
    tell(hass, "grid", "unavailable")
    await hass.async_block_till_done()
    clock.ahead += 3600
    tell(hass, "grid", 1000)
    await show(hass, entry)
    assert number(hass, OFFTAKE) == pytest.approx(0, abs=0.002)


async def test_power_that_is_lost_again_and_again_is_not_measured(
    hass: HomeAssistant, a_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(hass)
    begin = 1_790_000_100  # a quarter-hour begins
    monkeypatch.setattr(sensor_meter, "time", SimpleNamespace(time=lambda: begin - 60 + clock.ahead))
    tell(hass, "grid", 1200)
    entry = await a_site(grid_power=["grid"])
    entry.runtime_data.meter._hass = clock.home
    for second in range(30, 1171, 30):
        clock.ahead = second
        tell(hass, "grid", "unavailable" if second // 30 % 3 == 1 else 1200)  # away for half a minute of each 90 s
        await show(hass, entry)
    [quarter] = await entry.runtime_data.ledger.async_read(Span(begin, begin + QUARTER))
    assert quarter.quality is Quality.ESTIMATED
    assert quarter.offtake == pytest.approx(300, abs=12), "what was used while nobody knew is reckoned as the rest"


async def test_counted_energy_comes_before_integrated_power(hass: HomeAssistant, a_site: Site) -> None:
    clock = Clock(hass)
    tell(hass, "grid", 2000)
    tell(hass, "day", 10, "kWh")
    entry = await a_site(grid_power=["grid"], offtake_energy=["day"])
    entry.runtime_data.meter._hass = clock.home
    clock.ahead += 3600
    tell(hass, "day", 12.1, "kWh")
    await show(hass, entry)
    assert number(hass, OFFTAKE) == pytest.approx(2.1)
    assert number(hass, GRID) == 2000


async def test_sensor_that_is_gone_is_a_repair(
    hass: HomeAssistant, a_site: Site, issue_registry: ir.IssueRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor_meter, "GONE_AFTER", -1)
    tell(hass, "grid", 100)
    tell(hass, "roof", 100)
    entry = await a_site(grid_power=["grid"], production_power=["roof"])
    await show(hass, entry)
    key = (DOMAIN, f"entities_missing_{entry.entry_id}")
    assert key not in issue_registry.issues
    hass.states.async_remove("sensor.roof")
    await show(hass, entry)
    await show(hass, entry)
    issue = issue_registry.issues[key]
    assert issue.translation_placeholders == {"site": "Home", "entities": "sensor.roof"}
    for language in LANGUAGES:
        fill(find(language, "issues.entities_missing.title"), issue.translation_placeholders)
        fill(find(language, "issues.entities_missing.description"), issue.translation_placeholders)
    tell(hass, "roof", 100)
    await show(hass, entry)
    assert key not in issue_registry.issues


async def test_diagnostics_name_no_entity(hass: HomeAssistant, a_site: Site) -> None:
    tell(hass, "grannys_flat", 100)
    entry = await a_site(grid_power=["grannys_flat"])
    await show(hass, entry)
    data = await async_get_config_entry_diagnostics(hass, entry)
    assert "grannys" not in str(data)
    assert data["meter"]["known"] == 1
