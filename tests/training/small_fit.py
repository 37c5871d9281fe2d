"""A training that takes seconds: of tiny networks, on a few rendered scenes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.options import ClipOptions
from tests.support.footage import SIZE, write_scenes
from training import __main__ as command
from training import validation
from training.data.options import RolloutOptions
from training.fit import fit
from training.options import FitOptions
from training.run_log import read_losses

EXAMPLES = 4
"""That a generator is validated on: every checkpoint is, and it takes a quarter of the time."""


def small_fit(folder: Path) -> FitOptions:
    """Options of a run in a folder, which gets the scenes too."""
    return FitOptions(
        videos=(write_scenes(folder / "videos", 4),),
        out=folder / "run",
        arguments=("width=0.03125",),
        discriminator_width=1 / 32,
        clips=ClipOptions(size=SIZE, cache=folder / "cache"),
        rollout=RolloutOptions(crop=SIZE),
        batch=2,
        steps=6,
        log_every=1,
        checkpoint_steps=3,
        accelerator="cpu",
        threads=1,
    )


def losses(out: Path) -> list[dict[str, float]]:
    """The figures of a run without the minutes, which no two runs share."""
    return [{k: v for k, v in line.items() if k != "minutes"} for line in read_losses(out)]


def run_fit(options: FitOptions) -> None:
    """Train in a process that was started for it."""
    validation.EXAMPLES = EXAMPLES
    fit(options)


def run_command(words: Sequence[str]) -> None:
    """Do what `python -m training` does, in a process that was started for it."""
    validation.EXAMPLES = EXAMPLES
    sys.argv = ["training", *words]
    assert command.main() == 0


def run_command_apart(words: Sequence[str], said: Path) -> None:
    """The same in a session of its own, and with the exit status; what it says goes into a file."""
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    validation.EXAMPLES = EXAMPLES
    sys.argv = ["training", *words]
    with said.open("w", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.exit(command.main())
