"""What of a file of readings an organiser keeps for a member, and what is told of the rest."""

from collections import Counter
from dataclasses import replace
from zoneinfo import ZoneInfo

from .community import Member
from .history import History, HistoryError, Problem, ProblemKind
from .messages import ReadingRefusal
from .quarter_hour import QuarterHour, iso
from .reading_check import refusal


def of_member(
    history: History, member: Member, *, connection_power: float, closed_until: int, now: float, zone: ZoneInfo
) -> History:
    """Return what of a history may be kept for a member.

    A file tells of a whole year: what lies before the member joined, after it left, or in a settled period is left out
    and counted in the notes. What its connection cannot carry is a problem.

    Parameters
    ----------
    history
        All that a source tells.
    member
        Whose it is.
    connection_power, closed_until, now, zone
        As for `reading_check.refusal`.

    Raises
    ------
    HistoryError
        When all of it is left out.
    """
    if not history.quarter_hours:  # of several access points some are still to be chosen
        return history
    kept: list[QuarterHour] = []
    problems = list(history.problems)
    left_out: Counter[ReadingRefusal] = Counter()
    for quarter in history.quarter_hours:
        reason = refusal(
            quarter, member, connection_power=connection_power, closed_until=closed_until, now=now, zone=zone
        )
        match reason:
            case None:
                kept.append(quarter)
            case ReadingRefusal.FUTURE:
                problems.append(Problem(ProblemKind.IN_FUTURE, iso(quarter.start), iso(quarter.start)))
            case ReadingRefusal.ABSURD:
                problems.append(_too_much(quarter, connection_power))
            case _:
                left_out[reason] += 1
    outside, settled = left_out[ReadingRefusal.NOT_MEMBER], left_out[ReadingRefusal.CLOSED]
    if not kept and not problems:
        raise HistoryError("import_all_left_out", outside=str(outside), settled=str(settled))
    notes = dict(history.notes)
    for key, count in (("not_member", outside), ("settled", settled)):
        if count:
            notes[key] = str(count)
    if lacks := [name for name, needed in _needs(member) if needed and _is_unknown(name, kept)]:
        notes["lacks"] = ", ".join(lacks)
    return replace(history, quarter_hours=kept, problems=problems, notes=notes)


def _too_much(quarter: QuarterHour, connection_power: float) -> Problem:
    energies = (quarter.offtake, quarter.injection, quarter.production)
    most = max(energy for energy in energies if energy is not None)
    return Problem(ProblemKind.TOO_MUCH, iso(quarter.start), f"{most} Wh", f"{connection_power:g} kW")


def _needs(member: Member) -> tuple[tuple[str, bool], ...]:
    return ("offtake", member.consumes), ("injection", member.produces)


def _is_unknown(name: str, quarters: list[QuarterHour]) -> bool:
    """Whether some quarter-hours tell nothing at all of an energy."""
    return bool(quarters) and all(getattr(quarter, name) is None for quarter in quarters)
