"""One meter, one Home Assistant and one Chromium, alone on a network that has loopback only."""

from collections.abc import Callable, Iterator
import os
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
import pytest

from tools.demo.dashboard import THEMES
from tools.demo.simulated_meter import MIDDAY, MQTT_PORT, SimulatedMeter
from tools.home import Browser, HomeAssistant, Layout, NamespaceError, enter_loopback_namespace

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).parent / "shots"
IMAGES = ROOT / "docs" / "images"
LARGEST = 200_000  # of a picture in the documentation [bytes]

expect.set_options(timeout=40_000)  # [ms]; generous, for it costs nothing where things work

type TakePicture = Callable[[Page | Locator, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots",
        action="store_true",
        default=os.environ.get("ENERGY_NEIGHBOURS_SCREENSHOTS") == "1",
        help="renew docs/images; waits until the graphs have something to show (some 15 minutes)",
    )


@pytest.fixture(scope="session")
def for_documentation(request: pytest.FixtureRequest) -> bool:
    """Whether the pictures are for docs/images."""
    return bool(request.config.getoption("--screenshots"))


@pytest.fixture(scope="session", autouse=True)
def _alone(request: pytest.FixtureRequest) -> None:
    """Nothing gets out, no port clashes, and mDNS works: for the tests, Home Assistant, meter and browser alike."""
    if request.config.pluginmanager.hasplugin("homeassistant"):
        pytest.fail("the harness closes all sockets: run `scripts/test tests/e2e`", pytrace=False)
    try:
        enter_loopback_namespace()
    except NamespaceError as error:
        pytest.fail(f"the browser tests need a network namespace of their own: {error}", pytrace=False)


@pytest.fixture(scope="session")
def meter(_alone: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedMeter]:
    """A Fluksometer that announces itself, on a sunny Sunday at noon."""
    directory = tmp_path_factory.mktemp("meter")
    simulated = SimulatedMeter(directory, "127.0.0.1", MQTT_PORT, at=MIDDAY, announced=True)
    try:
        simulated.wait()
        yield simulated
    finally:
        simulated.stop()


@pytest.fixture(scope="session")
def home(meter: SimulatedMeter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """A new Home Assistant that has our integration and knows nothing yet."""
    component = ROOT / "custom_components" / "energy_neighbours"
    layout = Layout(port=8123, components=(component,), themes=THEMES)
    with HomeAssistant(tmp_path_factory.mktemp("home"), layout) as running:
        yield running


@pytest.fixture(scope="session")
def browser(_alone: None) -> Iterator[Browser]:
    with Browser() as chromium:
        yield chromium


@pytest.fixture
def page(home: HomeAssistant, browser: Browser) -> Iterator[Page]:
    """A page of a person who is logged in; an error in it fails the test."""
    errors: list[str] = []
    with browser.page(home) as opened:
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
    assert errors == []


@pytest.fixture(scope="session")
def take_picture(for_documentation: bool) -> TakePicture:
    """Save what is shown under a stable name: for the documentation, or else for whoever wonders why a test fails."""
    directory = IMAGES if for_documentation else SHOTS
    directory.mkdir(exist_ok=True)

    def take(shown: Page | Locator, name: str) -> None:
        file = directory / f"{name}.png"
        page = shown if isinstance(shown, Page) else shown.page
        page.wait_for_timeout(1500)  # charts and gauges move even for a person who asked for less motion
        shown.screenshot(path=file, animations="disabled")
        assert file.stat().st_size < LARGEST

    return take
