"""The manifest keeps to what hassfest and HACS ask of a custom integration."""

import json
import re

import pytest

from .files import PACKAGE

MANIFEST = json.loads((PACKAGE / "manifest.json").read_text(encoding="utf-8"))

# hassfest, mid-2026: these are needed, these are known, any other is an error.
NEEDED = {"domain", "name", "codeowners", "documentation", "iot_class", "version"}
KNOWN = NEEDED | {
    "after_dependencies",
    "bluetooth",
    "config_flow",
    "dependencies",
    "dhcp",
    "disabled",
    "homekit",
    "import_executor",
    "integration_type",
    "issue_tracker",
    "loggers",
    "mqtt",
    "quality_scale",
    "requirements",
    "single_config_entry",
    "ssdp",
    "usb",
    "zeroconf",
}


def test_keys_are_known_complete_and_sorted():
    assert set(MANIFEST) >= NEEDED
    assert set(MANIFEST) <= KNOWN
    assert list(MANIFEST) == ["domain", "name", *sorted(set(MANIFEST) - {"domain", "name"})]


def test_domain_is_the_folder():
    assert MANIFEST["domain"] == PACKAGE.name


def test_version_is_semantic_and_that_of_the_package():
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    project = (PACKAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{MANIFEST["version"]}"\n' in project


def test_integration_is_pushed_locally_and_set_up_by_a_flow():
    assert MANIFEST["iot_class"] == "local_push"
    assert MANIFEST["config_flow"] is True
    assert (PACKAGE / "config_flow.py").exists()


def test_codeowners_are_github_names():
    assert MANIFEST["codeowners"]
    assert all(re.fullmatch(r"@[\w/-]+", owner) for owner in MANIFEST["codeowners"])


@pytest.mark.parametrize("key", ["documentation", "issue_tracker"])
def test_links_are_secure_and_our_own(key):
    assert MANIFEST[key].startswith("https://")
    assert "home-assistant.io/integrations" not in MANIFEST[key]


def test_requirements_are_pinned():
    assert MANIFEST["requirements"]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", requirement) for requirement in MANIFEST["requirements"])


@pytest.mark.parametrize("key", ["after_dependencies", "dependencies", "requirements", "loggers"])
def test_lists_are_sorted_without_doubles(key):
    assert MANIFEST.get(key, []) == sorted(set(MANIFEST.get(key, [])))


def test_zeroconf_matches_fluksos_and_no_other_broker():
    matchers = MANIFEST["zeroconf"]
    assert {"type": "_flukso._tcp.local."} in matchers
    for matcher in matchers:
        assert set(matcher) <= {"type", "name", "properties"}
        assert matcher["type"].endswith("._tcp.local.")
        # Home Assistant lowers what it compares, so a capital letter would never match.
        assert matcher.get("name", "") == matcher.get("name", "").lower()
        if matcher["type"] == "_mqtt._tcp.local.":
            assert "flukso" in matcher["name"]
