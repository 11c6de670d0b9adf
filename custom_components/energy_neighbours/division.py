"""Quarter-hours of a community made into shares: readings in, rows for the ledger out. It needs numpy."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from .communities import CommunityMember
from .core.coefficients import ALL_PRODUCERS, WHOLE, GivenCoefficients, is_by_producer, unbroken
from .core.community import KeyVersion, Rules
from .core.explanation import Explanation, explain
from .core.quarter_hour import QUARTER, Quality, QuarterHour, Span, quarter_start
from .core.repartition import UNKNOWN, Coefficients
from .core.repartition_key import RepartitionKey
from .core.span_shares import allocate_span
from .ledger_readings import Reading
from .ledger_shares import ALL_WHO_AGREED, Share, Total

type Readings = Mapping[str, Mapping[int, Reading]]
"""What is known of sites, by the name in the ledger and the start of the quarter-hour."""
_NONE: Final[GivenCoefficients] = MappingProxyType({})


class Division(NamedTuple):
    """What became of some quarter-hours: shares by the site's name in the ledger, and the sums of all and of groups."""

    shares: dict[str, list[Share]]
    totals: list[Total]


def divide(
    rules: Rules,
    members: Sequence[CommunityMember],
    starts: Sequence[int],
    readings: Readings,
    silent: Collection[str] = (),
    given: GivenCoefficients = _NONE,
) -> Division:
    """Divide some quarter-hours. Those in which no key held are left out.

    Parameters
    ----------
    rules
        The community's.
    members
        Its members, in the order of the rules.
    starts
        Beginnings of the quarter-hours [s, Unix], in order.
    readings
        What is known of the members then.
    silent
        Codes of those who do not agree to be part of sums that all see.
    given
        The coefficients, where a key asks for them.
    """
    division = Division({each.site: [] for each in members}, [])
    for span in unbroken(starts, given):
        _divide_span(rules, members, span, readings, silent, given, division)
    return division._replace(shares={site: rows for site, rows in division.shares.items() if rows})


def _divide_span(
    rules: Rules,
    members: Sequence[CommunityMember],
    span: Span,
    readings: Readings,
    silent: Collection[str],
    given: GivenCoefficients,
    division: Division,
) -> None:
    consumers = [each for each in members if each.member.consumes]
    producers = [each for each in members if each.member.produces]
    offtake, injection = _table(consumers, span, readings, "offtake"), _table(producers, span, readings, "injection")
    result = allocate_span(rules, span, offtake, injection, _coefficients(rules, span, given))
    columns = {each.site: column for column, each in enumerate(consumers)}
    sources = {each.site: column for column, each in enumerate(producers)}
    # Plain numbers: the ledger knows no others, and taking them one by one out of an array is slow.
    offered, allocated, surplus = result.offered.tolist(), result.allocated.tolist(), result.surplus.tolist()
    versions, complete = result.version.tolist(), result.complete.tolist()
    for stretch in rules.stretches(span):
        if stretch.version is None:
            continue
        codes = {member.code for member in stretch.members}
        rows = range(*((time - span.start) // QUARTER for time in stretch.span))
        present = [each for each in members if each.member.code in codes]
        for each in present:
            column, source, known = columns.get(each.site), sources.get(each.site), readings.get(each.site, {})
            division.shares[each.site] += [
                Share(
                    start,
                    None if column is None else offered[row][column],
                    None if column is None else allocated[row][column],
                    None if source is None else surplus[row][source],
                    versions[row],
                    provisional=not complete[row],
                    reading=known[start].revision if start in known else None,
                )
                for row in rows
                for start in (span.start + row * QUARTER,)
            ]
        tables = _Tables(offtake, injection, result.allocated, result.surplus, result.complete)
        for profile, inside in _profiles(present, silent):
            division.totals.extend(tables.totals(profile, stretch.span, rows, inside, columns, sources))


def _profiles(
    present: Sequence[CommunityMember], silent: Collection[str]
) -> Iterator[tuple[str, Sequence[CommunityMember]]]:
    """Yield of whom sums are made: of all, of those who agreed to that, and of those in each group."""
    yield "", present
    agreed = [each for each in present if each.member.code not in silent]
    yield ALL_WHO_AGREED, agreed
    for group in sorted({each.member.group for each in agreed} - {""}):
        yield group, [each for each in agreed if each.member.group == group]


class _Tables(NamedTuple):
    """Tables of a span, quarter-hour by consumer or by producer."""

    offtake: np.ndarray
    injection: np.ndarray
    allocated: np.ndarray
    surplus: np.ndarray
    complete: np.ndarray

    def totals(
        self,
        profile: str,
        span: Span,
        rows: range,
        inside: Sequence[CommunityMember],
        columns: Mapping[str, int],
        sources: Mapping[str, int],
    ) -> Iterator[Total]:
        """Yield the sums of some members."""
        takers = [columns[each.site] for each in inside if each.site in columns]
        givers = [sources[each.site] for each in inside if each.site in sources]
        part = slice(rows.start, rows.stop)
        offtake, injection = self.offtake[part][:, takers], self.injection[part][:, givers]
        lived_in = sum(not each.member.vacant for each in inside if each.site in columns)
        sums = zip(
            span.quarter_hours,
            np.maximum(injection, 0).sum(axis=1).tolist(),
            np.maximum(offtake, 0).sum(axis=1).tolist(),
            self.allocated[part][:, takers].sum(axis=1).tolist(),
            self.surplus[part][:, givers].sum(axis=1).tolist(),
            (offtake >= 0).sum(axis=1).tolist(),
            self.complete[part].tolist(),
            strict=True,
        )
        for start, produced, taken, given, left, known, complete in sums:
            yield Total(profile, start, produced, taken, given, left, known, lived_in, not complete)


def _table(members: Sequence[CommunityMember], span: Span, readings: Readings, energy: str) -> np.ndarray:
    """Return energies of members, quarter-hour by member."""
    starts = span.quarter_hours
    table = np.full((len(starts), len(members)), UNKNOWN, np.int64)
    for column, each in enumerate(members):
        for start, (quarter, _) in readings.get(each.site, {}).items():
            value = getattr(quarter, energy)
            if value is not None and span.start <= start < span.end:
                table[(start - span.start) // QUARTER, column] = value
    return table


def _coefficients(rules: Rules, span: Span, given: GivenCoefficients) -> Coefficients | None:
    """Return the coefficients of a span in which all are given the same way; None if none are."""
    starts = [start for start in span.quarter_hours if start in given]
    if not starts:
        return None
    by_producer = is_by_producer(given[starts[0]])
    producers = rules.producers if by_producer else [ALL_PRODUCERS]
    columns = {code: column for column, code in enumerate(rules.consumers)}
    parts = np.full((len(span.quarter_hours), len(producers), len(columns)), UNKNOWN, np.int64)
    for start in starts:
        row = (start - span.start) // QUARTER
        for place, producer in enumerate(producers):
            if (of_producer := given[start].get(producer)) is None:
                continue
            parts[row, place] = 0  # who is not named is given nothing
            for code, part in of_producer.items():
                if code in columns:
                    parts[row, place, columns[code]] = part
    return Coefficients(parts if by_producer else parts[:, 0], WHOLE)


def divide_power(
    rules: Rules,
    members: Sequence[CommunityMember],
    now: int,
    powers: Mapping[str, tuple[int, int]],
    given: GivenCoefficients = _NONE,
) -> dict[str, int]:
    """Return what members would get if all went on as now [W], by code; nobody if no key holds.

    Parameters
    ----------
    rules, members
        The community's.
    now
        The time [s, Unix].
    powers
        Offtake and injection by member code [W]; who is not in it takes no part.
    given
        The coefficients of the running quarter-hour, where the key asks for them.
    """
    start = quarter_start(now)
    readings = {
        each.site: {start: Reading(QuarterHour(start, *powers[each.member.code], None), 1)}
        for each in members
        if each.member.code in powers
    }
    consumers = [each for each in members if each.member.consumes]
    producers = [each for each in members if each.member.produces]
    span = Span(start, start + QUARTER)
    offtake, injection = _table(consumers, span, readings, "offtake"), _table(producers, span, readings, "injection")
    result = allocate_span(rules, span, offtake, injection, _coefficients(rules, span, given))
    if result.version[0] == 0:
        return {}
    shares = zip(consumers, result.allocated[0].tolist(), strict=True)
    return {each.member.code: share for each, share in shares if each.member.code in powers}


def explain_share(
    rules: Rules,
    members: Sequence[CommunityMember],
    start: int,
    code: str,
    readings: Readings,
    given: GivenCoefficients = _NONE,
) -> Explanation:
    """Return why a member was allocated what it was; arguments as for `divide` and `explanation.explain`."""
    span = Span(start, start + QUARTER)
    site = next((each.site for each in members if each.member.code == code), "")
    reading = readings.get(site, {}).get(start)
    return explain(
        rules,
        start,
        code,
        _table([each for each in members if each.member.consumes], span, readings, "offtake")[0].tolist(),
        _table([each for each in members if each.member.produces], span, readings, "injection")[0].tolist(),
        reading.quarter.quality if reading else Quality.MISSING,
        _coefficients(rules, span, given),
    )


def example(
    rules: Rules,
    members: Sequence[CommunityMember],
    key: RepartitionKey,
    span: Span,
    readings: Readings,
    given: GivenCoefficients = _NONE,
) -> dict[str, tuple[int, int]]:
    """Return what each consumer got in a span, and what it would have got by another key [Wh], by member code."""
    consumers = [each for each in members if each.member.consumes]
    producers = [each for each in members if each.member.produces]
    other = replace(rules, versions=(KeyVersion(1, date.min, key),))
    sums = np.zeros((2, len(consumers)), np.int64)
    for part in unbroken(span.quarter_hours, given):
        offtake = _table(consumers, part, readings, "offtake")
        injection = _table(producers, part, readings, "injection")
        parts = _coefficients(rules, part, given)
        for row, each in enumerate((rules, other)):
            sums[row] += allocate_span(each, part, offtake, injection, parts).allocated.sum(axis=0)
    before, after = sums.tolist()
    return {each.member.code: (before[column], after[column]) for column, each in enumerate(consumers)}
