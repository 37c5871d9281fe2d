"""`vidcolor` in processes of its own that begin at once: what they import is imported once.

A process is forked by a server that has no threads, so that it is one like any other: it has a lock
of its own, and may be stopped and killed. How a shell starts the command is tested elsewhere.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Windows has none
    from multiprocessing.context import ForkServerContext, ForkServerProcess

_IMPORTED = ("vidcolor.commands.color_films", "vidcolor.commands.command_line", "onnxruntime")
"""By `vidcolor color` as it begins."""


@contextmanager
def fork_server(*modules: str) -> Iterator[ForkServerContext]:
    """A server of processes that have imported modules.

    Python keeps one server; one that runs already has imported something else, and is ended.
    """
    server: Any = forkserver._forkserver
    server._stop()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    try:
        yield context
    finally:
        server._stop()


class Program:
    """A process that runs `vidcolor`."""

    def __init__(self, process: ForkServerProcess, errors: Path) -> None:
        process.start()
        self._process, self._errors = process, errors
        assert process.pid is not None
        self.pid = process.pid

    @property
    def status(self) -> int | None:
        """Exit status, or minus the number of the signal that ended it; None while it runs."""
        return self._process.exitcode

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Its status, once it has ended."""
        self._process.join(seconds)
        assert self.status is not None, f"it runs for more than {seconds} seconds"
        return self.status

    @property
    def told(self) -> str:
        """What it has written to standard error."""
        return self._errors.read_text(encoding="utf-8")


class Programs:
    """Starts `vidcolor` in the current folder.

    Args:
        context: Of a server that has imported what `vidcolor color` does.
        folder: Where what they tell is kept.
    """

    def __init__(self, context: ForkServerContext, folder: Path) -> None:
        self._context, self._folder, self._numbers = context, folder, count()

    def start(self, words: Sequence[str], *, run: Callable[..., None] | None = None) -> Program:
        """Start it.

        Args:
            words: Behind the program's name.
            run: What calls it with the words; a function of a module.
        """
        errors = self._folder / f"{next(self._numbers)}.txt"
        arguments = (run or run_vidcolor, list(words), errors)
        return Program(self._context.Process(target=_run, args=arguments, daemon=True), errors)


@contextmanager
def programs(folder: Path) -> Iterator[Programs]:
    """What starts `vidcolor`. What the processes tell is kept in the folder."""
    with fork_server(*_IMPORTED) as context:
        yield Programs(context, folder)


def run_vidcolor(words: Sequence[str]) -> None:
    """Call the command line."""
    from vidcolor.cli import main

    sys.exit(main(words))


def run_killed(words: Sequence[str], *, step: int, part: int) -> None:
    """Call the command line, and end by `kill -9` at a step of the model.

    Args:
        words: Behind the program's name.
        step: Its number, from 1.
        part: Most frames of a part.
    """
    from vidcolor.film import segments
    from vidcolor.propagate import Propagator

    whole, left = Propagator.step, count(step - 1, -1)

    def killing(*arguments: Any) -> Any:
        if not next(left):
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*arguments)

    segments.PART, Propagator.step = part, killing  # type: ignore[assignment, method-assign]
    run_vidcolor(words)


def _run(run: Callable[..., Any], words: Sequence[str], errors: Path) -> None:
    """In the process."""
    with errors.open("wb") as file:
        os.dup2(file.fileno(), 2)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1)
    run(words)
