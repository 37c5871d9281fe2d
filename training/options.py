"""What `fit`, `fit-matcher` and `fit-colorizer` can be told: the one place of their defaults.

Imports little, so that `--help` answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from evaluation.options import ClipOptions
from training.data.options import RolloutOptions
from vidcolor.commands.command_line import help_text
from vidcolor.errors import ArgumentError

CHANGEABLE = frozenset({
    "videos", "pictures", "out", "resume", "steps", "minutes", "checkpoint_minutes",
    "checkpoint_steps", "validate_clips", "validate_frames", "log_every", "accelerator", "devices",
    "precision", "threads", "workers", "compile", "name", "licence", "training_data",
})  # fmt: skip
"""Options that a resumed run may be given anew; with any other changed it would be another run."""


@help_text
@dataclass(frozen=True)
class ObjectiveOptions:
    """What generator and discriminator minimise; see `training.objective`."""

    alpha: float = 1.0
    """Weight of the adversarial term; 0 trains the reports' supervised model, without a
    discriminator."""
    beta: float = 100.0
    """Weight of the mean absolute error in the model's colour space."""
    label_smoothing: float = 0.0
    """One-sided label smoothing: true frames are labelled 1 minus this, predicted ones stay 0."""
    fidelity: float = 0.0
    """Weight of the mean over frames of the log of chroma's mean squared error: what PSNR, taken
    frame by frame, measures."""
    matching: float = 0.0
    """Weight of the mean absolute error of the chroma that similarity sub-nets found alone."""
    doubt: float = 0.0
    """Weight of the negative log likelihood of the errors of each candidate that a mixing model
    chose from, under the scales that it expected."""
    confidence: float = 0.0
    """Weight of the negative log likelihood of the errors, under a Laplace distribution of the
    scale that the model's confidence stands for (Kendall and Gal 2017)."""


@help_text
@dataclass(frozen=True)
class RunOptions:
    """What every training run can be told, whatever it trains."""

    videos: tyro.conf.Positional[tuple[Path, ...]]
    """Folders that are searched for videos, subfolders too."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))]
    """Folder of this run."""

    clips: ClipOptions = field(default_factory=ClipOptions)

    steps: int | None = None
    """Updates in all. The reports' 10 epochs of 7,000 examples are 8,750 at batch 8."""
    minutes: float | None = None
    """Minutes in all, from the start of the program to its end: decoding, validation and the last
    checkpoint included, resumed runs counted together. Give --steps, --minutes or both: the
    learning rate falls to zero by whichever ends first."""
    batch: int = 8
    """Examples in a batch, over all processes together."""
    learning_rate: float = 3e-4
    """The optimiser's learning rate after the warm-up; it falls to zero."""
    schedule: Literal["linear", "cosine"] = "linear"
    """How the learning rate falls."""
    warmup_steps: int = 0
    """Updates over which the learning rate rises from zero, linearly."""
    rates: tuple[str, ...] = ()
    """Other learning rates for some parameters, as PART=FACTOR: those whose names hold PART learn
    at FACTOR times the rate (encoder.trunk=0.3), or stay as they are (encoder=0). The first PART
    that fits counts."""
    optimiser: Literal["adam", "adamw"] = "adam"
    """Adam as in the reports, or AdamW, whose weight decay is apart from the gradients."""
    beta1: float = 0.0
    """The optimiser's beta1; 0 as in the reports."""
    beta2: float = 0.999
    """The optimiser's beta2."""
    weight_decay: float = 0.0
    """Weight decay of the optimiser."""
    clip_gradients: float | None = None
    """Greatest norm of the gradients; longer ones are shortened to it."""
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
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Arithmetic of the networks."""
    threads: int | None = None
    """CPU threads for the networks; without it as many as PyTorch finds cores."""
    workers: int = 0
    """Processes that make the examples; 0 makes them in one thread beside the training. The
    examples are the same whatever the number."""

    name: str = ""
    """What the trained model is called; the name of --out if empty."""
    licence: str = "unknown"
    """Licence of the weights, for the model card."""
    training_data: str = ""
    """The training data in words, for the model card; the folders' names if empty."""

    def following(self, weights: Path) -> list[str]:
        """Return the command that comes after the run, in words; weights: its best checkpoint."""
        return ["python", "-m", "export", str(weights), "-o", str(self.out / "bundle")]


@help_text
@dataclass(frozen=True)
class GeneratorOptions(RunOptions):
    """What the training of a generator can be told, whatever of it is trained."""

    model: str = "seeds"
    """The generator: 'seeds', the reports' U-Net G(g_t, c_{t-1}); 'extended', which is also given
    c_1; any other of training/models; or a class of your own, package.module:Class."""
    arguments: tuple[str, ...] = ()
    """The generator's own arguments as NAME=VALUE; for 'seeds' and 'extended' width=0.5 halves the
    channels of every layer."""
    initial: Path | None = None
    """A checkpoint folder whose weights the generator starts from, as for fine-tuning."""


@help_text
@dataclass(frozen=True)
class FitOptions(GeneratorOptions):
    """Train a generator on the videos below some folders.

    The defaults are the reports' cGAN with dt = 1 at their widths. The folder given by --out holds
    `checkpoint/` (what `python -m export` takes, and what --resume goes on from), `best/` (the
    weights that did best on held-out clips), `losses.jsonl`, `samples/` (sheets: gray, true, ours)
    and TensorBoard's `events/`.
    """

    system: str = ""
    """A named configuration, whose values become the defaults of the others: supervised, cgan-dt1,
    cgan-dt5, extended, convlstm, similarity, flagship or seeds (training/systems.py)."""
    discriminator_width: float = 1.0
    """Multiplier of the discriminator's channels (1: 64 to 512)."""

    rollout: RolloutOptions = field(default_factory=RolloutOptions)
    objective: ObjectiveOptions = field(default_factory=ObjectiveOptions)

    discriminator_every: int = 2
    """Generator updates for each update of the discriminator; the reports made two."""
    average: float | None = None
    """Decay of an exponential moving average of the weights, such as 0.999: then the average is
    what is validated and exported."""
    validate_clips: int = 4
    """Held-out clips that each checkpoint colours whole, from their first frame; `best/` has the
    weights of the highest PSNR on them. 0 keeps no `best/`."""
    validate_frames: int = 48
    """Most frames of each of these clips."""
    devices: int = 1
    """How many devices to train on; under torchrun its own number counts."""
    compile: bool = False
    """Compile the generator by torch.compile: minutes at the start, faster updates after it."""


@help_text
@dataclass(frozen=True)
class MatcherOptions(GeneratorOptions):
    """Train how a generator finds a key's colours again, by what things look like.

    It learns from pairs of frames, up to 100 apart, without optical flow and without its own
    output: many more examples in a minute than `fit` has. The folder given by --out holds
    `checkpoint/` (what `fit --initial` goes on from, and --resume), `best/` (the weights that did
    best on held-out pairs), `losses.jsonl`, `samples/` (sheets: gray, true, ours) and TensorBoard's
    `events/`.
    """

    learning_rate: float = 1e-3
    """The optimiser's learning rate after the warm-up; it falls to zero."""
    beta1: float = 0.9
    """The optimiser's beta1."""
    clip_gradients: float | None = 2.0
    """Greatest norm of the gradients; longer ones are shortened to it."""

    model: str = "flagship"
    """The generator: 'flagship', 'similarity', or a class of your own with `attend_to`,
    package.module:Class."""
    pictures: tuple[Path, ...] = ()
    """Folders that are searched for photographs, subfolders too: half of the pairs are two views of
    one of them."""
    crop: int = 224
    """Side of the squares cut from the frames, in pixels."""
    scale: float = 2.0
    """By how much at most things are larger or smaller in the key than in the frame."""
    film: float = 0.2
    """Share of the pairs whose luma is made like old film's: grain, blur, flicker, gamma."""
    other_shots: float = 0.2
    """Share of the pairs whose key is of another shot of the same video, where `prepare` cut it
    into several."""

    def following(self, weights: Path) -> list[str]:
        """Return the command that trains all of the generator from there on."""
        words = ["python", "-m", "training", "fit", *map(str, self.videos)]
        words += ["--model" if ":" in self.model else "--system", self.model]
        words += ["--arguments", *self.arguments] if self.arguments else []
        words += ["--initial", str(weights), "--minutes", "60"]
        return [*words, "-o", str(self.out.with_name(f"{self.out.name}-joint"))]


@help_text
@dataclass(frozen=True)
class ColorizerOptions(RunOptions):
    """Train a colorizer of single frames on the videos below some folders.

    `vidcolor color --key auto` uses what comes of it. The folder given by --out holds `checkpoint/`
    (what `python -m export` takes, and what --resume goes on from), `best/` (the weights that did
    best on held-out frames), `losses.jsonl`, `samples/` (sheets: gray, true, ours) and
    TensorBoard's `events/`.
    """

    batch: int = 16
    """Examples in a batch."""
    learning_rate: float = 1e-3
    """The optimiser's learning rate after the warm-up; it falls to zero."""
    beta1: float = 0.9
    """The optimiser's beta1."""
    clip_gradients: float | None = 2.0
    """Greatest norm of the gradients; longer ones are shortened to it."""

    model: Literal["exemplar", "zhang"] = "exemplar"
    """The network: 'exemplar' predicts chroma by regression, on a trunk that was trained on
    ImageNet; 'zhang' a distribution over colours, as Zhang, Isola and Efros 2016 do."""
    width: float = 1.0
    """Multiplier of the network's channels, without the trunk's."""
    pictures: tuple[Path, ...] = ()
    """Folders that are searched for photographs, subfolders too: half of the examples are cut from
    them."""
    crop: int = 192
    """Side of the squares cut from the frames, in pixels."""
    film: float = 0.0
    """Share of the examples whose luma is made like old film's: grain, blur, flicker, gamma."""
    exemplars: float = 0.3
    """For 'exemplar': share of the updates in which the network is shown another painted frame of
    the same clip, or another part of the same picture."""
    uniform: float = 0.5
    """For 'zhang': the uniform distribution's share in the one that colours are weighted by: 0
    weighs all colours alike however rare, 1 all pixels alike. The paper's lambda."""


def to_json(options: RunOptions) -> dict[str, object]:
    """Return the options as plain values, for a checkpoint's config."""
    plain: dict[str, object] = json.loads(json.dumps(asdict(options), default=str))
    return plain


def check_same(options: RunOptions, before: dict[str, object]) -> None:
    """Check that a resumed run's options are those it was begun with.

    Args:
        options: Those it is resumed with.
        before: `to_json` of those it was begun with. One that it lacks, since the option is newer
            than the run, counts as the default.

    Raises:
        ArgumentError: An option differs that makes it another run.
    """
    begun, defaults = _ungrouped(before), _ungrouped(to_json(type(options)(videos=(), out=Path())))
    for name, value in _ungrouped(to_json(options)).items():
        old = begun.get(name, defaults[name])
        if name not in CHANGEABLE and old != value:
            raise ArgumentError(f"{name} is {value}, but the run to resume was begun with {old}")


def _ungrouped(options: Mapping[str, object]) -> dict[str, object]:
    """Options by name, those of groups too: the command line has no groups either."""
    flat: dict[str, object] = {}
    for name, value in options.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat
