"""``vidcolor clean out.mkv``."""

from __future__ import annotations

from pathlib import Path

from vidcolor.commands.choices import format_size
from vidcolor.commands.clean import Clean
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.files import named_errors
from vidcolor.film.lock import lock_output, was_locked
from vidcolor.film.output import work_folder
from vidcolor.film.store import Store


def clean_outputs(options: Clean) -> None:
    """Raises VidcolorError."""
    if not options.outputs:
        raise ArgumentError("outputs: none is given, at least one output is needed")
    for output in options.outputs:
        if not output.name:
            raise ArgumentError(f"outputs: {output} is a folder, the name of a file is needed")
        with named_errors(f"outputs: {work_folder(output)} cannot be read"):
            _check(output, work_folder(output))
    for output in options.outputs:
        store = Store(work_folder(output))
        with lock_output(store.folder, output):
            size = store.size
            store.clear()
        if not options.quiet:
            print(f"{output}: {format_size(size)} removed")


def _check(output: Path, folder: Path) -> None:
    if work_folder(output.with_suffix("")) == output and output.is_dir():
        raise ArgumentError(
            f"outputs: {output} is the folder that parts are kept in, the output's own name is "
            f"needed: {output.with_suffix('')}"
        )
    if not folder.is_dir():
        raise MediaError(f"outputs: there is no folder {folder}, so nothing is kept of {output}")
    next(folder.iterdir(), None)  # where that raises, it would look empty
    if not (Store(folder).is_used or was_locked(folder)):
        raise MediaError(
            f"outputs: {folder} holds nothing that vidcolor has kept; it is left as it is"
        )
