"""Taking past quarter-hours into the ledger: read a source, show what it holds, keep it, tell how it went."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util

from .const import DOMAIN, HISTORY_CHANGED
from .core.history import History, HistoryError, Preview, Problem, preview
from .core.quarter_hour import QuarterHour, Span
from .history_sources import Progress, Reading, Source
from .history_text import SHOWN, ImportTexts, Outcome, async_import_texts
from .ledger import LedgerError, Replaced
from .meter import Meter
from .site import Site

TOLD_EVERY: Final = 0.1
"""The notification tells how much has been read in steps of this share."""


type Check = Callable[[History], Awaitable[History]]
"""Returns what of a history may be kept, with what is wrong with the rest; HistoryError when none of it may be."""


class ImportLedger(Protocol):
    """The ledger as an import sees it."""

    async def async_staying(self, quarters: Sequence[QuarterHour]) -> int:
        """Return in how many quarter-hours something would stay that is known better; see `Ledger.staying`."""
        ...

    async def async_replace(self, quarters: Sequence[QuarterHour], note: str) -> Replaced:
        """Keep quarter-hours, all or none; see `Ledger.replace`. LedgerError or HistoryError when none is kept."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """An import before anything of it is kept.

    Parameters
    ----------
    history
        All that the source holds.
    preview
        The same summed up.
    stay
        In how many quarter-hours something would stay that is known better, as far as that can be told before.
    note
        Where they come from.
    """

    history: History
    preview: Preview
    stay: int
    note: str

    @property
    def eans(self) -> Sequence[str]:
        """Return the access points of which some must be chosen first, if any."""
        several = not self.history.quarter_hours and len(self.history.eans) > 1
        return self.history.eans if several else ()


@dataclass(slots=True)
class HistoryImport:
    """One import of what one site measured, with its notification; who follows the site hears `HISTORY_CHANGED`.

    Parameters
    ----------
    hass
        Home Assistant.
    name
        Under which the ledger knows the site.
    title
        What people call it.
    zone
        Of times that a source tells without theirs.
    ledger
        Where it is kept.
    meter
        The site's; None if there is none here.
    check
        Looks what of it may be kept; None where all may be.
    """

    hass: HomeAssistant
    name: str
    title: str
    zone: ZoneInfo
    ledger: ImportLedger
    meter: Meter | None = None
    check: Check | None = None
    _texts: ImportTexts | None = field(default=None, init=False)

    async def async_texts(self) -> ImportTexts:
        """Return the sentences that tell about it."""
        if self._texts is None:
            self._texts = await async_import_texts(self.hass, self.zone)
        return self._texts

    async def async_read(self, source: Source, eans: Collection[str] = (), progress: Progress | None = None) -> Draft:
        """Read a source; nothing is kept.

        Raises
        ------
        HistoryError
            When it holds no history at all, or the ledger cannot be read.
        """
        texts = await self.async_texts()
        told = -TOLD_EVERY

        @callback
        def tell(share: float) -> None:
            nonlocal told
            if progress:
                progress(share)
            if share - told >= TOLD_EVERY:
                told = share
                self._notify(texts, texts.say("import_reading", percent=round(100 * share)))

        tell(0)
        try:
            history = await source.async_read(Reading(self.hass, self.zone, self.meter, eans, tell))
            if self.check:
                history = await self.check(history)
            stay = await self.ledger.async_staying(history.quarter_hours)
        except LedgerError as error:
            raise HistoryError(str(error.fault)) from error
        finally:
            persistent_notification.async_dismiss(self.hass, self._notification)
        summed_up = await self.hass.async_add_executor_job(preview, history, self.zone)
        return Draft(history, summed_up, stay, source.note)

    async def async_commit(self, draft: Draft, *, accept_problems: bool = False) -> Outcome:
        """Keep what was read, all of it or nothing, and tell how it went.

        Raises
        ------
        HistoryError
            When there is nothing to keep, when there are problems that nobody accepted, or when the ledger cannot be
            written; nothing was kept then.
        """
        if draft.eans:
            raise HistoryError("import_several_eans", eans=", ".join(draft.eans))
        if draft.history.problems and not accept_problems:
            raise HistoryError("import_has_problems", count=str(len(draft.history.problems)))
        if not draft.history.quarter_hours:
            raise HistoryError("import_empty")
        # Once it is written all who follow the site must hear of it, even if the one who asked has gone.
        keep = self._async_keep(draft.history.quarter_hours, draft.note)
        outcome = await asyncio.shield(self.hass.async_create_task(keep, f"{DOMAIN} import"))
        if isinstance(outcome, HistoryError):
            raise outcome
        return outcome

    async def _async_keep(self, quarters: Sequence[QuarterHour], note: str) -> Outcome | HistoryError:
        """Write, and tell how it went; return why it could not be written, which nobody may be there to catch."""
        texts = await self.async_texts()
        self._notify(texts, texts.say("import_writing", count=len(quarters)))
        try:
            replaced = await self.ledger.async_replace(quarters, note)
        except (LedgerError, HistoryError) as error:
            failure = _as_refusal(error)
            self._notify(texts, texts.say("import_failed", reason=texts.error(failure)))
            return failure
        outcome = Outcome(*replaced)
        self._notify(texts, texts.outcome(outcome))
        async_dispatcher_send(self.hass, HISTORY_CHANGED.format(self.name), quarters[0].start)
        return outcome

    @property
    def _notification(self) -> str:
        return f"{DOMAIN}_import_{self.name}"

    @callback
    def _notify(self, texts: ImportTexts, message: str) -> None:
        title = texts.say("import_title", site=self.title)
        persistent_notification.async_create(self.hass, message, title, self._notification)


def _as_refusal(error: LedgerError | HistoryError) -> HistoryError:
    if isinstance(error, HistoryError):
        return error
    failure = HistoryError(str(error.fault))
    failure.__cause__ = error
    return failure


def import_into(hass: HomeAssistant, entry: ConfigEntry, site: Site) -> HistoryImport:
    """Begin an import into a site."""
    return HistoryImport(hass, entry.entry_id, entry.title, site.zone, site.ledger, site.meter)


def as_response(draft: Draft, outcome: Outcome | None, texts: ImportTexts) -> dict[str, Any]:
    """Return an import in the terms of an action's response; times in UTC."""
    found = draft.preview
    response: dict[str, Any] = {
        "rows": found.rows,
        "quarter_hours": found.quarter_hours,
        "span": span_as_response(found.span) if found.span else None,
        "gaps": [span_as_response(gap) for gap in found.gaps[:SHOWN]],
        "gap_count": len(found.gaps),
        "duplicates": found.duplicates,
        "clock_changes": [
            {"day": change.day.isoformat(), "expected": change.expected, "found": change.found}
            for change in found.clock_changes
        ],
        "problems": problems_as_response(found.problems, texts),
        "problem_count": len(found.problems),
        "offtake_kwh": _kwh(found.offtake),
        "injection_kwh": _kwh(found.injection),
        "production_kwh": _kwh(found.production),
        "eans": list(draft.history.eans),
        "measured_before": outcome.stay if outcome else draft.stay,
        "notes": dict(draft.history.notes),
    }
    if outcome:
        response |= {
            "revision": outcome.revision,
            "added": outcome.added,
            "changed": outcome.changed,
            "unchanged": outcome.unchanged,
        }
    return response


def problems_as_response(problems: Sequence[Problem], texts: ImportTexts) -> list[dict[str, str]]:
    """Return the first problems in the terms of an action's response."""
    return [
        {
            "kind": str(each.kind),
            "where": each.where,
            **({"column": each.column} if each.column else {}),
            "found": each.found,
            "accepted": each.accepted,
            "text": texts.problem(each),
        }
        for each in problems[:SHOWN]
    ]


def _kwh(energy: int | None) -> float | None:
    return None if energy is None else energy / 1000


def span_as_response(span: Span) -> dict[str, str]:
    """Return a span in the terms of an action's response; times in UTC."""
    start, end = (dt_util.utc_from_timestamp(time).isoformat() for time in span)
    return {"start": start, "end": end}
