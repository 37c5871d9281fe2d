"""What can be told of a film and its output in a moment, before the film is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vidcolor.film.finish import Finish
from vidcolor.film.output import Wanted, check_place, choose_encoder
from vidcolor.media.codecs import AUTO, PREVIEW, Encoder
from vidcolor.media.info import Info
from vidcolor.media.reader import Reader

PREVIEW_SIDE = 256
"""Pixels of the short side of a preview."""


@dataclass(frozen=True)
class CheckedVideo:
    """A film that can be read, and an output that can be written."""

    info: Info
    """The film's, as `side` scales it."""
    side: int | None
    """Short side that the film itself is scaled down to first; None leaves it."""
    encoder: Encoder
    pixel_format: str
    """That the encoder is given."""
    check_output: Callable[[], None]
    """Raises VidcolorError where the output must not be written, as by now."""


def check_video(
    clip: Path,
    output: Path,
    *,
    wanted: Wanted,
    overwrite: bool,
    codec: str,
    codec_options: Mapping[str, str],
    finish: Finish,
    progressive: bool,
) -> CheckedVideo:
    """Check that a film can be read, and its output written.

    Args:
        clip: The film.
        output: The file to write.
        wanted: The frames that it is to have.
        overwrite: As in `color_video`, and so is all that follows.
        codec: Likewise.
        codec_options: Likewise.
        finish: Likewise.
        progressive: Likewise.

    Raises:
        VidcolorError: One of them cannot be used.
    """
    side = PREVIEW_SIDE if wanted.preview else None
    with Reader(clip, side=side, progressive=progressive) as reader:
        info = reader.info
    finish.check(info, output, side=side, progressive=progressive)
    check_output = partial(check_place, output, clip=clip, overwrite=overwrite, wanted=wanted)
    check_output()
    encoder, pixel_format = choose_encoder(
        output, info, PREVIEW if wanted.preview and codec == AUTO else codec, codec_options
    )
    return CheckedVideo(info, side, encoder, pixel_format, check_output)
