"""Inputs one after the other in one child, for a fork each takes longer than the work itself.

What crashes or hangs the child, and whatever else goes wrong in it, is run once more in a fork of
its own. What cannot run beside others, because signals or other surroundings are its subject, is
run there from the beginning.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import select
import signal
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, NoReturn

from tests.attack.material import Material
from tests.attack.run import Input, Result, Room, run_input, run_input_here
from tests.attack.worker import CRASHED, SECONDS, limit_memory

_PATIENCE = 2 * SECONDS
"""Seconds for an input, which the checks of its output are part of here."""
_ALONE = "alone"
"""In place of the result of an input that is to be run in a fork of its own."""


def run_batch(batch: list[Input], material: Material, place: Path, keep: Path) -> list[Result]:
    """The results of some inputs, in their order."""
    if any(each.kind == "checkpoints" for each in batch):
        import_module("export.__main__")  # with PyTorch, which takes long, once for all children
    results: list[Result] = []
    while len(results) < len(batch):
        for each, told in _in_a_child(batch[len(results) :], material, place):
            results.append(_settled(each, told, material, place, keep))
    return results


def _settled(
    each: Input, told: Result | str, material: Material, place: Path, keep: Path
) -> Result:
    """The result of an input, for which it may have to be run once more."""
    if isinstance(told, Result) and not told.faults:
        return told
    try:
        alone = run_input(each, material, place, keep)
    except Exception as error:  # of the attack itself: it costs one input
        return Result(each, CRASHED, 0.0, (f"the input cannot be run: {error!r}",))
    if alone.faults or told == _ALONE:
        return alone
    faults = told.faults if isinstance(told, Result) else (told,)
    among = tuple(f"{fault} (in a process that had run others, not alone)" for fault in faults)
    return Result(each, alone.status, alone.seconds, among, alone.command)


def _in_a_child(
    batch: list[Input], material: Material, place: Path
) -> Iterator[tuple[Input, Result | str]]:
    """Inputs with their results, or what is wrong, up to the one that ends the child."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reader)
        _child(batch, material, place, os.fdopen(writer, "wb"))
    os.close(writer)
    ended = False
    with os.fdopen(reader, "rb", buffering=0) as results:
        for each in batch:
            if not select.select([results], [], [], _PATIENCE)[0]:
                os.kill(process, signal.SIGKILL)
                ended = True
                yield each, f"hangs: it was killed after {_PATIENCE} s"
                break
            try:
                yield each, pickle.load(results)  # noqa: S301 - of a fork of this process
            except EOFError:
                _, status = os.waitpid(process, 0)
                yield each, f"signal or exit: {os.waitstatus_to_exitcode(status)}"
                return
    if not ended:
        os.kill(process, signal.SIGKILL)  # its threads may go on for ever
    os.waitpid(process, 0)


def _child(batch: list[Input], material: Material, place: Path, results: BinaryIO) -> NoReturn:
    faulthandler.disable()
    try:
        os.setpgid(0, 0)
        limit_memory()
        for each in batch:
            room = Room.make(each, material, place, keep=False)
            told: Result | str = run_input_here(room) if room.may_run_here else _ALONE
            pickle.dump(told, results)
            results.flush()
        os.read(os.pipe()[0], 1)  # until it is killed
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(99)
