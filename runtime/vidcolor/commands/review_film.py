"""``vidcolor review out.mp4 -o review.html``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from vidcolor.advise.preview import Preview, encode_preview
from vidcolor.advise.review_page import GENERATOR, Second, build_page, weakest_frames
from vidcolor.commands.progress import Bar
from vidcolor.commands.review import Review
from vidcolor.commands.times import counted
from vidcolor.errors import ArgumentError, MediaError, renamed_argument
from vidcolor.files import check_writable, write_errors, write_whole
from vidcolor.film.report import Report, report_path
from vidcolor.media.reader import Reader

LARGEST = 96 * 2**20
"""Bytes of a preview that is put into the page; browsers grow slow on larger pages."""
_HEAD = 1000
"""Characters of a page that say what made it."""


def review_film(options: Review) -> None:
    """Raises VidcolorError, and then leaves no page behind."""
    with write_errors(options.output):
        _check(options)
        report = Report.read(options.colored)
        second = None if options.against is None else _read_second(options, options.against, report)
        with TemporaryDirectory(prefix=".review-", dir=options.output.parent) as folder:
            copy = Path(folder) / "preview.mp4"
            preview = _encode(options, report, copy)
            is_large = copy.stat().st_size > LARGEST
            page = build_page(
                report,
                preview,
                title=options.colored.name,
                goal=options.goal,
                video=_preview_path(options).name if is_large else copy.read_bytes(),
                second=second,
            )
            write_whole(options.output, page.encode())
            if is_large:
                copy.replace(_preview_path(options))
    if not options.quiet:
        also = f", with {_preview_path(options).name} beside it" if is_large else ""
        print(f"{options.output}: {counted(len(report.confidence), 'frame')}{also}")


def _preview_path(options: Review) -> Path:
    """Where a copy of the film goes that is too large to be part of the page."""
    return options.output.with_suffix(".preview.mp4")


def _check(options: Review) -> None:
    if not options.colored.name:
        raise ArgumentError(
            f"colored: {options.colored} is a folder, the name of a coloured film is needed"
        )
    if not 0 < options.goal <= 1:
        raise ArgumentError(f"goal is {options.goal}, accepted are numbers above 0 and up to 1")
    if options.side < 64:
        raise ArgumentError(f"side is {options.side}, accepted are whole numbers from 64")
    if not options.output.parent.is_dir():
        raise ArgumentError(
            f"output: there is no folder {options.output.parent} to write "
            f"{options.output.name} into"
        )
    if options.output.suffix.lower() not in (".html", ".htm"):
        raise ArgumentError(
            f"output: {options.output} should end in .html, for browsers to open it"
        )
    copy = _preview_path(options)
    for film in (options.colored, options.against):
        if film is not None and copy.exists() and film.exists() and copy.samefile(film):
            raise ArgumentError(
                f"output: beside {options.output} may go its copy of the film, {copy}, which is "
                "the film itself; another name is needed"
            )
    is_own = _is_own(options)
    for path in (options.output, copy):
        if path.exists() and not options.overwrite and not is_own:
            raise ArgumentError(f"output: {path} exists already; --overwrite replaces it")
        check_writable(path)


def _is_own(options: Review) -> bool:
    """Whether the page that is there was made by this command."""
    if not options.output.is_file():
        return False
    with options.output.open(encoding="utf-8", errors="replace") as page:
        return GENERATOR in page.read(_HEAD)


def _read_second(options: Review, against: Path, report: Report) -> Second:
    """What is known of the second version, before the work begins."""
    if not against.is_file():
        raise ArgumentError(f"against: there is no file {against}")
    with renamed_argument("against", of="output"):
        second = Report.read(against) if report_path(against).is_file() else None
    if second is not None and second.frames != report.frames:
        raise ArgumentError(
            f"against: {against} has the film's frames {second.first} to "
            f"{second.frames[-1]}, {options.colored} has {report.first} to {report.frames[-1]}; "
            "a version of the same frames is needed"
        )
    with renamed_argument("against"), Reader(against) as reader:
        return Second(against.name, second, reader.info.orientation)


def _encode(options: Review, report: Report, copy: Path) -> Preview:
    frames = len(report.confidence)
    with Bar("making the copy", frames, quiet=options.quiet) as progress:
        preview = encode_preview(
            options.colored,
            copy,
            side=options.side,
            pictures_of=weakest_frames(report).values(),
            against=options.against,
            audio=not options.no_audio,
            progress=progress,
        )
    frames = len(preview.times) - 1
    if frames != len(report.confidence):
        raise MediaError(
            f"output: {options.colored} has {frames} frames, its report is of "
            f"{len(report.confidence)}; colour the film again"
        )
    return preview
