"""VapourSynth's formats and frame properties <-> the runtime's terms; see `vidcolor.color`."""

from __future__ import annotations

import vapoursynth as vs

from vidcolor.color import Coding, code_of, matrix_of
from vidcolor.errors import ArgumentError
from vidcolor.grid import SITINGS, Grid

COLOUR_PROPS = ("_Matrix", "_Range", "_ChromaLocation")

_UNSPECIFIED = (vs.MATRIX_RGB, vs.MATRIX_UNSPECIFIED)  # a Y'CbCr frame cannot be RGB
_SITINGS = tuple(SITINGS)


def coding_of(frame: vs.VideoFrame) -> Coding:
    """What the code values of a frame mean, by its format, _Matrix and _Range.

    A frame that does not say is taken as zimg and players take it: limited range (RGB: full), and
    the matrix that is usual for its height (of no meaning in RGB).
    Raises ArgumentError for a matrix vidcolor does not speak.
    """
    is_rgb = frame.format.color_family == vs.RGB
    usual_range = vs.RANGE_FULL if is_rgb else vs.RANGE_LIMITED
    return Coding(
        matrix=matrix_of(_number(frame, "_Matrix", vs.MATRIX_UNSPECIFIED), height=frame.height),
        full_range=_number(frame, "_Range", usual_range) == vs.RANGE_FULL,
        bits=frame.format.bits_per_sample,
        is_float=frame.format.sample_type == vs.FLOAT,
    )


def grid_of(frame: vs.VideoFrame) -> Grid:
    """Where the frame's chroma samples sit, by its format and _ChromaLocation ('left' if unsaid).

    In a GRAY frame, where the samples sit that it is going to get: 4:4:4.
    """
    location = _number(frame, "_ChromaLocation", vs.CHROMA_LEFT)
    if location not in range(len(_SITINGS)):
        raise ArgumentError(f"_ChromaLocation is {location}, accepted are 0 to {len(_SITINGS) - 1}")
    subsampling = frame.format.subsampling_w, frame.format.subsampling_h
    return Grid(frame.height, frame.width, subsampling, _SITINGS[location])


def tag(target: vs.VideoFrame, source: vs.VideoFrame) -> None:
    """Set on `target` what `coding_of` and `grid_of` read from `source`, said or unsaid."""
    coding, grid = coding_of(source), grid_of(source)
    said = _number(source, "_Matrix", vs.MATRIX_UNSPECIFIED)
    target.props["_Matrix"] = code_of(coding.matrix) if said in _UNSPECIFIED else said
    target.props["_Range"] = vs.RANGE_FULL if coding.full_range else vs.RANGE_LIMITED
    if any(grid.subsampling):
        target.props["_ChromaLocation"] = _SITINGS.index(grid.siting)


def _number(frame: vs.VideoFrame, name: str, default: int) -> int:
    value = frame.props.get(name, default)
    return int(value) if isinstance(value, int) else default
