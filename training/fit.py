"""The training loop, one for all generators: `python -m training fit`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from torch import Tensor, nn

from evaluation.clips import Split, load_split
from training.checkpoint import read_config
from training.data.rollouts import Rollout, Rollouts, prefetch
from training.options import FitOptions, build_generator, check, check_same
from training.record import CHECKPOINT, Clock, Record
from training.rollout import Painting
from training.state import TRAINING, Players
from training.validation import Validation
from vidcolor.errors import ArgumentError

if TYPE_CHECKING:
    from training.colorize import ColorizerOptions

ENDLESS = 2**31
"""Steps of a run that only its minutes end."""


def fit(options: FitOptions) -> None:
    """Train until the steps or the minutes are over; see `FitOptions`.

    ArgumentError and CheckpointError say in a sentence what is wrong with the options.
    """
    torch.manual_seed(options.seed)
    generator, arguments = build_generator(options)
    check(options, size_multiple=generator.size_multiple)
    check_out(options)
    fabric = _launch(options)
    split = _load_split(fabric, options)
    flows, crop = generator.flows, options.rollout.crop
    rollouts = Rollouts(split.train, options=options.rollout, seed=options.seed, flows=flows)
    validation = Validation(split.validation, crop=crop, flows=flows)
    players = Players(generator, options=options, fabric=fabric)
    done, seconds = players.load(options.out / CHECKPOINT) if options.resume else (0, 0.0)
    clock = Clock(steps=options.steps, minutes=options.minutes, seconds_before=seconds)

    with Record(
        options,
        arguments,
        players=players,
        validation=validation,
        begun=done,
        active=fabric.is_global_zero,
    ) as record:
        for step, rollout in prefetch(
            rollouts, steps=range(done, options.steps or ENDLESS), places=_places(fabric, options)
        ):
            progress = fabric.broadcast(clock.progress(step))
            if progress >= 1:
                break
            players.set_learning_rate(options.learning_rate * (1 - progress))
            _seed_dropout(options.seed, step, fabric.global_rank)
            losses = _update(fabric, players, rollout.to(fabric.device), step, options)
            done = step + 1
            record.step(done, losses, clock=clock)
        record.checkpoint(done, clock=clock)


def _update(
    fabric: Fabric, players: Players, rollout: Rollout, step: int, options: FitOptions
) -> dict[str, Tensor]:
    """One update of the generator, and of the discriminator when it is its turn."""
    painting: Painting = players.rolling(rollout, players.carried)
    if options.rollout.stream is not None:
        players.carried = painting.state
    logits = None
    if players.discriminator is not None:
        # Unwrapped and frozen: its gradients are of no use here, and would be sent around.
        with _frozen(players.discriminator.module) as judge, fabric.autocast():
            logits = judge(painting.painted.flatten(0, 1), painting.previous.flatten(0, 1)).float()
    loss = options.objective.generator(painting.painted, painting.truth, logits)
    loss = loss + options.objective.chroma(
        painting.chroma,
        rollout.chroma[:, 1:],
        confidence=painting.confidence,
        fetched=painting.fetched,
        candidates=painting.candidates,
        doubts=painting.doubts,
    )
    players.optimiser.zero_grad()
    fabric.backward(loss)
    if options.clip_gradients is not None:
        fabric.clip_gradients(players.rolling, players.optimiser, max_norm=options.clip_gradients)
    players.optimiser.step()
    players.update_average()
    losses = {"generator": loss, "l1": (painting.painted - painting.truth).abs().mean()}
    if players.discriminator is not None and (step + 1) % options.discriminator_every == 0:
        losses["discriminator"] = _update_discriminator(fabric, players, painting, options)
    return {name: value.detach() for name, value in losses.items()}


def _update_discriminator(
    fabric: Fabric, players: Players, painting: Painting, options: FitOptions
) -> Tensor:
    # True and painted frames in batches of their own, so that batch norm does not mix them.
    previous = painting.previous.flatten(0, 1).detach()
    true_logits = players.discriminator(painting.truth.flatten(0, 1).detach(), previous)
    painted_logits = players.discriminator(painting.painted.flatten(0, 1).detach(), previous)
    loss = options.objective.discriminator(true_logits, painted_logits)
    players.discriminator_optimiser.zero_grad()
    fabric.backward(loss)
    players.discriminator_optimiser.step()
    return loss


@contextmanager
def _frozen(module: nn.Module) -> Iterator[nn.Module]:
    """The module, whose parameters gather no gradients meanwhile."""
    module.requires_grad_(False)
    try:
        yield module
    finally:
        module.requires_grad_(True)


def _launch(options: FitOptions) -> Fabric:
    """Fabric on the devices asked for, or as one of torchrun's processes."""
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    cv2.setNumThreads(0)  # flow is made in one background thread beside the networks
    local = int(os.environ.get("LOCAL_WORLD_SIZE", options.devices))
    world = int(os.environ.get("WORLD_SIZE", local))
    fabric = Fabric(
        accelerator=options.accelerator,
        devices=local,
        num_nodes=world // local,
        precision=options.precision,
        # Batch norm's running statistics stay each process's own; the first one's are saved.
        strategy=DDPStrategy(broadcast_buffers=False) if world > 1 else "auto",
    )
    fabric.launch()
    if options.batch % fabric.world_size or options.batch < 2 * fabric.world_size:
        raise ArgumentError(
            f"batch is {options.batch}, a multiple of the {fabric.world_size} processes that gives "
            "each of them two examples or more is needed, for batch norm"
        )
    return fabric


def _load_split(fabric: Fabric, options: FitOptions) -> Split:
    """The first process decodes, the others then find it all in the cache."""
    with fabric.rank_zero_first():
        return load_split(options.videos, options=options.clips, quiet=not fabric.is_global_zero)


def _places(fabric: Fabric, options: FitOptions) -> range:
    """The part of each batch that falls to this process."""
    share = options.batch // fabric.world_size
    return range(fabric.global_rank * share, (fabric.global_rank + 1) * share)


def _seed_dropout(seed: int, step: int, rank: int) -> None:
    """Dropout depends on the step and not on the steps before, as the examples do."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0]))


def check_out(options: FitOptions | ColorizerOptions) -> None:
    """Raise ArgumentError when there is no run to resume, or one that would be overwritten."""
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
