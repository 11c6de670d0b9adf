"""Every repartition key once more, for one quarter-hour, slowly and as it is explained to people, with fractions."""

from collections.abc import Mapping
from fractions import Fraction

from custom_components.energy_neighbours.core.repartition_key import (
    Cascade,
    DynamicCustom,
    Equal,
    Hybrid,
    Peer,
    Prorata,
    Relative,
    RepartitionKey,
    Stage,
    Static,
    StaticMulti,
    TwoStage,
    Weights,
)

type Energies = Mapping[str, int]
type Amounts = dict[str, Fraction]


def allocate_by_hand(
    key: RepartitionKey, took: Energies, gave: Energies, coefficients=None
) -> tuple[Energies, Energies]:
    """Return what members are allocated and what producers keep [Wh].

    `coefficients` are parts by member, or by producer and member.
    """
    if isinstance(key, Peer):
        energy = min(took.get(key.consumer, 0), gave.get(key.producer, 0)) if key.consumer in took else 0
        allocated = {code: energy if code == key.consumer else 0 for code in took}
        return allocated, {code: kept - (energy if code == key.producer else 0) for code, kept in gave.items()}
    exact = _amounts(key, took, gave, coefficients)
    allocated = round_by_hand(exact)
    if isinstance(key, DynamicCustom) and _by_producer(coefficients):
        return allocated, _kept_by_coefficients(took, gave, coefficients, allocated)
    return allocated, _kept(allocated, gave)


def round_by_hand(exact: Amounts) -> dict[str, int]:
    whole = {code: int(amount) for code, amount in exact.items()}
    left = int(sum(exact.values())) - sum(whole.values())
    for code in sorted(exact, key=lambda code: (whole[code] - exact[code], code))[:left]:
        whole[code] += 1
    return whole


def _amounts(key: RepartitionKey, took: Energies, gave: Energies, coefficients) -> Amounts:  # noqa: PLR0911 - a key each
    production = Fraction(sum(gave.values()))
    need = {
        code: Fraction(min(energy, production - gave[code]) if gave.get(code) else energy)
        for code, energy in took.items()
    }
    none = dict.fromkeys(took, Fraction(0))
    match key:
        case Prorata():
            return _again_and_again(need, {code: Fraction(energy) for code, energy in took.items()}, production, none)
        case Cascade():
            return _in_groups(key, need, took, production)
        case Equal() | Static():
            weights = _parts(key, took)
            return {code: min(need[code], weights[code] * (production - gave.get(code, 0))) for code in took}
        case StaticMulti(_, rounds):
            weights = _parts(key, took)
            first = {code: min(need[code], weights[code] * production) for code in took}
            return _again_and_again(need, weights, production, first, None if rounds is None else rounds - 1)
        case Relative():
            return _among_others(key, need, gave)
        case Hybrid():
            stages = (
                Stage(Fraction(1), Equal() if key.weights is None else Static(key.weights)),
                Stage(Fraction(0), Prorata()),
            )
            return _in_stages(stages, need, took, production)
        case TwoStage(stages):
            return _in_stages(stages, need, took, production)
        case DynamicCustom():
            offers = _custom_offers(took, gave, coefficients)
            return {code: min(need[code], sum(offers[code].values())) for code in took}
    raise AssertionError(key)


def _parts(key: RepartitionKey, took: Energies) -> Amounts:
    weights: Weights | None = getattr(key, "weights", None)
    if weights is None:
        return {code: Fraction(1, len(took)) for code in took}
    return {code: Fraction(dict(weights.parts).get(code, 0), weights.whole) for code in took}


def _again_and_again(
    need: Amounts, weights: Amounts, budget: Fraction, given: Amounts, rounds: int | None = None
) -> Amounts:
    given = dict(given)
    while rounds is None or rounds > 0:
        left = budget - sum(given.values())
        wanting = [code for code in need if need[code] > given[code] and weights[code]]
        if not wanting or not left:
            break
        whole = sum(weights[code] for code in wanting)
        for code in wanting:
            given[code] += min(need[code] - given[code], left * weights[code] / whole)
        rounds = None if rounds is None else rounds - 1
    return given


def _in_groups(key: Cascade, need: Amounts, took: Energies, budget: Fraction) -> Amounts:
    given = dict.fromkeys(need, Fraction(0))
    grouped = {code for group in key.groups for code in group}
    for group in (*key.groups, [code for code in need if code not in grouped]):
        inside = {code: need[code] for code in group if code in need}
        weights = {code: Fraction(took[code]) for code in inside}
        served = _again_and_again(inside, weights, budget - sum(given.values()), dict.fromkeys(inside, Fraction(0)))
        given |= served
    return given


def _in_stages(stages: tuple[Stage, ...], need: Amounts, took: Energies, production: Fraction) -> Amounts:
    given = dict.fromkeys(need, Fraction(0))
    left = Fraction(0)
    for stage in stages:
        budget = left + stage.part * production
        if isinstance(stage.key, Prorata):
            wanted = {code: took[code] - given[code] for code in need}
            whole = sum(wanted.values())
            offers = {code: budget * wanted[code] / whole if whole else Fraction(0) for code in need}
        else:
            weights = _parts(stage.key, took)
            offers = {code: budget * weights[code] for code in need}
        taken = {code: min(need[code] - given[code], offers[code]) for code in need}
        given = {code: given[code] + taken[code] for code in need}
        left = budget - sum(taken.values())
    return given


def _among_others(key: Relative, need: Amounts, gave: Energies) -> Amounts:
    weights = _parts(key, need)
    offers = dict.fromkeys(need, Fraction(0))
    for producer, energy in gave.items():
        others = {code: weight for code, weight in weights.items() if code != producer}
        for code, weight in others.items():
            if whole := sum(others.values()):
                offers[code] += energy * weight / whole
    return {code: min(need[code], offers[code]) for code in need}


def _by_producer(coefficients) -> bool:
    return any(isinstance(part, Mapping) for part in coefficients.values())


def _custom_offers(took: Energies, gave: Energies, coefficients) -> dict[str, Amounts]:
    """Return what each member is offered by each producer."""
    table = coefficients if _by_producer(coefficients) else dict.fromkeys(gave, coefficients)
    return {
        code: {source: gave[source] * Fraction(table[source].get(code, 0)) for source in gave if source != code}
        for code in took
    }


def _kept(allocated: Energies, gave: Energies) -> Energies:
    production, given = sum(gave.values()), sum(allocated.values())
    if not production:
        return dict(gave)
    kept = round_by_hand({code: Fraction(energy * (production - given), production) for code, energy in gave.items()})
    for code, energy in gave.items():
        received = allocated.get(code, 0)
        if energy - kept[code] + received > given:
            # The others gave what this one received, and it gave all else.
            others = {other: amount for other, amount in gave.items() if other != code}
            whole = sum(others.values())
            kept = round_by_hand(
                {other: Fraction(amount * (whole - received), whole or 1) for other, amount in others.items()}
            )
            return kept | {code: energy - (given - received)}
    return kept


def _kept_by_coefficients(took: Energies, gave: Energies, coefficients, allocated: Energies) -> Energies:
    offers = _custom_offers(took, gave, coefficients)
    given = dict.fromkeys(gave, Fraction(0))
    for code, sources in offers.items():
        offered = sum(sources.values())
        for source, energy in sources.items():
            given[source] += energy * min(Fraction(1), Fraction(took[code]) / offered) if offered else 0
    whole = round_by_hand(given)
    kept = {code: gave[code] - whole[code] for code in gave}
    for code in sorted(gave):
        excess = whole[code] + allocated.get(code, 0) - sum(allocated.values())
        if excess > 0:
            kept[code] += excess
            for other in sorted(gave):
                moved = 0 if other == code else min(excess, kept[other])
                kept[other] -= moved
                excess -= moved
    return kept
