"""``vidcolor shots``: its work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidcolor.commands.progress import ProgressBars
from vidcolor.commands.shots import Shots
from vidcolor.commands.times import counted, format_time
from vidcolor.errors import ArgumentError
from vidcolor.files import check_writable, write_errors, write_whole
from vidcolor.film.shots import Cut, find_cuts
from vidcolor.media.names import printable

ENDING = ".txt"
"""Of the list, so that --overwrite never takes a key or a film for an older one."""


def list_shots(options: Shots) -> None:
    """List the shots of a film; see `vidcolor.commands.shots.Shots`.

    Raises:
        VidcolorError: It cannot be done.
    """
    if not options.threshold > 0:
        raise ArgumentError(f"threshold is {options.threshold}, accepted are numbers above 0")
    if options.shortest < 1:
        raise ArgumentError(f"shortest is {options.shortest}, accepted are whole numbers from 1")
    if options.output is not None:
        _check(options.output, film=options.film, overwrite=options.overwrite)
    with ProgressBars(quiet=options.quiet, leave=False) as progress:
        cuts, frames = find_cuts(
            options.film,
            threshold=options.threshold,
            shortest=options.shortest,
            progressive=options.progressive,
            progress=progress,
        )
    text = _listed(printable(options.film.name), cuts, frames)
    if options.output is None:
        print(text, end="")
        return
    write_whole(options.output, text.encode())
    if not options.quiet:
        print(f"{printable(str(options.output))}: {_contents(cuts, frames)}")


def _check(output: Path, *, film: Path, overwrite: bool) -> None:
    with write_errors(output):
        if not output.parent.is_dir():
            raise ArgumentError(
                f"output: there is no folder {output.parent} to write {output.name} into"
            )
        if output.is_dir():
            raise ArgumentError(f"output: {output} is a folder, the name of a file is needed")
        if output.exists() and film.exists() and output.samefile(film):
            raise ArgumentError(f"output: {output} is the film itself, another name is needed")
        if output.suffix.lower() != ENDING:
            raise ArgumentError(f"output: {output} should end in {ENDING}, it is a list as text")
        if output.exists() and not overwrite:
            raise ArgumentError(
                f"output: {output} exists already, and may hold corrections; --overwrite replaces "
                "it"
            )
        check_writable(output)


def _contents(cuts: Sequence[Cut], frames: int) -> str:
    return f"{counted(len(cuts), 'shot')} in {counted(frames, 'frame')}"


def _listed(film: str, cuts: Sequence[Cut], frames: int) -> str:
    lines = [f"# {film}: {_contents(cuts, frames)}; what follows a # is not read"]
    for cut in cuts:
        score = "" if cut.score is None else f"  {cut.score:.1f}"
        lines.append(f"{cut.frame:<8}# {format_time(cut.seconds)}  {cut.kind}{score}")
    return "\n".join(lines) + "\n"
