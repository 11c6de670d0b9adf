"""Flows over the REST interface: what a person does in the dialogs of an integration."""

import json
import time
from typing import Any

from .api import Api

_PATH = "/api/config/config_entries/flow"
_OPTIONS_PATH = "/api/config/config_entries/options/flow"
_SUBENTRY_PATH = "/api/config/config_entries/subentries/flow"


class FlowError(Exception):
    """A config flow did not go where it should."""


class ConfigFlow:
    """One flow of a config entry, its options or a subentry; `step` is Home Assistant's last answer."""

    def __init__(self, api: Api, step: dict[str, Any], path: str = _PATH) -> None:
        self._api = api
        self._path = path
        self.step = step

    @classmethod
    def start(cls, api: Api, domain: str) -> ConfigFlow:
        """Begin as a person who adds the integration."""
        return cls(api, api.post(_PATH, {"handler": domain}))

    @classmethod
    def reconfigure(cls, api: Api, domain: str, entry_id: str) -> ConfigFlow:
        """Begin to change an entry."""
        return cls(api, api.post(_PATH, {"handler": domain, "entry_id": entry_id}))

    @classmethod
    def options(cls, api: Api, entry_id: str) -> ConfigFlow:
        """Begin to change an entry's options."""
        return cls(api, api.post(_OPTIONS_PATH, {"handler": entry_id}), _OPTIONS_PATH)

    @classmethod
    def subentry(cls, api: Api, entry_id: str, kind: str) -> ConfigFlow:
        """Begin to add a subentry to an entry."""
        return cls(api, api.post(_SUBENTRY_PATH, {"handler": [entry_id, kind]}), _SUBENTRY_PATH)

    @classmethod
    def resume(cls, api: Api, flow_id: str) -> ConfigFlow:
        """Take up a flow that a discovery has begun."""
        return cls(api, api.get(f"{_PATH}/{flow_id}"))

    def choose(self, option: str) -> None:
        """Choose an entry of a menu."""
        if self.step["type"] != "menu" or option not in self.step["menu_options"]:
            raise FlowError(f"no menu with '{option}': {json.dumps(self.step)[:600]}")
        self._answer({"next_step_id": option})

    def submit(self, data: dict[str, Any] | None = None, until: str | None = None) -> None:
        """Fill in a form: what it suggests, changed by `data` (sections merge).

        `until` is the reason of an abort that is the flow's good end.

        Raises
        ------
        FlowError
            It is no form, or Home Assistant refuses the answer.
        """
        if self.step["type"] != "form":
            raise FlowError(f"no form: {json.dumps(self.step)[:600]}")
        before = self.step["step_id"]
        self._answer(_merge(self.suggestions, data or {}), until)
        if self.step.get("errors") and self.step.get("step_id") == before:
            raise FlowError(
                f"step '{before}' refused: {self.step['errors']} {self.step.get('description_placeholders')}"
            )

    @property
    def suggestions(self) -> dict[str, Any]:
        """What the form is prefilled with."""
        return _prefilled(self.step["data_schema"])

    @property
    def finished(self) -> bool:
        """Whether the entry exists."""
        return bool(self.step["type"] == "create_entry")

    @property
    def entry_id(self) -> str:
        """The entry that the flow has made; `FlowError` if it has made none."""
        if not self.finished:
            raise FlowError(f"no entry: {json.dumps(self.step)[:600]}")
        return str(self.step["result"]["entry_id"])

    def wait_while_progress(self, timeout: float = 30) -> None:
        """Wait while the flow shows a progress ring."""
        end = time.monotonic() + timeout
        while self.step["type"] in ("progress", "progress_done"):
            if time.monotonic() > end:
                raise FlowError(f"still busy after {timeout:.0f} s: {self.step}")
            time.sleep(0.1)
            self.step = self._api.get(f"{self._path}/{self.step['flow_id']}")

    def _answer(self, data: dict[str, Any], until: str | None = None) -> None:
        self.step = self._api.post(f"{self._path}/{self.step['flow_id']}", data)
        self.wait_while_progress()
        if self.step["type"] == "abort" and self.step["reason"] != until:
            raise FlowError(f"aborted: {self.step['reason']} {self.step.get('description_placeholders')}")


def discovered(api: Api, domain: str, timeout: float = 30) -> ConfigFlow:
    """Wait until a discovery has begun a flow, and return it.

    Raises
    ------
    FlowError
        Nothing was discovered within `timeout` [s].
    """
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        for flow in api.websocket("config_entries/flow/progress"):
            if flow["handler"] == domain:
                return ConfigFlow.resume(api, flow["flow_id"])
        time.sleep(0.2)
    raise FlowError(f"nothing discovered within {timeout:.0f} s")


def entries_of(api: Api, domain: str) -> list[dict[str, Any]]:
    """Return the config entries of an integration."""
    entries: list[dict[str, Any]] = api.websocket("config_entries/get", domain=domain)
    return entries


def _prefilled(schema: list[dict[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in schema:
        if item.get("type") == "expandable":
            values[item["name"]] = _prefilled(item["schema"])
        elif (suggested := (item.get("description") or {}).get("suggested_value")) is not None:
            values[item["name"]] = suggested
        elif item.get("default") is not None:
            values[item["name"]] = item["default"]
    return values


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        merged[key] = _merge(merged.get(key, {}), value) if isinstance(value, dict) else value
    return merged
