"""A street: an organiser and households, each with a Home Assistant of its own, around a real Mosquitto."""

from collections.abc import Mapping
import csv
from dataclasses import dataclass, replace
from datetime import UTC, datetime
import io
from pathlib import Path
import socket
import threading
from typing import Any, Self
import zipfile

from custom_components.energy_neighbours.core import invitation
from custom_components.energy_neighbours.core.quarter_hour import Span
from tools.broker import add_member
from tools.demo import founding
from tools.home import Api, ConfigFlow, HomeAssistant, Layout, entries_of
from tools.mosquitto import Mosquitto

ROOT = Path(__file__).parents[2]
DOMAIN = "energy_neighbours"
BROKER_PORT = 18883
HEADING = "timestamp_utc,ean,offtake_wh,injection_wh,quality\n"


class Cable:
    """The line between a household and the broker, which can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Let nothing through any more, and end what goes through now."""
        self._cut = True
        for end in self._ends:
            end.close()
        self._ends.clear()

    def mend(self) -> None:
        """Let everything through again."""
        self._cut = False

    def _accept(self) -> None:
        while True:
            near, _ = self._server.accept()
            if self._cut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._to))
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                end.close()


@dataclass
class Home:
    """A running Home Assistant, and the sites in it by name."""

    assistant: HomeAssistant
    sites: dict[str, str]

    @property
    def api(self) -> Api:
        return self.assistant.api

    def add_site(self, name: str) -> None:
        """Set a site up on sensors."""
        self._tell(name)
        sensor = f"sensor.{name}"
        before = {entry["entry_id"] for entry in entries_of(self.api, DOMAIN)}
        flow = ConfigFlow.start(self.api, DOMAIN)
        flow.choose("sensors")
        flow.submit({"grid_power": [f"{sensor}_power"], "offtake_energy": [f"{sensor}_counter"]})
        [self.sites[name]] = {entry["entry_id"] for entry in entries_of(self.api, DOMAIN)} - before

    def _tell(self, name: str) -> None:
        """Let a site's sensors tell something; what they tell now is of no importance."""
        counter = {"unit_of_measurement": "kWh", "state_class": "total_increasing"}
        self.api.post(f"/api/states/sensor.{name}_counter", {"state": "1000", "attributes": counter})
        power = {"unit_of_measurement": "W"}
        self.api.post(f"/api/states/sensor.{name}_power", {"state": "0", "attributes": power})

    def restart(self) -> None:
        """Start again; nobody but us makes the sensors tell something."""
        self.assistant.start()
        for name, entry_id in self.sites.items():
            self._tell(name)
            self.api.post(f"/api/config/config_entries/entry/{entry_id}/reload")

    def measure(self, name: str, energies: Mapping[int, tuple[int, int]]) -> None:
        """Let a site have measured offtake and injection [Wh], by start."""
        rows = [
            f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ},,{offtake},{injection},measured\n"
            for start, (offtake, injection) in sorted(energies.items())
        ]
        folder = self.assistant.directory / "www"
        folder.mkdir(exist_ok=True)
        file = folder / f"{name}.csv"
        file.write_text(HEADING + "".join(rows), encoding="utf-8")
        self.act("import_readings", config_entry_id=self.sites[name], file=str(file))

    def act(self, action: str, *, answers: bool = False, **data: Any) -> Any:
        answer = self.api.post(f"/api/services/{DOMAIN}/{action}{'?return_response' if answers else ''}", data)
        return answer["service_response"] if answers else None

    def shares(self, span: Span, **whose: str) -> dict[int, tuple[int, bool]]:
        """Return what was allocated [Wh], and whether that is provisional, by start."""
        url = self.act("export_data", answers=True, **whose)["url"]
        archive = zipfile.ZipFile(io.BytesIO(self.api.download(url)))
        rows = list(csv.DictReader(io.StringIO(archive.read("shares.csv").decode())))
        found = {
            int(datetime.fromisoformat(row["start"]).timestamp()): (
                int(row["allocated_wh"]),
                row["provisional"] == "True",
            )
            for row in rows
            if row["allocated_wh"]
        }
        return {start: share for start, share in found.items() if span.start <= start < span.end}


class Street:
    """The organiser, its broker, and what is needed to bring households in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._homes: list[Home] = []
        self.organiser = self.home("organiser", 8131)
        self.community = ""
        self._mosquitto: Mosquitto | None = None

    def home(self, name: str, port: int) -> Home:
        """Return a Home Assistant that is started with the street, or at once if that is."""
        layout = Layout(port=port, name=name, components=(ROOT / "custom_components" / DOMAIN,))
        made = Home(HomeAssistant(self.folder / name, layout), {})
        self._homes.append(made)
        return made

    def __enter__(self) -> Self:
        try:
            for each in self._homes:
                each.assistant.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        for each in self._homes:
            each.assistant.stop()
        if self._mosquitto:
            self._mosquitto.__exit__()

    def found(self, day: str, key: str) -> None:
        """Found the community and give it its broker."""
        api = self.organiser.api
        self.community = founding.found(api, name="Street", region="brussels", key=key, day=day, shared_price=0.12)
        form, name = founding.begin_broker(api, self.community)
        answers = founding.make_broker(self.folder / "broker", name, BROKER_PORT)
        self._mosquitto = Mosquitto(self.folder / "broker", configured=True)
        form.submit(answers)

    def take_in(self, site: str, day: str, part: str) -> str:
        """Make a site of the organiser a member; return its code."""
        founding.take_in(self.organiser.api, self.community, self.organiser.sites[site], name=site, part=part, day=day)
        return self._code_of(site)

    def invite(self, name: str, day: str, part: str) -> tuple[str, str]:
        """Invite a household; return its code and the invitation."""
        invited = founding.invite(self.organiser.api, self.community, name=name, part=part, day=day)
        add_member(self.folder / "broker", invited.code, invited.password)
        assert self._mosquitto
        self._mosquitto.reload()
        return invited.code, invited.invitation

    def join(self, home: Home, site: str, text: str, day: str, cable: Cable | None = None) -> None:
        """Let a household join with its invitation, perhaps over a line of its own."""
        if cable:
            text = invitation.encode(replace(invitation.decode(text), port=cable.port))
        flow = ConfigFlow.subentry(home.api, home.sites[site], "membership")
        flow.submit({"invitation": text})
        flow.submit({"since": day, "readings": True, "live": False, "statistics": True})

    def _code_of(self, title: str) -> str:
        subentries = self.organiser.api.websocket("config_entries/subentries/list", entry_id=self.community)
        unique = next(each for each in subentries if each["title"] == title)
        return str(unique["unique_id"])
