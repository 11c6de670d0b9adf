"""Several histories of one site made one: those of a file's tables, and those of a site's access points."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from .history import History, Problem, ProblemKind
from .quarter_hour import Quality, QuarterHour, iso

type _Energies = tuple[int | None, int | None, int | None]
_QUALITIES: Final = list(Quality)
_UNREAD: Final = "unread"
_ROUNDED: Final = 1
"""So far may two tables be apart [Wh] that round the same energy, each in its own order."""


def join_tables(histories: Mapping[str, History]) -> History:
    """Return what several tables tell of the same access point; where they contradict each other nothing is kept.

    Parameters
    ----------
    histories
        By the name of their table, in the order of the file.
    """
    joined: dict[int, QuarterHour] = {}
    problems: list[Problem] = []
    wrong: set[int] = set()
    duplicates = sum(history.duplicates for history in histories.values())
    for name, history in histories.items():
        problems += history.problems
        for quarter in history.quarter_hours:
            before = joined.setdefault(quarter.start, quarter)
            if before is quarter:
                continue
            pairs = list(zip(_energies(before), _energies(quarter), strict=True))
            told_twice = [(one, other) for one, other in pairs if one is not None and other is not None]
            if any(abs(one - other) > _ROUNDED for one, other in told_twice):
                wrong.add(quarter.start)
                found = f"{iso(quarter.start)} {_shown(quarter)}"
                problems.append(Problem(ProblemKind.CONTRADICTION, name, found, _shown(before)))
                continue
            duplicates += bool(told_twice)
            offtake, injection, production = (other if one is None else one for one, other in pairs)
            quality = max(before.quality, quarter.quality, key=_QUALITIES.index)
            joined[quarter.start] = QuarterHour(quarter.start, offtake, injection, production, quality)
    kept = [joined[start] for start in sorted(joined) if start not in wrong]
    return _gathered(list(histories.values()), kept, problems, duplicates)


def add_access_points(histories: Mapping[str, History]) -> History:
    """Return the sums of a site's access points; where one is silent that told such an energy elsewhere, none is known.

    Parameters
    ----------
    histories
        By the number of their access point.
    """
    by_start = {ean: {q.start: q for q in history.quarter_hours} for ean, history in histories.items()}
    tellers = [[ean for ean, history in histories.items() if _tells(history, series)] for series in range(3)]
    silent: Counter[str] = Counter()
    sums: list[QuarterHour] = []
    for start in sorted({start for quarters in by_start.values() for start in quarters}):
        here = {ean: quarters[start] for ean, quarters in by_start.items() if start in quarters}
        sums_here: list[int | None] = []
        missing: set[str] = set()
        for series, eans in enumerate(tellers):
            told = {ean: energy for ean in eans if ean in here and (energy := _energies(here[ean])[series]) is not None}
            sums_here.append(sum(told.values()) if told and len(told) == len(eans) else None)
            missing |= set(eans) - set(told) if told else set()
        silent.update(missing)
        offtake, injection, production = sums_here
        if any(energy is not None for energy in sums_here):
            quality = max((quarter.quality for quarter in here.values()), key=_QUALITIES.index)
            sums.append(QuarterHour(start, offtake, injection, production, quality))
    problems = [problem for history in histories.values() for problem in history.problems]
    problems += [Problem(ProblemKind.PART_MISSING, f"EAN {ean}", str(silent[ean])) for ean in histories if silent[ean]]
    every = list(histories.values())
    return _gathered(every, sums, problems, sum(history.duplicates for history in every))


def _gathered(
    histories: Sequence[History], quarter_hours: Sequence[QuarterHour], problems: Sequence[Problem], duplicates: int
) -> History:
    notes: dict[str, str] = {}
    unread: dict[str, None] = {}
    for history in histories:
        notes = {**history.notes, **notes}
        unread |= dict.fromkeys(filter(None, [history.notes.get(_UNREAD)]))
    if unread:
        notes[_UNREAD] = ", ".join(unread)
    return replace(
        histories[0],
        quarter_hours=quarter_hours,
        rows=sum(history.rows for history in histories),
        duplicates=duplicates,
        problems=list(dict.fromkeys(problems)),
        notes=notes,
    )


def _tells(history: History, series: int) -> bool:
    """Whether an access point has an energy; one of which nothing can be read may have any."""
    if not history.quarter_hours:
        return bool(history.problems)
    return any(_energies(quarter)[series] is not None for quarter in history.quarter_hours)


def _energies(quarter: QuarterHour) -> _Energies:
    return quarter.offtake, quarter.injection, quarter.production


def _shown(quarter: QuarterHour) -> str:
    return " / ".join("-" if energy is None else f"{energy} Wh" for energy in _energies(quarter))
