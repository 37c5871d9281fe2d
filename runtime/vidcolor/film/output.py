"""What can be told of an output before a frame is coloured: whether it can be written at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from vidcolor.errors import ArgumentError, MediaError
from vidcolor.files import cannot_write
from vidcolor.film.fingerprint import fingerprint_film
from vidcolor.film.report import Report, report_path
from vidcolor.media.codecs import Encoder, choose
from vidcolor.media.containers import muxer_of, supported_codecs
from vidcolor.media.info import Info
from vidcolor.media.names import check_length
from vidcolor.media.writer import REPORT_ENDING


def work_folder(output: Path) -> Path:
    """Where what is finished of an output is kept."""
    return output.with_name(output.name + ".vidcolor")


@dataclass(frozen=True)
class Wanted:
    """Which frames of a clip an output is to have, as far as that is known before the clip is read.

    Without `frames` and `only_shot`, as in `color_video`, it is all of them.
    """

    frames: range | None = None
    only_shot: int | None = None
    preview: bool = False
    """Whether they are to be small, for a quick look."""

    def __str__(self) -> str:
        if self.frames is not None:
            return f"frames {self.frames[0]} to {self.frames[-1]}"
        return "all frames" if self.only_shot is None else f"shot {self.only_shot}"

    def replaces(self, report: Report) -> bool:
        """Whether it may replace the output of a report: one of the same frames, or a preview."""
        same = str(self) == report.wanted or self.frames == report.frames
        return report.preview or (same and not self.preview)


def check_place(output: Path, *, clip: Path, overwrite: bool, wanted: Wanted) -> None:
    """Check that an output, its report and its work folder can be written where they belong.

    Args:
        output: The file to write.
        clip: The clip that it is made from.
        overwrite: Whether any output that exists may be replaced, and not only one that vidcolor
            has made of this clip, with the same frames.
        wanted: The frames that it is to have.

    Raises:
        ArgumentError: The name does not do.
        MediaError: Something there cannot be written to.
    """
    check_length(output, spare=REPORT_ENDING)
    try:
        _check_place(output, clip)
        if not overwrite:
            _check_replaced(output, clip, wanted)
    except PermissionError as error:
        raise cannot_write(output, error) from error


def _check_place(output: Path, clip: Path) -> None:
    folder = output.parent
    if not folder.is_dir():
        raise ArgumentError(f"output: there is no folder {folder} to write {output.name} into")
    if output.is_dir():
        raise ArgumentError(f"output: {output} is a folder, the name of a file is needed")
    if output.exists() and clip.exists() and output.samefile(clip):
        raise ArgumentError(f"output: {output} is the clip itself, another name is needed")
    _check_writable(folder, output)
    _check_report(report_path(output))
    _check_work(work_folder(output), output)


def _check_replaced(output: Path, clip: Path, wanted: Wanted) -> None:
    if not os.path.lexists(output):
        return
    report = _own_report(output, clip)
    if report is None:
        raise ArgumentError(
            f"output: {output} exists already, and no report beside it says that vidcolor made it, "
            "as it is now, of this clip, as it is now; --overwrite replaces it"
        )
    if not wanted.replaces(report):
        raise ArgumentError(
            f"output: {output} exists already, with {report.wanted} of this clip, and "
            f"{'a preview of ' if wanted.preview else ''}{wanted} would replace them; give it "
            "another name, or --overwrite replaces it"
        )


def choose_encoder(
    output: Path, info: Info, codec: str | Encoder, options: Mapping[str, str]
) -> tuple[Encoder, str]:
    """Choose the encoder for an output, and the pixel format that it is given.

    Args:
        output: The file to write; its ending chooses the container.
        info: The clip's.
        codec: As in `vidcolor.media.codecs.choose`.
        options: FFmpeg's options for it, in place of ours.

    Raises:
        ArgumentError: No such container or codec is known, or one does not hold the clip; or the
            encoder does not take an option.
    """
    muxer = muxer_of(output)
    encoder, pixel_format = choose(codec, info, holds=supported_codecs(muxer), container=muxer)
    encoder.check_opens(pixel_format, info)
    encoder.check_options(options, pixel_format, info)
    encoder = encoder.with_options(options)
    encoder.check_opens(pixel_format, info)
    return encoder, pixel_format


def _own_report(output: Path, clip: Path) -> Report | None:
    """The report of a file that vidcolor made of this clip, and that nobody has changed since."""
    try:
        report = Report.read(output)
        prints = fingerprint_film(clip), fingerprint_film(output)
    except OSError:
        return None
    return report if (report.clip_fingerprint, report.output_fingerprint) == prints else None


def _check_writable(folder: Path, output: Path) -> None:
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise cannot_write(output, error) from error


def _check_report(path: Path) -> None:
    if os.path.lexists(path) and not Report.is_one(path):
        raise MediaError(
            f"output: the report {path} cannot be written, there is something else of that name; "
            "rename or remove it"
        )


def _check_work(folder: Path, output: Path) -> None:
    if folder.is_dir():
        _check_writable(folder, output)
    elif os.path.lexists(folder):
        raise MediaError(
            f"output: {folder} cannot be written, there is something else of that name where a "
            "folder for finished parts is needed; rename or remove it"
        )
