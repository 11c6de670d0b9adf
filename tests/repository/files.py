"""The files of the repository, for the tests of its rules."""

from functools import cache
from pathlib import Path
import subprocess

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "custom_components" / "energy_neighbours"

# Where there is no git (an archive that was unpacked), these folders are what it would ignore.
IGNORED = {
    ".cache",
    ".demo",
    ".git",
    ".hypothesis",
    ".python",
    ".tools",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
    "shots",
}


@cache
def own_files() -> tuple[Path, ...]:
    """Return every file that belongs to the project: tracked, or about to be."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
    except FileNotFoundError, subprocess.CalledProcessError:
        found = (path for path in ROOT.rglob("*") if not _is_ignored(path.relative_to(ROOT)))
    else:
        found = (ROOT / name for name in listing.split("\0") if name)
    return tuple(sorted(path for path in found if path.is_file()))


def _is_ignored(path: Path) -> bool:
    return any(
        part in IGNORED or part.startswith((".venv", ".coverage")) or part.endswith(("_cache", ".egg-info", ".pyc"))
        for part in path.parts
    )


@cache
def text_of(path: Path) -> str:
    """Return a file's text, or nothing if it is binary."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def relative(path: Path) -> str:
    """Return a file's name as a person would write it."""
    return path.relative_to(ROOT).as_posix()


def is_code(path: Path) -> bool:
    """Tell whether people write this file as code: Python, TypeScript or shell."""
    return path.suffix in {".py", ".ts", ".bash"} or text_of(path).startswith("#!")
