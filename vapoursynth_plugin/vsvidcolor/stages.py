"""Full-size frames to working-size planes, and back to chroma and mask.

The frames that go between filters are GRAYS luma, and YUV444PS of confidence and chroma. Chroma on
its way out is a 'YUV' frame of the chroma planes' size, whose first plane means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import vapoursynth as vs

from vidcolor.color import decode_luma, encode_chroma
from vidcolor.grid import Grid, resample
from vidcolor.planes import Key, Plane
from vidcolor.working_size import Fit
from vsvidcolor.filters import new_frame, plane
from vsvidcolor.key_clip import FRAME_PROP
from vsvidcolor.key_frame import key_paint
from vsvidcolor.props import coding_of, grid_of, tag
from vsvidcolor.render import Colours
from vsvidcolor.request import Luma, Painted

CONFIDENCE_PROP = "VidcolorConfidence"
"""On a coloured frame: the mean of its confidence, 0 to 1."""
KEYED_PROP = "VidcolorKeyed"
"""1 when the frame's colour was carried from a key in its shot, 0 when there is none to carry."""
_KEY_PROP = "_VidcolorKey"
"""On a frame of colours at working size that is a key: its number in the key clip."""
_SHOT_PROP = "_SceneChangePrev"


@dataclass(frozen=True)
class Stages:
    """What is done to frames on their way; any number of threads may be in each method."""

    fit: Fit
    saturation: float = 1.0

    def shrink(self, clip: vs.VideoFrame) -> vs.VideoFrame:
        """The clip's luma at working size, GRAYS, tagged as the clip is."""
        luma = self.fit.down(decode_luma(plane(clip, 0), coding_of(clip)))
        frame = new_frame(vs.GRAYS, luma)
        tag(frame, clip)
        if _SHOT_PROP in clip.props:
            frame.props[_SHOT_PROP] = clip.props[_SHOT_PROP]
        return frame

    def read_luma(self, luma: vs.VideoFrame) -> Luma:
        """What `shrink` made, as the recurrence takes it."""
        return Luma(
            plane=plane(luma, 0),
            starts_shot=luma.props[_SHOT_PROP] == 1 if _SHOT_PROP in luma.props else None,
            matrix=coding_of(luma).matrix,
        )

    def read_key(self, key: vs.VideoFrame) -> Painted:
        """A frame of the key clip, as the recurrence takes it."""
        number = key.props.get(FRAME_PROP)
        return Painted(
            fit=partial(self._fit_key, key),
            frame=number if isinstance(number, int) else None,
        )

    def write(self, colours: Colours) -> vs.VideoFrame:
        """What the recurrence made, as a frame: confidence and chroma, YUV444PS."""
        frame = new_frame(vs.YUV444PS, colours.confidence, *colours.chroma)
        frame.props[CONFIDENCE_PROP] = float(colours.confidence.mean(dtype=np.float64))
        frame.props[KEYED_PROP] = int(colours.keyed)
        if colours.key is not None:
            frame.props[_KEY_PROP] = colours.key
        return frame

    def wanted(self, clip: vs.VideoFrame, luma: vs.VideoFrame, small: vs.VideoFrame) -> int | None:
        """Which frame of the key clip `colour` needs of these, if any."""
        number = small.props.get(_KEY_PROP)
        return number if isinstance(number, int) else None

    def colour(
        self,
        clip: vs.VideoFrame,
        luma: vs.VideoFrame,
        small: vs.VideoFrame,
        key: vs.VideoFrame | None = None,
    ) -> vs.VideoFrame:
        """Chroma on the clip's grid, as codes: the model's, or of a key its own.

        luma: what `shrink` made of the clip. small: what `write` made.
        """
        if key is None:
            chroma = self._enlarge(clip, luma, small)
        else:
            chroma = self._key_chroma(clip, luma, small, key)
        if self.saturation != 1:
            chroma = np.clip(np.float32(self.saturation) * chroma, -0.5, 0.5)
        frame = new_frame(chroma_format(clip), None, *encode_chroma(chroma, coding_of(clip)))
        tag(frame, clip)
        _say(frame, small)
        return frame

    def mask(self, clip: vs.VideoFrame, small: vs.VideoFrame) -> vs.VideoFrame:
        """The confidence at the clip's size and depth: GRAY, full range, the clip's properties."""
        full = Grid(self.fit.height, self.fit.width)
        (confidence,) = resample(plane(small, 0)[None], self.fit.working, full)
        if clip.format.sample_type == vs.INTEGER:
            confidence = np.rint(confidence * ((1 << clip.format.bits_per_sample) - 1))
        frame = new_frame(gray_format(clip), confidence)
        frame.props.update(clip.props)
        frame.props["_Range"] = vs.RANGE_FULL
        frame.props.pop("_ChromaLocation", None)
        _say(frame, small)
        return frame

    def _enlarge(self, clip: vs.VideoFrame, luma: vs.VideoFrame, small: vs.VideoFrame) -> Plane:
        """The model's chroma on the clip's grid; its edges are those of the clip's luma."""
        grid = grid_of(clip)
        return self.fit.up(
            _chroma_of(small),
            plane(luma, 0),
            decode_luma(plane(clip, 0), coding_of(clip)),
            grid.subsampling,
            grid.siting,
        )

    def _key_chroma(
        self,
        clip: vs.VideoFrame,
        luma: vs.VideoFrame,
        small: vs.VideoFrame,
        key: vs.VideoFrame,
    ) -> Plane:
        """The key's own chroma on the clip's grid, spread to where it is not painted."""
        coding = coding_of(clip)
        return key_paint(key, matrix=coding.matrix).full(
            Key(plane(luma, 0), _chroma_of(small)),
            decode_luma(plane(clip, 0), coding),
            self.fit,
            grid_of(clip),
        )

    def _fit_key(self, key: vs.VideoFrame, luma: Luma) -> Key:
        """The key at working size."""
        return key_paint(key, matrix=luma.matrix).small(luma.plane, self.fit)


def _chroma_of(small: vs.VideoFrame) -> Plane:
    """What `Stages.write` made of chroma."""
    return np.stack([plane(small, index) for index in (1, 2)])


def _say(frame: vs.VideoFrame, small: vs.VideoFrame) -> None:
    """Set on `frame` what it says of its colours."""
    for name in (CONFIDENCE_PROP, KEYED_PROP):
        frame.props[name] = small.props[name]


def chroma_shape(clip: vs.VideoNode) -> tuple[int, int]:
    """Height and width of the chroma planes of the coloured clip."""
    return clip.height >> clip.format.subsampling_h, clip.width >> clip.format.subsampling_w


def chroma_format(clip: vs.VideoNode | vs.VideoFrame) -> int:
    """The id of the format that carries chroma codes of the clip's depth."""
    return _format(clip, vs.YUV)


def gray_format(clip: vs.VideoNode | vs.VideoFrame) -> int:
    """The id of the GRAY format of the clip's depth."""
    return _format(clip, vs.GRAY)


def _format(clip: vs.VideoNode | vs.VideoFrame, family: vs.ColorFamily) -> int:
    kind, bits = clip.format.sample_type, clip.format.bits_per_sample
    return vs.core.query_video_format(family, kind, bits, 0, 0).id
