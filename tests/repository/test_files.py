"""What every file of the repository keeps to."""

import ast
import json
import re

import pytest

from .files import PACKAGE, ROOT, is_code, own_files, relative, text_of

CODE = [path for path in own_files() if is_code(path)]
PYTHON = [path for path in own_files() if path.suffix == ".py"]

# Split, so that this file does not break its own rule.
REGISTRY_HOSTS = ["pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "deb.debian" + ".org"]
MACHINE_PATHS = ["/wo" + "rk/", "/tm" + "p/", "../sha" + "red", "/r" + "oot/"]
PRIVATE_ADDRESS = re.compile(r"(?<![\d.])(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?![\d.])")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "manager"}


@pytest.mark.parametrize("path", own_files(), ids=relative)
def test_file_names_no_registry_no_machine_and_no_private_address(path):
    text = text_of(path)
    found = [word for word in (*REGISTRY_HOSTS, *MACHINE_PATHS) if word in text]
    found += PRIVATE_ADDRESS.findall(text)
    assert not found


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_code_file_is_short_enough_to_be_one_room(path):
    assert len(text_of(path).splitlines()) <= 400


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_name_of_code_file_says_what_it_holds(path):
    assert not VAGUE_NAMES & set(re.split(r"[_\W]+", path.stem.lower()))


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_first_line_of_module_says_what_lives_there(path):
    if text := text_of(path).strip():
        assert ast.get_docstring(ast.parse(text)), "a module without a docstring"


@pytest.mark.parametrize("path", [path for path in CODE if text_of(path).startswith("#!")], ids=relative)
def test_command_is_executable_and_says_what_it_does(path):
    assert path.stat().st_mode & 0o111
    lines = text_of(path).splitlines()
    assert lines[1].startswith(("# ", '"""'))


def test_licence_is_apache_2_with_a_notice():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert licence.strip().startswith("Apache License")
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert "OpenGrid" in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_readme_starts_with_the_demo_and_the_tests():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    commands = [line.split("#")[0].strip().removeprefix("./") for block in blocks for line in block.splitlines()]
    assert [command for command in commands if command][:2] == ["scripts/demo", "scripts/test"]


def test_brand_images_are_there():
    for name in ("icon.png", "logo.png"):
        assert (PACKAGE / "brand" / name).read_bytes().startswith(b"\x89PNG")


def test_hacs_finds_one_integration_and_asks_for_the_tested_home_assistant():
    hacs = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))
    locked = re.search(r"^homeassistant==(\S+)", (ROOT / "requirements/test.txt").read_text(), re.MULTILINE)
    assert locked
    assert hacs == {"name": "Energy Neighbours", "homeassistant": locked[1]}
    assert [path.parent.name for path in own_files() if path.name == "manifest.json"] == [PACKAGE.name]


def test_workflows_run_what_ci_runs_and_both_validators():
    workflows = {path.name: text_of(path) for path in (ROOT / ".github/workflows").iterdir()}
    assert "bash .ci/run" in workflows["tests.yml"]
    assert "home-assistant/actions/hassfest@" in workflows["hassfest.yml"]
    assert "hacs/action@" in workflows["hacs.yml"]
    assert "category: integration" in workflows["hacs.yml"]
