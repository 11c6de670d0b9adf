"""Processes that book without end, as a meter's site would, until they are killed; they tell each booking that is done.

Run as a program it is their mother: it forks one for each path on its standard input, as 200 fresh interpreters would
take minutes, and tells when it is born and how it died. Pipes keep whole whatever is written to them at once.
"""

import os
from pathlib import Path
import random
import sys
from typing import Final

from custom_components.energy_neighbours.core.quarter_hour import QUARTER, QuarterHour
from custom_components.energy_neighbours.ledger import Ledger

T: Final = 1_767_222_000
METER: Final = "meter"
IMPORT: Final = "import"
IMPORTED: Final = 50
"""Quarter-hours of one import: all of them say the same, or it was done by half."""
SUPPLEMENT: Final = 3


def quarter(number: int, offtake: int) -> QuarterHour:
    return QuarterHour(T + number * QUARTER, offtake, 0, None)


def energy(number: int) -> int:
    """Return what the meter counts in a quarter-hour at first [Wh]."""
    return 100 + number % 7


def tell(what: str, number: int) -> None:
    os.write(1, f"{what} {number}\n".encode())


def write(path: Path) -> None:
    """Go on where the ledger says, for ever."""
    ledger = Ledger.open(path)
    state = ledger.load_state(METER) or {"next": 0, "counted": 0}
    while True:
        number = state["next"]
        quarters = [quarter(number, energy(number))]
        if number:
            quarters.append(quarter(number - 1, SUPPLEMENT))
        counted = state["counted"] + sum(each.offtake or 0 for each in quarters)
        # The state is of ever other length, so that a booking changes now one page of the file, now several.
        state = {"next": number + 1, "counted": counted, "more": "x" * random.randrange(10_000)}  # noqa: S311
        ledger.book(METER, quarters, state)
        tell(METER, number)
        if number % 5 == 0:
            ledger.replace(IMPORT, [quarter(n, number) for n in range(IMPORTED)], f"import {number}")
            tell(IMPORT, number)
        if number % 50 == 0:
            ledger.checkpoint()


if __name__ == "__main__":
    for line in sys.stdin:
        if child := os.fork():
            tell("born", child)
            tell("dead", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        else:
            write(Path(line.strip()))
