"""Which quarter-hours of a member an organiser takes, and why it does not take the others."""

from zoneinfo import ZoneInfo

from .community import Member
from .messages import ReadingQuarter, ReadingRefusal
from .quarter_hour import QUARTER, QUARTERS_PER_HOUR, QuarterHour, day_of

SLACK = 120
"""The clock of a member may be ahead by this much [s]."""


def refusal(
    quarter: ReadingQuarter | QuarterHour,
    member: Member,
    *,
    connection_power: float,
    closed_until: int,
    now: float,
    zone: ZoneInfo,
) -> ReadingRefusal | None:
    """Return why a quarter-hour is not taken; None if it is.

    Parameters
    ----------
    quarter
        What the member sent, or a file tells of it.
    member
        Who it is.
    connection_power
        What its connection can carry [kVA].
    closed_until
        Quarter-hours before this are settled [s, Unix].
    now
        The time [s, Unix].
    zone
        Where the community lies.
    """
    if quarter.start + QUARTER > now + SLACK:
        return ReadingRefusal.FUTURE
    if quarter.start < closed_until:
        return ReadingRefusal.CLOSED
    if not member.belongs(day_of(quarter.start, zone)):
        return ReadingRefusal.NOT_MEMBER
    most = connection_power * 1000 / QUARTERS_PER_HOUR
    energies = (quarter.offtake, quarter.injection, quarter.production)
    if any(energy is not None and energy > most for energy in energies):
        return ReadingRefusal.ABSURD
    return None
