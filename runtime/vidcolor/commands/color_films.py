"""``vidcolor color``: its work."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from vidcolor.commands.choices import (
    parse_blend,
    parse_codec_options,
    parse_key_ranges,
    parse_range,
    parse_scenes,
    parse_size,
    parse_spans,
)
from vidcolor.commands.color import Color, FinishOptions
from vidcolor.commands.plan_text import plan_lines, result_lines
from vidcolor.commands.progress import ProgressBars
from vidcolor.errors import ArgumentError, VidcolorError
from vidcolor.files import named_errors
from vidcolor.film.color_video import color_video
from vidcolor.film.finish import Finish
from vidcolor.film.key_folder import find_keys
from vidcolor.film.output import Wanted, check_place
from vidcolor.film.plan import Plan
from vidcolor.grade import Grades
from vidcolor.key.auto import AUTO as AUTO_KEY
from vidcolor.media.containers import ENDINGS
from vidcolor.media.names import printable


@dataclass(frozen=True)
class _Job:
    """One of the films."""

    film: Path
    keys: str | Path | dict[int, Path] | None
    """As in `color_video`."""
    output: Path


def color_films(options: Color) -> None:
    """Colour films; see `vidcolor.commands.color.Color`.

    Of several, the others are coloured where one fails.

    Raises:
        VidcolorError: One or more cannot be coloured.
    """
    if not options.films:
        raise ArgumentError("films: none is given, at least one film is needed")
    if len(options.films) == 1:
        _color(options, _job(options, options.films[0]))
        return
    _check_several(options)
    jobs = [_job(options, film) for film in options.films]
    _check_distinct(jobs)
    wanted, overwrite = Wanted(preview=options.writing.preview), options.writing.overwrite
    for job in jobs:
        check_place(job.output, clip=job.film, overwrite=overwrite, wanted=wanted)
    failed = 0
    for job in jobs:
        try:
            _color(options, job)
        except VidcolorError as error:
            failed += 1
            print(f"vidcolor: {printable(f'{job.film}: {error}')}", file=sys.stderr)
    if failed:
        raise ArgumentError(f"{failed} of {len(jobs)} films could not be coloured")


def _check_several(options: Color) -> None:
    shots, keys = options.shots, options.keys
    if options.output_folder is None:
        raise ArgumentError("output: for several films, a folder is needed: --output-folder")
    if keys.image is not None and keys.image != Path(AUTO_KEY):
        raise ArgumentError(
            "key is one image, of one film; for several films a folder --keys is needed that holds "
            "a folder for each, named as the film without its ending"
        )
    single = {
        "key-range": options.keys.key_range or None,
        "range": shots.frames,
        "only-shot": shots.only_shot,
        "scenes": None if shots.scenes in ("auto", "none") else shots.scenes,
    }
    for name, value in single.items():
        if value is not None:
            raise ArgumentError(f"{name} is {value}, which is accepted for one film only")


def _check_distinct(jobs: Sequence[_Job]) -> None:
    twice = [output for output, times in Counter(job.output for job in jobs).items() if times > 1]
    if twice:
        raise ArgumentError(
            f"films: two of them would be written to {twice[0]}; give them in two calls, with two "
            "folders"
        )


def _job(options: Color, film: Path) -> _Job:
    return _Job(film, _keys(options, film), _output(options, film))


def _output(options: Color, film: Path) -> Path:
    folder = options.output_folder
    if (options.output is None) == (folder is None):
        raise ArgumentError("output: --output or --output-folder is needed, and not both")
    if options.output is not None:
        return options.output
    assert folder is not None  # noqa: S101  (for the type checker)
    with named_errors(f"output-folder: {folder} cannot be made"):
        if folder.exists() and not folder.is_dir():
            raise ArgumentError(f"output-folder: {folder} is a file, a folder is needed")
        folder.mkdir(exist_ok=True)
    return folder / (film.name if film.suffix.lower() in ENDINGS else f"{film.stem}.mkv")


def _keys(options: Color, film: Path) -> str | Path | dict[int, Path] | None:
    folder, image = options.keys.folder, options.keys.image
    if folder is None and image is None and options.keys.reference:
        return None
    if (folder is None) == (image is None):
        raise ArgumentError(
            "keys: a folder --keys or one image --key is needed, and not both, or a --reference"
        )
    if image is not None:
        return AUTO_KEY if image == Path(AUTO_KEY) else image
    assert folder is not None  # noqa: S101  (for the type checker)
    own = folder / film.stem
    if len(options.films) > 1 or (options.output_folder is not None and own.is_dir()):
        folder = own
    return find_keys(folder, name=options.keys.key_name, note=_noted(options))


def _color(options: Color, job: _Job) -> None:
    start = perf_counter()
    frames = options.shots.frames

    def told(plan: Plan) -> None:
        if not options.quiet:
            progress.close()
            for line in plan_lines(plan):
                print(printable(line), flush=True)

    with ProgressBars(quiet=options.quiet) as progress:
        report = color_video(
            job.film,
            keys=job.keys,
            output=job.output,
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
            codec_options=parse_codec_options(
                options.writing.crf, options.writing.preset, options.writing.codec_options
            ),
            overwrite=options.writing.overwrite,
            keep=parse_size(options.writing.keep),
            skip_key_check=options.keys.any_key,
            whole_keys=options.keys.whole_keys,
            references=options.keys.reference,
            key_ranges=parse_key_ranges(options.keys.key_range),
            finish=_finish(options.finish),
            progressive=options.progressive,
            audio=not options.writing.no_audio,
            unkeyed=options.keys.unkeyed,
            plan=told,
            progress=progress,
            note=_noted(options),
        )
    if not options.quiet:
        for line in result_lines(report, job.output, perf_counter() - start):
            print(printable(line))


def _finish(options: FinishOptions) -> Finish:
    grades = Grades(parse_spans("saturation", options.saturation), parse_spans("hue", options.hue))
    return Finish(grades, None if options.blend is None else parse_blend(options.blend))


def _noted(options: Color) -> Callable[[str], None]:
    def note(text: str) -> None:
        if not options.quiet:
            print(f"vidcolor: note: {printable(text)}", file=sys.stderr)

    return note
