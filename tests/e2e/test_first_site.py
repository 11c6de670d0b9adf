"""A newcomer's first minutes: a meter is found, added, given its roles, and its watts move on a dashboard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import re
import time

from playwright.sync_api import FilePayload, Locator, Page, expect
import pytest

from tests.e2e.conftest import TakePicture
from tools.demo import furnish
from tools.demo.dashboard import URL_PATH
from tools.demo.past_days import import_past_days, lift_sums
from tools.demo.past_weeks import WEEKS, as_csv, quarter_hours
from tools.demo.site_entities import DOMAIN, Liveness, SiteEntities
from tools.home import Browser, HomeAssistant, discovered, entries_of
from tools.home.browser import PHONE, open_page
from tools.simulator.household import Household

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

PATIENCE = 40  # for a condition that comes true by itself [s]
GRAPH = 14 * 60  # the documentation's pictures show graphs of a quarter-hour [s]
ENERGY = re.compile(r"\d k?Wh")  # soon after midnight a day has not yet a kilowatt-hour
WATTS = re.compile(r"^-?[\d,]+$")
BAND_NAMES = {"eco": "Eco", "medium": "Medium", "peak": "Pic"}  # the regulator's own names


def test_a_discovered_meter_becomes_a_living_dashboard(
    home: HomeAssistant, browser: Browser, page: Page, take_picture: TakePicture, for_documentation: bool
) -> None:
    page.set_default_timeout(PATIENCE * 1000)
    hostname = discovered(home.api, DOMAIN, PATIENCE).step["description_placeholders"]["name"]
    _add_what_was_found(home, page, hostname, take_picture)
    _refuse_two_clamps_on_one_phase(page, take_picture)
    _accept_the_suggested_roles(page)

    site = furnish.wait_for_entities(home.api, _entry(home))
    began = time.monotonic()
    _see_entities_live(home, site)
    _import_the_past_in_the_browser(home, browser)
    site, past = _furnish(home)
    if for_documentation:
        _let_graphs_grow(home, past, began + GRAPH)

    page.set_viewport_size({"width": 1280, "height": 760})
    _see_watts_move_on_the_dashboard(home, page, site, take_picture)
    _see_todays_energy(home, page, take_picture)
    _see_the_dashboard_on_a_phone(home, browser, take_picture)


def _add_what_was_found(home: HomeAssistant, page: Page, hostname: str, take_picture: TakePicture) -> None:
    page.set_viewport_size({"width": 1000, "height": 620})
    open_page(page, f"{home.url}/config/integrations/dashboard")
    card = page.locator("ha-config-flow-card", has_text=hostname)
    expect(card).to_contain_text("Energy Neighbours")
    take_picture(page, "discovered")
    card.get_by_role("button", name="Add").click()
    dialog = page.locator("dialog-data-entry-flow")
    expect(dialog.get_by_text(f"Add {hostname} (FLM03) at 127.0.0.1 as a site?")).to_be_visible()
    dialog.get_by_role("button", name="Submit").click()


def _refuse_two_clamps_on_one_phase(page: Page, take_picture: TakePicture) -> None:
    page.set_viewport_size({"width": 1000, "height": 900})
    dialog = page.locator("dialog-data-entry-flow")
    sections = dialog.locator("ha-form-expandable")
    expect(sections).to_have_count(4)  # three clamps and the solar counter; water and gas need no role
    for number, phase in enumerate(("L1", "L2", "L3")):
        # Suggested from the meter's own phase matching, with the watts of this moment.
        expect(sections.nth(number)).to_contain_text(re.compile(rf"#{number + 1} · {phase} · φ{number + 1} · \S?\d+ W"))
        _expect_choice(sections.nth(number), "Role", "Grid")
        _expect_choice(sections.nth(number), "Phase", phase)
    _expect_choice(sections.nth(3), "Role", "Production")
    take_picture(page, "roles")
    _see_watts_move_below_the_form(page, take_picture)

    _choose(page, sections.nth(1), "Phase", "L1")
    dialog.get_by_role("button", name="Submit").click()
    expect(dialog.get_by_text("Two grid channels are on phase L1")).to_be_visible()
    _choose(page, sections.nth(1), "Phase", "L2")


def _see_watts_move_below_the_form(page: Page, take_picture: TakePicture) -> None:
    preview = page.locator("dialog-data-entry-flow flow-preview-generic")
    preview.scroll_into_view_if_needed()
    expect(preview).to_contain_text(re.compile(r"#1 \S?\d+ W · #2 \S?\d+ W · #3 \S?\d+ W"))
    before = preview.inner_text()
    expect(preview).not_to_have_text(before)
    take_picture(page, "roles-live")


def _accept_the_suggested_roles(page: Page) -> None:
    dialog = page.locator("dialog-data-entry-flow")
    dialog.get_by_role("button", name="Submit").click()
    dialog.get_by_role("button", name="Skip and finish").click()
    # Home Assistant goes on to the new device's page.
    expect(page.get_by_role("heading", name="Device info")).to_be_visible()
    for name in ("Grid power", "Phase L1 power", "Offtake energy"):
        expect(page.get_by_text(name, exact=True)).to_be_visible()


def _see_entities_live(home: HomeAssistant, site: SiteEntities) -> None:
    assert list(site.phases) == ["L1", "L2", "L3"]
    liveness = Liveness(home.api, site)

    def live() -> bool:
        liveness.look()
        return liveness.complaint is None

    _wait(live, lambda: str(liveness.complaint))
    watts = {entity: float(state["state"]) for entity, state in home.api.states().items() if entity in site.powers}
    assert sum(watts[e] for e in site.phases.values()) == pytest.approx(watts[site.grid], abs=5)
    assert site.production is not None
    assert watts[site.production] > 1000, "the sun shines on a Sunday at noon"


def _import_the_past_in_the_browser(home: HomeAssistant, browser: Browser) -> None:
    """Give the form a file with a mistake in it, on a phone, in French; then take the rest of it."""
    lines = as_csv(quarter_hours(datetime.now(UTC), Household())).splitlines()
    broken = lines[200].split(",")
    lines[200] = ",".join([*broken[:2], "12.5x", *broken[3:]])
    file = FilePayload(name="relevés.csv", mimeType="text/csv", buffer="\n".join(lines).encode())
    with browser.page(home, size=PHONE, language="fr") as phone:
        phone.set_default_timeout(PATIENCE * 1000)
        open_page(phone, f"{home.url}/config/integrations/integration/{DOMAIN}")
        phone.get_by_label("Configurer").first.click()
        dialog = phone.locator("dialog-data-entry-flow")
        dialog.get_by_text(re.compile("Importer d.anciens relevés")).click()
        dialog.get_by_text("Un fichier du gestionnaire de réseau").click()
        dialog.locator("input[type=file]").set_input_files(file)
        expect(dialog.get_by_text("relevés.csv")).to_be_visible()
        dialog.get_by_role("button", name="Valider").click()
        expect(dialog.get_by_text("12.5x")).to_be_visible()
        # What the source holds is told in the home's own language.
        expect(dialog.get_by_text(re.compile("2026-10-25: 100 quarter-hours"))).to_have_count(_clocks_went_back())
        dialog.get_by_role("button", name="Valider").click()
        expect(dialog.get_by_text("12.5x")).to_be_visible()  # nothing is kept unless the rest is accepted
        dialog.locator("ha-switch").click()
        dialog.get_by_role("button", name="Valider").click()
        expect(dialog.get_by_text(re.compile(r"10.751"))).to_be_visible()
        dialog.get_by_role("button", name="Valider").click()


def _clocks_went_back() -> int:
    """Whether the clock change of 2026 lies in the past weeks."""
    change, now = datetime(2026, 10, 25, tzinfo=UTC), datetime.now(UTC)
    return int(change + timedelta(days=1) < now < change + timedelta(weeks=WEEKS))


def _entry(home: HomeAssistant) -> str:
    [entry] = [each["entry_id"] for each in entries_of(home.api, DOMAIN)]
    return str(entry)


def _furnish(home: HomeAssistant) -> tuple[SiteEntities, dict[str, float]]:
    entry = _entry(home)
    furnish.give_contract(home.api, entry)
    site = furnish.wait_for_entities(home.api, entry, past=True, contract=True)
    past = import_past_days(home.api, site, datetime.now(UTC), Household())
    furnish.set_up_energy(home.api, site)
    furnish.set_up_theme(home.api)
    furnish.set_up_language(home.api, "en")
    furnish.set_up_dashboard(home.api, site, "en", None)
    return site, past


def _let_graphs_grow(home: HomeAssistant, past: dict[str, float], until: float) -> None:
    while time.monotonic() < until:
        for entity in lift_sums(home.api, past, datetime.now(UTC)) if past else []:
            del past[entity]
        time.sleep(2)


def _see_watts_move_on_the_dashboard(
    home: HomeAssistant, page: Page, site: SiteEntities, take_picture: TakePicture
) -> None:
    open_page(page, f"{home.url}/{URL_PATH}", "hui-entity-card")
    expect(page.locator("hui-error-card")).to_have_count(0)
    expect(page.locator("hui-gauge-card")).to_have_count(3)
    numbers = page.locator("hui-entity-card .value")
    expect(numbers).to_have_count(5)
    for number in numbers.all()[:3]:
        expect(number).to_have_text(WATTS)
    _see_the_band_of_this_hour(home, numbers.nth(3), site)
    expect(numbers.nth(4)).to_have_text(re.compile(r"^0\.\d{4}$"))
    expect(page.locator("hui-history-graph-card canvas").first).to_be_visible()
    take_picture(page, "dashboard-desktop")
    before = numbers.all_inner_texts()
    _wait(lambda: numbers.all_inner_texts() != before, lambda: f"the dashboard still shows {before} W")


def _see_the_band_of_this_hour(home: HomeAssistant, number: Locator, site: SiteEntities) -> None:
    assert site.band is not None
    band = site.band

    def seen() -> bool:
        return number.inner_text().strip() == BAND_NAMES[home.api.states()[band]["state"]]

    _wait(seen, lambda: f"the dashboard says {number.inner_text()!r}, not {home.api.states()[band]['state']}")


def _see_todays_energy(home: HomeAssistant, page: Page, take_picture: TakePicture) -> None:
    open_page(page, f"{home.url}/energy/electricity", "hui-energy-distribution-card")
    flows = page.locator("hui-energy-distribution-card").filter(visible=True).first
    expect(flows).to_contain_text(ENERGY)
    expect(page.locator("hui-energy-usage-graph-card canvas").filter(visible=True).first).to_be_visible()
    assert home.api.websocket("energy/validate")["energy_sources"] == [[], []] or _only_waits_for_statistics(home)
    take_picture(page, "energy")


def _only_waits_for_statistics(home: HomeAssistant) -> bool:
    """Power has no statistics before the recorder's first five minutes are over; nothing else may be wrong."""
    sources = home.api.websocket("energy/validate")["energy_sources"]
    return all(issue["type"] == "statistics_not_defined" for issues in sources for issue in issues)


def _see_the_dashboard_on_a_phone(home: HomeAssistant, browser: Browser, take_picture: TakePicture) -> None:
    with browser.page(home, size=PHONE, dark=True) as phone:
        open_page(phone, f"{home.url}/{URL_PATH}", "hui-entity-card")
        expect(phone.locator("hui-error-card")).to_have_count(0)
        width = phone.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], "nothing hangs over the edge"
        take_picture(phone, "dashboard-phone")


def _choose(page: Page, section: Locator, field: str, option: str) -> None:
    _select(section, field).click()
    page.locator("ha-dropdown-item").filter(visible=True).get_by_text(option, exact=True).click()
    _expect_choice(section, field, option)


def _expect_choice(section: Locator, field: str, option: str) -> None:
    expect(_select(section, field)).to_contain_text(option)


def _select(section: Locator, field: str) -> Locator:
    return section.locator("ha-selector-select").filter(has_text=field)


def _wait(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"after {PATIENCE} s: {complaint()}")
        time.sleep(0.5)
