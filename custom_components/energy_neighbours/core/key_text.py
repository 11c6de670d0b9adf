"""The terms of a repartition key as people type and paste them: a line for each member, group or round."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
import re
from typing import Final

from .repartition_key import (
    Cascade,
    Equal,
    KeyFault,
    Prorata,
    RepartitionKeyError,
    Stage,
    StageKey,
    Static,
    TwoStage,
    Weights,
)

_COMMENT: Final = "#"
_STAGE: Final = re.compile(r"(\S+?)\s*%?\s+([a-z]+)")


def _lines(text: str) -> list[str]:
    """Return the lines that say something, without what stands behind a ``#``."""
    lines = (line.partition(_COMMENT)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def write_weights(shares: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Write a line for each member: its code, its percents, and behind a ``#`` who that is."""
    return "\n".join(f"{code} {shares.get(code, '0')}  {_COMMENT} {name}" for code, name in names.items())


def read_weights(text: str, codes: Iterable[str], *, rest_to_grid: bool) -> Weights:
    """Read what `write_weights` wrote; ``%``, ``:``, ``=``, ``;`` and tabs between code and number are accepted.

    Parameters
    ----------
    text
        The lines.
    codes
        Those of the members.
    rest_to_grid
        As for `Weights.of`.

    Raises
    ------
    RepartitionKeyError
        If a line is none, names nobody, or the weights are not the whole.
    """
    known, shares = set(codes), dict[str, str]()
    for line in _lines(text):
        code, number = _pair(line)
        if code not in known:
            raise RepartitionKeyError(KeyFault.UNKNOWN_MEMBER, member=code)
        if code in shares:
            raise RepartitionKeyError(KeyFault.IN_TWO_GROUPS, member=code)
        shares[code] = number
    return Weights.of(shares, rest_to_grid=rest_to_grid)


def _pair(line: str) -> tuple[str, str]:
    parts = re.split(r"[\s:=;]+", line.replace("%", " ").strip())
    if len(parts) != 2:  # noqa: PLR2004 - a code and a number
        raise RepartitionKeyError(KeyFault.NOT_A_LINE, line=line)
    return parts[0], parts[1]


def write_groups(groups: Sequence[Sequence[str]]) -> str:
    """Write a line for each group of a cascade, the first one first."""
    return "\n".join(" ".join(group) for group in groups)


def read_groups(text: str, codes: Iterable[str]) -> Cascade:
    """Read what `write_groups` wrote; commas and semicolons between codes are accepted.

    Raises
    ------
    RepartitionKeyError
        If a line names nobody, or somebody twice.
    """
    known = set(codes)
    groups = tuple(tuple(filter(None, re.split(r"[\s,;]+", line))) for line in _lines(text))
    for code in (code for group in groups for code in group):
        if code not in known:
            raise RepartitionKeyError(KeyFault.UNKNOWN_MEMBER, member=code)
    return Cascade(groups)


def write_stages(key: TwoStage) -> str:
    """Write a line for each round: its percents, and its rule."""
    lines = []
    for stage in key.stages:
        percent = 100 * stage.part
        shown = str(percent.numerator) if percent.denominator == 1 else str(percent)
        lines.append(f"{shown} {stage.key.kind.value}")
    return "\n".join(lines)


def read_stages(text: str, weights: Weights | None) -> TwoStage:
    """Read what `write_stages` wrote: ``60 static``, ``40 prorata``.

    Parameters
    ----------
    text
        The lines.
    weights
        For the rounds that are static.

    Raises
    ------
    RepartitionKeyError
        If a line is none, or the rounds make no key.
    """
    rules: dict[str, StageKey] = {"prorata": Prorata(), "equal": Equal()}
    if weights:
        rules["static"] = Static(weights)
    stages = []
    for line in _lines(text):
        found = _STAGE.fullmatch(line.lower())
        if not found or found[2] not in rules:
            raise RepartitionKeyError(KeyFault.NOT_A_LINE, line=line)
        try:
            part = Fraction(found[1].replace(",", ".")) / 100
        except ValueError, ZeroDivisionError:
            raise RepartitionKeyError(KeyFault.NOT_A_LINE, line=line) from None
        stages.append(Stage(part, rules[found[2]]))
    return TwoStage(tuple(stages))
