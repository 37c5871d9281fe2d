"""The training loop, one for everything that is trained here."""

from __future__ import annotations

import os
import time
from typing import Protocol

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor, nn

from evaluation.clips import Split, load_split
from training.checkpoint import Config
from training.data.prefetch import Batch, Source, prefetch
from training.optimisers import learning_rate_factor
from training.options import RunOptions
from training.progress import Progress
from training.run_log import CHECKPOINT, RunLog, Validated
from training.state import TrainState
from vidcolor.errors import ArgumentError

ENDLESS = 2**31
"""Steps of a run that only its minutes end."""


class Trainee[Examples](Protocol):
    """What is trained: how it learns from a batch, and how it is judged."""

    state: TrainState
    config: Config
    """What checkpoints say of the network: its kind and its arguments."""
    headline: str
    """The loss that the progress bar shows."""
    criterion: str
    """The metric that says which weights are best; higher is better."""

    @property
    def exported(self) -> nn.Module:
        """The network that is validated and saved."""

    def update(self, step: int, batch: Examples) -> dict[str, Tensor]:
        """Learn from a batch.

        Args:
            step: Updates done before.
            batch: On the right device.

        Returns:
            Losses by name, detached.
        """

    def validate(self, log: RunLog, step: int) -> Validated:
        """Measure `exported` on held-out examples, and write a sample sheet.

        Args:
            log: It names the sheet's file.
            step: Updates done.

        Returns:
            The metrics and the sheet.
        """


def train[Examples: Batch](
    trainee: Trainee[Examples],
    source: Source[Examples],
    options: RunOptions,
    fabric: Fabric,
    *,
    started: float | None = None,
) -> None:
    """Train until the steps or the minutes are over; the folder `options.out` then has it all.

    Args:
        trainee: What is trained.
        source: Where its examples come from.
        options: What the run was told.
        fabric: The devices, launched.
        started: When the program began, by `time.monotonic`; now if None.
    """
    done, seconds = 0, 0.0
    if options.resume:
        done, seconds = trainee.state.load(options.out / CHECKPOINT, device=fabric.device)
    progress = Progress(
        steps=options.steps,
        minutes=options.minutes,
        seconds_before=seconds,
        started=time.monotonic() if started is None else started,
    )
    log = RunLog(
        options,
        trainee.config,
        headline=trainee.headline,
        criterion=trainee.criterion,
        progress=progress,
        begun=done,
        active=fabric.is_global_zero,
    )
    batches = prefetch(
        source,
        steps=range(done, options.steps or ENDLESS),
        indices=_batch_indices(fabric, options),
        workers=options.workers,
        device=fabric.device,
    )
    with log:
        for step, batch in batches:
            share = fabric.broadcast(progress.share(step))
            if share >= 1:
                break
            factor = learning_rate_factor(options, step=step, share=share)
            trainee.state.set_learning_rate(factor)
            _seed_dropout(options.seed, step, fabric.global_rank)
            losses = trainee.update(step, batch)
            done = step + 1
            log.step(done, losses)
            if log.is_due(done):
                _checkpoint(trainee, log, progress, done)
        _checkpoint(trainee, log, progress, done)
        log.conclude(done)


def launch(options: RunOptions, *, devices: int = 1) -> Fabric:
    """Start Fabric on the devices asked for, or as one of torchrun's processes.

    Args:
        options: Accelerator, precision and threads.
        devices: Processes on this machine; under torchrun its own number counts.

    Returns:
        The devices, launched.

    Raises:
        ArgumentError: There are no such devices, or not so many.
    """
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    cv2.setNumThreads(0)  # flow is made in one background thread beside the networks
    local = int(os.environ.get("LOCAL_WORLD_SIZE", devices))
    world = int(os.environ.get("WORLD_SIZE", local))
    try:
        fabric = Fabric(
            accelerator=options.accelerator,
            devices=local,
            num_nodes=world // local,
            precision=options.precision,
            # Batch norm's running statistics stay each process's own; the first one's are saved.
            strategy=DDPStrategy(broadcast_buffers=False) if world > 1 else "auto",
        )
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        reason = " ".join(str(error).split())
        raise ArgumentError(
            f"accelerator is {options.accelerator}, devices {local}, which cannot be had: {reason}"
        ) from error
    fabric.launch()
    return fabric


def load_footage(fabric: Fabric, options: RunOptions) -> Split:
    """Load the videos; the first process decodes, the others then find all in the cache.

    Args:
        fabric: The devices, launched.
        options: The videos and how they are split.

    Returns:
        The clips to train, validate and test on.

    Raises:
        ArgumentError: There are too few videos.
    """
    with fabric.rank_zero_first():
        split = load_split(options.videos, options=options.clips, quiet=not fabric.is_global_zero)
    if fabric.is_global_zero:
        print(f"{len(split.train)} clips to train on, {len(split.validation)} held out", flush=True)
    return split


def _checkpoint[Examples](
    trainee: Trainee[Examples], log: RunLog, progress: Progress, step: int
) -> None:
    """Validate and save, unless this step's checkpoint is there.

    How long it took is kept free at the end of a run that its minutes end.
    """
    if log.is_saved(step):
        return
    before = progress.seconds
    validated = trainee.validate(log, step)
    log.checkpoint(step, trainee.exported, trainee.state, validated)
    progress.reserve = progress.seconds - before


def _batch_indices(fabric: Fabric, options: RunOptions) -> range:
    """The part of each batch that falls to this process."""
    share = options.batch // fabric.world_size
    return range(fabric.global_rank * share, (fabric.global_rank + 1) * share)


def _seed_dropout(seed: int, step: int, rank: int) -> None:
    """Dropout depends on the step and not on the steps before, as the examples do."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0]))
