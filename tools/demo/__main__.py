"""`python -m tools.demo`: what `scripts/demo` runs once everything is set up."""

from collections.abc import Sequence
import signal
import sys
from types import FrameType
from typing import Never

from tools.home import ApiError, FlowError

from .memory import InUseError
from .options import read_options
from .stage import DemoError, NotLiveError, StartError, run_demo

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(BaseException):
    """A person or the system wants the demo to end; no ordinary error, so nothing on the way swallows it."""


def _stop(number: int, _frame: FrameType | None) -> Never:
    for each in SIGNALS:  # what follows is the tidying up: it is not to be interrupted
        signal.signal(each, signal.SIG_IGN)
    raise StoppedError(signal.Signals(number).name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = read_options(arguments)
    for number in SIGNALS:
        signal.signal(number, _stop)
    try:
        run_demo(options)
    except StoppedError:
        if options.duration is None:
            print("Stopped.", file=sys.stderr)
            return 0
        print("scripts/demo: stopped before its time was over", file=sys.stderr)
        return 1
    except NotLiveError as error:
        print(f"scripts/demo: the entities were not live: {error}", file=sys.stderr)
        return 1
    except (DemoError, StartError, FlowError, ApiError, InUseError, OSError, RuntimeError) as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
