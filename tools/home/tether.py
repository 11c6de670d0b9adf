"""Replace this process by a command that ends when the process that started it ends, however that one ends.

Run as a program: `python tether.py PARENT_PID COMMAND [ARGUMENT …]`. On Linux the kernel is told (PR_SET_PDEATHSIG,
kept over exec); elsewhere the command simply runs. A program, as subprocess' `preexec_fn` is unsafe beside threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for SIGTERM at the parent's death and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel knew
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the caller's own command, never a shell


if __name__ == "__main__":
    main()
