"""The packages that the project asks for, locked by hash, and the same everywhere."""

import json
from pathlib import Path
import re
import tomllib

import pytest

from .files import PACKAGE, ROOT, relative

REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.txt"))


def asked(path: Path) -> dict[str, str]:
    """Return what an .in file asks for, by name; an empty version where any will do."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("==") for line in lines if line and not line.startswith("-"))
    return {normal(name): version for name, _, version in pairs}


def locked(path: Path) -> dict[str, str]:
    """Return the versions of a lock file by name."""
    found = re.findall(r"^([\w.-]+)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {normal(name): version for name, version in found}


def normal(name: str) -> str:
    """Return a package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


RUNTIME = asked(REQUIREMENTS / "runtime.in")


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_every_locked_package_has_a_version_and_hashes(lock):
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[^\s#])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+( ; [^\\]+)? \\\n", entry), entry
        assert "--hash=sha256:" in entry


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_lock_records_no_address(lock):
    assert not re.search(r"://|^--|^-i\b", lock.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_lock_holds_what_its_source_asks_for(lock):
    versions = locked(lock)
    sources = [lock.with_suffix(".in")]
    sources += [REQUIREMENTS / name for name in re.findall(r"^-r (\S+)", sources[0].read_text(), re.MULTILINE)]
    for source in sources:
        for name, version in asked(source).items():
            assert versions.get(name), f"{name} of {relative(source)} is not locked: run scripts/lock"
            assert version in {"", versions[name]}, f"{name} of {relative(source)} changed: run scripts/lock"


def test_manifest_asks_for_the_packages_that_are_tested():
    manifest = json.loads((PACKAGE / "manifest.json").read_text(encoding="utf-8"))
    assert dict(requirement.split("==") for requirement in manifest["requirements"]) == RUNTIME
    for lock in ("test.txt", "newest.txt"):
        assert RUNTIME.items() <= locked(REQUIREMENTS / lock).items()


def test_package_asks_for_the_same_and_builds_with_the_locked_builder():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    dependencies = project["project"]["dependencies"]
    assert {f"{name}=={version}" for name, version in RUNTIME.items()} <= set(dependencies)
    (builder,) = project["build-system"]["requires"]
    assert builder.split("==") == ["setuptools", locked(REQUIREMENTS / "build.txt")["setuptools"]]
