"""The stages without memory: full-size frames to working-size planes, and back to chroma.

The frames that go between filters are GRAYS luma, or YUV444PS: confidence or luma, then chroma.
Chroma on its way out is a 'YUV' frame of the chroma planes' size, whose first plane means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import vapoursynth as vs

from vidcolor.colour import decode_luma, encode_chroma
from vidcolor.fit import Fit
from vidcolor.grid import resample
from vidcolor.planes import Plane
from vsvidcolor.filters import new_frame, plane
from vsvidcolor.keyframe import key_chroma
from vsvidcolor.props import coding_of, grid_of, tag


@dataclass(frozen=True)
class Stages:
    """Each takes and gives frames; any number of threads may be in each."""

    fit: Fit

    def shrink(self, clip: vs.VideoFrame) -> vs.VideoFrame:
        """The clip's luma at working size, GRAYS."""
        return new_frame(vs.GRAYS, self._small_luma(clip))

    def shrink_key(self, clip: vs.VideoFrame, key: vs.VideoFrame) -> vs.VideoFrame:
        """The key at working size, YUV444PS: the clip's luma and the key's chroma."""
        chroma, grid = key_chroma(key, matrix=coding_of(clip).matrix)
        return new_frame(vs.YUV444PS, self._small_luma(clip), *self.fit.down_chroma(chroma, grid))

    def fit_key(self, clip: vs.VideoFrame, key: vs.VideoFrame) -> vs.VideoFrame:
        """The key's own chroma on the clip's grid, as codes."""
        chroma, grid = key_chroma(key, matrix=coding_of(clip).matrix)
        return _encode(resample(chroma, grid, grid_of(clip)), clip)

    def enlarge(
        self, clip: vs.VideoFrame, luma: vs.VideoFrame, small: vs.VideoFrame
    ) -> vs.VideoFrame:
        """The model's chroma on the clip's grid, as codes; its edges are those of the clip's luma.

        luma: what `shrink` made of the clip. small: confidence and chroma at working size.
        """
        grid = grid_of(clip)
        chroma = self.fit.up(
            np.stack([plane(small, index) for index in (1, 2)]),
            plane(luma, 0),
            decode_luma(plane(clip, 0), coding_of(clip)),
            grid.subsampling,
            grid.siting,
        )
        return _encode(chroma, clip)

    def _small_luma(self, clip: vs.VideoFrame) -> Plane:
        return self.fit.down(decode_luma(plane(clip, 0), coding_of(clip)))


def chroma_shape(clip: vs.VideoNode) -> tuple[int, int]:
    """Height and width of the chroma planes of the coloured clip."""
    return clip.height >> clip.format.subsampling_h, clip.width >> clip.format.subsampling_w


def chroma_format(clip: vs.VideoNode | vs.VideoFrame) -> int:
    """The id of the format that carries chroma codes of the clip's depth."""
    kind, bits = clip.format.sample_type, clip.format.bits_per_sample
    return vs.core.query_video_format(vs.YUV, kind, bits, 0, 0).id


def _encode(chroma: Plane, clip: vs.VideoFrame) -> vs.VideoFrame:
    """A frame of chroma codes, tagged with how `clip` is to be read."""
    frame = new_frame(chroma_format(clip), None, *encode_chroma(chroma, coding_of(clip)))
    tag(frame, clip)
    return frame
