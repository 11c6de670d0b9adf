"""Every command of scripts/ explains itself and refuses what it does not understand."""

import subprocess

import pytest

from .files import ROOT, own_files, relative, text_of

COMMANDS = [path for path in own_files() if path.parent == ROOT / "scripts" and text_of(path).startswith("#!")]
# Its arguments are pytest's, which has its own way to refuse.
STRICT_COMMANDS = [path for path in COMMANDS if path.name != "test"]


def run(path, argument):
    return subprocess.run([path, argument], capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("path", COMMANDS, ids=relative)
def test_help_explains_the_command(path):
    result = run(path, "--help")
    assert result.returncode == 0, result.stderr
    assert "usage:" in result.stdout.lower()
    assert path.name in result.stdout
    assert "--help" in result.stdout


@pytest.mark.parametrize("path", STRICT_COMMANDS, ids=relative)
def test_wrong_usage_is_one_sentence_and_status_2(path):
    result = run(path, "--no-such-option")
    assert result.returncode == 2
    assert result.stdout == ""
    # Python's argparse puts its usage above the sentence.
    assert "--no-such-option" in result.stderr.strip().splitlines()[-1]


def setup(folder):
    return subprocess.run(
        [ROOT / "scripts" / "setup", "--quick"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_setup_does_nothing_when_all_is_there_wherever_it_is_called_from(tmp_path):
    assert setup(ROOT).returncode == 0
    again = setup(tmp_path)
    assert again.returncode == 0
    assert again.stdout + again.stderr == ""
    assert list(tmp_path.iterdir()) == []
