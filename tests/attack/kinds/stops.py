"""Jobs that are stopped at a random moment and begun again: the bytes are those of a clean run."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

from tests.attack import checks
from tests.attack.case import Case
from tests.attack.material import Material, color_arguments

_SOONEST, _LATEST = 0.005, 0.8
"""Seconds after which it is stopped: up to about as long as a whole run takes."""
_LATEST_OF_PROCESS = 2.5
"""The same where Python has to start first."""
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """A job that signals stop, once to three times, before it is begun for the last time."""
    shutil.copytree(material.job, folder, dirs_exist_ok=True)
    if rng.random() < 0.7:
        shutil.rmtree(folder / "out.mkv.vidcolor")
    own_process = rng.random() < 0.15
    latest = _LATEST_OF_PROCESS if own_process else _LATEST
    stops = [
        (rng.uniform(_SOONEST, latest), rng.choice(_SIGNALS))
        for _ in range(rng.choice((1, 1, 2, 3)))
    ]
    more = ["--jobs", "2"] if rng.random() < 0.2 else []
    return Case(
        # What was stopped just before its end has written its output.
        [*color_arguments(), *more, "--overwrite"],
        "out.mkv",
        checks.same_film("out.mkv", material.folder / "coloured" / "out.mkv"),
        statuses=frozenset({0}),
        stops=stops,
        own_process=own_process,
        what=", ".join(f"{number.name} after {seconds:.3f} s" for seconds, number in stops),
    )
