"""What set-up does to the system: it says what to install, or installs it if nothing else changes."""

from pathlib import Path
import shutil
import subprocess

import pytest

from .files import ROOT

# The script adds the folders of root's programs itself, so the browser is what is missing here.
NEEDED = ["bash", "cat", "chmod", "dirname", "env", "grep", "mkdir", "rm", "sed", "tr"]


@pytest.fixture
def machine(tmp_path):
    """A search path with the usual tools and no browser; an apt-get that notes how it is called, and an id."""
    for name in NEEDED:
        (tmp_path / name).symlink_to(shutil.which(name))
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def get_programs(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "get-programs"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_ordinary_user_is_told_what_to_install(machine):
    program(machine, "id", "echo 1000")
    program(machine, "apt-get", f"echo called >>{machine}/calls")
    result = get_programs(machine)
    assert result.returncode == 0
    assert "sudo apt-get install --no-install-recommends" in result.stderr
    assert "chromium" in result.stderr
    assert not (machine / "calls").exists()


def test_other_system_is_told_the_names(machine):
    result = get_programs(machine)
    assert result.returncode == 0
    assert "what Debian calls" in result.stderr
    assert "chromium" in result.stderr


@pytest.mark.parametrize("line", ["Inst libc6 [2.36-9] (2.42-5 Debian:testing [amd64])", "Remv libc6 [2.36-9]"])
def test_nothing_is_installed_that_would_replace_or_remove_what_is_there(machine, line):
    program(machine, "id", "echo 0")
    program(machine, "apt-get", f"echo \"$*\" >>{machine}/calls; [[ $1 != --simulate ]] || echo '{line}'")
    result = get_programs(machine)
    assert result.returncode == 1
    assert "would replace or remove libc6" in result.stderr
    calls = (machine / "calls").read_text(encoding="utf-8").splitlines()
    assert [call for call in calls if " install " in call and not call.startswith("--simulate")] == []


def test_archive_without_the_package_is_one_sentence(machine):
    program(machine, "id", "echo 0")
    program(machine, "apt-get", "[[ $1 != --simulate ]] || { echo 'E: Unable to locate package chromium'; exit 100; }")
    result = get_programs(machine)
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].endswith("E: Unable to locate package chromium")
