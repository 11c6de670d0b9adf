"""Coefficients that an organiser gives for each quarter-hour: which part of the production each member is offered."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from .quarter_hour import QUARTER, Span

WHOLE: Final = 1_000_000
"""A coefficient is kept as so many parts: a ten-thousandth of a percent is one."""
ALL_PRODUCERS: Final = ""
"""Stands in place of a producer's code where the coefficients hold for all of them."""

type OfQuarterHour = Mapping[str, Mapping[str, int]]
"""Parts of one quarter-hour by producer and member; either for `ALL_PRODUCERS`, or for each producer apart."""
type GivenCoefficients = Mapping[int, OfQuarterHour]
"""The same by the start of the quarter-hour [s, Unix]; there is nothing where none were given."""


def percent(part: int) -> str:
    """Return a coefficient as people write it."""
    return f"{Decimal(part).scaleb(-4).normalize():f} %"


def is_by_producer(of_quarter: OfQuarterHour) -> bool:
    """Whether the coefficients of a quarter-hour are given for each producer apart."""
    return ALL_PRODUCERS not in of_quarter


def unbroken(starts: Sequence[int], given: GivenCoefficients) -> Iterator[Span]:
    """Cut quarter-hours into spans without a hole, in all of which coefficients are given the same way, if at all.

    Parameters
    ----------
    starts
        Beginnings of the quarter-hours [s, Unix], in order.
    given
        The coefficients.
    """
    begin = end = None
    form: bool | None = None
    for start in starts:
        of_quarter = given.get(start)
        this_form = None if of_quarter is None else is_by_producer(of_quarter)
        other_form = form is not None and this_form is not None and form is not this_form
        if begin is not None and end is not None and (start != end or other_form):
            yield Span(begin, end)
            begin, form = None, None
        begin = start if begin is None else begin
        form = this_form if form is None else form
        end = start + QUARTER
    if begin is not None and end is not None:
        yield Span(begin, end)
