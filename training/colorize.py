"""Training of a colorizer of single frames: `python -m training fit-colorizer`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import Tensor

from evaluation.clips import Clip, Codes
from training.checkpoint import Config
from training.data.stills import Stills, StillSource, color_probability
from training.loop import launch, load_footage, train
from training.models.bins import gamut_bins, rebalance
from training.models.lab import planes_to_rgb
from training.models.zhang import Zhang
from training.optimisers import check_rates, make_optimiser
from training.options import ColorizerOptions, check_run
from training.run_log import RunLog, Validated, check_out
from training.sheets import Row, write_sheet
from training.state import TrainState
from training.validation import pixel_accuracy
from vidcolor.errors import ArgumentError

VALIDATED = 48
"""Held-out examples that a checkpoint is measured on, always the same."""
SHOWN = 16
"""Of them on the sheet."""
SHEET_COLUMNS = 8


def fit_colorizer(options: ColorizerOptions, *, started: float | None = None) -> None:
    """Train a colorizer until the steps or the minutes are over.

    Args:
        options: See `ColorizerOptions`.
        started: When the program began, by `time.monotonic`; now if None.

    Raises:
        ArgumentError: An option or the videos cannot be used.
        CheckpointError: The run to resume cannot be used.
    """
    check_run(options)
    _check(options)
    check_out(options)
    torch.manual_seed(options.seed)
    fabric = launch(options)
    split = load_footage(fabric, options)
    bins = gamut_bins()
    weights = rebalance(color_probability(split.train, bins), uniform=options.uniform)
    source = StillSource(split.train, bins, crop=options.crop, film=options.film, seed=options.seed)
    network = Zhang(width=options.width).to(memory_format=torch.channels_last)
    check_rates(network, options)
    held_out = _held_out(split.validation, bins, crop=options.crop)
    training = ColorizerTraining(network, options, fabric, weights=weights, held_out=held_out)
    train(training, source, options, fabric, started=started)


class ColorizerTraining:
    """A colorizer, learning a distribution over colours for each place of a frame."""

    headline = "cross_entropy"
    criterion = "psnr"

    def __init__(
        self,
        network: Zhang,
        options: ColorizerOptions,
        fabric: Fabric,
        *,
        weights: Tensor,
        held_out: Stills,
    ) -> None:
        self._options, self._fabric, self._held_out = options, fabric, held_out
        self._weights = weights.to(fabric.device)
        self.config = Config(name="", model="zhang", arguments={"width": options.width})
        self.exported = network
        self._wrapped, self._optimiser = fabric.setup(network, make_optimiser(network, options))
        self._wrapped.mark_forward_method("logits")
        self.state = TrainState({"network": network}, {"adam": self._optimiser})

    def update(self, step: int, batch: Stills) -> dict[str, Tensor]:
        """Update the network.

        Args:
            step: Updates done before.
            batch: The examples, on the right device.

        Returns:
            The loss by name.
        """
        del step  # every update is like the others
        loss = loss_of(self._wrapped.logits(batch.luma), batch, self._weights)
        self._optimiser.zero_grad()
        self._fabric.backward(loss)
        if self._options.clip_gradients is not None:
            self._fabric.clip_gradients(
                self._wrapped, self._optimiser, max_norm=self._options.clip_gradients
            )
        self._optimiser.step()
        return {"cross_entropy": loss.detach()}

    @torch.inference_mode()
    def validate(self, log: RunLog, step: int) -> Validated:
        """Measure the network on the held-out examples, and write a sheet of some of them."""
        held = self._held_out
        self.exported.eval()
        chroma = torch.cat([
            self.exported(luma.to(self._fabric.device)).cpu()
            for luma in held.luma.split(self._options.batch)
        ])  # fmt: skip
        self.exported.train()
        gray = torch.zeros_like(chroma)
        metrics = {
            "psnr": _psnr(held.luma, chroma, held.chroma),
            "gray_psnr": _psnr(held.luma, gray, held.chroma),
            "accuracy": pixel_accuracy(held.luma, chroma, held.chroma).mean().item(),
            "colourfulness": (chroma.abs().mean() / held.chroma.abs().mean()).item(),
        }
        return Validated(metrics, _write_sheet(log.sheet_path(step), held, chroma))


def loss_of(logits: Tensor, stills: Stills, weights: Tensor) -> Tensor:
    """The paper's equation 2: the cross-entropy of each place, weighted by its colour's rarity.

    Args:
        logits: [B, Q, h / 4, w / 4].
        stills: The examples.
        weights: [Q], of the bins.

    Returns:
        The mean over all places.
    """
    logs = torch.log_softmax(logits.float(), dim=1).movedim(1, -1).flatten(0, 2)
    entropy = -(logs.gather(1, stills.bins) * stills.shares).sum(dim=1)
    return (entropy * weights[stills.bins[:, 0]]).mean()


def _held_out(clips: list[Clip], bins: Tensor, *, crop: int) -> Stills:
    source = StillSource(clips, bins, crop=crop, flip=False)
    return source.batch(0, range(VALIDATED))


def _write_sheet(path: Path, held: Stills, chroma: Tensor) -> Codes:
    rows = []
    for first in range(0, min(SHOWN, len(chroma)), SHEET_COLUMNS):
        part = slice(first, first + SHEET_COLUMNS)
        luma = held.luma[part]
        rows += [
            Row("gray", luma, torch.zeros_like(chroma[part])),
            Row("true", luma, held.chroma[part]),
            Row("ours", luma, chroma[part]),
        ]
    return write_sheet(path, rows)


def _psnr(luma: Tensor, chroma: Tensor, target: Tensor) -> float:
    """The mean PSNR over frames, in dB of RGB."""
    error = (planes_to_rgb(luma, chroma) - planes_to_rgb(luma, target)).square().mean((1, 2, 3))
    return cast("float", (-10 * torch.log10(error.clamp(min=1e-6))).mean().item())


def _check(options: ColorizerOptions) -> None:
    """Raise ArgumentError for what can be seen to be wrong before any work is done."""
    for name in ("film", "uniform"):
        if not 0 <= getattr(options, name) <= 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, a share of 0 to 1 is needed")
    multiple = Zhang.size_multiple
    if not multiple <= options.crop <= options.clips.size or options.crop % multiple:
        raise ArgumentError(
            f"crop is {options.crop}, a multiple of {multiple} up to size ({options.clips.size}) "
            "is needed"
        )
