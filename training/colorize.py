"""Training of a colorizer of single frames: `python -m training fit-colorizer`."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from evaluation.clips import Clip
from training.checkpoint import Config
from training.checks import check_crop, check_run, check_shares, check_width
from training.colorizer_losses import BinsLoss, ColorizerLoss, RegressionLoss
from training.data.pictures import find_pictures
from training.data.stills import Stills, StillSource, color_probability
from training.loop import launch, load_footage, train
from training.models import COLORIZERS
from training.models.base import ImageColorizer
from training.models.bins import gamut_bins, rebalance
from training.models.exemplar import Exemplar, ExemplarColorizer
from training.models.zhang import Zhang
from training.optimisers import check_rates, descend, make_optimiser
from training.options import ColorizerOptions
from training.run_log import RunLog, Validated, check_out
from training.sheets import write_stills
from training.state import TrainState
from training.validation import frame_psnr, pixel_accuracy

VALIDATED = 48
"""Held-out examples that a checkpoint is measured on, always the same."""


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
    check_width("width", options.width)
    check_shares(options, "film", "exemplars", "uniform")
    check_crop(options.crop, options, multiple=COLORIZERS[options.model].size_multiple)
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


class Logits(nn.Module):
    """`Zhang.logits` as a forward pass, as Fabric wraps it."""

    def __init__(self, network: Zhang) -> None:
        super().__init__()
        self.network = network

    def forward(self, luma: Tensor) -> Tensor:
        """How likely each bin is: luma [B, 1, h, w] -> [B, Q, h / 4, w / 4]."""
        return self.network.logits(luma)


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
        trained = Logits(network) if isinstance(network, Zhang) else network
        self._wrapped, self._optimiser = fabric.setup(trained, make_optimiser(trained, options))
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
        """Measure the network on the held-out examples, and write a sheet of some of them."""
        held = self._held_out
        self.exported.eval()
        chroma = self._color(held)
        metrics = {
            "psnr": frame_psnr(held.luma, chroma, held.chroma).mean().item(),
            "gray_psnr": frame_psnr(held.luma, torch.zeros_like(chroma), held.chroma).mean().item(),
            "accuracy": pixel_accuracy(held.luma, chroma, held.chroma).mean().item(),
            "colourfulness": (chroma.abs().mean() / held.chroma.abs().mean()).item(),
        }
        if isinstance(self.exported, ExemplarColorizer):
            shown = self._color(held, exemplars=True)
            metrics["exemplar_psnr"] = frame_psnr(held.luma, shown, held.chroma).mean().item()
        self.exported.train()
        return Validated(metrics, write_stills(log.sheet_path(step), held, chroma))

    def _color(self, stills: Stills, *, exemplars: bool = False) -> Tensor:
        """Chroma [B, 2, h, w] of all examples, on the CPU; `exemplars` shows each its own."""
        chroma = []
        for on_cpu in stills.parts(self._options.batch):
            part = on_cpu.to(self._fabric.device)
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
