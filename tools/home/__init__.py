"""A real Home Assistant on this machine, for the demo and the tests: prepare, start, onboard, drive and stop it."""

from .api import Api, ApiError
from .browser import Browser, BrowserMissingError
from .child import Child
from .flow import ConfigFlow, FlowError, discovered, entries_of
from .instance import HomeAssistant, StartError
from .layout import CONFIG_LANGUAGES, Layout
from .namespace import NamespaceError, enter_loopback_namespace

__all__ = [
    "CONFIG_LANGUAGES",
    "Api",
    "ApiError",
    "Browser",
    "BrowserMissingError",
    "Child",
    "ConfigFlow",
    "FlowError",
    "HomeAssistant",
    "Layout",
    "NamespaceError",
    "StartError",
    "discovered",
    "enter_loopback_namespace",
    "entries_of",
]
