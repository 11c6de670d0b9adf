"""How long the steps of an event loop take, and what its detector of blocking calls says of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import logging
import time
from typing import Any, override


class BlockingCalls(logging.Handler):
    """Keeps what Home Assistant's own detector of blocking calls says."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if "blocking call" in record.getMessage():
            self.said.append(record.getMessage())

    def check(self) -> None:
        """Raise `RuntimeError` if it has said anything."""
        if self.said:
            raise RuntimeError(self.said[0])


@contextmanager
def counted(seconds: list[float]) -> Iterator[None]:
    """Note how long each step of the event loop takes [s], whatever it does."""
    handle: Any = asyncio.Handle
    run = handle._run  # noqa: SLF001 - there is no other way to see them all

    def timed(self: Any) -> None:
        begin = time.perf_counter()
        run(self)
        seconds.append(time.perf_counter() - begin)

    handle._run = timed  # noqa: SLF001
    try:
        yield
    finally:
        handle._run = run  # noqa: SLF001
