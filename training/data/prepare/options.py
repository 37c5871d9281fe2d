"""What `python -m training prepare` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vidcolor.commands.command_line import help_text


@help_text
@dataclass(frozen=True)
class PrepareOptions:
    """Make data for training from the videos below some folders.

    Every video is cut into its shots, and each shot becomes a clip in colour and one in gray. The
    folder --out then holds the colour clips in `train/` and `test/` (`python -m training fit
    OUT/train`), their gray counterparts in `gray/train/` and `gray/test/`, and `manifest.csv`: a
    line for each shot, with the reason where it is left out. Interrupted, the same command goes on
    where it stopped, and ends with the same bytes.
    """

    videos: tyro.conf.Positional[tuple[Path, ...]]
    """Folders that are searched for videos, subfolders too."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))]
    """Folder of the data."""

    size: str = "256x256"
    """Size of the clips in pixels: 'WIDTHxHEIGHT', which frames are squeezed to as the reports'
    were; one number, the short side, which keeps the aspect; or 'keep'."""
    fps: float | Literal["keep"] = 30.0
    """Frames a second of the clips; 'keep' takes every frame of each video, at its own rate."""
    crf: int = 8
    """Quality of the clips, x264's constant rate factor. 0 loses nothing, and takes several times
    the space."""
    shortest: int = 15
    """Frames that a shot must have."""
    longest: int = 300
    """Frames that a clip may have; longer shots make several."""
    least_chroma: float = 4.0
    """Mean distance from gray in Lab that a shot must have; below it, it is near-gray."""
    least_motion: float = 0.01
    """Share of some frame that must differ from a shot's first one; below it, the shot is still."""
    split: Literal["random", "folders"] = "random"
    """'random' draws the videos for the test; 'folders' goes by those that they lie in, 'train' or
    'training' against 'test', 'val' or 'validation', as in Moments in Time."""
    test: float = 0.09
    """Share of the videos for the test, in a random split (the reports: 50 of 550)."""
    seed: int = 0
    """Which of the random splits."""
    workers: int = 1
    """Videos that are worked on at the same time."""
