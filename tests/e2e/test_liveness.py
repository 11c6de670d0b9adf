"""When the demo says that a site lives."""

from typing import Any, override

import pytest

from tools.demo.site_entities import Liveness, SiteEntities
from tools.demo.street_entities import CommunityEntities, Home as HomeHere, Shares, SharesLiveness, Street
from tools.home import Api

SITE = SiteEntities(
    grid="sensor.grid_power",
    production=None,
    consumption="sensor.consumption_power",
    offtake="sensor.offtake_energy",
    injection=None,
    produced=None,
    imbalance=None,
    connected="binary_sensor.connected",
    last_reading="sensor.last_reading",
)


class Home(Api):
    """Answers with the states that it is told."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1")
        self.now: dict[str, str] = {}

    @override
    def states(self) -> dict[str, dict[str, Any]]:
        return {entity: {"state": state} for entity, state in self.now.items()}


def complaint_after(*moments: tuple[str, str]) -> str | None:
    home = Home()
    liveness = Liveness(home, SITE)
    for grid, consumption in moments:
        home.now = {SITE.grid: grid, "sensor.consumption_power": consumption}
        liveness.look()
    return liveness.complaint


def test_watts_that_move_live() -> None:
    assert complaint_after(("100", "100"), ("120", "120")) is None


def test_one_power_may_stand_still() -> None:
    assert complaint_after(("100", "283"), ("120", "283")) is None


def test_watts_that_all_stand_still_do_not_live() -> None:
    complaint = complaint_after(("100", "283"), ("100", "283"))

    assert complaint == "no power has changed (grid_power 100 W, consumption_power 283 W)"


def test_a_power_that_is_lost_at_the_end_does_not_live() -> None:
    assert complaint_after(("100", "283"), ("120", "unavailable")) == "sensor.consumption_power is unavailable"


def test_an_outage_that_is_over_does_not_matter() -> None:
    assert complaint_after(("100", "283"), ("unavailable", "unavailable"), ("120", "290")) is None


def test_nothing_seen_is_nothing_living() -> None:
    assert complaint_after() == "no power has changed (none was seen)"


SHARES = Shares(
    power="sensor.now",
    from_neighbours="sensor.from_neighbours",
    from_supplier="sensor.from_supplier",
    today="sensor.today",
    this_month="sensor.this_month",
    coverage="sensor.coverage",
    self_consumption="sensor.self_consumption",
    saving="sensor.saving",
    price="sensor.price",
)
STREET = Street(
    community=CommunityEntities(
        present="sensor.present",
        completeness="sensor.completeness",
        production="sensor.production",
        offtake="sensor.offtake",
        allocated="sensor.allocated",
        surplus="sensor.surplus",
        coverage="sensor.community_coverage",
        self_consumption="sensor.community_self_consumption",
    ),
    names={},
    homes=[HomeHere(name="Lime Street 2", shares=SHARES)] * 3,
)


@pytest.mark.parametrize(
    ("now", "so_far", "present", "complaint"),
    [
        ("0", "12.5", "14", None),
        ("unknown", "12.5", "14", "sensor.now is unknown"),
        ("0", "0.0", "14", "nothing came from the neighbours (sensor.from_neighbours is 0.0)"),
        ("0", "12.5", "3", "none of the homes far away is heard (sensor.present is 3)"),
    ],
)
def test_shares_live_when_something_was_divided_and_all_are_heard(
    now: str, so_far: str, present: str, complaint: str | None
) -> None:
    home = Home()
    home.now = {SHARES.power: now, SHARES.from_neighbours: so_far, STREET.community.present: present}
    sharing = SharesLiveness(home, STREET)
    sharing.look()
    assert sharing.complaint == complaint
