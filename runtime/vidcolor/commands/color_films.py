"""``vidcolor color``: its work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from vidcolor.commands.choices import parse_range, parse_scenes, parse_size
from vidcolor.commands.color import Color
from vidcolor.commands.progress import ProgressBars
from vidcolor.errors import ArgumentError
from vidcolor.film.color_video import color_video
from vidcolor.film.key_folder import find_keys
from vidcolor.film.output import work_folder
from vidcolor.key.auto import AUTO as AUTO_KEY
from vidcolor.media.names import printable


def color_films(options: Color) -> None:
    """Colour a film; see `vidcolor.commands.color.Color`.

    Raises:
        VidcolorError: It cannot be done.
    """
    note = _noted(options)
    keys = _keys(options, note)
    start = perf_counter()
    frames = options.shots.frames
    with ProgressBars(quiet=options.quiet) as progress, _told_when_stopped(options.output):
        report = color_video(
            options.film,
            keys=keys,
            output=options.output,
            scenes=parse_scenes(options.shots.scenes),
            direction=options.shots.direction,
            frames=None if frames is None else parse_range(frames),
            only_shot=options.shots.only_shot,
            preview=options.writing.preview,
            model=options.model.model,
            colorizer=options.keys.colorizer,
            provider=options.model.provider,
            precision=options.model.precision,
            size=options.model.size,
            jobs=options.model.jobs,
            cluster=options.model.cluster,
            codec=options.writing.codec,
            overwrite=options.writing.overwrite,
            keep=parse_size(options.writing.keep),
            skip_key_check=options.keys.any_key,
            progressive=options.progressive,
            audio=not options.writing.no_audio,
            progress=progress,
            note=note,
        )
    if not options.quiet:
        count = len(report.confidence)
        speed = count / (perf_counter() - start)
        print(f"{printable(str(options.output))}: {count} frames, {speed:.1f} frames/s")


def _keys(options: Color, note: Callable[[str], None]) -> str | Path | dict[int, Path]:
    folder, image = options.keys.folder, options.keys.image
    if image is not None and folder is None:
        return AUTO_KEY if image == Path(AUTO_KEY) else image
    if folder is not None and image is None:
        return find_keys(folder, note=note)
    raise ArgumentError("keys: a folder --keys or one image --key is needed, and not both")


@contextmanager
def _told_when_stopped(output: Path) -> Iterator[None]:
    """Says that nothing is lost, to somebody who stops the work."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        folder = work_folder(output)
        if folder.is_dir():
            text = f"the same command goes on from what is finished, in {folder}"
            print(f"vidcolor: note: {text}", file=sys.stderr)
        raise


def _noted(options: Color) -> Callable[[str], None]:
    def note(text: str) -> None:
        if not options.quiet:
            print(f"vidcolor: note: {printable(text)}", file=sys.stderr)

    return note
