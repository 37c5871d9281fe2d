"""VapourSynth's formats and frame properties <-> the runtime's terms; see `vidcolor.color`."""

from __future__ import annotations

import vapoursynth as vs

from vidcolor.color import ZIMG_MATRICES, Coding, code_of, matrix_of
from vidcolor.errors import ArgumentError
from vidcolor.grid import SITINGS, Grid

COLOR_PROPS = ("_Matrix", "_Range", "_ChromaLocation")

_UNSPECIFIED = (vs.MATRIX_RGB, vs.MATRIX_UNSPECIFIED)  # a Y'CbCr frame cannot be RGB
_SITINGS = tuple(SITINGS)


def coding_of(frame: vs.VideoFrame) -> Coding:
    """What the code values of a frame mean, by its format, _Matrix and _Range.

    Args:
        frame: Any frame. Where it does not say so, it is read as zimg and players do: limited
            range (RGB: full), and the matrix that is usual for its height (of no meaning in RGB).

    Returns:
        Its matrix, range and depth.

    Raises:
        ArgumentError: vidcolor does not know the matrix.
    """
    is_rgb = frame.format.color_family == vs.RGB
    usual_range = vs.RANGE_FULL if is_rgb else vs.RANGE_LIMITED
    return Coding(
        matrix=_matrix(frame),
        full_range=_number(frame, "_Range", usual_range) == vs.RANGE_FULL,
        bits=frame.format.bits_per_sample,
        is_float=frame.format.sample_type == vs.FLOAT,
    )


def grid_of(frame: vs.VideoFrame) -> Grid:
    """Where the chroma samples of a frame sit, by its format and _ChromaLocation.

    Args:
        frame: Any frame; 'left' where it does not say so.

    Returns:
        The grid of its chroma; of a GRAY frame, that of the 4:4:4 frame that it becomes.

    Raises:
        ArgumentError: _ChromaLocation is not one of VapourSynth's.
    """
    location = _number(frame, "_ChromaLocation", vs.CHROMA_LEFT)
    if location not in range(len(_SITINGS)):
        raise ArgumentError(f"_ChromaLocation is {location}, accepted are 0 to {len(_SITINGS) - 1}")
    subsampling = frame.format.subsampling_w, frame.format.subsampling_h
    return Grid(frame.height, frame.width, subsampling, _SITINGS[location])


def tag(target: vs.VideoFrame, source: vs.VideoFrame) -> None:
    """Set properties so that `coding_of` and `grid_of` read the same from both frames.

    Args:
        target: The frame to set them on.
        source: The frame to read; what it does not say is set on `target` as it was read.
    """
    coding, grid = coding_of(source), grid_of(source)
    said = _number(source, "_Matrix", vs.MATRIX_UNSPECIFIED)
    target.props["_Matrix"] = code_of(coding.matrix) if said in _UNSPECIFIED else said
    target.props["_Range"] = vs.RANGE_FULL if coding.full_range else vs.RANGE_LIMITED
    if any(grid.subsampling):
        target.props["_ChromaLocation"] = _SITINGS.index(grid.siting)


def _matrix(frame: vs.VideoFrame) -> str:
    code = _number(frame, "_Matrix", vs.MATRIX_UNSPECIFIED)
    try:
        return matrix_of(code, height=frame.height)
    except ArgumentError as error:
        remedy = "to BT.709, with the program that made it"
        if code in ZIMG_MATRICES:
            remedy = 'such as with core.resize.Bicubic(clip, matrix_s="709")'
        raise ArgumentError(f"{error}; convert it first, {remedy}") from None


def _number(frame: vs.VideoFrame, name: str, default: int) -> int:
    value = frame.props.get(name, default)
    return int(value) if isinstance(value, int) else default
