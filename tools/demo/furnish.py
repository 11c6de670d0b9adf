"""What the demo does in Home Assistant's own dialogs: the meter, its contract and past, and both dashboards."""

from collections.abc import Sequence
import contextlib
import time
from typing import Any

import aiohttp

from tools.home import Api, ApiError, ConfigFlow, discovered

from .dashboard import THEME, URL_PATH, dashboard
from .energy_preferences import energy_preferences
from .site_entities import DOMAIN, NotLiveError, SiteEntities
from .street_entities import Shares, Street
from .words import WORDS

ENTITIES = 60  # [s]


def add_by_address(api: Api, host: str, port: int) -> str:
    """Add a meter as a person does who knows its address, with the roles that the form suggests; return its entry."""
    flow = ConfigFlow.start(api, DOMAIN)
    flow.choose("flukso")
    flow.submit({"host": host, "port": port})
    flow.submit()
    return flow.entry_id


def add_discovered(api: Api) -> str:
    """Add the meter that Home Assistant has found on the network; return its entry."""
    flow = discovered(api, DOMAIN)
    flow.submit()
    flow.submit()
    return flow.entry_id


def move_meter(api: Api, site: str, host: str, port: int) -> None:
    """Tell Home Assistant the new address of a site's meter."""
    flow = ConfigFlow.reconfigure(api, DOMAIN, site)
    flow.submit({"host": host, "port": port}, until="reconfigure_successful")


def give_contract(api: Api, entry_id: str) -> None:
    """Give the site a contract as a person does: the Walloon network's Impact hours, one price of the supplier.

    The network's prices and the levies are those that the form suggests; the supplier's are an example.
    """
    flow = ConfigFlow.subentry(api, entry_id, "contract")
    flow.submit({"region": "wallonia", "subscribed_power": 9.2})
    flow.submit({"network_grid": "impact_2026", "commodity_grid": "mono", "operator": "ORES"})
    flow.submit({"energy": {"flat": 0.135, "injection_price": 0.03}})


def import_past_weeks(api: Api, entry_id: str, readings: str) -> None:
    """Upload a file of past readings and let the site take it, as a person does."""
    form = aiohttp.FormData()
    form.add_field("file", readings.encode(), filename="past-weeks.csv", content_type="text/csv")
    upload = api.request("POST", "/api/file_upload", data=form)["file_id"]
    flow = ConfigFlow.options(api, entry_id)
    flow.choose("import_readings")
    flow.choose("import_file")
    flow.submit({"file": upload})
    flow.submit()  # the preview
    flow.submit()  # what was kept


def wait_for_entities(api: Api, site_id: str, *, past: bool = False, contract: bool = False) -> SiteEntities:
    """Wait until a site's entities exist; if wanted, the statistics of its past and the entities of its contract."""
    end = time.monotonic() + ENTITIES
    while True:
        try:
            site = SiteEntities.find(api, site_id)
        except NotLiveError:
            if time.monotonic() > end:
                raise
        else:
            series = sum(1 for energy in (site.offtake, site.injection, site.produced) if energy)
            whole = (not past or len(site.history) == series) and (not contract or None not in site.tariff)
            if whole or time.monotonic() > end:
                return site
        time.sleep(0.1)


def wait_for_street(api: Api, community: str, sites: Sequence[str]) -> Street:
    """Wait until the entities of a community exist, and those of what its sites get from it."""
    end = time.monotonic() + ENTITIES
    while True:
        try:
            return Street.find(api, community, sites)
        except NotLiveError:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def set_up_language(api: Api, language: str) -> None:
    """Let the user's pages speak `language`, with the 24 hours and the Mondays of Belgium."""
    locale = {
        "language": language,
        "number_format": "language",
        "time_format": "24",
        "date_format": "language",
        "time_zone": "local",
        "first_weekday": "monday",
    }
    api.websocket("frontend/set_user_data", key="language", value=locale)


def set_up_theme(api: Api) -> None:
    """Give all pages the colours of the dashboard."""
    api.post("/api/services/frontend/set_theme", {"name": THEME})


def dismiss_notifications(api: Api) -> None:
    """Put the notifications of the imports away."""
    api.post("/api/services/persistent_notification/dismiss_all")


def set_up_energy(api: Api, site: SiteEntities, shares: Shares | None = None) -> None:
    """Fill in the Energy dashboard's settings, unless there are some."""
    with contextlib.suppress(ApiError):  # refused while there are none
        if api.websocket("energy/get_prefs")["energy_sources"]:
            return
    api.websocket("energy/save_prefs", **energy_preferences(site, shares))


def set_up_dashboard(api: Api, site: SiteEntities, language: str, saved: Any, street: Street | None = None) -> Any:
    """Save the dashboard and open with it; one that the user has changed since `saved` is left alone."""
    config = dashboard(site, WORDS[language], street)
    if URL_PATH not in [board["url_path"] for board in api.websocket("lovelace/dashboards/list")]:
        api.websocket(
            "lovelace/dashboards/create",
            url_path=URL_PATH,
            title=WORDS[language].title,
            icon="mdi:home-lightning-bolt-outline",
            mode="storage",
            require_admin=False,
            show_in_sidebar=True,
        )
        api.websocket("frontend/set_system_data", key="core", value={"default_panel": URL_PATH})
    elif api.websocket("lovelace/config", url_path=URL_PATH) != saved:
        return saved
    api.websocket("lovelace/config/save", url_path=URL_PATH, config=config)
    return config
