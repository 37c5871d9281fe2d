"""``vidcolor review out.mp4 -o review.html``: what it can be told."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import tyro

from vidcolor.advise.worth import GOAL
from vidcolor.commands.command_line import Switch, help_text


@help_text
@dataclass(frozen=True)
class Review:
    """Make a page to look at a coloured film: before and after, and how sure the model was.

    The page needs neither a network nor a server: open it in a browser. It plays a small copy of
    the film with a slider between gray and colour, or between two versions of the film. It shows
    where in the picture, and where along the film, confidence is low. Shots take flags and notes,
    and markers go to an editing program as EDL, CSV, FCPXML or XML.

    For example:

        vidcolor review out.mkv -o review.html
        vidcolor review new.mkv --against old.mkv -o review.html
    """

    colored: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUTPUT")]
    """What `vidcolor color` wrote, with its report, OUTPUT.vidcolor.json, beside it."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("review.html")
    """The page to write."""
    against: Path | None = None
    """A second version of the same frames to compare with. Its report is read, too, if it has
    one."""
    goal: float = GOAL
    """The confidence that every frame should have, of 1; what has less stands out."""
    side: int = 480
    """Short side, in pixels, of the copy in the page."""
    no_audio: Switch = False
    """Leave the film's sound out of the page."""
    overwrite: Switch = False
    """Replace whatever has the page's name. A review page is replaced anyway."""
    quiet: Switch = False
    """Show no progress and no summary."""

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no page behind."""
        import_module("vidcolor.commands.review_film").review_film(self)
