"""Training of a colorizer of single frames: `python -m training fit-colorizer`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import Tensor

from evaluation.clips import Clip, Codes
from training.checkpoint import Config
from training.colorizer_losses import BinsLoss, ColorizerLoss, RegressionLoss
from training.data.pictures import find_pictures
from training.data.stills import Stills, StillSource, color_probability
from training.loop import launch, load_footage, train
from training.models import COLORIZERS
from training.models.base import ImageColorizer
from training.models.bins import gamut_bins, rebalance
from training.models.exemplar import Exemplar, ExemplarColorizer
from training.models.lab import planes_to_rgb
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
    pictures = find_pictures(options.pictures, size=options.clips.size, least=options.crop)
    torch.manual_seed(options.seed)
    fabric = launch(options)
    split = load_footage(fabric, options)
    exemplars = options.model == "exemplar"
    source = StillSource(
        split.train,
        pictures=pictures,
        crop=options.crop,
        film=options.film,
        exemplars=exemplars,
        seed=options.seed,
    )
    network = COLORIZERS[options.model](width=options.width)
    if not options.resume:
        network.load_pretrained()
    network = network.to(memory_format=torch.channels_last)
    check_rates(network, options)
    held_out = StillSource(split.validation, crop=options.crop, flip=False, exemplars=exemplars)
    training = ColorizerTraining(
        network,
        options,
        fabric,
        loss=_loss(split.train, options, fabric.device),
        held_out=held_out.batch(0, range(VALIDATED)),
    )
    train(training, source, options, fabric, started=started)


class ColorizerTraining:
    """A colorizer, learning what colours single frames have."""

    criterion = "psnr"

    def __init__(
        self,
        network: ImageColorizer,
        options: ColorizerOptions,
        fabric: Fabric,
        *,
        loss: ColorizerLoss,
        held_out: Stills,
    ) -> None:
        self._options, self._fabric, self._held_out = options, fabric, held_out
        self._loss, self.headline = loss, loss.name
        self.config = Config(name="", model=options.model, arguments={"width": options.width})
        self.exported = network
        self._wrapped, self._optimiser = fabric.setup(network, make_optimiser(network, options))
        if options.model == "zhang":
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
        loss = self._loss(self._wrapped, batch, step)
        self._optimiser.zero_grad()
        self._fabric.backward(loss)
        if self._options.clip_gradients is not None:
            self._fabric.clip_gradients(
                self._wrapped, self._optimiser, max_norm=self._options.clip_gradients
            )
        self._optimiser.step()
        return {self.headline: loss.detach()}

    @torch.inference_mode()
    def validate(self, log: RunLog, step: int) -> Validated:
        """Measure the network on the held-out examples, and write a sheet of some of them."""
        held = self._held_out
        self.exported.eval()
        chroma = self._color(held)
        metrics = {
            "psnr": _psnr(held.luma, chroma, held.chroma),
            "gray_psnr": _psnr(held.luma, torch.zeros_like(chroma), held.chroma),
            "accuracy": pixel_accuracy(held.luma, chroma, held.chroma).mean().item(),
            "colourfulness": (chroma.abs().mean() / held.chroma.abs().mean()).item(),
        }
        if isinstance(self.exported, ExemplarColorizer):
            shown = self._color(held, exemplars=True)
            metrics["exemplar_psnr"] = _psnr(held.luma, shown, held.chroma)
        self.exported.train()
        return Validated(metrics, _write_sheet(log.sheet_path(step), held, chroma))

    def _color(self, stills: Stills, *, exemplars: bool = False) -> Tensor:
        """Chroma [B, 2, h, w] of all examples, on the CPU; `exemplars` shows each its own."""
        chroma = []
        for first in range(0, len(stills.luma), self._options.batch):
            part = Stills(*(tensor[first : first + self._options.batch] for tensor in stills))
            part = part.to(self._fabric.device)
            shown = [Exemplar(part.exemplar_luma, part.exemplar_chroma)] if exemplars else []
            chroma.append(self.exported(part.luma, *shown).cpu())
        return torch.cat(chroma)


def _loss(clips: list[Clip], options: ColorizerOptions, device: torch.device) -> ColorizerLoss:
    """The loss of the model that `options` names."""
    if options.model == "exemplar":
        return RegressionLoss(share=options.exemplars, seed=options.seed)
    bins = gamut_bins()
    weights = rebalance(color_probability(clips, bins), uniform=options.uniform)
    return BinsLoss(bins.to(device), weights.to(device))


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
    for name in ("film", "exemplars", "uniform"):
        if not 0 <= getattr(options, name) <= 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, a share of 0 to 1 is needed")
    multiple = COLORIZERS[options.model].size_multiple
    if not multiple <= options.crop <= options.clips.size or options.crop % multiple:
        raise ArgumentError(
            f"crop is {options.crop}, a multiple of {multiple} up to size ({options.clips.size}) "
            "is needed"
        )
