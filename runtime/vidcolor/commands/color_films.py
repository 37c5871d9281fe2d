"""``vidcolor color``: its work."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from vidcolor.commands.choices import (
    parse_blend,
    parse_codec_options,
    parse_key_ranges,
    parse_range,
    parse_scenes,
    parse_size,
    parse_spans,
)
from vidcolor.commands.color import Color, FinishOptions, KeyOptions
from vidcolor.commands.plan_text import plan_lines, result_lines
from vidcolor.commands.progress import ProgressBars
from vidcolor.errors import ArgumentError, VidcolorError
from vidcolor.files import named_errors
from vidcolor.film.check_video import check_video
from vidcolor.film.cluster import check_cluster
from vidcolor.film.color_video import color_video
from vidcolor.film.finish import Finish
from vidcolor.film.key_folder import find_keys
from vidcolor.film.keys import find_sources
from vidcolor.film.output import Wanted
from vidcolor.film.plan import Plan
from vidcolor.grade import Grades
from vidcolor.inference.bundle import find_bundle
from vidcolor.key.auto import AUTO as AUTO_KEY
from vidcolor.media.containers import ENDINGS
from vidcolor.media.names import printable
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of


@dataclass(frozen=True)
class _Job:
    """One of the films."""

    film: Path
    output: Path
    keys: str | Path | dict[int, Path] | None = None
    """As in `color_video`."""


def color_films(options: Color) -> None:
    """Colour films; see `vidcolor.commands.color.Color`.

    Of several, all are checked first. Those that can be coloured are, also where others fail.

    Raises:
        VidcolorError: One or more cannot be coloured.
    """
    if not options.films:
        raise ArgumentError("films: none is given, at least one film is needed")
    if len(options.films) > 1:
        _check_several(options)
    _check_sources(options.keys)
    settings = _settings(options)
    jobs = [_Job(film, _output(options, film)) for film in options.films]
    _check_distinct(jobs)
    with _folder_made(options.output_folder):
        if len(jobs) == 1:
            _color(options, _checked(options, settings, jobs[0]), settings)
        else:
            _color_several(options, settings, jobs)


def _color_several(options: Color, settings: dict[str, Any], jobs: Sequence[_Job]) -> None:
    # These are all films' alike.
    find_bundle(options.model.model)
    if options.model.cluster is not None:
        check_cluster(options.model.cluster)
    good: list[_Job] = []
    for job in jobs:
        with _told(job):
            checked = _checked(options, settings, job)
            _check_keys(options, checked)
            good.append(checked)
    if good and len(good) < len(jobs):
        _noted(options)(f"{len(good)} of {len(jobs)} films can be coloured, and are")
    finished = 0
    for job in good:
        with _told(job):
            _color(options, job, settings)
            finished += 1
    if finished < len(jobs):
        raise ArgumentError(f"{len(jobs) - finished} of {len(jobs)} films could not be coloured")


@contextmanager
def _told(job: _Job) -> Iterator[None]:
    """Says of which film an error is; the others go on."""
    try:
        yield
    except VidcolorError as error:
        print(f"vidcolor: {printable(f'{job.film}: {error}')}", file=sys.stderr)


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


def _check_sources(keys: KeyOptions) -> None:
    given = (keys.folder is not None) + (keys.image is not None)
    if given > 1 or not (given or keys.reference):
        raise ArgumentError(
            "keys: a folder --keys or one image --key is needed, and not both, or a --reference"
        )


def _check_distinct(jobs: Sequence[_Job]) -> None:
    twice = [output for output, times in Counter(job.output for job in jobs).items() if times > 1]
    if twice:
        raise ArgumentError(
            f"films: two of them would be written to {twice[0]}; give them in two calls, with two "
            "folders"
        )


def _output(options: Color, film: Path) -> Path:
    folder = options.output_folder
    if options.output is not None and folder is None:
        return options.output
    if folder is None or options.output is not None:
        raise ArgumentError("output: --output or --output-folder is needed, and not both")
    return folder / (film.name if film.suffix.lower() in ENDINGS else f"{film.stem}.mkv")


@contextmanager
def _folder_made(folder: Path | None) -> Iterator[None]:
    """Make the folder for outputs; one that is new and stays empty goes again."""
    is_new = False
    if folder is not None:
        with named_errors(f"output-folder: {folder} cannot be made"):
            if folder.exists() and not folder.is_dir():
                raise ArgumentError(f"output-folder: {folder} is a file, a folder is needed")
            is_new = not folder.exists()
            folder.mkdir(exist_ok=True)
    try:
        yield
    finally:
        if is_new and folder is not None:
            with suppress(OSError):
                folder.rmdir()


def _checked(options: Color, settings: dict[str, Any], job: _Job) -> _Job:
    """A job with its keys, whose film can be read, and whose output can be written."""
    shared = ("overwrite", "codec", "codec_options", "finish", "progressive")
    wanted = Wanted(settings["frames"], settings["only_shot"], settings["preview"])
    check_video(job.film, job.output, wanted=wanted, **{name: settings[name] for name in shared})
    return replace(job, keys=_keys(options, job.film))


def _check_keys(options: Color, job: _Job) -> None:
    """Check that each can be read."""
    if isinstance(job.keys, dict):
        with Reader(job.film, progressive=options.progressive) as reader:
            info = reader.info
        matrix, whole = coding_of(info).matrix, options.keys.whole_keys
        find_sources(job.keys, clip=job.film, info=info, matrix=matrix, whole=whole)


def _keys(options: Color, film: Path) -> str | Path | dict[int, Path] | None:
    folder, image = options.keys.folder, options.keys.image
    if image is not None:
        return AUTO_KEY if image == Path(AUTO_KEY) else image
    if folder is None:
        return None
    own = folder / film.stem
    if len(options.films) > 1 or (options.output_folder is not None and own.is_dir()):
        folder = own
    return find_keys(folder, name=options.keys.key_name, note=_noted(options))


def _settings(options: Color) -> dict[str, Any]:
    """What `color_video` is told of all films alike."""
    frames = options.shots.frames
    return {
        "scenes": parse_scenes(options.shots.scenes),
        "direction": options.shots.direction,
        "frames": None if frames is None else parse_range(frames),
        "only_shot": options.shots.only_shot,
        "preview": options.writing.preview,
        "model": options.model.model,
        "colorizer": options.keys.colorizer,
        "provider": options.model.provider,
        "precision": options.model.precision,
        "size": options.model.size,
        "jobs": options.model.jobs,
        "cluster": options.model.cluster,
        "codec": options.writing.codec,
        "codec_options": parse_codec_options(
            options.writing.crf, options.writing.preset, options.writing.codec_options
        ),
        "overwrite": options.writing.overwrite,
        "keep": parse_size(options.writing.keep),
        "skip_key_check": options.keys.any_key,
        "whole_keys": options.keys.whole_keys,
        "references": options.keys.reference,
        "key_ranges": parse_key_ranges(options.keys.key_range),
        "finish": _finish(options.finish),
        "progressive": options.progressive,
        "audio": not options.writing.no_audio,
        "unkeyed": options.keys.unkeyed,
    }


def _color(options: Color, job: _Job, settings: dict[str, Any]) -> None:
    start = perf_counter()

    def told(plan: Plan) -> None:
        progress.seconds_left = plan.seconds_left
        if not options.quiet:
            progress.close()
            for line in plan_lines(plan):
                print(printable(line), flush=True)

    with ProgressBars(quiet=options.quiet) as progress:
        report = color_video(
            job.film,
            keys=job.keys,
            output=job.output,
            plan=told,
            progress=progress,
            note=_noted(options),
            **settings,
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
