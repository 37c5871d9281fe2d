"""What a run leaves behind while it trains: progress bar, losses, sheets, checkpoints."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from torch import Tensor
from tqdm import tqdm

from training.checkpoint import Config, save_generator
from training.journal import Journal
from training.options import FitOptions, to_json
from training.state import Players
from training.validation import Validation

CHECKPOINT = "checkpoint"
SAMPLES = "samples"


@dataclass
class Clock:
    """How far a run has come, by its steps or its minutes, whichever is further."""

    steps: int | None
    minutes: float | None
    seconds_before: float
    """Trained before this process began."""
    _started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Trained in all, resumed runs counted together."""
        return self.seconds_before + time.monotonic() - self._started

    def progress(self, step: int) -> float:
        """0 at the start, 1 or more at the end."""
        by_steps = step / self.steps if self.steps else 0.0
        by_minutes = self.seconds / 60 / self.minutes if self.minutes else 0.0
        return max(by_steps, by_minutes)


class Record:
    """Writes into the run's folder; of several processes only the first has an active one."""

    def __init__(
        self,
        options: FitOptions,
        arguments: dict[str, float | int | str | bool],
        *,
        players: Players,
        validation: Validation,
        begun: int,
        active: bool,
    ) -> None:
        self._options, self._players, self._validation = options, players, validation
        self._saved = begun
        self._saved_at = time.monotonic()
        self._config = Config(
            name=options.name or options.out.resolve().name,
            model=options.model,
            arguments=arguments,
            licence=options.licence,
            training_data=options.training_data or ", ".join(p.name for p in options.videos),
            training=to_json(options),
        )
        self._journal = Journal(options.out, step=begun) if active else None
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
        if self._journal is not None:
            self._journal.close()

    def step(self, step: int, losses: dict[str, Tensor], *, clock: Clock) -> None:
        """Note the losses of the step-th update; every so often write them, and a checkpoint."""
        if self._journal is None:
            return
        self._bar.update()
        options = self._options
        if step % options.log_every == 0:
            figures = {name: value.item() for name, value in losses.items()}
            self._journal.write(step, {**figures, "minutes": clock.seconds / 60})
            of = "" if options.minutes is None else f" of {options.minutes:g}"
            self._bar.set_postfix_str(
                f"l1 {figures['l1']:.4f}, {clock.seconds / 60:.1f}{of} min", refresh=False
            )
        minutes = (time.monotonic() - self._saved_at) / 60
        by_time = options.checkpoint_steps is None and minutes >= options.checkpoint_minutes
        if by_time or (options.checkpoint_steps and step % options.checkpoint_steps == 0):
            self.checkpoint(step, clock=clock)

    def checkpoint(self, step: int, *, clock: Clock) -> None:
        """Validate, write a sheet, and save; nothing when this step's checkpoint is there."""
        if self._journal is None or step == self._saved:
            return
        options, best = self._options, self._players.best
        metrics = self._validation.measure(best, batch=options.batch)
        best.calibrate(1.0 - metrics["transfer_accuracy"])
        sheet = self._validation.sheet(best, options.out / SAMPLES / f"{step:07d}.png")
        self._journal.write(step, metrics)
        self._journal.show(step, sheet)
        folder = options.out / CHECKPOINT
        save_generator(folder, best, config=replace(self._config, step=step, metrics=metrics))
        self._players.save(folder, step=step, seconds=clock.seconds)
        self._saved, self._saved_at = step, time.monotonic()
        self._bar.write(", ".join([f"step {step}", *(f"{n} {v:.3f}" for n, v in metrics.items())]))
