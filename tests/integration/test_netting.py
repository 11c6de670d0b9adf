"""Netting of the phases: which counters make a step, whatever comes in between."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_neighbours.core.channel import Role
from custom_components.energy_neighbours.flukso.models import MessageKind, Quantity, Reading

NONE, START = (0.0, 0.0, 0.0), 1_700_000_000


class Phases:
    """Counters of a site's three phases, to be told one by one [Wh]."""

    def __init__(self, site: MockConfigEntry) -> None:
        self._meter = site.runtime_data.meter
        self._flows = [self._meter._flows[key] for key in self._meter.layout.keys(Role.GRID)]
        self.registers = site.runtime_data.registers
        self.close = site.runtime_data.energy.close_step

    def tell(self, time: int, *, only: tuple[int, ...] = (0, 1, 2), **counters: tuple[float, float, float]) -> None:
        """Tell the counters `imported` and `exported` of the phases named."""
        for quantity, name in ((Quantity.IMPORT, "imported"), (Quantity.EXPORT, "exported")):
            for phase in only:
                sid = self._flows[phase].sensors[quantity]
                self._meter._count(Reading(sid, MessageKind.COUNTER, counters[name][phase], "Wh", time), time)


def netted_half(site: MockConfigEntry) -> Phases:
    """Tell a minute in which half of what one phase takes comes from another."""
    phases = Phases(site)
    for second in range(60):
        phases.tell(START + second, imported=(2.0 * second, 0.0, 0.0), exported=(0.0, 1.0 * second, 0.0))
    phases.close()
    assert (phases.registers.offtake, phases.registers.injection) == (59, 0)
    return phases


@pytest.mark.parametrize("late", [(0,), (1,), (0, 1, 2)])
async def test_gap_is_one_step_even_where_we_come_back_amid_the_phases_of_a_second(
    hass: HomeAssistant, paused_site: MockConfigEntry, late: tuple[int, ...]
) -> None:
    phases = netted_half(paused_site)
    after = {"imported": (1118.0, 0.0, 0.0), "exported": (0.0, 959.0, 0.0)}  # 1000 taken, 900 given back in an hour
    phases.tell(START + 3659, only=tuple({0, 1, 2} - set(late)), **after)
    phases.tell(START + 3660, **after)
    phases.tell(START + 3662, **after)
    phases.close()
    assert phases.registers.offtake == pytest.approx(59 + 500), "half of it is estimated to have been netted"
    assert phases.registers.injection == pytest.approx(400)
    assert phases.registers.counted == pytest.approx(118), "a gap teaches nothing about netting"


async def test_long_quiet_is_no_gap(hass: HomeAssistant, paused_site: MockConfigEntry) -> None:
    phases = Phases(paused_site)
    for second in range(200):
        phases.tell(START + second, imported=NONE, exported=NONE)
    phases.tell(START + 200, imported=(3.0, 0.0, 0.0), exported=(0.0, 1.0, 0.0))
    phases.close()
    assert (phases.registers.offtake, phases.registers.injection) == (2, 0)


async def test_clock_that_is_set_back_ends_no_second_less(hass: HomeAssistant, paused_site: MockConfigEntry) -> None:
    phases = Phases(paused_site)
    phases.tell(START, imported=NONE, exported=NONE)
    phases.tell(START + 1, imported=(1.0, 0.0, 0.0), exported=NONE)
    for second in range(2, 5):
        phases.tell(START + second - 300, imported=(1.0 * second, 0.0, 0.0), exported=NONE)
    assert phases.registers.offtake == 3, "only the second that has not ended is still to be booked"
