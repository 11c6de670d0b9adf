"""Finds the keys of translated texts that the integration's code uses."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .files import PACKAGE

# Home Assistant itself has texts for a flow that ends in one of these ways, but a custom integration brings its own.
EXCEPTIONS = (
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
    "UpdateFailed",
)


@dataclass
class UsedKeys:
    """Keys that stand in the code as they are, by where their texts must stand."""

    exceptions: set[str] = field(default_factory=set)
    issues: set[str] = field(default_factory=set)
    selectors: set[str] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    aborts: set[str] = field(default_factory=set)
    literals: set[str] = field(default_factory=set)


def used_keys(folder: Path = PACKAGE) -> UsedKeys:
    """Return the keys that the Python files of a folder use."""
    keys = UsedKeys()
    for path in folder.rglob("*.py"):
        _collect(ast.parse(path.read_text(encoding="utf-8")), keys, in_flow=path.stem.endswith("_flow"))
    return keys


def _collect(tree: ast.Module, keys: UsedKeys, *, in_flow: bool) -> None:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                keys.literals.add(text)
            case ast.Call():
                _collect_call(node, keys, in_flow=in_flow)
            # A later assignment to one field of the form.
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="errors"))], value=value) if in_flow:
                keys.errors.update(_texts(value))
            # A first assignment of the whole table.
            case ast.Assign(targets=[ast.Name(id="errors")], value=ast.Dict(values=values)) if in_flow:
                keys.errors.update(text for value in values for text in _texts(value))


def _collect_call(call: ast.Call, keys: UsedKeys, *, in_flow: bool) -> None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    arguments = {keyword.arg: set(_texts(keyword.value)) for keyword in call.keywords if keyword.arg}
    translation_key = arguments.get("translation_key", set())
    if name in EXCEPTIONS:
        keys.exceptions |= translation_key
    elif name == "async_create_issue":
        keys.issues |= translation_key
    elif name.endswith("SelectorConfig"):
        keys.selectors |= translation_key
    elif in_flow and name in {"async_show_form", "async_show_menu", "async_show_progress"}:
        keys.steps |= arguments.get("step_id", set())
        for keyword in call.keywords:
            if keyword.arg == "errors" and isinstance(keyword.value, ast.Dict):
                keys.errors.update(text for value in keyword.value.values for text in _texts(value))
    elif in_flow and name in {"async_abort", "AbortFlow"}:
        keys.aborts |= arguments.get("reason", set())
        if name == "AbortFlow" and call.args:
            keys.aborts.update(_texts(call.args[0]))


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression can be, as far as they stand in it."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)
