"""Taking the coefficients of a community's quarter-hours in: read a file, show what it holds, keep all or nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
import time
from typing import Any

from .community import Community
from .core.coefficient_file import CoefficientFile, CoefficientSummary, read_coefficients, sum_up
from .core.coefficients import WHOLE, percent
from .core.community import Rules
from .core.history import HistoryError, Problem, ProblemKind
from .core.quarter_hour import iso
from .core.readings_cells import NumberedRow
from .history_import import problems_as_response, span_as_response
from .history_text import SHOWN, ImportTexts
from .ledger import LedgerError
from .ledger_coefficients import CoefficientChanges, SettledError


@dataclass(frozen=True, slots=True)
class CoefficientDraft:
    """Coefficients before any of them are kept.

    Parameters
    ----------
    file
        What the file holds, and what is wrong with it.
    summary
        The same summed up.
    changes
        What it would change.
    """

    file: CoefficientFile
    summary: CoefficientSummary
    changes: CoefficientChanges


async def async_draft(community: Community, rows: Sequence[NumberedRow]) -> CoefficientDraft:
    """Read the rows of a file; nothing is kept.

    Raises
    ------
    HistoryError
        When it holds no coefficients at all, or the ledger cannot be read.
    """
    file, summary = await community.hass.async_add_executor_job(_read, rows, community.rules)
    name = community.ledger.name
    try:
        changes = await community.ledger.async_look(lambda shares: shares.compare_coefficients(name, file.given))
        closed = await community.ledger.async_closed_until()
    except LedgerError as error:
        raise HistoryError(str(error.fault)) from error
    if settled := [start for start in (*changes.added, *changes.changed) if start < closed]:
        problem = Problem(ProblemKind.SETTLED, iso(min(settled)), str(len(settled)), iso(closed))
        file = replace(file, problems=[*file.problems, problem])
    return CoefficientDraft(file, summary, changes)


def _read(rows: Sequence[NumberedRow], rules: Rules) -> tuple[CoefficientFile, CoefficientSummary]:
    file = read_coefficients(rows, rules)
    return file, sum_up(file)


async def async_keep(community: Community, draft: CoefficientDraft, texts: ImportTexts) -> CoefficientChanges:
    """Keep coefficients, all or none, and divide (anew) what they change.

    Raises
    ------
    HistoryError
        When something is wrong with them, or the ledger cannot be written; nothing was kept then.
    """
    if problems := draft.file.problems:
        first = texts.problem(problems[0])
        raise HistoryError("coefficients_have_problems", count=str(len(problems)), first=first)
    name = community.ledger.name
    try:
        changes = await community.ledger.async_change(
            lambda shares: shares.set_coefficients(name, draft.file.given, time.time())
        )
    except SettledError as error:
        raise HistoryError("import_settled_meanwhile") from error
    except LedgerError as error:
        raise HistoryError(str(error.fault)) from error
    community.wake()
    return changes


def told(draft: CoefficientDraft, texts: ImportTexts) -> str:
    """Return what a file of coefficients holds, or what is wrong with it, as Markdown."""
    return "\n\n".join(_told(draft, texts))


def _told(draft: CoefficientDraft, texts: ImportTexts) -> Iterator[str]:
    file, found, changes = draft.file, draft.summary, draft.changes
    yield texts.say("import_rows", rows=file.rows, quarters=found.quarter_hours)
    if span := found.span:
        yield texts.say("import_span", start=texts.time(span.start), end=texts.time(span.end))
        yield texts.gaps(found.gaps)
        least, most = (texts.decimal(percent(part)) for part in (found.least, found.most))
        yield texts.say(
            "coefficients_sums_of_producer" if found.by_producer else "coefficients_sums", least=least, most=most
        )
    if file.unlisted:
        yield texts.say("coefficients_unlisted", members=", ".join(file.unlisted))
    if file.problems:
        yield from texts.problems(file.problems)
    else:
        yield texts.say(
            "coefficients_changes",
            added=len(changes.added),
            changed=len(changes.changed),
            unchanged=changes.unchanged,
        )


def as_response(draft: CoefficientDraft, texts: ImportTexts) -> dict[str, Any]:
    """Return what a file holds, and what it changes or has changed, in the terms of an action's response."""
    file, found, changes = draft.file, draft.summary, draft.changes
    return {
        "rows": file.rows,
        "quarter_hours": found.quarter_hours,
        "span": span_as_response(found.span) if found.span else None,
        "gaps": [span_as_response(gap) for gap in found.gaps[:SHOWN]],
        "gap_count": len(found.gaps),
        "by_producer": found.by_producer,
        "smallest_sum": found.least * 100 / WHOLE,
        "largest_sum": found.most * 100 / WHOLE,
        "members_without": list(file.unlisted),
        "problems": problems_as_response(file.problems, texts),
        "problem_count": len(file.problems),
        "added": len(changes.added),
        "changed": len(changes.changed),
        "unchanged": changes.unchanged,
    }
