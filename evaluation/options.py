"""What `python -m evaluation` can be told. Imports little, so that `--help` answers at once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vidcolor.commands.command_line import help_text
from vidcolor.errors import ArgumentError
from vidcolor.inference.known_providers import ProviderName

Kind = Literal[
    "gray", "hold", "flow-chain", "fine-chain", "flow-direct", "tracked", "propagation", "transfer"
]
CLIPS_VARIABLE = "VIDCOLOR_CLIPS"
"""Environment variable: a folder of footage, with `dev` for evaluation and `train` in it."""


@help_text
@dataclass(frozen=True)
class ClipOptions:
    """Which part of each video is used, and where its decoded planes lie."""

    size: int = 256
    """Short side that videos are scaled to, in pixels; the aspect is kept."""
    max_frames: int = 300
    """Frames taken of each video, from its beginning."""
    cache: Path = Path(".cache/clips")
    """Folder for the decoded planes: 3 bytes a pixel, made once for each video and size."""
    split: tuple[float, float, float] = (0.82, 0.09, 0.09)
    """Shares of the videos for training, validation and test (the reports: 450, 50, 50)."""
    split_seed: int = 0
    """Which of the random splits by video; the same for runs that will be compared."""


@help_text
@dataclass(frozen=True)
class EvaluateOptions:
    """Measure model bundles, and the baselines beside them, on the videos below a folder.

    Frame 0 is the key. In propagation, which is how models are used, every later frame follows
    from the model's own output; in transfer from the true frame before it. Writes
    `evaluation.json`, `table.md` and `report.html` into the folder --out.
    """

    bundles: tyro.conf.Positional[tuple[str, ...]] = ()
    """Names of shipped models, or paths of bundles; without any the baselines alone run."""
    clips: Path | None = None
    """Folder that is searched for videos, subfolders too; without it, the folder `dev` of the one
    that the environment variable VIDCOLOR_CLIPS names."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))] = Path("runs/evaluation")
    """Folder of the results."""
    size: int = 256
    """Short side that videos are scaled to, in pixels; the aspect is kept."""
    frames: int = 120
    """Most frames taken of each video, from its beginning."""
    passes: int = 1
    """Play each video there and back, so many ways in all, as one long shot with one key: 2 is
    there and back once. After an even number the last frames are the first ones again, so that
    drift says what the way between has cost."""
    flicker: float = 0.0
    """Make the luma of each video flicker as old film does: the deviation of exposure from frame to
    frame, as a share of it. 0.06 is much. True chroma stays as it is."""
    grain: float = 0.0
    """The same with grain: its deviation, where luma goes from 0 to 1."""
    methods: tuple[Kind, ...] = (
        "gray", "hold", "flow-chain", "fine-chain", "flow-direct", "tracked", "propagation",
        "transfer",
    )  # fmt: skip
    """What runs; without 'flow-chain' nothing is compared with it."""
    colorizer: str | None = None
    """An image colorizer, which then colours every frame by itself as one more baseline, 'per
    frame': a shipped one's name ('stills-2') or an ONNX file."""
    provider: ProviderName = "auto"
    """Where models run."""
    threads: int | None = None
    """CPU threads for one frame of a model; without it onnxruntime's choice, or 1 where there is
    more than one worker."""
    workers: int = 1
    """Clips measured at the same time. Frames per second mean something with 1 only."""
    pictures: int = 6
    """Clips, from the worst on, that the report shows frames and videos of."""
    cache: Path = ClipOptions.cache
    """Folder for decoded videos."""


@help_text
@dataclass(frozen=True)
class TuringOptions:
    """Make a web page that tests whether people can tell a model's colours from the real ones.

    The page is one file that needs no other and no network. It shows pairs of clips, one real, one
    coloured from its first frame, asks which is the real one, saves the answers to a file, and
    shows the fooling rate with its confidence interval.
    """

    clips: Path
    """Folder that is searched for videos in colour, subfolders too."""
    bundle: str = "flagship"
    """Name of a shipped model, or path of a bundle."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))] = Path("turing.html")
    """File that the page is written to, which ends in .html."""
    pairs: int = 20
    """Pairs that are shown, each of another video; fewer where there are not so many."""
    seconds: float = 3.0
    """How long a pair is shown; shorter clips start again."""
    size: int = 256
    """Short side of the clips in pixels; the aspect is kept."""
    seed: int = 0
    """Which videos are drawn. The order of the pairs and the sides are drawn by the page, with a
    seed of its own that is saved with the answers."""
    provider: ProviderName = "auto"
    """Where the model runs."""
    cache: Path = ClipOptions.cache
    """Folder for decoded videos."""


@help_text
@dataclass(frozen=True)
class ReferenceOptions:
    """Measure what references are worth: shots coloured from other shots of the same video.

    Files are shots of one video where their names differ by a number at the end alone, or where the
    table --manifest says so. Each shot is coloured from the middle frames of the others, and by
    what there is without a key: no colour, the nearest shot's middle frame unmoved, and an image
    colorizer. Prints a table, and writes it and all figures into the folder --out.
    """

    bundle: tyro.conf.Positional[str] = "vidcolor-2"
    """Name of a shipped model, or path of a bundle."""
    clips: Path | None = None
    """Folder that is searched for videos, subfolders too; without it, the folder `dev` of the one
    that the environment variable VIDCOLOR_CLIPS names."""
    manifest: Path | None = None
    """A CSV file with the columns file, source_repo and path_in_repo, that says which files are
    shots of the same video."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))] = Path("runs/references")
    """Folder of the results."""
    size: int = 256
    """Short side that videos are scaled to, in pixels; the aspect is kept."""
    frames: int = 48
    """Most frames coloured of each shot, from its beginning."""
    colorizer: str = "stills-2"
    """The image colorizer: a shipped one's name or an ONNX file."""
    provider: ProviderName = "auto"
    """Where models run."""
    threads: int | None = None
    """CPU threads for one frame of a model; without it onnxruntime's choice."""
    cache: Path = ClipOptions.cache
    """Folder for decoded videos."""


def clips_folder(options: EvaluateOptions | ReferenceOptions) -> Path:
    """Return the folder of videos to measure on.

    Raises:
        ArgumentError: Neither --clips nor the environment variable names one.
    """
    if options.clips is not None:
        return options.clips
    root = os.environ.get(CLIPS_VARIABLE)
    if not root:
        raise ArgumentError(
            "clips: no folder of videos is given; --clips names one, or the environment variable "
            f"{CLIPS_VARIABLE} a folder that holds one called dev"
        )
    return Path(root) / "dev"
