"""``vidcolor clean out.mkv``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from vidcolor.commands.choices import format_size
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.film.lock import lock_output
from vidcolor.film.output import work_folder
from vidcolor.film.store import Store


@dataclass(frozen=True)
class Clean:
    """Remove the finished parts that are kept beside outputs, in OUTPUT.vidcolor.

    The outputs stay as they are. Colouring one of their films again then begins from nothing.

    For example:

        vidcolor clean out.mkv
    """

    outputs: tyro.conf.Positional[tuple[Path, ...]]
    """What `vidcolor color` wrote, or was to write."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show no summary."""

    def run(self) -> None:
        """Raises VidcolorError."""
        for output in self.outputs:
            if not output.name:
                raise ArgumentError(f"outputs: {output} is a folder, the name of a file is needed")
            if not work_folder(output).is_dir():
                raise MediaError(
                    f"outputs: there is no folder {work_folder(output)}, so nothing is kept of "
                    f"{output}"
                )
        for output in self.outputs:
            store = Store(work_folder(output))
            with lock_output(store.folder, output):
                size = store.size
                store.clear()
            if not self.quiet:
                print(f"{output}: {format_size(size)} removed")
