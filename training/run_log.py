"""What a run leaves behind while it trains: progress bar, losses, sheets, checkpoints.

`losses.jsonl` has the figures, TensorBoard's `events/` the same with the sheets, `checkpoint/` the
latest weights with all that resuming needs, `best/` the weights that did best so far.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from evaluation.clips import Codes
from evaluation.provenance import provenance
from training.checkpoint import CONFIG, Config, read_config, save_generator
from training.options import RunOptions, check_same, to_json
from training.progress import Progress
from training.state import TRAINING, TrainState
from vidcolor.errors import ArgumentError

CHECKPOINT, BEST = "checkpoint", "best"
LOSSES, SAMPLES, EVENTS = "losses.jsonl", "samples", "events"


def check_out(options: RunOptions) -> None:
    """Check the run's folder before work is done.

    Args:
        options: What the run was told.

    Raises:
        ArgumentError: There is no run to resume, another one, or one that would be overwritten.
        CheckpointError: The run to resume is damaged.
    """
    for folder in (options.out, *options.out.parents):
        if folder.exists() and not folder.is_dir():
            raise ArgumentError(f"out: {folder} is a file, a folder is needed")
    checkpoint = options.out / CHECKPOINT
    there = (checkpoint / TRAINING).exists()
    if options.resume and not there:
        raise ArgumentError(f"resume: {options.out} holds no run with a checkpoint to go on from")
    if there and not options.resume:
        raise ArgumentError(
            f"out: {options.out} already holds a run; --resume goes on with it, or take another"
        )
    if options.resume:
        check_same(options, read_config(checkpoint).training)


def read_losses(folder: Path) -> list[dict[str, float]]:
    """Return the lines of a run's `losses.jsonl`, oldest first; none when it has not begun."""
    path = folder / LOSSES
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Figures:
    """Lines of figures, each with its step, in `losses.jsonl` and for TensorBoard.

    A run resumed after `step` drops the lines of later steps, since it writes them again.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / LOSSES
        kept = [line for line in read_losses(folder) if line["step"] <= step]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self._lines = path.open("a", encoding="utf-8", buffering=1)
        self._events = SummaryWriter(str(folder / EVENTS), purge_step=step + 1)

    def close(self) -> None:
        """Close both files; nothing is lost."""
        self._lines.close()
        self._events.close()

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add one line of figures."""
        self._lines.write(json.dumps({"step": step, **figures}) + "\n")
        for name, value in figures.items():
            self._events.add_scalar(name, value, step)

    def show(self, step: int, sheet: Codes) -> None:
        """Add a sheet [h, w, 3] for TensorBoard."""
        self._events.add_image("samples", sheet, step, dataformats="HWC")


@dataclass(frozen=True)
class Validated:
    """What a checkpoint's validation found."""

    metrics: dict[str, float]
    sheet: Codes
    """[h, w, 3] RGB."""


class RunLog:
    """Writes into the run's folder; of several processes only the first has an active one."""

    def __init__(
        self,
        options: RunOptions,
        config: Config,
        *,
        headline: str,
        criterion: str,
        progress: Progress,
        begun: int,
        active: bool,
    ) -> None:
        """Open the run's files.

        Args:
            options: What the run was told.
            config: Of its checkpoints; name, step, metrics and the like are filled in here.
            headline: The loss that the progress bar shows.
            criterion: The metric that says which weights are best; higher is better.
            progress: Of the run.
            begun: Updates done before this process began.
            active: Whether this process writes anything.
        """
        self._options, self._headline, self._criterion = options, headline, criterion
        self._progress, self._begun = progress, begun
        self._saved, self._saved_at = begun, progress.seconds
        self._first_step_at: float | None = None
        self._last_line = ""
        self.best = _best(options.out / BEST, criterion) if options.resume else None
        """The criterion's best value so far."""
        self._config = replace(
            config,
            name=options.name or options.out.resolve().name,
            licence=options.licence,
            training_data=options.training_data or ", ".join(p.name for p in options.videos),
            training={**to_json(options), **provenance(), "torch": torch.__version__},
        )
        self._figures = Figures(options.out, step=begun) if active else None
        self._bar = tqdm(
            desc="training",
            total=options.steps,
            initial=begun,
            unit="step",
            disable=None if active else True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._bar.close()
        if self._figures is not None:
            self._figures.close()

    def step(self, step: int, losses: Mapping[str, torch.Tensor]) -> None:
        """Note the losses of an update: show the first, and write and show every `log_every`-th.

        Args:
            step: Updates done.
            losses: By name.
        """
        if self._figures is None:
            return
        self._bar.update()
        first = self._first_step_at is None
        if first:
            self._first_step_at = self._progress.seconds
        if not first and step % self._options.log_every:
            return
        figures = {name: value.item() for name, value in losses.items()}
        if step % self._options.log_every == 0:
            minutes = self._progress.seconds / 60
            self._figures.write(step, {**figures, "minutes": minutes})
        self._last_line = f"{self._headline} {figures[self._headline]:.4f}, {self._left(step)}"
        self._bar.set_postfix_str(self._last_line)
        if first:
            self._bar.write(f"first update, step {step}: {self._last_line}")

    def is_due(self, step: int) -> bool:
        """Whether a checkpoint is to be made after this step."""
        if self._figures is None:
            return False
        if self._options.checkpoint_steps is not None:
            return step % self._options.checkpoint_steps == 0
        waited = self._progress.seconds - self._saved_at
        return waited >= 60 * self._options.checkpoint_minutes

    def is_saved(self, step: int) -> bool:
        """Whether this step's checkpoint is there, or this process makes none."""
        return self._figures is None or step == self._saved

    def sheet_path(self, step: int) -> Path:
        """Return where the sample sheet of this step belongs."""
        return self._options.out / SAMPLES / f"{step:07d}.png"

    def checkpoint(
        self, step: int, network: nn.Module, state: TrainState, validated: Validated
    ) -> None:
        """Save the weights, and all that resuming needs.

        Args:
            step: Updates behind the weights.
            network: What is validated and exported.
            state: What resuming needs.
            validated: What the validation of `network` found.
        """
        if self._figures is None:
            return
        metrics, out = validated.metrics, self._options.out
        self._figures.write(step, metrics)
        self._figures.show(step, validated.sheet)
        config = replace(self._config, step=step, metrics=metrics)
        reached = metrics.get(self._criterion)
        if reached is not None and (self.best is None or reached > self.best):
            save_generator(out / BEST, network, config=config)
            self.best = reached
        save_generator(out / CHECKPOINT, network, config=config)
        state.save(out / CHECKPOINT, step=step, seconds=self._progress.seconds)
        self._saved, self._saved_at = step, self._progress.seconds
        told = ", ".join([f"step {step}", *(f"{n} {v:.3f}" for n, v in metrics.items())])
        self._bar.write(f"{told}; {self._left(step)}")

    def conclude(self, step: int) -> None:
        """Say where the result lies, and what to do with it."""
        if self._figures is None:
            return
        out = self._options.out
        model = out / CHECKPOINT
        self._bar.write(f"\ntrained: {step} updates, {self._progress.seconds / 60:.1f} minutes")
        self._bar.write(f"latest weights: {model}")
        if self.best is not None:
            model = out / BEST
            step = read_config(model).step
            self._bar.write(
                f"best weights:   {model} ({self._criterion} {self.best:.3f}, step {step})"
            )
        self._bar.write(f"sample sheets:  {out / SAMPLES}")
        self._bar.write(f"next: {shlex.join(self._options.following(model))}")

    def _left(self, step: int) -> str:
        begun = self._first_step_at or self._progress.seconds
        done = max(1, step - self._begun - 1)
        each = (self._progress.seconds - begun) / done
        left = self._progress.seconds_left(step, seconds_per_step=each) / 60
        return f"{self._progress.seconds / 60:.1f} min, {left:.1f} left"


def _best(folder: Path, criterion: str) -> float | None:
    """The metric of the best weights so far; None when there are none."""
    return read_config(folder).metrics.get(criterion) if (folder / CONFIG).exists() else None
