"""The core and the meter's protocol work where there is no Home Assistant, from the same files."""

from pathlib import Path
import subprocess
import sys

import energy_neighbours_core
import energy_neighbours_flukso

from .files import PACKAGE

# Refuses Home Assistant as if it were not installed, then loads every module of both packages.
WITHOUT_HOME_ASSISTANT = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"homeassistant", "custom_components"}:
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
count = 0
for package in ("energy_neighbours_core", "energy_neighbours_flukso"):
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        importlib.import_module(module.name)
        count += 1
print(count)
"""


def test_installed_packages_are_the_files_that_home_assistant_loads():
    assert Path(energy_neighbours_core.__file__).resolve() == PACKAGE / "core" / "__init__.py"
    assert Path(energy_neighbours_flukso.__file__).resolve() == PACKAGE / "flukso" / "__init__.py"


def test_every_module_loads_without_home_assistant(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_HOME_ASSISTANT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    modules = [path for folder in ("core", "flukso") for path in (PACKAGE / folder).rglob("*.py")]
    assert int(run.stdout) == len([path for path in modules if path.name != "__init__.py"])
