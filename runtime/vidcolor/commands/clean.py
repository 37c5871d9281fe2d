"""``vidcolor clean out.mkv``: what it can be told."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import tyro

from vidcolor.commands.command_line import Switch, help_text


@help_text
@dataclass(frozen=True)
class Clean:
    """Remove the finished parts that are kept beside outputs, in OUTPUT.vidcolor.

    The outputs stay as they are. Colouring one of their films again then begins from nothing.

    For example:

        vidcolor clean out.mkv
    """

    outputs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="OUTPUT ...")]
    """What `vidcolor color` wrote, or was to write."""
    quiet: Switch = False
    """Show no summary."""

    def run(self) -> None:
        """Raises VidcolorError."""
        import_module("vidcolor.commands.clean_outputs").clean_outputs(self)
