"""The rest of the street: a broker and twelve homes far away, as child processes of the demo."""

from datetime import date, datetime, timedelta
from pathlib import Path
import sys

from tools.broker import add_member
from tools.home import Api, Child
from tools.neighbourhood.cast import NEIGHBOURS, Cast
from tools.simulator.household import ZONE

from . import founding
from .houses import HOUSES
from .words import Words

READY = 60  # [s]
ROOT = Path(__file__).parents[2]
REGION, KEY, SHARED_PRICE = "wallonia", "prorata", 0.095
"""What the community agreed; the price is without network and levies [€/kWh]."""


def first_day(now: datetime) -> date:
    """Return the day on which the demo's community began: the first of last month, so that there is one to look at."""
    return (now.astimezone(ZONE).date().replace(day=1) - timedelta(days=1)).replace(day=1)


class Broker:
    """The community's broker."""

    def __init__(self, folder: Path, port: int) -> None:
        """Start it."""
        self.port = port
        command = [sys.executable, "-m", "tools.neighbourhood", "broker", str(folder), "--port", str(port)]
        self._child = Child(command, folder.parent / "broker.log", cwd=ROOT)

    def wait(self) -> None:
        """Wait until it listens."""
        self._child.wait_for_line("ready ", READY)

    @property
    def complaint(self) -> str | None:
        """Why it does not run; None while it does."""
        return None if self._child.returncode is None else f"the community's broker ended: {self._child.last_line}"

    def stop(self) -> None:
        """End it."""
        self._child.stop()


class Homes:
    """The homes far away."""

    def __init__(self, directory: Path, cast: Cast) -> None:
        """Let them begin to take part."""
        file = directory / "neighbours.json"
        cast.write(file)
        command = [sys.executable, "-m", "tools.neighbourhood", "homes", str(file)]
        self._child = Child(command, directory / "neighbours.log", cwd=ROOT)

    @property
    def complaint(self) -> str | None:
        """Why they do not take part; None while they do."""
        return None if self._child.returncode is None else f"the simulated neighbours ended: {self._child.last_line}"

    def stop(self) -> None:
        """Let them go."""
        self._child.stop()


def found_community(api: Api, folder: Path, port: int, words: Words, day: str) -> tuple[str, Broker]:
    """Found the community of the street and start its broker; return its entry, and the broker.

    Parameters
    ----------
    folder, port
        Where the broker's files are made, and where it listens.
    words
        The language of its name.
    day
        When it begins.
    """
    community = founding.found(api, name=words.street, region=REGION, key=KEY, day=day, shared_price=SHARED_PRICE)
    form, name = founding.begin_broker(api, community)
    answers = founding.make_broker(folder, name, port)
    broker = Broker(folder, port)
    broker.wait()
    form.submit(answers)
    return community, broker


def fill_community(api: Api, community: str, folder: Path, sites: list[str], words: Words, day: str) -> list[str]:
    """Take the sites in and invite the homes far away; return the invitations."""
    for house, site in zip(HOUSES, sites, strict=True):
        founding.take_in(api, community, site, name=words.address(house.number), part="both", day=day)
    texts = []
    for neighbour in NEIGHBOURS:
        part = "both" if neighbour.kwp else "consumer"
        invited = founding.invite(api, community, name=words.address(neighbour.number), part=part, day=day)
        add_member(folder, invited.code, invited.password)
        texts.append(invited.invitation)
    return texts


def move_broker(api: Api, community: str, port: int) -> None:
    """Tell Home Assistant the broker's new port."""
    form, _ = founding.begin_broker(api, community)
    form.submit({"port": port})
