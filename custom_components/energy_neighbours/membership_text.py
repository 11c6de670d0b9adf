"""What a household is told, in its language, of its community and of what it has sent."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .ledger import LedgerError
from .membership import Membership

type Say = Callable[..., str]


async def async_membership_text(hass: HomeAssistant, membership: Membership | None) -> str:
    """Return in sentences by which key a community divides, and what its organiser got last of a site.

    It is empty while there is no membership.
    """
    if membership is None:
        return ""
    texts = await async_get_translations(hass, hass.config.language, "common", [DOMAIN])
    kinds = await async_get_translations(hass, hass.config.language, "selector", [DOMAIN])

    def say(key: str, /, **placeholders: str) -> str:
        return texts[f"component.{DOMAIN}.common.{key}"].format(**placeholders)

    def name(kind: str) -> str:
        return kinds.get(f"component.{DOMAIN}.selector.repartition_key.options.{kind}", kind)

    return "\n\n".join([*_key_sentences(membership, say, name), await _sent(membership, say)])


def _key_sentences(membership: Membership, say: Say, name: Callable[[str], str]) -> list[str]:
    """Return which key holds, and which one will, as far as the charter tells."""
    charter, today = membership.notes.charter, datetime.now(membership.notes.zone or UTC).date()
    if charter is None:
        return []
    begun = [key for key in charter.keys if key.valid_from <= today]
    coming = [key for key in charter.keys if key.valid_from > today]
    # Of two that begin on one day, the one that was agreed later holds.
    holds = max(enumerate(begun), key=lambda each: (each[1].valid_from, each[0]), default=None)
    sentences = [say("key_holds", key=name(str(holds[1].key.get("kind"))))] if holds else []
    days = sorted({key.valid_from: key for key in coming}.items())
    return sentences + [say("key_will", date=_day(day, say), key=name(str(key.key.get("kind")))) for day, key in days]


def _day(day: date, say: Say) -> str:
    return day.strftime(say("format_day"))


async def _sent(membership: Membership, say: Say) -> str:
    told, zone = membership.notes.told, membership.notes.zone
    if told is None:
        return say("sent_nothing")
    try:
        quarter = await membership.async_quarter_hour(told["start"])
    except LedgerError:
        quarter = None

    def at(time: int) -> str:
        return datetime.fromtimestamp(time, zone).strftime(say("format_time"))

    def energy(value: int | None) -> str:
        return say("sent_unknown") if value is None else f"{value} Wh"

    if quarter is None:
        return say("sent_at", time=at(told["time"]))
    return say(
        "sent_last",
        time=at(told["time"]),
        begin=at(quarter.start),
        offtake=energy(quarter.offtake),
        injection=energy(quarter.injection),
    )
