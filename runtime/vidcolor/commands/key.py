"""``vidcolor key frame.png --paint painted.png -o key.png``: what it can be told."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import tyro

from vidcolor.commands.command_line import Switch, help_text


@help_text
@dataclass(frozen=True, kw_only=True)
class PaintKey:
    """Make a whole key frame of one that is painted in parts.

    A few strokes of colour are enough: they are spread over the frame, up to the edges of what they
    lie on (Levin, Lischinski and Weiss 2004). Strokes are either an image that is transparent where
    nothing is painted, or the gray frame itself with colour on it: there, what is gray is not
    painted. Pixels of a stroke keep their colours, half transparent ones in part; what no stroke
    lies on takes its colours from around it. Paint's own brightness does not matter: the key has
    the frame's luma. Save strokes without loss, as PNG or TIFF: JPEG smears colour.

    The gray frame is an image, or frame N of a film: --clip FILM --frame N. An image that does not
    belong to its frame is refused: another frame, flipped, shifted or cropped. Of a film, the frame
    that fits is then told; without --frame it is looked for, and used.

    For example:

        vidcolor key frame.png --paint strokes.png -o key.png
        vidcolor key --clip film.mkv --frame 240 --paint strokes.png -o keys/000240.png
    """

    gray: Annotated[tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="[FRAME.png]")] = None
    """The gray frame, as an image of 8 or 16 bits."""
    paint: Annotated[Path, tyro.conf.arg(aliases=["-p"])]
    """The strokes, or the painted frame, of the frame's aspect."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The key to write, a PNG of the frame's size and depth."""
    clip: Path | None = None
    """The film that the frame is taken from, in place of an image."""
    frame: int | None = None
    """Which frame of --clip it is, counted from 0."""
    whole: Switch = False
    """Use all of the painted frame, gray parts too: its colours go on the frame's luma."""
    progressive: Switch = False
    """Take frames of --clip that are flagged as interlaced for progressive ones."""
    overwrite: Switch = False
    """Replace the output if there is one. A painted frame that has the output's own name, or is
    named alike but for its ending, is kept as NAME.strokes.png."""
    quiet: Switch = False
    """Show no progress and no summary."""

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no output behind."""
        import_module("vidcolor.commands.paint_key").paint_key(self)
