"""The ledger of a Home Assistant in the test's own loop."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
import sqlite3

from homeassistant.core import HomeAssistant
import pytest

from custom_components.energy_neighbours.ledger import Ledger
from custom_components.energy_neighbours.ledger_keeper import SiteLedger, async_open_ledger
from custom_components.energy_neighbours.shared_ledger import FILE


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """The ledger lies in the configuration folder: every test has its own."""
    return hass_tmp_config_dir


@pytest.fixture
def ledger_path(hass: HomeAssistant) -> Path:
    return Path(hass.config.path(FILE))


@pytest.fixture
async def site_ledger(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SiteLedger]:
    """A site's ledger that does not wait for another program as long as in life."""
    monkeypatch.setitem(Ledger.open.__func__.__kwdefaults__, "patience", 0.05)
    ledger = await async_open_ledger(hass, "site")
    yield ledger
    await ledger.async_close()


@pytest.fixture
def other_program(ledger_path: Path, site_ledger: SiteLedger) -> Iterator[Callable[[str], None]]:
    """Run a statement as another process would, in a connection of its own."""
    connection = sqlite3.connect(ledger_path, isolation_level=None)
    yield connection.execute
    connection.close()
