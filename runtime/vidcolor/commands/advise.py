"""``vidcolor advise film.mkv -o keys/``: what it can be told."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import tyro

from vidcolor.advise.worth import GOAL
from vidcolor.commands.command_line import Switch, help_text
from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.known_providers import ProviderName


@help_text
@dataclass(frozen=True)
class Advise:
    """Choose the frames of a film that are worth painting, and write them as images to paint on.

    The film is cut into shots, and keys are tried out in each of them, gray and small, to see how
    far the model's confidence holds: as few frames are chosen as give every shot the confidence
    that is asked for. They are written in gray under their numbers, such as 000240.png, beside a
    contact sheet that says what each is for. Paint them, and keep their names.

    Run it again when some are painted: it says which further frame would help most, and writes
    it. It replaces what it has written itself and nobody has changed since, and nothing else.

    For example:

        vidcolor advise film.mkv -o keys/
        vidcolor advise film.mkv -o keys/ --most 20
        vidcolor advise film.mkv -o keys/ --scenes cuts.txt
    """

    film: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILM")]
    """The video: what FFmpeg reads, in gray or YUV of 8 to 16 bits, not interlaced."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The folder for the frames; it is made if there is none."""
    goal: float = GOAL
    """The confidence that every frame should have, of 1; more of it takes more keys."""
    most: int | None = None
    """At most so many frames; the default is as many as it takes and, once there are painted ones,
    the one that would help most."""
    scenes: Annotated[str | None, tyro.conf.arg(metavar="auto|none|FILE")] = None
    """Where shots begin: auto (found by PySceneDetect; the default), none, or a text file with the
    number of each shot's first frame, such as `vidcolor shots` writes."""
    any_key: Switch = False
    """Count images in colour as keys also where they do not look like their frames."""
    model: str = DEFAULT_MODEL
    """A shipped model's name, or the folder of a model bundle."""
    provider: ProviderName = "auto"
    """What the model runs on; auto is CUDA where it works, else the CPU. The others come
    with other onnxruntime packages, see docs/platforms.md."""
    size: int = 128
    """Short side, in pixels, that keys are tried out on; on more it is much the same."""
    progressive: Switch = False
    """Take frames that are flagged as interlaced for progressive ones."""
    quiet: Switch = False
    """Show no progress and no summary."""

    def run(self) -> None:
        """Raises VidcolorError. Images appear whole, or not at all."""
        import_module("vidcolor.commands.advise_film").advise_film(self)
