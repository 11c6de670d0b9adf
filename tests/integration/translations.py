"""What a user reads: every text that a flow asks for, in every language, with its placeholders filled in."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
import json
from pathlib import Path
import re
from typing import Any

import custom_components.energy_neighbours as package

FOLDER = Path(package.__file__).parent / "translations"
LANGUAGES = ("en", "fr", "nl", "de")


@cache
def texts(language: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def find(language: str, path: str) -> Any:
    found: Any = texts(language)
    for key in path.split("."):
        assert key in found, f"{language}.json has no {path}"
        found = found[key]
    return found


def fill(text: str, placeholders: Mapping[str, str]) -> str:
    """Fill a text in; KeyError when it asks for what the code does not give."""
    filled = text.format_map(placeholders)
    assert not re.search(r"[{}]", filled), filled
    return filled


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    else:
        for branch in tree.values():
            yield from _leaves(branch)


def check_result(result: Mapping[str, Any], category: str = "config") -> None:
    """Check that all texts of one answer of a flow exist and can be filled in."""
    placeholders = {key: str(value) for key, value in (result.get("description_placeholders") or {}).items()}
    for language in LANGUAGES:
        match str(result["type"]):
            case "form":
                step = dict(find(language, f"{category}.step.{result['step_id']}"))
                _check_fields(step, result["data_schema"].schema, placeholders, f"{language} {result['step_id']}")
                for part in ("title", "description"):
                    if part in step:
                        fill(step[part], placeholders)
                for error in (result["errors"] or {}).values():
                    fill(find(language, f"{category}.error.{error}"), placeholders)
            case "menu":
                options = find(language, f"{category}.step.{result['step_id']}.menu_options")
                assert set(result["menu_options"]) <= options.keys()
            case "abort":
                fill(find(language, f"{category}.abort.{result['reason']}"), placeholders)
            case "progress":
                fill(find(language, f"{category}.progress.{result['progress_action']}"), placeholders)
            case "create_entry":
                pass
            case other:
                raise AssertionError(other)


def _check_fields(step: Mapping[str, Any], schema: Iterable[Any], placeholders: Mapping[str, str], where: str) -> None:
    for field in schema:
        name = str(field)
        if name in (sections := step.get("sections", {})):
            for text in _leaves(sections[name]):
                fill(text, placeholders)
        else:
            assert name in step.get("data", {}), f"{where} has no label for {name}"
            fill(step["data"][name], placeholders)
