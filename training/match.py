"""Training of what a generator finds in a key by looks: `python -m training fit-matcher`."""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from training.build import Arguments, build_generator, start_from
from training.checkpoint import Config
from training.checks import check_crop, check_run, check_shares
from training.data.pairs import PairSource
from training.data.pictures import find_pictures
from training.data.stills import Stills
from training.loop import launch, load_footage, train
from training.models.base import Attending, Generator
from training.objective import regression
from training.optimisers import check_rates, descend, make_optimiser
from training.options import MatcherOptions
from training.run_log import RunLog, Validated, check_out
from training.sheets import write_stills
from training.state import TrainState
from training.validation import frame_psnr
from vidcolor.errors import ArgumentError

VALIDATED = 48
"""Held-out pairs that a checkpoint is measured on, always the same."""


def fit_matcher(options: MatcherOptions, *, started: float | None = None) -> None:
    """Train a generator's similarity sub-nets by themselves until the steps or minutes are over.

    Args:
        options: See `MatcherOptions`.
        started: When the program began, by `time.monotonic`; now if None.

    Raises:
        ArgumentError: An option or the videos cannot be used.
        CheckpointError: The run to resume, or the checkpoint to start from, cannot be used.
    """
    check_run(options)
    torch.manual_seed(options.seed)
    generator, arguments = build_generator(options)
    _check(options, generator)
    check_rates(generator, options)
    check_out(options)
    if options.initial is not None:
        start_from(options.initial, generator, options)
    elif not options.resume:
        generator.load_pretrained()
    pictures = find_pictures(options.pictures, size=options.clips.size, least=options.crop)
    fabric = launch(options)
    split = load_footage(fabric, options)
    source = PairSource(
        split.train,
        pictures=pictures,
        crop=options.crop,
        scale=options.scale,
        film=options.film,
        other_shots=options.other_shots,
        seed=options.seed,
    )
    held_out = PairSource(split.validation, crop=options.crop, augment=False)
    training = MatcherTraining(
        generator, arguments, options, fabric, held_out=held_out.batch(0, range(VALIDATED))
    )
    train(training, source, options, fabric, started=started)


class AttendTo(nn.Module):
    """`Attending.attend_to` as a forward pass, as Fabric wraps it."""

    def __init__(self, generator: Attending) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, stills: Stills) -> Tensor:
        """Chroma [B, m, 2, h, w] that each sub-net finds in the exemplars."""
        return self.generator.attend_to(
            stills.luma, stills.exemplar_luma, stills.exemplar_chroma
        ).float()


class MatcherTraining:
    """A generator, learning what in a frame is like what in another."""

    headline = "found"
    criterion = "psnr"

    def __init__(
        self,
        generator: Generator,
        arguments: Arguments,
        options: MatcherOptions,
        fabric: Fabric,
        *,
        held_out: Stills,
    ) -> None:
        self._options, self._fabric, self._held_out = options, fabric, held_out
        self.config = Config(name="", model=options.model, arguments=arguments)
        self.exported = generator.to(memory_format=torch.channels_last)
        attend_to = AttendTo(cast("Attending", generator))
        self._wrapped, self._optimiser = fabric.setup(attend_to, make_optimiser(attend_to, options))
        self.state = TrainState({"generator": generator}, {"adam": self._optimiser})

    def update(self, step: int, batch: Stills) -> dict[str, Tensor]:
        """Update what the sub-nets compare by.

        Args:
            step: Updates done before.
            batch: The pairs, on the right device; exemplars are the keys.

        Returns:
            The loss by name.
        """
        del step  # every update is like the others
        error = self._wrapped(batch) - batch.chroma.unsqueeze(1)
        loss = regression(F.avg_pool2d(error.flatten(0, 1), 2))
        descend(
            loss,
            module=self._wrapped,
            optimiser=self._optimiser,
            fabric=self._fabric,
            clip=self._options.clip_gradients,
        )
        return {self.headline: loss.detach()}

    @torch.inference_mode()
    def validate(self, log: RunLog, step: int) -> Validated:
        """Measure what is found on held-out pairs, and write a sheet of some of them."""
        held = self._held_out
        self.exported.eval()
        parts = (part.to(self._fabric.device) for part in held.parts(self._options.batch))
        chroma = torch.cat([self._wrapped(part).cpu() for part in parts])
        self.exported.train()
        several = (held.luma.unsqueeze(1), chroma, held.chroma.unsqueeze(1))
        gray = frame_psnr(held.luma, torch.zeros_like(held.chroma), held.chroma)
        metrics = {
            "psnr": frame_psnr(*several).mean().item(),
            "gray_psnr": gray.mean().item(),
        }
        return Validated(metrics, write_stills(log.sheet_path(step), held, chroma[:, 0]))


def _check(options: MatcherOptions, generator: Generator) -> None:
    """Raise ArgumentError for what can be seen to be wrong before any work is done."""
    if not isinstance(generator, Attending):
        raise ArgumentError(
            f"model is {options.model!r}, which has no sub-net that finds a key's colours by "
            "looks; flagship, similarity, and one of your own with attend_to are accepted"
        )
    check_shares(options, "film", "other_shots")
    check_crop(options.crop, options, multiple=generator.size_multiple)
    if not 1 <= options.scale < math.inf:
        raise ArgumentError(f"scale is {options.scale}, a factor from 1 on is accepted")
