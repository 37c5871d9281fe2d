"""``vidcolor shots film.mkv -o cuts.txt``: what it can be told."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import tyro

from vidcolor.commands.command_line import Switch, help_text


@help_text
@dataclass(frozen=True)
class Shots:
    """List where the shots of a film begin, as a text file to be corrected by hand.

    Each line is the number of a shot's first frame, counted from 0. What follows on it is for
    people: the frame's time, how the shot begins, and for a cut how many times stronger it is than
    the changes around it. Take a line out to join two shots, write one to part them, and give the
    file to `vidcolor advise` and `vidcolor color` as --scenes.

    For example:

        vidcolor shots film.mkv -o cuts.txt
        vidcolor shots film.mkv -o cuts.txt --threshold 2.5 --overwrite
    """

    film: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILM")]
    """The video: what FFmpeg reads, in gray or YUV of 8 to 16 bits, not interlaced."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = None
    """The text file to write, cuts.txt for one; without it, the list is printed."""
    threshold: Annotated[float, tyro.conf.arg(metavar="RATIO")] = 3.0
    """How many times the change of the frames around it a frame must change by, to begin a shot;
    less finds more cuts, and more that are none."""
    shortest: Annotated[int, tyro.conf.arg(metavar="FRAMES")] = 8
    """Frames of the shortest shot; what changes back sooner is taken for a flash."""
    progressive: Switch = False
    """Take frames that are flagged as interlaced for progressive ones."""
    overwrite: Switch = False
    """Replace the output if there is one: it may hold corrections."""
    quiet: Switch = False
    """Show no progress and no summary."""

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no output behind."""
        import_module("vidcolor.commands.list_shots").list_shots(self)
