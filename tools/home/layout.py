"""The configuration directory of a Home Assistant that listens on 127.0.0.1 only and asks no questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

CONFIG_LANGUAGES = ("en", "fr", "nl", "de")

_CONFIGURATION = """\
homeassistant:
  name: {name}
  latitude: 50.83
  longitude: 4.38
  elevation: 60
  unit_system: metric
  currency: EUR
  country: BE
  time_zone: Europe/Brussels
  language: {language}
  auth_providers:
    - type: trusted_networks
      trusted_networks: 127.0.0.1/32
      allow_bypass_login: true
    - type: homeassistant
config:
energy:
frontend:
  themes: {themes}
history:
logbook:
system_health:
zeroconf:
logger:
  default: warning
  logs:
    custom_components.energy_neighbours: info
"""

# Voice processing that exists as source code only and is imported at every start, used or not.
VOICE_STANDINS = {"pymicro_vad": "MicroVad", "pyspeex_noise": "AudioProcessor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a configuration directory says.

    Parameters
    ----------
    port
        Where the frontend and the interfaces listen, on 127.0.0.1.
    name
        The home's name.
    language
        The language of the home, and so of the names that entities are created with.
    adapters
        Network adapters for discovery; empty: Home Assistant chooses. `("lo",)` keeps it silent on the network, and so
        it discovers nothing outside a namespace of its own.
    components
        Folders of custom integrations; each is linked, so that a restart takes in a change.
    themes
        Themes of the frontend by name, as its configuration takes them.
    """

    port: int
    name: str = "Home"
    language: str = "en"
    adapters: tuple[str, ...] = ()
    components: tuple[Path, ...] = ()
    themes: Mapping[str, Any] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        """Write or update the files of a directory whose Home Assistant does not run."""
        storage = directory / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        # JSON is YAML too.
        text = _CONFIGURATION.format(
            name=json.dumps(self.name), language=self.language, themes=json.dumps(dict(self.themes))
        )
        (directory / "configuration.yaml").write_text(text, encoding="utf-8")
        for key, content in self._stores().items():
            (storage / key).write_text(json.dumps({"key": key, **content}, indent=2), encoding="utf-8")
        if not (storage / "onboarding").exists():
            # What is left is the owner's account. The other steps ask questions, or bring integrations that want the
            # internet.
            done = {"done": ["core_config", "analytics", "integration"]}
            onboarding = {"key": "onboarding", "version": 4, "minor_version": 1, "data": done}
            (storage / "onboarding").write_text(json.dumps(onboarding), encoding="utf-8")
        (directory / "custom_components").mkdir(exist_ok=True)
        for component in self.components:
            link = directory / "custom_components" / component.name
            link.unlink(missing_ok=True)
            link.symlink_to(component.resolve(), target_is_directory=True)

    def _stores(self) -> dict[str, dict[str, Any]]:
        # `http:` in YAML would be a one-off import that must be confirmed in a browser within five minutes, else Home
        # Assistant restarts on port 8123 on all interfaces. So the store is written instead.
        http = {
            "server_host": ["127.0.0.1"],
            "server_port": self.port,
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": False,
            "ssl_profile": "modern",
            "use_x_frame_options": True,
            "created_at": "2026-01-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        return {
            "core.network": {"version": 1, "minor_version": 1, "data": {"configured_adapters": list(self.adapters)}},
            "http": {
                "version": 2,
                "minor_version": 2,
                "data": {"stable": http, "pending": None, "yaml_migration_done": True},
            },
        }


def write_standins(directory: Path, modules: list[str]) -> None:
    """Write empty modules that stand in for the voice processing that is not installed."""
    directory.mkdir(exist_ok=True)
    for module in VOICE_STANDINS:
        (directory / f"{module}.py").unlink(missing_ok=True)
    for module in modules:
        text = f'"""Stands in for a module that this home does not use."""\n\n\nclass {VOICE_STANDINS[module]}: ...\n'
        (directory / f"{module}.py").write_text(text, encoding="utf-8")
