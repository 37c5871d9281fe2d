"""``vidcolor clean out.mkv``."""

from __future__ import annotations

from vidcolor.commands.choices import format_size
from vidcolor.commands.clean import Clean
from vidcolor.errors import ArgumentError, MediaError
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
        folder = work_folder(output)
        if not folder.is_dir():
            raise MediaError(
                f"outputs: there is no folder {folder}, so nothing is kept of {output}"
            )
        if not (Store(folder).is_used or was_locked(folder)):
            raise MediaError(
                f"outputs: {folder} holds nothing that vidcolor has kept; it is left as it is"
            )
    for output in options.outputs:
        store = Store(work_folder(output))
        with lock_output(store.folder, output):
            size = store.size
            store.clear()
        if not options.quiet:
            print(f"{output}: {format_size(size)} removed")
