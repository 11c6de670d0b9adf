"""A process of its own for each side of a benchmark, so that its processor time is only its own.

The two ends talk in lines of JSON: arguments on the command line, one line when ready, then an answer to each question.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any, Self

from tools.home.child import tethered

ROOT = Path(__file__).parents[2]

type Answer = Mapping[str, Any]


class WorkerError(Exception):
    """A side of the benchmark ended before its time."""


class Worker:
    """The asking end: runs a module as a child, which ends when its standard input does, and never outlives us."""

    def __init__(self, module: str, arguments: Mapping[str, Any], log: Path) -> None:
        self._module = module
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                tethered([sys.executable, "-m", module, json.dumps(arguments)]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=ROOT,
                text=True,
                start_new_session=True,  # a Ctrl-C in the terminal is for the parent
            )

    def answer(self) -> Any:
        """Read the next answer.

        Raises
        ------
        WorkerError
            It ended instead; the last line of its log tells why.
        """
        assert self._process.stdout  # noqa: S101 - asked for above
        if line := self._process.stdout.readline():
            return json.loads(line)
        said = self._log.read_text(encoding="utf-8", errors="replace").strip()
        raise WorkerError(f"{self._module} ended: {said.splitlines()[-1] if said else 'it said nothing'}")

    def ask(self, question: str, **details: Any) -> None:
        """Send a question; read the answer with `answer`, so that several workers can think at the same time."""
        assert self._process.stdin  # noqa: S101 - asked for above
        try:
            self._process.stdin.write(json.dumps({"ask": question, **details}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.answer()

    def stop(self) -> None:
        """End it at once: its files are thrown away, so there is nothing to tidy up."""
        self._process.kill()
        with suppress(BrokenPipeError):  # a question that it never read
            self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def arguments() -> dict[str, Any]:
    """Return what the asking end gave to this process."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given


async def serve(ready: Answer, answer: Callable[[dict[str, Any]], Awaitable[Answer]]) -> None:
    """Be the answering end: say `ready`, then answer each question until the standard input ends."""
    # Whatever else writes to the standard output must not speak into our answers.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: Answer) -> None:
        output.write(json.dumps(line) + "\n")
        output.flush()

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(ready)
    while line := await reader.readline():
        say(await answer(json.loads(line)))
