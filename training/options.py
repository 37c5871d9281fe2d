"""What `python -m training fit` can be told: the one place of its defaults."""

from __future__ import annotations

import inspect
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from evaluation.clips import ClipOptions
from evaluation.help_text import manual
from training.data.rollouts import RolloutOptions
from training.models import GENERATORS
from training.models.base import Generator
from training.objective import Objective
from vidcolor.errors import ArgumentError

CHANGEABLE = frozenset({
    "videos", "out", "resume", "steps", "minutes", "checkpoint_minutes", "checkpoint_steps",
    "log_every", "accelerator", "devices", "precision", "threads", "name", "licence",
    "training_data",
})  # fmt: skip
"""Options that a resumed run may be given anew; with any other changed it would be another run."""


@manual
@dataclass(frozen=True)
class FitOptions:
    """Train a generator on the videos below some folders.

    The defaults are the reports' cGAN with dt = 1 at their widths. The folder given by --out holds
    `checkpoint/` (what `python -m export` takes, and what --resume goes on from), `losses.jsonl`,
    `samples/` (sheets: gray, truth, ours) and TensorBoard's `events/`.
    """

    videos: tyro.conf.Positional[tuple[Path, ...]]
    """Folders that are searched for videos, subfolders too."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))]
    """Folder of this run."""

    system: str = ""
    """A named configuration, whose values become the defaults of the others: supervised, cgan-dt1,
    cgan-dt5, extended, convlstm, similarity, flagship or seeds (training/systems.py)."""
    model: str = "seeds"
    """The generator: 'seeds', the reports' U-Net G(g_t, c_{t-1}); 'extended', which is also given
    c_1; or any other of training/models."""
    arguments: tuple[str, ...] = ()
    """The generator's own arguments as NAME=VALUE; for 'seeds' and 'extended' width=0.5 halves the
    channels of every layer."""
    discriminator_width: float = 1.0
    """Multiplier of the discriminator's channels (1: 64 to 512)."""
    initial: Path | None = None
    """A checkpoint folder whose weights the generator starts from, as for fine-tuning."""

    clips: ClipOptions = field(default_factory=ClipOptions)
    rollout: RolloutOptions = field(default_factory=RolloutOptions)
    objective: Objective = field(default_factory=Objective)

    steps: int | None = None
    """Generator updates in all. The reports' 10 epochs of 7,000 examples are 8,750 at batch 8."""
    minutes: float | None = None
    """Minutes of training in all, resumed runs counted together. Give --steps, --minutes or both:
    the learning rate falls to zero by whichever ends first."""
    batch: int = 8
    """Examples in a batch, over all processes together."""
    learning_rate: float = 3e-4
    """Adam's learning rate at the start, of both networks; it falls linearly to zero."""
    beta1: float = 0.0
    """Adam's beta1; 0 as in the reports."""
    clip_gradients: float | None = None
    """Greatest norm of the generator's gradients; longer ones are shortened to it."""
    discriminator_every: int = 2
    """Generator updates for each update of the discriminator; the reports made two."""
    average: float | None = None
    """Decay of an exponential moving average of the weights, such as 0.999: then the average is
    what is validated and exported."""
    seed: int = 0
    """Seed of the weights, the examples and dropout."""

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
    devices: int = 1
    """How many devices to train on; under torchrun its own number counts."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Arithmetic of the networks."""
    threads: int | None = None
    """CPU threads for the networks; without it as many as PyTorch finds cores."""

    name: str = ""
    """What the trained model is called; the name of --out if empty."""
    licence: str = "unknown"
    """Licence of the weights, for the model card."""
    training_data: str = ""
    """The training data in words, for the model card; the folders' names if empty."""


def build_generator(options: FitOptions) -> tuple[Generator, dict[str, float | int | str | bool]]:
    """The generator that the options name, and its arguments; ArgumentError says what is wrong."""
    if options.model not in GENERATORS:
        raise ArgumentError(f"model is {options.model!r}, accepted are {', '.join(GENERATORS)}")
    cls = GENERATORS[options.model]
    accepted = [name for name in inspect.signature(cls.__init__).parameters if name != "self"]
    arguments = {}
    for text in options.arguments:
        name, _, value = text.partition("=")
        if name not in accepted:
            raise ArgumentError(
                f"arguments holds {text!r}; {options.model} takes "
                + ", ".join(f"{known}=VALUE" for known in accepted)
            )
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = value
    try:
        return cls(**arguments), arguments
    except (TypeError, ValueError, RuntimeError) as error:
        raise ArgumentError(
            f"arguments {' '.join(options.arguments)} make no {options.model}: {error}"
        ) from error


def check(options: FitOptions, *, size_multiple: int) -> None:
    """Raise ArgumentError for what can be seen to be wrong before any work is done."""
    if not options.videos:
        raise ArgumentError("videos: no folder is given; at least one folder of videos is needed")
    if options.steps is None and options.minutes is None:
        raise ArgumentError("neither steps nor minutes is given; one of them must be")
    for name in ("batch", "discriminator_every", "log_every", "devices"):
        if getattr(options, name) < 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, at least 1 is needed")
    if options.rollout.crop < 1 or options.rollout.crop % size_multiple:
        raise ArgumentError(
            f"crop is {options.rollout.crop}, {options.model} needs a positive multiple of "
            f"{size_multiple}"
        )
    if options.rollout.crop > options.clips.size:
        raise ArgumentError(
            f"crop is {options.rollout.crop}, at most size ({options.clips.size}) is accepted"
        )


def to_json(options: FitOptions) -> dict[str, object]:
    """The options as plain values, for a checkpoint's config."""
    plain: dict[str, object] = json.loads(json.dumps(asdict(options), default=str))
    return plain


def check_same(options: FitOptions, before: dict[str, object]) -> None:
    """Raise ArgumentError unless a resumed run's options are those it was begun with."""
    for name, value in to_json(options).items():
        if name not in CHANGEABLE and before.get(name) != value:
            raise ArgumentError(
                f"{name} is {value}, but the run to resume was begun with {before.get(name)}"
            )
