"""The energy of a site: its registers and its quarter-hours, from what its channels counted."""

from collections.abc import Mapping
from typing import Any, Final

from .channel import Role, SiteLayout
from .energy_registers import GAP, EnergyRegisters
from .quarter_hour import QuarterHour
from .quarter_hour_meter import LISTENING, OpenQuarterHour, QuarterHourMeter

LATECOMER: Final = 1
"""After a gap a phase may be heard this much [s] later than the others."""
LATENESS: Final = 60
"""A message of an earlier step, up to this long [s] ago, came late and is taken into the present one."""
QUIET: Final = 10
"""A step is over at the latest when nothing more was counted for this long [s]."""
PATIENCE: Final = 900
"""So long after a gap [s] a counter that has not spoken yet is waited for: some speak only when they rise."""
SIDES: Final = (Role.GRID, Role.PRODUCTION)


class SiteEnergy:
    """Books what the channels of a site counted, the same way whether it is told live or from a history.

    The phases are netted at the meter's own integration step: what all of them counted in one second belongs together.

    Parameters
    ----------
    layout
        The roles of the channels.
    integrated
        Sides that no counter measures, only power.
    settle
        A quarter-hour is closed so long after its end [s].
    """

    def __init__(self, layout: SiteLayout, integrated: frozenset[Role] = frozenset(), *, settle: int = 15) -> None:
        self._layout = layout
        self._sides = frozenset(side for side in SIDES if layout.keys(side))
        self._counting = frozenset(k for side in self._sides - integrated for k in layout.keys(side))
        self.registers = EnergyRegisters()
        self._quarters = QuarterHourMeter(self._sides - integrated, integrated & self._sides, settle=settle)
        self._step: dict[str, tuple[float, float]] = {}
        self._booked: set[str] = set()
        self._step_time = 0.0
        self._step_seconds = 0.0
        self._heard: dict[str, float] = {}
        self._missed: dict[Role, float] = {}
        self._gap: tuple[float, float] | None = None

    @property
    def unbooked(self) -> frozenset[str]:
        """Channels that have counted something for the first time in the step that is still going on."""
        return frozenset(self._step.keys() - self._booked)

    def add_energy(self, key: str, forward: float, backward: float, time: float, seconds: float) -> None:
        """Book energy that a channel counted [Wh; L for gas and water] in the `seconds` [s] before `time` [s, Unix].

        Nothing counted is worth telling, too: the counter was heard.
        """
        assignment = self._layout.assignments.get(key)
        role = assignment.role if assignment else None
        if role in SIDES:
            self._heard[key] = time
        if not forward and not backward:
            return
        if role is not Role.GRID:
            booked = self.registers.book(self._layout, {key: (forward, backward)}, 0)
            if role is Role.PRODUCTION:
                self._quarters.book(Role.PRODUCTION, (booked.production,), time - max(seconds, 0), time)
            return
        # All phases' counters of one second belong to one step: it is over when the next second begins. After a gap a
        # phase may be heard a second late: we came back amid the phases of one second. A clock that is set back begins
        # a step as well.
        latest = self._step_time + (LATECOMER if self._step_seconds > GAP else 0)
        if not self._step_time - LATENESS <= time <= latest:
            self.close_step()
            self._step_time = time
        self._step_seconds = max(self._step_seconds, seconds)
        before = self._step.get(key, (0.0, 0.0))
        self._step[key] = (before[0] + forward, before[1] + backward)

    def add_grid_energy(self, offtake: float, injection: float, time: float, seconds: float) -> None:
        """Book energy that the meter counted for the whole connection, netted over its phases [Wh]."""
        for key in self._layout.keys(Role.GRID):
            self._heard[key] = time
        self.registers.offtake += offtake
        self.registers.injection += injection
        self._quarters.book(Role.GRID, (offtake, injection), time - max(seconds, 0), time)

    def miss_energy(self, key: str, time: float, seconds: float) -> None:
        """Take note that what a channel counted in the `seconds` before `time` is not known."""
        assignment = self._layout.assignments.get(key)
        if assignment and assignment.role in self._sides:
            self._heard[key] = time
            since, missed = time - max(seconds, 0), self._missed.get(assignment.role, 0.0)
            if missed <= time + LATENESS:  # else the clock was set back
                since = max(since, missed)  # all phases of a meter begin anew together: time is not known only once
            self._missed[assignment.role] = time
            self._quarters.miss(assignment.role, since, time)

    def hear(self, side: Role, time: float) -> None:
        """Take note that a side was heard: its counters have told what they had to tell until `time` [s, Unix]."""
        if side not in self._sides:
            return
        before = self._quarters.known(side)
        if before is not None and time - before > LISTENING:
            self._gap = (min(before, self._gap[0]) if self._gap else before, time)
        self._quarters.hear(side, time)

    def close_step(self) -> None:
        """Net the phases over the integration step that is over."""
        if not self._step:
            return
        booked = self.registers.book(self._layout, self._step, self._step_seconds)
        since = self._step_time - self._step_seconds
        self._quarters.book(Role.GRID, (booked.offtake, booked.injection), since, self._step_time)
        self._booked |= self._step.keys()
        self._step, self._step_seconds = {}, 0.0

    def close_quarter_hours(self) -> list[QuarterHour]:
        """Return the quarter-hours that are over, each once, in order."""
        if self._waits_for_counters():
            return []
        known = self._quarters.known(Role.GRID)
        if known is not None and known > self._step_time + QUIET:
            self.close_step()
        # What an open step will book is not yet with its quarter-hours.
        return self._quarters.close(self._step_time - self._step_seconds if self._step else None)

    def running(self, start: int) -> OpenQuarterHour:
        """Return what was counted of a quarter-hour so far."""
        return self._quarters.running(start)

    @property
    def open_since(self) -> int | None:
        """Start of the first quarter-hour that is not closed; None before the first sign of life."""
        return self._quarters.open_since

    def waiting(self) -> list[OpenQuarterHour]:
        """Return what was counted and belongs to no closed quarter-hour, in order."""
        return self._quarters.waiting()

    def _waits_for_counters(self) -> bool:
        """Whether a counter has not spoken since a gap: what it counted there is still to be spread over it."""
        if self._gap is None:
            return False
        since, until = self._gap
        silent = [k for k in self._counting if k in self._heard and self._heard[k] <= since]
        known = [self._quarters.known(side) for side in self._sides]
        if silent and any(time is not None and until <= time < until + PATIENCE for time in known):
            return True
        for key in silent:
            self._quarters.miss(self._layout.assignments[key].role, since, until)
        self._gap = None
        return False

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; ends the integration step."""
        self.close_step()
        return {
            "registers": self.registers.as_dict(),
            "quarter_hours": self._quarters.as_dict(),
            "heard": dict(self._heard),
            "gap": self._gap,
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take back what `as_dict` gave; registers alone will do.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is something else.
        """
        registers = EnergyRegisters.from_dict(data["registers"])
        if "quarter_hours" in data:
            self._quarters.restore(data["quarter_hours"])
            self._heard = {key: float(time) for key, time in data["heard"].items()}
            self._gap = tuple(data["gap"]) if data["gap"] else None
        self.registers = registers
