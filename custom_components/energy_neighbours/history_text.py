"""What an import says to people: what a source holds, what is wrong with it, what became of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .core.history import HistoryError, Preview, Problem
from .core.quarter_hour import QUARTER, Span

SHOWN: Final = 20
"""So many problems are told one by one."""
LONGEST_GAPS: Final = 3
"""So many gaps are told one by one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was kept of an import: the revision of the site's data, and numbers of quarter-hours.

    `stay` are those that the meter, or an earlier import, has measured: an estimate does not take their place.
    """

    revision: int
    added: int
    changed: int
    unchanged: int
    stay: int


class ImportTexts:
    """Sentences about imports in the language of Home Assistant, with times of the site's zone."""

    def __init__(self, texts: Mapping[str, str], zone: ZoneInfo) -> None:
        self._texts = texts
        self._zone = zone

    def say(self, key: str, **placeholders: object) -> str:
        """Return one sentence."""
        return self._texts[f"component.{DOMAIN}.common.{key}"].format(
            **{name: self._count(value) if isinstance(value, int) else value for name, value in placeholders.items()}
        )

    def preview(self, preview: Preview, stay: int, notes: Mapping[str, str]) -> str:
        """Return what a source holds, as Markdown; see `Draft` for what the arguments mean."""
        return "\n\n".join([*self._preview(preview, stay), *self._left_out(notes), *self._of_member(notes)])

    def problem(self, problem: Problem) -> str:
        """Return what is wrong, and where."""
        text = self.say(f"problem_{problem.kind}", found=problem.found, accepted=problem.accepted)
        where = self.say("import_line", line=problem.where) if problem.where.isdecimal() else problem.where
        if problem.column:
            where = self.say("import_cell", where=where, column=problem.column)
        return self.say("import_problem", where=where, problem=text)

    def problems(self, problems: Sequence[Problem]) -> Iterator[str]:
        """Yield how many things are wrong, and the first ones, as Markdown."""
        yield self.say("import_problems", count=len(problems))
        lines = [f"- {self.problem(problem)}" for problem in problems[:SHOWN]]
        if (more := len(problems) - SHOWN) > 0:
            lines.append("- " + self.say("import_more_problems", count=more))
        yield "\n".join(lines)

    def outcome(self, outcome: Outcome) -> str:
        """Return what was kept, as Markdown."""
        lines = [self.say("import_kept", added=outcome.added, changed=outcome.changed, unchanged=outcome.unchanged)]
        if outcome.stay:
            lines.append(self.say("import_stay", count=outcome.stay))
        return "\n\n".join(lines)

    def error(self, error: HistoryError) -> str:
        """Return why a source holds no history, or why it is not taken."""
        return self._texts[f"component.{DOMAIN}.exceptions.{error.key}.message"].format(**error.placeholders)

    def time(self, time: int) -> str:
        """Return a local time [s, Unix]."""
        return datetime.fromtimestamp(time, self._zone).strftime(self.say("format_time"))

    def energy(self, energy: int) -> str:
        """Return an energy [Wh] in kWh."""
        whole, part = divmod(round(energy / 100), 10)
        return f"{self._count(whole)}{self.say('format_decimal')}{part} kWh"

    def decimal(self, number: str) -> str:
        """Return a number that is written with a point as people write it."""
        return number.replace(".", self.say("format_decimal"))

    def _preview(self, preview: Preview, stay: int) -> Iterator[str]:
        yield self.say("import_rows", rows=preview.rows, quarters=preview.quarter_hours)
        if preview.span:
            yield self.say("import_span", start=self.time(preview.span.start), end=self.time(preview.span.end))
        sums = {"offtake": preview.offtake, "injection": preview.injection, "production": preview.production}
        if known := {series: energy for series, energy in sums.items() if energy is not None}:
            yield "\n".join(
                "- " + self.say(f"import_{series}", energy=self.energy(energy)) for series, energy in known.items()
            )
        if preview.span:
            yield self.gaps(preview.gaps)
        if preview.duplicates:
            yield self.say("import_duplicates", count=preview.duplicates)
        for change in preview.clock_changes:
            key = "import_clock_right" if change.found == change.expected else "import_clock_wrong"
            day = change.day.strftime(self.say("format_day"))
            yield self.say(key, day=day, found=change.found, expected=change.expected)
        if stay:
            yield self.say("import_stay", count=stay)
        if preview.problems:
            yield from self.problems(preview.problems)

    def _left_out(self, notes: Mapping[str, str]) -> Iterator[str]:
        for side in notes.get("without", "").split(", "):
            if side:
                yield self.say(f"import_without_{side}")
        for side in ("grid", "production"):
            if interval := notes.get(f"{side}_span"):
                start, end = (int(datetime.fromisoformat(each).timestamp()) for each in interval.split("/"))
                yield self.say(f"import_part_of_{side}", start=self.time(start), end=self.time(end))
        if lost := notes.get("blocks_lost"):
            yield self.say("import_blocks_lost", count=int(lost))
        if unread := notes.get("unread"):
            yield self.say("import_unread", names=unread)

    def _of_member(self, notes: Mapping[str, str]) -> Iterator[str]:
        for key in ("not_member", "settled"):
            if count := notes.get(key):
                yield self.say(f"import_{key}", count=int(count))
        for energy in notes.get("lacks", "").split(", "):
            if energy:
                yield self.say(f"import_lacks_{energy}")

    def gaps(self, gaps: Sequence[Span]) -> str:
        """Return how much is missing in between, as Markdown."""
        if not gaps:
            return self.say("import_no_gaps")
        missing = sum(gap.end - gap.start for gap in gaps) // QUARTER
        longest = sorted(sorted(gaps, key=lambda gap: gap.start - gap.end)[:LONGEST_GAPS])
        lines = [self.say("import_gaps", count=len(gaps), missing=missing)]
        lines += ["- " + self.say("import_span", start=self.time(gap.start), end=self.time(gap.end)) for gap in longest]
        return "\n".join(lines)

    @staticmethod
    def _count(number: int) -> str:
        """Return a number with thin spaces between its thousands, as all our languages accept them."""
        return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


async def async_import_texts(hass: HomeAssistant, zone: ZoneInfo) -> ImportTexts:
    """Load the sentences."""
    texts: dict[str, str] = {}
    for category in ("common", "exceptions"):
        texts |= await async_get_translations(hass, hass.config.language, category, [DOMAIN])
    return ImportTexts(texts, zone)
