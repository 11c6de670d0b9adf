"""What a household is told, in its language, of its community and of what it has sent."""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant

from .key_texts import KeyTexts, async_key_texts
from .ledger import LedgerError
from .membership import Membership


async def async_membership_text(hass: HomeAssistant, membership: Membership | None) -> str:
    """Return in sentences by which key a community divides, and what its organiser got last of a site.

    It is empty while there is no membership.
    """
    if membership is None:
        return ""
    texts = await async_key_texts(hass)
    return "\n\n".join([*_key_sentences(membership, texts), await _sent(membership, texts)])


def _key_sentences(membership: Membership, texts: KeyTexts) -> list[str]:
    """Return which key holds, and which one will, as far as the charter tells."""
    charter, today = membership.notes.charter, datetime.now(membership.notes.zone or UTC).date()
    if charter is None:
        return []
    # Of two that begin on one day, the one that was agreed later holds.
    by_day = {key.valid_from: str(key.key.get("kind")) for key in charter.keys}
    begun = max((day for day in by_day if day <= today), default=None)
    holds = [] if begun is None else [texts.say("key_holds", key=texts.name(by_day[begun]))]
    coming = sorted(day for day in by_day if day > today)
    return holds + [texts.say("key_will", date=texts.day(day), key=texts.name(by_day[day])) for day in coming]


async def _sent(membership: Membership, texts: KeyTexts) -> str:
    say = texts.say
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
