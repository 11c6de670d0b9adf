"""The newest Home Assistant release starts with our integration, shows a site, and has nothing to reproach us with."""

from collections.abc import Iterator
from datetime import UTC, datetime
import os
from pathlib import Path
import subprocess
import time

import pytest

from tests.smoke.log import reproaches
from tools.demo import furnish
from tools.demo.past_weeks import as_csv, quarter_hours
from tools.demo.simulated_meter import MIDDAY, SimulatedMeter, free_port
from tools.demo.site_entities import DOMAIN, Liveness
from tools.home import HomeAssistant, Layout, entries_of
from tools.simulator.household import Household

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # [s]
BAND = {"entity_id": "sensor.flukso_tariff_band"}
BAND_STARTED = [{"trigger": f"{DOMAIN}.band_started", "target": BAND, "options": {"bands": ["eco"]}}]
IS_IN_BAND = [{"condition": f"{DOMAIN}.is_in_band", "target": BAND, "options": {"bands": ["eco", "medium"]}}]


@pytest.fixture
def newest() -> str:
    """The interpreter whose environment has the newest Home Assistant."""
    named = os.environ.get("ENERGY_NEIGHBOURS_NEWEST") or str(ROOT / ".venv-newest" / "bin" / "python")
    if not Path(named).exists():
        pytest.fail(f"{named} does not exist: run `scripts/setup --newest`", pytrace=False)
    return named


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[SimulatedMeter]:
    simulated = SimulatedMeter(tmp_path, "127.0.0.1", free_port("127.0.0.1", 0), at=MIDDAY, announced=False)
    try:
        simulated.wait()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture
def home(newest: str, tmp_path: Path) -> Iterator[HomeAssistant]:
    """A new Home Assistant, silent on the network."""
    component = ROOT / "custom_components" / DOMAIN
    layout = Layout(port=free_port("127.0.0.1", 0), adapters=("lo",), components=(component,))
    with HomeAssistant(tmp_path / "home", layout, python=newest) as running:
        yield running


def test_a_site_lives_in_the_newest_release(newest: str, home: HomeAssistant, meter: SimulatedMeter) -> None:
    furnish.add_by_address(home.api, meter.host, meter.port)
    _wait_until_live(home)
    entry = entries_of(home.api, DOMAIN)[0]
    furnish.give_contract(home.api, entry["entry_id"])
    furnish.import_past_weeks(home.api, entry["entry_id"], as_csv(quarter_hours(datetime.now(UTC), Household())))
    site = furnish.wait_for_entities(home.api, entry["entry_id"], past=True, contract=True)
    assert set(site.history) == {"offtake", "injection", "production"}
    assert float(home.api.states()[site.cost_this_month]["state"]) >= 0, "it may be the first minutes of a month"
    assert home.api.states()[site.band]["state"] in {"eco", "medium", "peak"}
    valid = home.api.websocket("validate_config", triggers=BAND_STARTED, conditions=IS_IN_BAND)
    assert [valid[part]["error"] for part in ("triggers", "conditions")] == [None, None]
    diagnostics = home.api.get(f"/api/diagnostics/config_entry/{entry['entry_id']}")
    home.api.post(f"/api/config/config_entries/entry/{entry['entry_id']}/reload")
    _wait_until_live(home)
    home.stop()

    assert diagnostics["home_assistant"]["version"] == _version(newest)
    assert "custom integration energy_neighbours" in home.log, "the log is the one of this start"
    assert reproaches(home.log) == []


def _wait_until_live(home: HomeAssistant) -> None:
    liveness = Liveness(home.api, furnish.wait_for_entities(home.api, entries_of(home.api, DOMAIN)[0]["entry_id"]))
    end = time.monotonic() + PATIENCE
    while True:
        liveness.look()
        if liveness.complaint is None:
            return
        if time.monotonic() > end:
            pytest.fail(f"after {PATIENCE} s: {liveness.complaint}\n{home.log}")
        time.sleep(1)


def _version(python: str) -> str:
    program = "from homeassistant.const import __version__; print(__version__)"
    return subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip()
