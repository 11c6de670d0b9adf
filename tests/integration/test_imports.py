"""A household's Home Assistant stays light: no module of the integration brings pandas along."""

from pathlib import Path
import subprocess
import sys

import custom_components.energy_neighbours as package

ROOT = Path(package.__file__).parents[2]
FOLDER = Path(package.__file__).parent

SET_UP = """
import asyncio, importlib, pathlib, sys, tempfile
from unittest.mock import patch
from homeassistant import loader

folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.rglob("*.py")):
    name = ".".join(path.relative_to(folder.parents[1]).with_suffix("").parts).removesuffix(".__init__")
    importlib.import_module(name)

async def main():
    from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant
    # No port is opened: there may be another Home Assistant on this machine.
    no_server = patch("homeassistant.components.http.HomeAssistantHTTP.async_bind")
    with no_server, tempfile.TemporaryDirectory() as config:
        async with async_test_home_assistant(config_dir=config) as hass:
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            hass.states.async_set("sensor.grid", "100", {"unit_of_measurement": "W"})
            entry = MockConfigEntry(
                domain="energy_neighbours",
                title="Home",
                data={"meter": "sensors", "entities": {"grid_power": ["sensor.grid"]}},
            )
            entry.add_to_hass(hass)
            assert await hass.config_entries.async_setup(entry.entry_id)
            await hass.async_block_till_done()
            assert hass.states.get("sensor.home_grid_power"), hass.states.async_entity_ids()
            assert await hass.config_entries.async_unload(entry.entry_id)
            await hass.async_stop(force=True)

asyncio.run(main())
heavy = {"pandas", "scipy", "sklearn", "matplotlib"} & sys.modules.keys()
print("heavy:", sorted(heavy))
"""


def test_household_never_imports_pandas() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SET_UP, str(FOLDER)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"
