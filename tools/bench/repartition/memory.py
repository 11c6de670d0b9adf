"""Prints how much memory one side needs to divide a community's month, beside what it was given [MB]."""

from pathlib import Path
import sys

from custom_components.energy_neighbours.core.repartition import allocate
from custom_components.energy_neighbours.core.repartition_key import Prorata
from tools.neighbourhood.homes import community

from .peers import long_table


def main() -> None:
    """Divide once, and print the difference that it made."""
    side, members, quarters = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    allocate(Prorata(), community(3, 96))  # all that is loaded when it is first needed
    flows = community(members, quarters)
    # From now on Linux tells the most memory anew.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status("VmRSS")
    # A long table is the peer's way to hold the energies: it counts as much as what is made of it.
    shares = allocate(Prorata(), flows).allocated if side == "ours" else long_table(flows)()
    if not shares.any():
        raise RuntimeError("nothing was divided")
    print(_status("VmHWM") - before)


def _status(name: str) -> float:
    """Return what Linux tells of this process's memory [MB]."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


if __name__ == "__main__":
    main()
