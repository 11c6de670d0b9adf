"""The demo from the first process to the last: start, furnish, show, watch, stop."""

from datetime import UTC, datetime
import os
import socket
import sys
import time
from typing import Self
import webbrowser

from tools.home import Api, ApiError, HomeAssistant, Layout, StartError, entries_of
from tools.simulator.household import Household

from . import furnish
from .dashboard import THEMES, URL_PATH
from .memory import Memory
from .options import ROOT, Options
from .past_days import import_past_days, lift_sums
from .past_weeks import as_csv, quarter_hours
from .progress import Progress
from .simulated_meter import MQTT_PORT, SimulatedMeter, free_port, network_address
from .site_entities import DOMAIN, Liveness, NotLiveError, SiteEntities
from .words import WORDS

PORT = 8123
INTERVAL = 2.0  # between two looks at the entities [s]
LIVE = 30  # the entities must be known so long after the meter was added [s]
LOOKS_MISSED = 5  # looks in a row that Home Assistant may leave unanswered


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


class Demo:
    """One run of the demo; use it as a context manager, so that nothing it started stays behind."""

    def __init__(self, options: Options, memory: Memory, progress: Progress) -> None:
        self._options = options
        self._memory = memory
        self._progress = progress
        self._meter: SimulatedMeter | None = None
        self._home: HomeAssistant | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for part in (self._home, self._meter):
            if part:
                part.stop()

    def run(self) -> None:
        """Run it to its end.

        Raises
        ------
        DemoError
            Something did not start, ended early, or did not live.
        """
        home = self._start_both()
        api = home.api
        site = self._furnish(api)
        liveness = Liveness(api, site)
        with self._progress.step("Waiting for the first watts"):
            liveness.wait(LIVE)
            api.get("/")
        self._show(home)
        self._watch(api, liveness)

    def _start_both(self) -> HomeAssistant:
        host = network_address() if self._options.lan else "127.0.0.1"
        known = self._memory.meter
        meter_port = free_port(host, known[1] if known else MQTT_PORT)
        layout = Layout(
            port=self._choose_port(),
            name=WORDS[self._options.language].home,
            language=self._options.language,
            adapters=() if self._options.lan else ("lo",),
            components=(ROOT / "custom_components" / DOMAIN,),
            themes=THEMES,
        )
        directory = self._options.directory
        with self._progress.step("Starting a simulated Fluksometer"):
            self._meter = SimulatedMeter(directory, host, meter_port, at=self._options.at, announced=self._options.lan)
            self._meter.wait()
        with self._progress.step("Starting Home Assistant"):
            self._home = HomeAssistant(directory / "home-assistant", layout)
            self._home.directory.mkdir(exist_ok=True)
            self._home.start()
        return self._home

    def _choose_port(self) -> int:
        wanted = self._options.port or PORT
        if _is_free(wanted):
            return wanted
        if self._options.port:
            raise DemoError(f"port {wanted} is taken; give another --port, or none to let the demo choose")
        for port in range(wanted + 1, wanted + 100):
            if _is_free(port):
                self._progress.say(f"Port {wanted} is taken: Home Assistant gets {port}.")
                return port
        raise DemoError(f"no port from {wanted} to {wanted + 99} is free; give one with --port")

    def _furnish(self, api: Api) -> SiteEntities:
        if self._meter is None:
            raise DemoError("there is no meter")
        address = (self._meter.host, self._meter.port)
        new = not entries_of(api, DOMAIN)
        if new and self._options.lan:
            with self._progress.step("Discovering the meter on the network and adding it"):
                furnish.add_discovered(api)
        elif new:
            with self._progress.step(f"Adding the meter by its address, {address[0]} port {address[1]}"):
                furnish.add_by_address(api, *address)
        elif self._memory.meter != address:
            with self._progress.step(f"Telling Home Assistant the meter's new address, {address[0]} port {address[1]}"):
                furnish.move_meter(api, *address)
        self._memory.meter = address
        self._memory.save()
        if new:
            [entry] = [each["entry_id"] for each in entries_of(api, DOMAIN) if each["source"] != "ignore"]
            with self._progress.step("Giving it a contract, and the sixteen weeks before today"):
                furnish.give_contract(api, entry)
                readings = as_csv(quarter_hours(datetime.now(UTC), Household()))
                furnish.import_past_weeks(api, entry, readings)
        with self._progress.step("Preparing the dashboards"):
            site = furnish.wait_for_entities(api, past=True, contract=new)
            if new:
                self._memory.past = import_past_days(api, site, datetime.now(UTC), Household())
                furnish.set_up_energy(api, site)
                furnish.set_up_theme(api)
            furnish.set_up_language(api, self._options.language)
            self._memory.dashboard = furnish.set_up_dashboard(api, site, self._options.language, self._memory.dashboard)
            self._memory.save()
        return site

    def _show(self, home: HomeAssistant) -> None:
        url = f"{home.url}/{URL_PATH}"
        at = self._options.at
        scene = f"{at:%A %-d %B %Y, %H:%M}" if at else "this weekday and time of day"
        print(
            f"\n  Ready: {url}\n"
            f"  This machine is let in by itself; elsewhere: user {home.user}, password {home.password}\n\n"
            f"  The meter is simulated. It replays a real Belgian household, recorded in 2017, from {scene} on;\n"
            "  its solar production and the sixteen weeks before today are derived, not measured. Its prices are an\n"
            "  example: the Impact tariff of ORES 2026 and a supplier at 13.5 cents.\n",
        )
        if self._options.duration is None:
            print("  Ctrl-C stops it.", flush=True)
        sys.stdout.flush()
        if self._options.browser and _has_display():
            webbrowser.open(url)

    def _watch(self, api: Api, liveness: Liveness) -> None:
        end = None if self._options.duration is None else time.monotonic() + self._options.duration
        missed = 0
        while end is None or time.monotonic() < end:
            time.sleep(INTERVAL if end is None else max(0.0, min(INTERVAL, end - time.monotonic())))
            self._keep_running()
            try:
                liveness.look()
                self._lift_sums(api)
                missed = 0
            except ApiError as error:
                missed += 1
                if missed >= LOOKS_MISSED and end is not None:
                    raise DemoError(f"Home Assistant no longer answers ({error})") from error
        if complaint := liveness.complaint:
            raise NotLiveError(complaint)
        self._progress.say(f"Live until the end: {liveness.watts}.")

    def _lift_sums(self, api: Api) -> None:
        if self._memory.past:
            for entity in lift_sums(api, self._memory.past, datetime.now(UTC)):
                del self._memory.past[entity]
            self._memory.save()

    def _keep_running(self) -> None:
        if self._meter and not self._meter.running:
            raise DemoError(f"the simulated meter ended: {self._meter.last_line}")
        if self._home and not self._home.running:
            if not self._home.wants_restart:
                raise DemoError(f"Home Assistant ended; see {self._home.directory / 'hass.log'}")
            with self._progress.step("Restarting Home Assistant, as asked in its frontend"):
                self._home.start()


def run_demo(options: Options) -> None:
    """Run the demo to its end.

    Raises
    ------
    DemoError, StartError, NotLiveError, ApiError
        It failed; the text is for the user.
    """
    with Memory(options.directory) as memory, Demo(options, memory, Progress()) as demo:
        demo.run()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


__all__ = ["Demo", "DemoError", "NotLiveError", "StartError", "run_demo"]
