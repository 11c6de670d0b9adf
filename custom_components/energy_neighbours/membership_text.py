"""What a household is told, in its language, of what it has sent."""

from datetime import datetime

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .ledger import LedgerError
from .membership import Membership


async def async_sent_text(hass: HomeAssistant, membership: Membership | None) -> str:
    """Return in a sentence what the organiser got last of a site; it is empty while there is no membership."""
    if membership is None:
        return ""
    texts = await async_get_translations(hass, hass.config.language, "common", [DOMAIN])

    def say(key: str, **placeholders: str) -> str:
        return texts[f"component.{DOMAIN}.common.{key}"].format(**placeholders)

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
