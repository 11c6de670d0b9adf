"""Every text is there in English, French, Dutch and German, and every text that the code asks for is there."""

from collections.abc import Iterator
from importlib import import_module
import json
import re
from typing import Any

from homeassistant.const import Platform
from homeassistant.helpers.entity import EntityDescription
import pytest

from .files import PACKAGE
from .text_keys import used_keys

LANGUAGES = ("en", "fr", "nl", "de")
FLOWS = ("config", "options", "config_subentries.contract", "config_subentries.member", "config_subentries.membership")
PLATFORMS = [platform.value for platform in Platform if (PACKAGE / f"{platform.value}.py").exists()]


def texts(language: str) -> dict[str, Any]:
    return json.loads((PACKAGE / "translations" / f"{language}.json").read_text(encoding="utf-8"))


def flat(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def keys_of(*paths: str) -> set[str]:
    """Return the keys below some places of the English texts."""
    found: set[str] = set()
    for path in paths:
        tree = texts("en")
        for step in path.split("."):
            tree = tree.get(step, {})
        found |= tree.keys()
    return found


def test_there_are_exactly_four_languages():
    assert sorted(path.stem for path in (PACKAGE / "translations").iterdir()) == sorted(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_has_the_keys_of_english(language):
    assert dict(flat(texts(language))).keys() == dict(flat(texts("en"))).keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language):
    assert [key for key, text in flat(texts(language)) if not text.strip() or text != text.strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_has_the_placeholders_of_english(language):
    english = dict(flat(texts("en")))
    wrong = [key for key, text in flat(texts(language)) if placeholders(text) != placeholders(english[key])]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_addresses_stand_in_placeholders(language):
    assert [key for key, text in flat(texts(language)) if "://" in text] == []


def test_exceptions_have_texts():
    assert used_keys().exceptions <= keys_of("exceptions")


def test_issues_have_texts():
    assert used_keys().issues <= keys_of("issues")


def test_selectors_have_texts():
    assert used_keys().selectors <= keys_of("selector")


def test_steps_have_texts():
    # A confirmation without a field needs none of its own beyond its title, but it does need that.
    assert used_keys().steps <= keys_of(*(f"{flow}.step" for flow in FLOWS))


def test_errors_and_endings_of_flows_have_texts():
    used = used_keys()
    assert used.errors <= keys_of(*(f"{flow}.error" for flow in FLOWS))
    assert used.aborts <= keys_of(*(f"{flow}.abort" for flow in FLOWS))


def test_no_text_is_left_over():
    used = used_keys().literals
    places = ("exceptions", "issues", "selector", *(f"{flow}.{part}" for flow in FLOWS for part in ("step", "error")))
    # Home Assistant's own helpers end a flow with these reasons.
    from_home_assistant = {"already_configured", "already_in_progress", "reconfigure_successful"}
    assert keys_of(*places, *(f"{flow}.abort" for flow in FLOWS)) - used <= from_home_assistant


@pytest.mark.parametrize("platform", PLATFORMS)
def test_entities_of_platform_have_names(platform):
    named = keys_of(f"entity.{platform}")
    descriptions = list(descriptions_of(platform))
    assert descriptions
    missing = {item.translation_key for item in descriptions if item.translation_key} - named
    assert missing == set()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_name_of_an_entity_is_left_over(platform):
    assert keys_of(f"entity.{platform}") <= {item.translation_key for item in descriptions_of(platform)}


def descriptions_of(platform: str) -> Iterator[EntityDescription]:
    """Yield the descriptions of a platform's module and of those that hold a part of it, `<part>_<platform>`."""
    parts = {path.stem for path in PACKAGE.glob(f"*_{platform}.py")} - set(PLATFORMS)
    for name in (platform, *sorted(parts)):
        yield from descriptions_in(vars(import_module(f"custom_components.energy_neighbours.{name}")))


def descriptions_in(value: object) -> Iterator[EntityDescription]:
    """Yield the descriptions of a module's tables."""
    # A plain description is of a class that Home Assistant makes up, no subclass of this one.
    if isinstance(value, EntityDescription) or type(value).__qualname__.endswith("EntityDescription"):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from descriptions_in(item)
    elif isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from descriptions_in(item)


def test_icons_belong_to_entities_that_exist():
    icons = json.loads((PACKAGE / "icons.json").read_text(encoding="utf-8"))
    for platform, entries in icons.get("entity", {}).items():
        assert entries.keys() <= keys_of(f"entity.{platform}")
