"""What `python -m training reproduce` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from evaluation.options import ClipOptions
from vidcolor.commands.command_line import help_text
from vidcolor.inference.colorizer import DEFAULT_COLORIZER

REPORTS = ("supervised", "cgan-dt1", "cgan-dt5", "extended")
"""The systems of the two reports."""
TRAINED = (*REPORTS, "convlstm", "similarity")
SHIPPED = "flagship"
COMPARED = (*TRAINED, SHIPPED)


@help_text
@dataclass(frozen=True)
class ReproduceOptions:
    """Train the reports' systems and what they left open, measure them, and write one report.

    The folder --out then holds `report.html`, `table.md`, their numbers in `results.json` and
    `evaluation.json`, and a folder for each system. The same command goes on where it was broken
    off: what is trained is not trained again. At the reports' own scale frames are 256x256, widths
    full, and a model sees 10 epochs of 7,000 examples in batches of 8: days on a CPU, hours on a
    CUDA device.
    """

    data: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of videos. Of one that holds `train/` and `test/`, as `prepare` leaves them, these
    two are taken."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))] = Path("runs/reproduce")
    """Folder of the trainings and the report."""
    test: Path | None = None
    """Folder of held-out videos; without it `test/`, or a part of the videos that is not trained
    on."""
    quick: bool = False
    """About an hour on one core: an eighth of the widths, crops of 128 pixels, minutes instead of
    epochs, and fewer clips measured."""
    jobs: int = 1
    """Models that are trained, and clips that are measured, at the same time, with a thread
    each."""
    systems: tuple[str, ...] = COMPARED
    """Which to compare (training/systems.py): 'flagship' as it ships, the others trained here."""
    colorizer: str = DEFAULT_COLORIZER
    """The image colorizer that is the per-frame baseline: a shipped one's name or an ONNX file."""
    width: float | None = None
    """Multiplier of the channels; without it 1, or 0.125 for --quick."""
    crop: int | None = None
    """Side in pixels of the squares that are trained on; without it 256, or 128 for --quick."""
    minutes: float | None = None
    """Minutes of training for each model; without it none are counted, or 6.5 for --quick."""
    steps: int | None = None
    """Updates of each model; without it 10 epochs, or as many as the minutes allow."""
    checkpoint_minutes: float = 3.0
    """Minutes between checkpoints: what a training that is broken off loses at most."""
    clips: int | None = None
    """Held-out clips that are measured, evenly chosen; without it all, or 8 for --quick."""
    frames: int = 50
    """Frames of each of them: every seventh makes a figure of eight columns."""
    figures: int = 3
    """Clips that the report shows."""
    cache: Path = ClipOptions.cache
    """Folder for decoded videos."""
