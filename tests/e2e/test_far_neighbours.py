"""A day that is shared by three Home Assistants over a real broker, with an organiser killed and a member cut off.

The energies are those of real homes. Every share of every member is to be what the whole day, divided by hand, gives.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
import time
from zoneinfo import ZoneInfo

import pytest

from custom_components.energy_neighbours.core.quarter_hour import local_day
from custom_components.energy_neighbours.core.repartition_key import Hybrid
from tests.core.repartition_reference import allocate_by_hand
from tools.neighbourhood.homes import homes, sunshine

from .street import BROKER_PORT, DOMAIN, Cable, Street

pytestmark = pytest.mark.timeout(1200)

ZONE = ZoneInfo("Europe/Brussels")
JUNE = 172 * 96
"""The quarter-hour of the measured year with which its longest day begins."""
NAMES = ("roof", "ash", "elm", "cedar")
ROOFS = {"roof": 5.0, "cedar": 2.5}
"""Power of the roofs, by site [kWp]."""
KILLED, BACK = 9, 10
CUT, MENDED = 13, 16
"""Hours of the day."""
SETTINGS_KEPT = 15
"""Home Assistant writes its own settings down some time later [s]; the hours of this day are shorter."""


class Day:
    """Yesterday in the street: what its homes measured, and what each is to get."""

    def __init__(self, street: Street) -> None:
        yesterday = datetime.now(ZONE).date() - timedelta(days=1)
        self.text = yesterday.isoformat()
        self.span = local_day(yesterday, ZONE)
        self.starts = list(self.span.quarter_hours)[:96]  # where it has 100 of them, the last hour stays unknown
        self.measured = {
            name: dict(zip(self.starts, energies(number, name), strict=False)) for number, name in enumerate(NAMES)
        }
        self.street = street
        near, far = street.home("near", 8132), street.home("far", 8133)
        self.where = {"roof": street.organiser, "ash": near, "elm": near, "cedar": far}
        self.codes: dict[str, str] = {}
        self.cable = Cable(BROKER_PORT)

    def found_community(self) -> None:
        """Bring all four into one community, cedar over a line of its own."""
        for name, home in self.where.items():
            home.add_site(name)
        street, text = self.street, self.text
        street.found(text, "hybrid")
        self.codes["roof"] = street.take_in("roof", text, "both")
        for name, part in (("ash", "consumer"), ("elm", "consumer"), ("cedar", "both")):
            self.codes[name], invitation = street.invite(name, text, part)
            street.join(self.where[name], name, invitation, text, self.cable if name == "cedar" else None)

    def measure(self, name: str, hour: int) -> None:
        """Let a site measure an hour of the day."""
        self.where[name].measure(name, {start: self.measured[name][start] for start in self.starts[4 * hour :][:4]})

    def expected(self, name: str) -> dict[int, tuple[int, bool]]:
        """Return what a site is to get for good, worked out by hand."""
        found = {}
        for start in self.starts:
            took = {self.codes[each]: self.measured[each][start][0] for each in NAMES}
            gave = {self.codes[each]: self.measured[each][start][1] for each in ROOFS}
            allocated, _ = allocate_by_hand(Hybrid(None), took, gave)
            found[start] = allocated[self.codes[name]], False
        return found

    def told(self, name: str, *, by_organiser: bool) -> dict[int, tuple[int, bool]]:
        """Return what a site gets by its organiser's ledger, or by its own."""
        if by_organiser:
            home, whose = self.street.organiser, {"config_entry_id": self.street.community, "member": self.codes[name]}
        else:
            home, whose = self.where[name], {"config_entry_id": self.where[name].sites[name]}
        return {start: share for start, share in home.shares(self.span, **whose).items() if start in self.starts}


def energies(number: int, name: str) -> list[tuple[int, int]]:
    """Return offtake and injection of a site in each quarter-hour of the day [Wh]."""
    used = homes()[JUNE : JUNE + 96, number].tolist()
    made = [round(energy * ROOFS.get(name, 0)) for energy in sunshine()[JUNE : JUNE + 96].tolist()]
    return [(max(use - make, 0), max(make - use, 0)) for use, make in zip(used, made, strict=True)]


def live_through(day: Day) -> None:
    """Let the day pass, hour after hour, in a minute or two."""
    for hour in range(24):
        if hour == KILLED:
            time.sleep(SETTINGS_KEPT)
            day.street.organiser.assistant.kill()
        if hour == BACK:
            day.street.organiser.restart()
            day.measure("roof", KILLED)
        if hour == CUT:
            day.cable.cut()
        if hour == MENDED:
            day.cable.mend()
        for name, home in day.where.items():
            if home.assistant.running:
                day.measure(name, hour)


def test_every_share_is_that_of_the_whole_day_whoever_was_away(tmp_path: Path) -> None:
    day = Day(Street(tmp_path))
    with day.street:
        day.found_community()
        live_through(day)
        expected = {name: day.expected(name) for name in NAMES}
        assert sum(allocated for of_site in expected.values() for allocated, _ in of_site.values()) > 5000
        for name, by_organiser in product(NAMES, (True, False)):
            wait_for(partial(day.told, name, by_organiser=by_organiser), expected[name])
        for home in day.where.values():
            # Neither an error of ours, nor one of another that passed through us.
            lines = home.assistant.log.splitlines()
            assert not [line for line in lines if DOMAIN in line and ("ERROR" in line or "File " in line)]


def wait_for(look: Callable[[], dict[int, tuple[int, bool]]], expected: dict[int, tuple[int, bool]]) -> None:
    """Wait until shares are as expected; tell which are not if they never are."""
    end = time.monotonic() + 240
    while (found := look()) != expected:
        if time.monotonic() > end:
            assert {start: found.get(start) for start in expected} == expected
        time.sleep(1)
