"""Repartition keys: the rules that divide local production among members.

Here are only their terms, which cannot be made wrong; what they do with energies stands in `repartition.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import lcm
from typing import Any, ClassVar, Final, Self


class KeyKind(StrEnum):
    """The kinds of keys, by the id under which they are stored, sent and translated."""

    PRORATA = "prorata"
    EQUAL = "equal"
    STATIC = "static"
    STATIC_MULTI = "static_multi"
    RELATIVE = "relative"
    HYBRID = "hybrid"
    CASCADE = "cascade"
    DYNAMIC_CUSTOM = "dynamic_custom"
    TWO_STAGE = "two_stage"
    PEER = "peer"


class KeyFault(StrEnum):
    """Why a key cannot be what was given; each is a translation key."""

    NOT_A_KEY = "not_a_key"
    NOT_A_LINE = "not_a_line"
    UNKNOWN_MEMBER = "unknown_member"
    NOT_A_WEIGHT = "not_a_weight"
    WEIGHTS_NOT_WHOLE = "weights_not_whole"
    TOO_FEW_ROUNDS = "too_few_rounds"
    NOT_A_STAGE = "not_a_stage"
    STAGES_OVER_WHOLE = "stages_over_whole"
    IN_TWO_GROUPS = "in_two_groups"
    SAME_MEMBER = "same_member"


class RepartitionKeyError(ValueError):
    """What was given is no key.

    Parameters
    ----------
    fault
        Why; a translation key.
    placeholders
        What its sentence names.
    """

    def __init__(self, fault: KeyFault, **placeholders: str) -> None:
        super().__init__(f"{fault.value}: {placeholders}" if placeholders else fault.value)
        self.fault = fault
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class Weights:
    """Agreed parts of the production by member code, whole numbers of `whole` parts.

    Members that are not named have none. What is left of the whole, if that was allowed, goes to nobody.
    """

    parts: tuple[tuple[str, int], ...]
    whole: int

    @classmethod
    def of(cls, shares: Mapping[str, Any], *, rest_to_grid: bool = False) -> Self:
        """Make weights of shares in percent: numbers, or texts such as ``33.34`` and ``1/3``.

        Parameters
        ----------
        shares
            Percent by member code.
        rest_to_grid
            Whether the shares may be less than 100 % together: what is left is then surplus.

        Raises
        ------
        RepartitionKeyError
            If a share is no number or negative, or they are not 100 % together.
        """
        fractions = {code: _percent(code, share) / 100 for code, share in sorted(shares.items())}
        total = sum(fractions.values(), Fraction(0))
        if total > 1 or not total or (total < 1 and not rest_to_grid):
            raise RepartitionKeyError(KeyFault.WEIGHTS_NOT_WHOLE, sum=f"{float(100 * total):.6g}")
        whole = lcm(*(fraction.denominator for fraction in fractions.values()))
        return cls(tuple((code, int(fraction * whole)) for code, fraction in fractions.items()), whole)

    @property
    def shares(self) -> dict[str, str]:
        """The shares in percent as texts that `of` understands."""
        return {code: _text(Fraction(100 * part, self.whole)) for code, part in self.parts}

    @property
    def complete(self) -> bool:
        """Whether nothing is left of the whole."""
        return sum(part for _, part in self.parts) == self.whole


def _percent(code: str, share: object) -> Fraction:
    try:
        fraction = Fraction(str(share).strip().replace(",", "."))
    except ValueError, ZeroDivisionError:
        raise RepartitionKeyError(KeyFault.NOT_A_WEIGHT, member=code, weight=str(share)) from None
    if fraction < 0:
        raise RepartitionKeyError(KeyFault.NOT_A_WEIGHT, member=code, weight=str(share))
    return fraction


def _text(fraction: Fraction) -> str:
    """Write a number as a decimal if it is one, else as a fraction."""
    decimals = next((n for n in range(10) if 10**n % fraction.denominator == 0), None)
    if decimals is None:
        return str(fraction)
    return f"{Decimal(int(fraction * 10**decimals)).scaleb(-decimals):f}"


@dataclass(frozen=True, slots=True)
class Prorata:
    """Everybody gets in proportion to what they take from the grid in that quarter-hour."""

    kind: ClassVar = KeyKind.PRORATA


@dataclass(frozen=True, slots=True)
class Equal:
    """Everybody is offered the same; what somebody does not need goes to the grid."""

    kind: ClassVar = KeyKind.EQUAL


@dataclass(frozen=True, slots=True)
class Static:
    """Everybody is offered an agreed part; what somebody does not need goes to the grid."""

    weights: Weights
    kind: ClassVar = KeyKind.STATIC


@dataclass(frozen=True, slots=True)
class StaticMulti:
    """Agreed parts, and what is left is divided again among those who still need, until nothing is left.

    Parameters
    ----------
    weights
        The agreed parts; None is the same for all.
    max_rounds
        How often is divided at most, 2 or more; None is as often as it takes.
    """

    weights: Weights | None
    max_rounds: int | None = None
    kind: ClassVar = KeyKind.STATIC_MULTI

    def __post_init__(self) -> None:
        if self.max_rounds is not None and self.max_rounds < 2:  # noqa: PLR2004 - one round is `Static`
            raise RepartitionKeyError(KeyFault.TOO_FEW_ROUNDS, rounds=str(self.max_rounds))


@dataclass(frozen=True, slots=True)
class Relative:
    """Each producer's injection is offered by agreed parts to all others, whose parts then make up the whole.

    Source: EnergyID's ``openenergyid``, method "Relative".
    """

    weights: Weights
    kind: ClassVar = KeyKind.RELATIVE


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Agreed parts first (None: equal ones); what is left, in proportion to what everybody still needs."""

    weights: Weights | None
    kind: ClassVar = KeyKind.HYBRID


@dataclass(frozen=True, slots=True)
class Cascade:
    """Groups of member codes one after the other; each is served fully, prorata inside, before the next.

    Members that stand in no group come last.
    """

    groups: tuple[tuple[str, ...], ...]
    kind: ClassVar = KeyKind.CASCADE

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for code in (code for group in self.groups for code in group):
            if code in seen:
                raise RepartitionKeyError(KeyFault.IN_TWO_GROUPS, member=code)
            seen.add(code)


@dataclass(frozen=True, slots=True)
class DynamicCustom:
    """The organiser gives the parts of each quarter-hour, by consumer, or by producer and consumer."""

    kind: ClassVar = KeyKind.DYNAMIC_CUSTOM


type StageKey = Prorata | Equal | Static


@dataclass(frozen=True, slots=True)
class Stage:
    """One round of `TwoStage`: this part of the production, with what the rounds before left, by this rule."""

    part: Fraction
    key: StageKey


@dataclass(frozen=True, slots=True)
class TwoStage:
    """Rounds, each with its part of the production and its own rule; what the last leaves goes to the grid."""

    stages: tuple[Stage, ...]
    kind: ClassVar = KeyKind.TWO_STAGE

    def __post_init__(self) -> None:
        if not self.stages:
            raise RepartitionKeyError(KeyFault.TOO_FEW_ROUNDS, rounds="0")
        if any(stage.part < 0 for stage in self.stages) or sum(stage.part for stage in self.stages) > 1:
            total = sum(stage.part for stage in self.stages)
            raise RepartitionKeyError(KeyFault.STAGES_OVER_WHOLE, sum=f"{float(100 * total):.6g}")


@dataclass(frozen=True, slots=True)
class Peer:
    """One producer gives to one consumer, and nobody else takes part."""

    producer: str
    consumer: str
    kind: ClassVar = KeyKind.PEER

    def __post_init__(self) -> None:
        if self.producer == self.consumer:
            raise RepartitionKeyError(KeyFault.SAME_MEMBER, member=self.consumer)


type RepartitionKey = (
    Prorata | Equal | Static | StaticMulti | Relative | Hybrid | Cascade | DynamicCustom | TwoStage | Peer
)


def key_to_dict(key: RepartitionKey) -> dict[str, Any]:
    """Return a key as it is stored and sent, JSON-ready."""
    data: dict[str, Any] = {"kind": key.kind.value}
    match key:
        case Static(weights) | Relative(weights):
            data["weights"] = weights.shares
        case StaticMulti(weights, rounds):
            data |= {"weights": weights.shares if weights else None, "max_rounds": rounds}
        case Hybrid(weights):
            data["weights"] = weights.shares if weights else None
        case Cascade(groups):
            data["groups"] = [list(group) for group in groups]
        case TwoStage(stages):
            data["stages"] = [{"part": _text(100 * stage.part), "key": key_to_dict(stage.key)} for stage in stages]
        case Peer(producer, consumer):
            data |= {"producer": producer, "consumer": consumer}
        case _:
            pass
    return data


def key_from_dict(data: object) -> RepartitionKey:
    """Return the key that `key_to_dict` wrote.

    Raises
    ------
    RepartitionKeyError
        If it is none.
    """
    try:
        return _key(data)
    except RepartitionKeyError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise RepartitionKeyError(KeyFault.NOT_A_KEY) from error


def _key(data: Any) -> RepartitionKey:
    return _READERS[KeyKind(data["kind"])](data)


def _weights(shares: Mapping[str, Any]) -> Weights:
    return Weights.of(shares, rest_to_grid=True)


def _perhaps_weights(shares: Mapping[str, Any] | None) -> Weights | None:
    return None if shares is None else _weights(shares)


def _stage(data: Mapping[str, Any]) -> Stage:
    key = _key(data["key"])
    if not isinstance(key, (Prorata, Equal, Static)):
        raise RepartitionKeyError(KeyFault.NOT_A_STAGE, kind=key.kind.value)
    return Stage(_percent("", data["part"]) / 100, key)


def _rounds(number: object) -> int | None:
    return None if number is None else int(str(number))


_READERS: Final[Mapping[KeyKind, Callable[[Mapping[str, Any]], RepartitionKey]]] = {
    KeyKind.PRORATA: lambda _: Prorata(),
    KeyKind.EQUAL: lambda _: Equal(),
    KeyKind.STATIC: lambda data: Static(_weights(data["weights"])),
    KeyKind.STATIC_MULTI: lambda data: StaticMulti(
        _perhaps_weights(data.get("weights")), _rounds(data.get("max_rounds"))
    ),
    KeyKind.RELATIVE: lambda data: Relative(_weights(data["weights"])),
    KeyKind.HYBRID: lambda data: Hybrid(_perhaps_weights(data.get("weights"))),
    KeyKind.CASCADE: lambda data: Cascade(tuple(tuple(map(str, group)) for group in data["groups"])),
    KeyKind.DYNAMIC_CUSTOM: lambda _: DynamicCustom(),
    KeyKind.TWO_STAGE: lambda data: TwoStage(tuple(_stage(stage) for stage in data["stages"])),
    KeyKind.PEER: lambda data: Peer(str(data["producer"]), str(data["consumer"])),
}


def named_members(key: RepartitionKey) -> Sequence[str]:
    """Return the codes of the members that a key names, in order."""
    match key:
        case Static(weights) | Relative(weights) | StaticMulti(Weights() as weights, _) | Hybrid(Weights() as weights):
            return [code for code, _ in weights.parts]
        case Cascade(groups):
            return sorted(code for group in groups for code in group)
        case TwoStage(stages):
            return sorted({code for stage in stages for code in named_members(stage.key)})
        case Peer(producer, consumer):
            return sorted((producer, consumer))
        case _:
            return []
