"""The demo from the first process to the last: start, furnish, show, watch, stop."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
import os
import socket
import sys
import time
from typing import Self
import webbrowser

from tools.home import Api, ApiError, HomeAssistant, Layout, StartError
from tools.neighbourhood.cast import Cast
from tools.simulator.household import ZONE

from . import furnish, neighbourhood
from .dashboard import THEMES, URL_PATH
from .greeting import greeting
from .houses import HOUSES, House
from .memory import Memory, Notes
from .neighbourhood import Broker, Homes
from .options import ROOT, Options
from .past_days import import_past_days, lift_sums
from .past_shares import import_past_shares
from .past_weeks import as_csv, quarter_hours
from .progress import Progress
from .simulated_meter import MQTT_PORT, SimulatedMeter, free_port, network_address
from .site_entities import DOMAIN, Liveness, NotLiveError, SiteEntities
from .street_entities import Shares, SharesLiveness, Street
from .words import WORDS

PORT = 8123
BROKER_PORT = 8883
INTERVAL = 2.0  # between two looks at the entities [s]
LIVE = 30  # the entities must be known so long after the meters were added [s]
PAST = 25  # so long the homes far away are waited for [s]
LOOKS_MISSED = 5  # looks in a row that Home Assistant may leave unanswered


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


class Demo:
    """One run of the demo; use it as a context manager, so that nothing it started stays behind."""

    def __init__(self, options: Options, memory: Memory, progress: Progress) -> None:
        self._options = options
        self._memory = memory
        self._progress = progress
        self._words = WORDS[options.language]
        self._meters: list[SimulatedMeter] = []
        self._home: HomeAssistant | None = None
        self._broker: Broker | None = None
        self._homes: Homes | None = None
        self._site: SiteEntities | None = None
        self._shares: Shares | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for part in (self._homes, self._home, self._broker, *self._meters):
            if part:
                part.stop()

    @property
    def _notes(self) -> Notes:
        return self._memory.notes

    def run(self) -> None:
        """Run it to its end.

        Raises
        ------
        DemoError
            Something did not start, ended early, or did not live.
        """
        if not self._notes.furnished:
            self._memory.clear()
        home = self._start_both()
        api = home.api
        if self._notes.furnished:
            self._take_up(api)
        else:
            self._furnish(api)
        site, street = self._prepare_dashboards(api)
        self._await_past(api, site, street)
        liveness = Liveness(api, site)
        with self._progress.step("Waiting for the first watts"):
            liveness.wait(LIVE)
            api.get("/")
        self._show(home)
        self._watch(api, liveness, SharesLiveness(api, street))

    # Processes

    def _start_both(self) -> HomeAssistant:
        known = self._notes.meters
        layout = Layout(
            port=self._choose_port(),
            name=self._words.home,
            language=self._options.language,
            adapters=() if self._options.lan else ("lo",),
            components=(ROOT / "custom_components" / DOMAIN,),
            themes=THEMES,
        )
        directory = self._options.directory
        with self._progress.step("Starting three simulated Fluksometers"):
            for number, house in enumerate(HOUSES):
                first = number == 0  # the only one that may be seen on the network
                host = network_address() if self._options.lan and first else "127.0.0.1"
                port = free_port(host, known[number][1] if known else MQTT_PORT if first else 0)
                announced = self._options.lan and first
                meter = SimulatedMeter(directory, host, port, at=self._options.at, announced=announced, house=house)
                self._meters.append(meter)
            for meter in self._meters:
                meter.wait()
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

    def _start_homes(self, begun: datetime) -> None:
        at = self._options.at
        cast = Cast(
            invitations=self._notes.invitations,
            since=self._notes.since,
            port=self._notes.broker,
            begun=int(begun.timestamp()),
            at=None if at is None else int(at.timestamp()),
        )
        self._homes = Homes(self._options.directory, cast)

    # The first start

    def _furnish(self, api: Api) -> None:
        now = datetime.now(UTC)
        notes = self._notes
        notes.meters = [(meter.host, meter.port) for meter in self._meters]
        if self._options.lan:
            with self._progress.step("Discovering the first meter on the network and adding it"):
                notes.sites.append(furnish.add_discovered(api))
        with self._progress.step("Adding the meters by their addresses"), ThreadPoolExecutor() as at_once:
            if not notes.sites:  # it has the name without a number
                notes.sites.append(furnish.add_by_address(api, *notes.meters[0]))
            notes.sites += at_once.map(lambda address: furnish.add_by_address(api, *address), notes.meters[1:])
        with (
            self._progress.step("Giving each a contract, and the sixteen weeks before today"),
            ThreadPoolExecutor() as at_once,
        ):
            list(at_once.map(lambda house, site: _settle(api, site, house, now), HOUSES, notes.sites))
        self._found_community(api, now)
        notes.furnished = True
        self._memory.save()

    def _found_community(self, api: Api, now: datetime) -> None:
        notes, folder = self._notes, self._options.directory / "broker"
        day = neighbourhood.first_day(now)
        notes.since = int(datetime.combine(day, datetime.min.time(), ZONE).timestamp())
        notes.broker = free_port("127.0.0.1", BROKER_PORT)
        with self._progress.step("Founding a community, with a broker of its own"):
            notes.community, self._broker = neighbourhood.found_community(
                api, folder, notes.broker, self._words, day.isoformat()
            )
        with self._progress.step("Taking the three in, and inviting twelve homes far away"):
            notes.invitations = neighbourhood.fill_community(
                api, notes.community, folder, notes.sites, self._words, day.isoformat()
            )
        self._start_homes(now)

    # Any other start

    def _take_up(self, api: Api) -> None:
        notes = self._notes
        for number, (site, meter) in enumerate(zip(notes.sites, self._meters, strict=True)):
            if notes.meters[number] != (address := (meter.host, meter.port)):
                with self._progress.step(
                    f"Telling Home Assistant the meter's new address, {meter.host} port {meter.port}"
                ):
                    furnish.move_meter(api, site, *address)
                notes.meters[number] = address
        with self._progress.step("Starting the broker and the homes far away"):
            port = free_port("127.0.0.1", notes.broker)
            self._broker = Broker(self._options.directory / "broker", port)
            self._broker.wait()
            if port != notes.broker:
                neighbourhood.move_broker(api, notes.community, port)
                notes.broker = port
            self._start_homes(datetime.now(UTC))
        self._memory.save()

    def _prepare_dashboards(self, api: Api) -> tuple[SiteEntities, Street]:
        notes, site_id = self._notes, self._notes.sites[0]
        new = notes.dashboard is None
        with self._progress.step("Preparing the dashboards"):
            site = furnish.wait_for_entities(api, site_id, past=True, contract=new)
            street = furnish.wait_for_street(api, notes.community, notes.sites)
            if new:
                notes.past = import_past_days(api, site, datetime.now(UTC), HOUSES[0].household)
                furnish.set_up_theme(api)
                furnish.dismiss_notifications(api)
            furnish.set_up_language(api, self._options.language)
            notes.dashboard = furnish.set_up_dashboard(api, site, self._options.language, notes.dashboard, street)
            self._memory.save()
        return site, street

    def _await_past(self, api: Api, site: SiteEntities, street: Street) -> None:
        """Give the homes far away a while to tell their past; what is missing then follows later."""
        self._site, self._shares = site, street.homes[0].shares
        if self._notes.shared:
            return
        end = time.monotonic() + PAST
        with self._progress.step("Letting the homes far away tell their past"):
            while not self._complete_statistics(api) and time.monotonic() < end:
                self._keep_running()
                time.sleep(0.5)

    # From now on

    def _show(self, home: HomeAssistant) -> None:
        url = f"{home.url}/{URL_PATH}"
        print(greeting(url, home.user, home.password, self._options.at))
        if self._options.duration is None:
            print("  Ctrl-C stops it.", flush=True)
        sys.stdout.flush()
        if self._options.browser and _has_display():
            webbrowser.open(url)

    def _watch(self, api: Api, liveness: Liveness, sharing: SharesLiveness) -> None:
        end = None if self._options.duration is None else time.monotonic() + self._options.duration
        missed = 0
        while end is None or time.monotonic() < end:
            time.sleep(INTERVAL if end is None else max(0.0, min(INTERVAL, end - time.monotonic())))
            self._keep_running()
            try:
                liveness.look()
                sharing.look()
                self._complete_statistics(api)
                missed = 0
            except ApiError as error:
                missed += 1
                if missed >= LOOKS_MISSED and end is not None:
                    raise DemoError(f"Home Assistant no longer answers ({error})") from error
        if complaint := liveness.complaint or sharing.complaint:
            raise NotLiveError(complaint)
        self._progress.say(f"Live until the end: {liveness.watts}; {sharing.summary}.")

    def _complete_statistics(self, api: Api) -> bool:
        """Give what was shared its past when that has arrived, and let all sums go on from their past.

        Return whether the past of what was shared is there.
        """
        notes, site, shares = self._notes, self._site, self._shares
        if site is None or shares is None:
            return False
        if not notes.shared and (past := import_past_shares(api, notes.sites[0], shares, datetime.now(UTC))):
            notes.past |= past.reached
            notes.states = past.states
            notes.shared = True
            furnish.set_up_energy(api, site, shares)  # not before: whatever the past adds would have to be paid now
            self._memory.save()
        if notes.past:
            for entity in lift_sums(api, notes.past, datetime.now(UTC), notes.states):
                del notes.past[entity]
            self._memory.save()
        return notes.shared

    def _keep_running(self) -> None:
        for meter in self._meters:
            if not meter.running:
                raise DemoError(f"the simulated meter ended: {meter.last_line}")
        for part in (self._broker, self._homes):
            if part and part.complaint:
                raise DemoError(part.complaint)
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


def _settle(api: Api, site: str, house: House, now: datetime) -> None:
    """Give a site what a household has: a contract, and a past."""
    furnish.give_contract(api, site)
    furnish.import_past_weeks(api, site, as_csv(quarter_hours(now, house.household)))


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
