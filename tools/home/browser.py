"""Chromium without a window, logged in to a Home Assistant: its pages."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
import shutil
import time
from typing import Self

from playwright.sync_api import Browser as PlaywrightBrowser, Page, Playwright, ViewportSize, sync_playwright

from .instance import HomeAssistant

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

_FLAGS = [
    "--no-sandbox",  # root needs it, and the only pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]
# Buttons keep an unseen ring (`loading-indicator`) ready.
_BUSY = "hass-loading-screen, ha-spinner:not(.loading-indicator), #ha-launch-screen"


class BrowserMissingError(Exception):
    """There is no Chromium on this machine."""


class Browser:
    """The installed Chromium; use it as a context manager."""

    def __init__(self) -> None:
        named = os.environ.get("CHROMIUM")
        found = named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not found:
            raise BrowserMissingError("Chromium is not installed: apt-get install chromium (or name one in $CHROMIUM)")
        self._executable = found
        self._playwright: Playwright | None = None
        self._browser: PlaywrightBrowser | None = None

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=self._executable, args=_FLAGS)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._browser:
            self._browser.close()
        if self._playwright:
            self._playwright.stop()

    @contextmanager
    def page(
        self,
        home: HomeAssistant,
        *,
        size: ViewportSize = DESKTOP,
        dark: bool = False,
        language: str | None = None,
        logged_in: bool = True,
        scale: float = 1,
    ) -> Iterator[Page]:
        """Open a page whose person is logged in and lives in Brussels."""
        if self._browser is None:
            raise RuntimeError("the browser is not started")
        language = language or home.layout.language
        context = self._browser.new_context(
            viewport=size,
            locale="en-GB" if language == "en" else language,
            timezone_id="Europe/Brussels",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            service_workers="block",
            device_scale_factor=scale,
        )
        if logged_in:
            values = json.dumps(home.browser_storage(language, dark=dark))
            context.add_init_script(
                f"if (location.origin === {json.dumps(home.url)})"
                f" for (const [key, value] of Object.entries({values})) localStorage.setItem(key, value);"
            )
        try:
            yield context.new_page()
        finally:
            context.close()


def open_page(page: Page, url: str, selector: str = "home-assistant-main", timeout: float = 40) -> None:
    """Go to a page of the frontend and wait until `selector` is there and nothing loads, at most `timeout` [s].

    Loads the page a second time when it does not come up within half of `timeout` [s].
    """
    page.goto(url, wait_until="domcontentloaded")
    first = page.locator(selector).first
    try:
        first.wait_for(state="attached", timeout=timeout * 500)
    except Exception:  # noqa: BLE001 - whatever it was: if it is there again, the second try tells
        page.reload(wait_until="domcontentloaded")
        first.wait_for(state="attached", timeout=timeout * 500)
    quiet = 0
    end = time.monotonic() + timeout
    while quiet < 3 and time.monotonic() < end:  # noqa: PLR2004 - three looks in a row without a ring
        page.wait_for_timeout(150)
        quiet = quiet + 1 if page.locator(_BUSY).filter(visible=True).count() == 0 else 0
