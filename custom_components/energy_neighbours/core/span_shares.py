"""The shares of any span of a community's time, by the keys and among the members of each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .community import ALL, Rules, Stretch
from .quarter_hour import QUARTER, Span
from .repartition import UNKNOWN, Coefficients, Flows, allocate
from .repartition_key import DynamicCustom


@dataclass(frozen=True, slots=True)
class SpanShares:
    """Shares of every quarter-hour of a span.

    Parameters
    ----------
    allocated, offered
        As in `repartition.Allocation`, quarter-hour by consumer, in the order of `Rules.consumers`.
    surplus
        As there, quarter-hour by producer, in the order of `Rules.producers`.
    version
        For each quarter-hour the number of the key's version; 0 where none held.
    complete
        For each quarter-hour, whether everything was known of everybody who belonged to the community.
    """

    allocated: np.ndarray
    offered: np.ndarray
    surplus: np.ndarray
    version: np.ndarray
    complete: np.ndarray


def allocate_span(
    rules: Rules, span: Span, offtake: np.ndarray, injection: np.ndarray, coefficients: Coefficients | None = None
) -> SpanShares:
    """Divide the production of a span, by the keys and among the members of each day.

    Parameters
    ----------
    rules
        The community's.
    span
        From the beginning of a quarter-hour to that of another.
    offtake, injection
        Energies [Wh], int64, quarter-hour by consumer, and by producer; `UNKNOWN` where nobody measured. What is told
        of those who do not belong to the community on a day is left aside.
    coefficients
        For days with a `DynamicCustom` key, for all consumers (and producers).
    """
    shares = SpanShares(
        np.zeros(offtake.shape, np.int64),
        np.zeros(offtake.shape, np.int64),
        np.zeros(injection.shape, np.int64),
        np.zeros(len(offtake), np.int64),
        np.ones(len(offtake), bool),
    )
    for stretch in rules.stretches(span):
        rows = slice(*((time - span.start) // QUARTER for time in stretch.span))
        flows = stretch_flows(rules, stretch, offtake[rows], injection[rows])
        columns, sources = _places(rules.consumers, flows.members), _places(rules.producers, flows.producers)
        if stretch.version is None:
            shares.surplus[rows, sources] = np.maximum(flows.injection, 0)
            continue
        key, parts = stretch.version.key, None
        if isinstance(key, DynamicCustom):
            parts = coefficients_of(coefficients, rows, rules, flows)
        result = allocate(key, flows, parts, with_offered=True)
        shares.allocated[rows, columns] = result.allocated
        shares.offered[rows, columns] = result.offered
        shares.surplus[rows, sources] = result.surplus
        shares.version[rows] = stretch.version.number
        shares.complete[rows] = result.complete
    return shares


def stretch_flows(rules: Rules, stretch: Stretch, offtake: np.ndarray, injection: np.ndarray) -> Flows:
    """Return the energies of those who belong to a community in a stretch, as far as they take part in it.

    Parameters
    ----------
    rules, stretch
        The community's, and one of its stretches.
    offtake, injection
        Energies of the stretch, as for `allocate_span`.
    """
    present = [member for member in stretch.members if not member.vacant]
    takers = [member for member in present if member.consumes]
    givers = [member for member in present if member.produces]
    columns = _places(rules.consumers, [member.code for member in takers])
    sources = _places(rules.producers, [member.code for member in givers])
    return Flows(
        [member.code for member in takers],
        _part(offtake[:, columns], [member.offtake_part for member in takers]),
        [member.code for member in givers],
        _part(injection[:, sources], [member.injection_part for member in givers]),
    )


def _places(codes: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Return where codes stand among all."""
    places = {code: place for place, code in enumerate(codes)}
    return np.array([places[code] for code in wanted], np.intp)


def _part(energies: np.ndarray, parts: Sequence[Fraction]) -> np.ndarray:
    """Return the parts of energies that take part, in whole Wh, rounded down."""
    if all(part == ALL for part in parts):
        return energies
    above, below = (np.array([getattr(part, name) for part in parts]) for name in ("numerator", "denominator"))
    return np.where(energies == UNKNOWN, UNKNOWN, energies * above // below)


def coefficients_of(coefficients: Coefficients | None, rows: slice, rules: Rules, flows: Flows) -> Coefficients:
    """Return the coefficients of some quarter-hours for those whose energies these are; unknown ones if none are given.

    Parameters
    ----------
    coefficients
        For all consumers (and producers) of the community.
    rows
        The quarter-hours.
    rules
        The community's.
    flows
        The energies.
    """
    if coefficients is None:
        return Coefficients(np.full(flows.offtake.shape, UNKNOWN), 1)
    parts = coefficients.parts[rows]
    if parts.ndim > flows.offtake.ndim:  # by producer, too
        parts = parts[:, _places(rules.producers, flows.producers)]
    return Coefficients(parts[..., _places(rules.consumers, flows.members)], coefficients.whole)
