"""The commands, of FFmpeg's own program, that convert a clip which is refused."""

from __future__ import annotations

import av

from vidcolor.color import ZIMG_MATRICES
from vidcolor.media.info import RGB_MATRIX, UNSPECIFIED, Tags

DEINTERLACE = "-vf bwdif=mode=send_frame"
"""A frame for every two fields, so that the frame rate stays."""

_FFMPEG_MATRICES = {
    "bt601": "smpte170m",
    "bt709": "bt709",
    "bt2020": "bt2020nc",
    "fcc": "fcc",
    "smpte240m": "smpte240m",
}
"""Our names of matrices, and those of FFmpeg's option -colorspace."""
_DERIVED, _ICTCP = 12, 14
_USUAL = {_DERIVED: ":pin=709:p=709", _ICTCP: ":pin=2020:p=2020:tin=smpte2084:t=smpte2084"}
"""The primaries and the transfer of clips that do not say theirs, for matrices that need them."""
_BT2020 = 9
"""The primaries of BT.2020."""


def convert(source: str, *options: str) -> str:
    """The command that converts a clip, and loses nothing else of its picture and its sound.

    Args:
        source: What follows `ffmpeg`, to read the clip: see `vidcolor.media.sequence`.
        options: What to convert, as the functions and constants here have it.
    """
    return f"ffmpeg {source} {' '.join(options)} -c:v ffv1 -c:a copy converted.mkv"


def to_pixel_format(form: av.VideoFormat) -> str:
    """Options that convert a pixel format that vidcolor does not take to one that it does."""
    bits = form.components[0].bits
    if "gray" in form.name or form.name.startswith(("ya", "mono")):
        return f"-pix_fmt {'gray' if bits <= 8 else 'gray16le'}"
    deep = "" if bits <= 8 else f"{10 if bits <= 10 else 16}le"
    option = f"-pix_fmt yuv444p{deep}"
    # FFmpeg itself takes BT.601 and does not say so, and players then take a large film for BT.709.
    return f"{to_matrix('bt709')} {option}" if form.is_rgb or form.has_palette else option


def to_matrix(matrix: str) -> str:
    """Options that convert RGB, or one of the matrices that vidcolor knows, to another of them."""
    return f"-vf scale=out_color_matrix={matrix} -colorspace {_FFMPEG_MATRICES[matrix]}"


def from_matrix(tags: Tags, source: str) -> str:
    """What helps with a clip of a matrix that vidcolor does not know.

    Args:
        tags: The clip's.
        source: As in `convert`.
    """
    if tags.matrix not in ZIMG_MATRICES:
        return "convert it to BT.709 with the program that made it"
    usual = ""
    if {tags.primaries, tags.transfer} & {RGB_MATRIX, UNSPECIFIED}:
        usual = _USUAL.get(tags.matrix, "")
    wide = tags.primaries == _BT2020 or tags.matrix == _ICTCP
    command = convert(source, f"-vf zscale=matrix={'2020_ncl' if wide else '709'}{usual}")
    return f"convert it first, such as with an FFmpeg that has zscale: {command}"
