"""What in Home Assistant's log is a reproach to our integration."""

from collections.abc import Iterator
import re

DOMAIN = "energy_neighbours"
ENTRY = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\S* (?P<level>[A-Z]+) \(.*?\) \[(?P<logger>[^]]+)\] (?P<message>.*)",
    re.MULTILINE,
)
SEVERE = ("WARNING", "ERROR", "CRITICAL")
# Home Assistant says it of every custom integration.
UNTESTED = "We found a custom integration energy_neighbours which has not been tested by Home Assistant"


def reproaches(log: str) -> list[str]:
    """Return the entries that tell of an error, a deprecation or a blocking call of ours, each with its traceback.

    Raises ValueError when it is no such log: then nothing can be said of it.
    """
    return [entry for entry in _entries(log) if _is_reproach(entry)]


def _entries(log: str) -> Iterator[str]:
    starts = [match.start() for match in ENTRY.finditer(log)]
    if not starts:
        raise ValueError(f"no entry in {log[:200]!r}")
    for start, end in zip(starts, [*starts[1:], len(log)], strict=True):
        yield log[start:end].rstrip()


def _is_reproach(entry: str) -> bool:
    match = ENTRY.match(entry)
    assert match is not None
    if match["level"] not in SEVERE or UNTESTED in match["message"]:
        return False
    # Home Assistant names the integration in what it says of it, and a traceback names its files.
    return DOMAIN in entry or match["logger"] in ("asyncio", "aiomqtt", "py.warnings")
