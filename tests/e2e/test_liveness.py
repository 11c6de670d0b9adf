"""When the demo says that a site lives."""

from typing import Any, override

from tools.demo.site_entities import Liveness, SiteEntities
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
