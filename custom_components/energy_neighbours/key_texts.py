"""What is said of repartition keys, in Home Assistant's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .core.community import KeyVersion


@dataclass(frozen=True, slots=True)
class KeyTexts:
    """Sentences, and names of keys by their kind."""

    sentences: Mapping[str, str]
    names: Mapping[str, str]

    def say(self, key: str, /, **placeholders: str) -> str:
        """Return a sentence."""
        return self.sentences[f"component.{DOMAIN}.common.{key}"].format(**placeholders)

    def name(self, kind: str) -> str:
        """Return what a kind of key is called; one that a newer organiser knows, by its id."""
        return self.names.get(f"component.{DOMAIN}.selector.repartition_key.options.{kind}", kind)

    def day(self, day: date) -> str:
        """Write a day as people do."""
        return day.strftime(self.say("format_day"))

    def number(self, number: float | Decimal, decimals: int) -> str:
        """Write a number as people do."""
        return f"{number:.{decimals}f}".replace(".", self.say("format_decimal"))

    def version(self, version: KeyVersion) -> str:
        """Return in a sentence which version of a key this is."""
        told = {
            "number": str(version.number),
            "date": self.day(version.valid_from),
            "key": self.name(version.key.kind),
        }
        if version.author:
            return self.say("key_version_by", **told, author=version.author)
        return self.say("key_version", **told)


async def async_key_texts(hass: HomeAssistant) -> KeyTexts:
    """Return what is said of repartition keys."""
    language = hass.config.language
    return KeyTexts(
        await async_get_translations(hass, language, "common", [DOMAIN]),
        await async_get_translations(hass, language, "selector", [DOMAIN]),
    )
