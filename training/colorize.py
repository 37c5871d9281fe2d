"""`python -m training fit-colorizer`: train a colorizer of single frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from lightning.fabric import Fabric
from torch import Tensor
from torch.optim import Adam
from tqdm import tqdm

from evaluation.clips import Clip, ClipOptions, load_split
from evaluation.help_text import manual
from training.checkpoint import (
    CheckpointError,
    Config,
    load_tensors,
    save_generator,
    save_tensors,
)
from training.data.rollouts import prefetch
from training.data.stills import Stills, StillSource, colour_probability
from training.fit import check_out
from training.journal import Journal
from training.models.bins import UNIFORM, gamut_bins, rebalance
from training.models.lab import planes_to_rgb
from training.models.zhang import Zhang
from training.options import to_json
from training.record import CHECKPOINT, SAMPLES, Clock
from training.sheets import write_sheet
from training.state import TRAINING, adam_tensors, below, load_adam
from training.validation import pixel_accuracy
from vidcolor.errors import ArgumentError

ENDLESS = 2**31
"""Steps of a run that only its minutes end."""
VALIDATED = 48
"""Held-out examples that a checkpoint is measured on, always the same."""
SHOWN = 16
"""Of them on the sheet."""
SHEET_COLUMNS = 8


@manual
@dataclass(frozen=True)
class ColorizerOptions:
    """Train a colorizer of single frames on the videos below some folders.

    The method is that of Zhang, Isola and Efros 2016; `vidcolor color --key auto` uses what comes
    of it. The folder given by --out holds `checkpoint/` (what `python -m export` takes, and what
    --resume goes on from), `losses.jsonl`, `samples/` (sheets: gray, truth, ours) and
    TensorBoard's `events/`.
    """

    videos: tyro.conf.Positional[tuple[Path, ...]]
    """Folders that are searched for videos, subfolders too."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))]
    """Folder of this run."""

    width: float = 1.0
    """Multiplier of the network's channels (1: 24 to 160)."""
    clips: ClipOptions = field(default_factory=ClipOptions)
    crop: int = 192
    """Side of the squares cut from the frames, in pixels."""
    film: float = 0.0
    """Share of the examples whose luma is made like old film's: grain, blur, flicker, gamma."""
    uniform: float = UNIFORM
    """The uniform distribution's share in the one that colours are weighed by: 0 weighs all
    colours alike however rare, 1 all pixels alike. The paper's lambda."""

    steps: int | None = None
    """Updates in all."""
    minutes: float | None = None
    """Minutes of training in all, resumed runs counted together. Give --steps, --minutes or both:
    the learning rate falls to zero by whichever ends first."""
    batch: int = 16
    """Examples in a batch."""
    learning_rate: float = 1e-3
    """Adam's learning rate at the start; it falls linearly to zero."""
    clip_gradients: float = 2.0
    """Greatest norm of the gradients; longer ones are shortened to it."""
    seed: int = 0
    """Seed of the weights and the examples."""

    resume: bool = False
    """Go on from the checkpoint in --out. The other options must be as they were."""
    checkpoint_minutes: float = 5.0
    """Minutes between checkpoints; with each, the model is validated and a sheet written."""
    checkpoint_steps: int | None = None
    """Updates between checkpoints, instead of minutes."""
    log_every: int = 10
    """Updates between two lines of losses."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to train."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Arithmetic of the network."""
    threads: int | None = None
    """CPU threads for the network; without it as many as PyTorch finds cores."""

    name: str = ""
    """What the trained model is called; the name of --out if empty."""
    licence: str = "unknown"
    """Licence of the weights, for the model card."""
    training_data: str = ""
    """The training data in words, for the model card; the folders' names if empty."""


def fit_colorizer(options: ColorizerOptions) -> None:
    """Train until the steps or the minutes are over; see `ColorizerOptions`.

    ArgumentError and CheckpointError say in a sentence what is wrong with the options.
    """
    _check(options)
    check_out(options)
    torch.manual_seed(options.seed)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    fabric = Fabric(accelerator=options.accelerator, devices=1, precision=options.precision)
    fabric.launch()
    split = load_split(options.videos, options=options.clips)
    bins = gamut_bins()
    weights = rebalance(colour_probability(split.train, bins), uniform=options.uniform)
    source = StillSource(split.train, bins, crop=options.crop, film=options.film, seed=options.seed)
    run = _Run(options, fabric, validation=split.validation)
    with run:
        for step, stills in prefetch(
            source,
            steps=range(run.step, options.steps or ENDLESS),
            places=range(options.batch),
        ):
            progress = run.clock.progress(step)
            if progress >= 1:
                break
            run.update(stills.to(fabric.device), weights.to(fabric.device), share=1 - progress)
        run.checkpoint()


def loss_of(logits: Tensor, stills: Stills, weights: Tensor) -> Tensor:
    """The paper's equation 2: the cross-entropy of each place, weighed by its colour's rarity.

    logits: [B, Q, h / 4, w / 4]. weights: [Q]. The mean over all places.
    """
    logs = torch.log_softmax(logits.float(), dim=1).movedim(1, -1).flatten(0, 2)
    entropy = -(logs.gather(1, stills.bins) * stills.shares).sum(dim=1)
    return (entropy * weights[stills.bins[:, 0]]).mean()


class _Run:
    """A network in training with all that is written of it; a context that closes its files."""

    def __init__(
        self, options: ColorizerOptions, fabric: Fabric, *, validation: Sequence[Clip]
    ) -> None:
        self._options, self._fabric = options, fabric
        self.network = Zhang(width=options.width).to(memory_format=torch.channels_last)
        self._wrapped, self._optimiser = fabric.setup(
            self.network, Adam(self.network.parameters(), lr=options.learning_rate)
        )
        self._wrapped.mark_forward_method("logits")
        self._held_out = StillSource(validation, gamut_bins(), crop=options.crop, flip=False).batch(
            0, range(VALIDATED)
        )
        self.step, seconds = self._load() if options.resume else (0, 0.0)
        self._saved = self.step
        self.clock = Clock(steps=options.steps, minutes=options.minutes, seconds_before=seconds)
        self._saved_at = self.clock.seconds
        self._journal = Journal(options.out, step=self.step)
        self._bar = tqdm(
            desc="training", total=options.steps, initial=self.step, unit="step", disable=None
        )

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        self._journal.close()

    def update(self, stills: Stills, weights: Tensor, *, share: float) -> None:
        """One update, with this share of the learning rate; a checkpoint when it is due."""
        for group in self._optimiser.param_groups:
            group["lr"] = self._options.learning_rate * share
        loss = loss_of(self._wrapped.logits(stills.luma), stills, weights)
        self._optimiser.zero_grad()
        self._fabric.backward(loss)
        self._fabric.clip_gradients(
            self._wrapped, self._optimiser, max_norm=self._options.clip_gradients
        )
        self._optimiser.step()
        self.step += 1
        self._bar.update()
        if self.step % self._options.log_every == 0:
            figures = {"cross_entropy": loss.item(), "minutes": self.clock.seconds / 60}
            self._journal.write(self.step, figures)
            self._bar.set_postfix_str(f"cross-entropy {figures['cross_entropy']:.3f}")
        if self._is_due():
            self.checkpoint()

    def _is_due(self) -> bool:
        if self._options.checkpoint_steps is not None:
            return self.step % self._options.checkpoint_steps == 0
        return self.clock.seconds - self._saved_at >= 60 * self._options.checkpoint_minutes

    def checkpoint(self) -> None:
        """Validate, write a sheet, and save; nothing when this step's checkpoint is there."""
        if self.step == self._saved:
            return
        options, folder = self._options, self._options.out / CHECKPOINT
        metrics = self._validate(options.out / SAMPLES / f"{self.step:07d}.png")
        self._journal.write(self.step, metrics)
        config = Config(
            name=options.name or options.out.resolve().name,
            model="zhang",
            arguments={"width": options.width},
            step=self.step,
            licence=options.licence,
            training_data=options.training_data or ", ".join(p.name for p in options.videos),
            metrics=metrics,
            training=to_json(options),
        )
        save_generator(folder, self.network, config=config)
        notes = {"step": str(self.step), "seconds": repr(self.clock.seconds)}
        tensors = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        tensors |= {f"adam.{name}": t for name, t in adam_tensors(self._optimiser).items()}
        save_tensors(folder / TRAINING, tensors, notes=notes)
        self._saved, self._saved_at = self.step, self.clock.seconds
        self._bar.write(
            f"step {self.step}, {', '.join(f'{n} {v:.3f}' for n, v in metrics.items())}"
        )

    @torch.inference_mode()
    def _validate(self, sheet: Path) -> dict[str, float]:
        """Figures of the held-out examples, and a sheet of some of them."""
        held = self._held_out
        self.network.eval()
        chroma = torch.cat([
            self.network(luma.to(self._fabric.device)).cpu()
            for luma in held.luma.split(self._options.batch)
        ])  # fmt: skip
        self.network.train()
        gray = torch.zeros_like(chroma)
        rows = []
        for first in range(0, min(SHOWN, len(chroma)), SHEET_COLUMNS):
            part = slice(first, first + SHEET_COLUMNS)
            rows += [(held.luma[part], planes[part]) for planes in (gray, held.chroma, chroma)]
        self._journal.show(self.step, write_sheet(sheet, rows))
        return {
            "psnr": _psnr(held.luma, chroma, held.chroma),
            "gray_psnr": _psnr(held.luma, gray, held.chroma),
            "accuracy": pixel_accuracy(held.luma, chroma, held.chroma).mean().item(),
            "colourfulness": (chroma.abs().mean() / held.chroma.abs().mean()).item(),
        }

    def _load(self) -> tuple[int, float]:
        """Go back to the checkpoint; its step and seconds."""
        path = self._options.out / CHECKPOINT / TRAINING
        tensors, notes = load_tensors(path)
        try:
            self.network.load_state_dict(below(tensors, "network"))
            load_adam(self._optimiser, below(tensors, "adam"))
            return int(notes["step"]), float(notes["seconds"])
        except (KeyError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise CheckpointError(f"{path} is not of this run: {reason}") from error


def _psnr(luma: Tensor, chroma: Tensor, truth: Tensor) -> float:
    """The mean PSNR over frames, in dB of RGB."""
    error = (planes_to_rgb(luma, chroma) - planes_to_rgb(luma, truth)).square().mean((1, 2, 3))
    return (-10 * torch.log10(error.clamp(min=1e-6))).mean().item()


def _check(options: ColorizerOptions) -> None:
    """Raise ArgumentError for what can be seen to be wrong before any work is done."""
    if not options.videos:
        raise ArgumentError("videos: no folder is given; at least one folder of videos is needed")
    if options.steps is None and options.minutes is None:
        raise ArgumentError("neither steps nor minutes is given; one of them must be")
    for name in ("batch", "log_every"):
        if getattr(options, name) < 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, at least 1 is needed")
    for name in ("film", "uniform"):
        if not 0 <= getattr(options, name) <= 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, a share of 0 to 1 is needed")
    multiple = Zhang.size_multiple
    if not multiple <= options.crop <= options.clips.size or options.crop % multiple:
        raise ArgumentError(
            f"crop is {options.crop}, a multiple of {multiple} up to size ({options.clips.size}) "
            "is needed"
        )
