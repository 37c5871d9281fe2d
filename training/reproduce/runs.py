"""Trainings as processes of their own, several at a time: begun, gone on with, exported, or done.

Each run has its folder: `fit`'s files, `log.txt` with what it said, and, once it is trained and
exported, `bundle/NAME` and `done.json` with the command that made them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from training.run_log import CHECKPOINT
from training.state import TRAINING
from vidcolor.errors import ArgumentError, VidcolorError

DONE, LOG = "done.json", "log.txt"
TOLD = 5
"""Lines of a failed process's log that are shown."""


class RunError(VidcolorError, RuntimeError):
    """A training or an export failed."""


@dataclass(frozen=True)
class TrainingRun:
    """One training."""

    name: str
    folder: Path
    arguments: tuple[str, ...]
    """What `python -m training fit` is given, without the folder of the run."""

    @property
    def bundle(self) -> Path:
        """Where the exported model lies when the run is done; its folder is the model's name."""
        return self.folder / "bundle" / self.name

    @property
    def command(self) -> list[str]:
        """The training, as one would type it."""
        return ["python", "-m", "training", "fit", *self.arguments, "-o", str(self.folder)]

    def is_done(self) -> bool:
        """Whether it was trained and exported; ArgumentError if it was, but otherwise."""
        try:
            before = json.loads((self.folder / DONE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        if before != self.command:
            raise ArgumentError(
                f"out: {self.folder} holds a {self.name} that was trained by another command, "
                f"see {DONE} there; take another folder, or remove that one"
            )
        return self.bundle.is_dir()


@dataclass
class TrainingRuns:
    """Runs trainings, so many at a time; none outlives the block that it is used in."""

    jobs: int
    _children: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _stopped: bool = False

    def finish(self, runs: Sequence[TrainingRun]) -> Iterator[TrainingRun]:
        """Bring every run to its end, and yield each as it comes there.

        What is done is not done again; what was broken off goes on from its checkpoint. Raises
        RunError when one fails, and then, as when it is itself broken off, ends the others.
        """
        waiting = [run for run in runs if not run.is_done()]
        with ThreadPoolExecutor(self.jobs) as pool, self._ending(pool):
            futures = {pool.submit(self._bring_to_end, run): run for run in waiting}
            for future in as_completed(futures):
                future.result()
                yield futures[future]

    def _bring_to_end(self, run: TrainingRun) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        begun = (run.folder / CHECKPOINT / TRAINING).exists()
        self._call([*run.command[1:], *(["--resume"] if begun else [])], run)
        run.bundle.parent.mkdir(exist_ok=True)
        export = ["-m", "export", str(run.folder / CHECKPOINT), "-o", str(run.bundle)]
        self._call([*export, "--overwrite"], run)
        partial = run.folder / f"{DONE}.partial"
        partial.write_text(json.dumps(run.command, indent=2) + "\n", encoding="utf-8")
        partial.replace(run.folder / DONE)

    def _call(self, command: Sequence[str], run: TrainingRun) -> None:
        path = run.folder / LOG
        with path.open("ab") as log:
            with self._lock:
                if self._stopped:
                    raise RunError(f"{run.name} was not begun, since another run failed")
                child = subprocess.Popen(  # noqa: S603 - our own modules
                    [sys.executable, *command],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=os.environ | {"OMP_NUM_THREADS": "1"},
                )
                self._children.add(child)
            status = child.wait()
        self._children.discard(child)
        if status:
            said = path.read_text(encoding="utf-8", errors="replace").splitlines()[-TOLD:]
            raise RunError(
                f"{run.name}: {' '.join(command[:3])} ended with status {status}; {path} ends with "
                f"'{' / '.join(said)}'"
            )

    @contextmanager
    def _ending(self, pool: ThreadPoolExecutor) -> Iterator[None]:
        """End the children when the block ends early."""
        try:
            yield
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            with self._lock:
                self._stopped = True
                for child in self._children:
                    child.terminate()
