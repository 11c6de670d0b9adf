"""Faults that need a hand: raised as repairs when they appear, cleared when they are gone."""

from collections.abc import Mapping
import time
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

UNREACHABLE_AFTER: Final = 600
"""A meter that does not answer for this long [s] needs a hand; shorter silences mend themselves."""
FIXABLE: Final = frozenset({"channels_missing"})


class FaultList:
    """The open faults of one site."""

    def __init__(self, hass: HomeAssistant, entry_id: str, site: str) -> None:
        self._hass = hass
        self._entry_id = entry_id
        self._site = site
        self._open: dict[str, Mapping[str, str]] = {}

    @callback
    def update(self, found: Mapping[str, Mapping[str, str]]) -> None:
        """Raise what is new or has changed, clear what is gone."""
        for key in self._open.keys() - found.keys():
            ir.async_delete_issue(self._hass, DOMAIN, self._issue(key))
        for key, placeholders in found.items():
            if self._open.get(key) == placeholders:
                continue
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue(key),
                is_fixable=key in FIXABLE,
                is_persistent=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=key,
                translation_placeholders={"site": self._site, **placeholders},
                data={"entry_id": self._entry_id, "site": self._site, **placeholders},
            )
        self._open = dict(found)

    @callback
    def clear(self) -> None:
        """Clear all: the site is being unloaded."""
        self.update({})

    def _issue(self, key: str) -> str:
        return _issue_id(key, self._entry_id)


def _issue_id(key: str, entry_id: str) -> str:
    return f"{key}_{entry_id}"


_WAITING: Final[HassKey[dict[str, float]]] = HassKey(f"{DOMAIN}_waiting")


@callback
def async_note_waiting(hass: HomeAssistant, entry_id: str, site: str, fault: str) -> None:
    """Take note that a site cannot start because of a fault; raise it when that lasts."""
    since = hass.data.setdefault(_WAITING, {}).setdefault(entry_id, time.time())
    if time.time() - since > UNREACHABLE_AFTER:
        FaultList(hass, entry_id, site).update({fault: {}})


@callback
def async_end_waiting(hass: HomeAssistant, entry_id: str, fault: str) -> None:
    """Take note that the site has started, or is gone."""
    if hass.data.get(_WAITING, {}).pop(entry_id, None) is not None:
        ir.async_delete_issue(hass, DOMAIN, _issue_id(fault, entry_id))
