"""Full-size frames to working-size planes, and back to chroma and mask.

The frames that go between filters are GRAYS (luma) and YUV444PS (confidence and chroma). Chroma on
its way out is a 'YUV' frame of the size of the chroma planes, whose first plane means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import vapoursynth as vs

from vidcolor.blend import blend_chroma
from vidcolor.color import Codes, decode_chroma, decode_luma, encode_chroma
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.grade import Grades
from vidcolor.grid import Grid, resample
from vidcolor.inference.enlarge import Enlarger, Guide
from vidcolor.key.bars import without_bars
from vidcolor.key.gray import is_gray
from vidcolor.planes import Key, Plane
from vidcolor.references import fit_reference
from vidcolor.working_size import WorkingSize
from vsvidcolor.cancel import CancelToken
from vsvidcolor.frames import new_frame, plane
from vsvidcolor.key_frame import key_paint, reference_key
from vsvidcolor.props import coding_of, grid_of, tag
from vsvidcolor.render import ColoredFrame
from vsvidcolor.request import ClipFrame, KeyFrame

CONFIDENCE_PROP = "VidcolorConfidence"
"""On a coloured frame: the mean of its confidence, 0 to 1."""
KEYED_PROP = "VidcolorKeyed"
"""1 when the frame's colour was carried from a key in its shot, 0 when there is none to carry."""
_KEY_PROP = "_VidcolorKey"
"""On a frame of colours at working size that is a key: its number in the key clip."""
_SHOT_PROP = "_SceneChangePrev"


@dataclass(frozen=True)
class Stages:
    """What is done to a frame on its way. Any number of threads may call each method."""

    working_size: WorkingSize
    """To the working size and back."""
    grades: Grades = field(default_factory=Grades)
    """What is done to finished colours."""
    blend: float = 0.0
    """Share of the chroma of another coloured clip, in [0, 1]; 0 where there is none."""
    enlarger: Enlarger | None = None
    """What brings chroma to full size; None: the CPU."""

    def shrink(self, clip: vs.VideoFrame) -> vs.VideoFrame:
        """Bring a frame's luma to working size.

        Args:
            clip: A frame of the clip.

        Returns:
            GRAYS, tagged as the clip is.
        """
        luma = self.working_size.downsample_codes(plane(clip, 0), coding_of(clip))
        frame = new_frame(vs.GRAYS, luma)
        tag(frame, clip)
        if _SHOT_PROP in clip.props:
            frame.props[_SHOT_PROP] = clip.props[_SHOT_PROP]
        return frame

    def read_luma(self, luma: vs.VideoFrame) -> ClipFrame:
        """Read what `shrink` made."""
        return ClipFrame(
            luma=plane(luma, 0),
            starts_shot=luma.props[_SHOT_PROP] == 1 if _SHOT_PROP in luma.props else None,
            matrix=coding_of(luma).matrix,
        )

    def fit_key(self, key: KeyFrame, clip_frame: ClipFrame) -> Key:
        """Bring a key to working size.

        Args:
            key: A frame of the key clip.
            clip_frame: The clip's frame that it colours.

        Returns:
            The key, spread over the whole frame.

        Raises:
            KeyFrameError: The frame's tags or its alpha are not accepted.
        """
        paint = key_paint(key.image, matrix=clip_frame.matrix)
        return paint.small(clip_frame.luma, self.working_size)

    def fit_reference(self, reference: KeyFrame, clip_frame: ClipFrame) -> Key:
        """Bring a picture that shows no frame of the clip to working size.

        Args:
            reference: The frame that holds it; black bars around the picture are cut off.
            clip_frame: Any frame of the clip.

        Raises:
            KeyFrameError: The frame's tags are not accepted, or it is gray.
        """
        key = reference_key(reference.image, matrix=clip_frame.matrix)
        if is_gray(key):
            raise KeyFrameError("it is gray, a picture in colour is needed")
        return fit_reference(without_bars(key) or key, self.working_size)

    def write(self, colored: ColoredFrame) -> vs.VideoFrame:
        """Make a frame of what the renderer gives: confidence and chroma, YUV444PS."""
        frame = new_frame(vs.YUV444PS, colored.confidence, *colored.chroma)
        frame.props[CONFIDENCE_PROP] = float(colored.confidence.mean(dtype=np.float64))
        frame.props[KEYED_PROP] = int(colored.has_key)
        if colored.key is not None:
            frame.props[_KEY_PROP] = colored.key
        return frame

    def key_number(
        self,
        clip: vs.VideoFrame,
        luma: vs.VideoFrame,
        small: vs.VideoFrame,
        other: vs.VideoFrame | None = None,
    ) -> int | None:
        """Which frame of the key clip `color` needs besides these, if any."""
        number = small.props.get(_KEY_PROP)
        return number if isinstance(number, int) else None

    def color(
        self,
        number: int,
        clip: vs.VideoFrame,
        luma: vs.VideoFrame,
        small: vs.VideoFrame,
        *more: vs.VideoFrame,
    ) -> vs.VideoFrame:
        """Bring colours to full size: the model's, or on a key frame the key's own.

        Blending and grading start from code values, as in the command, whose work folder keeps
        these: so both give the same bytes.

        Args:
            number: The frame's.
            clip: The frame of the clip.
            luma: What `shrink` made of it.
            small: What `write` made for it.
            more: Where there is a clip to blend with, its frame; and the frame of the key clip that
                `key_number` named, if it did.

        Returns:
            Chroma codes on the clip's chroma grid, in a frame of `chroma_format`.

        Raises:
            ArgumentError: The frame to blend with has another matrix.
            InterruptedSeekError: Ctrl-C was pressed while a device was at work.
        """
        key = more[-1] if len(more) > int(self.blend > 0) else None
        coding, grade = coding_of(clip), self.grades.at(number)
        if key is None:
            codes = self._enlarge(number, clip, luma, small)
        else:
            codes = encode_chroma(self._key_chroma(clip, luma, small, key), coding)
        if self.blend > 0 or not grade.is_neutral:
            chroma = decode_chroma(*codes, coding)
            if self.blend > 0:
                chroma = blend_chroma(chroma, self._other_chroma(clip, more[0]), self.blend)
            codes = encode_chroma(grade.apply(chroma), coding)
        frame = new_frame(chroma_format(clip), None, *codes)
        tag(frame, clip)
        _copy_reports(small, frame)
        return frame

    def mask(self, clip: vs.VideoFrame, small: vs.VideoFrame) -> vs.VideoFrame:
        """Bring the confidence to full size.

        Args:
            clip: A frame of the clip.
            small: What `write` made for it.

        Returns:
            A GRAY frame of the clip's size and depth, full range, with the clip's properties.
        """
        full = Grid(self.working_size.height, self.working_size.width)
        (confidence,) = resample(plane(small, 0)[None], self.working_size.working, full)
        if clip.format.sample_type == vs.INTEGER:
            confidence = np.rint(confidence * ((1 << clip.format.bits_per_sample) - 1))
        frame = new_frame(gray_format(clip), confidence)
        frame.props.update(clip.props)
        frame.props["_Range"] = vs.RANGE_FULL
        frame.props.pop("_ChromaLocation", None)
        _copy_reports(small, frame)
        return frame

    def _other_chroma(self, clip: vs.VideoFrame, other: vs.VideoFrame) -> Plane:
        """Chroma of the clip to blend with, whose format `check_blend` has looked at."""
        expected = coding_of(clip).matrix
        try:
            coding = coding_of(other)
        except ArgumentError as error:
            raise ArgumentError(f"blend: {error}") from None
        if coding.matrix != expected:
            raise ArgumentError(
                f"blend has matrix {coding.matrix}, clip has {expected}; convert it with "
                "core.resize.Bicubic"
            )
        return decode_chroma(plane(other, 1), plane(other, 2), coding)

    def _enlarge(
        self, number: int, clip: vs.VideoFrame, luma: vs.VideoFrame, small: vs.VideoFrame
    ) -> tuple[Codes, Codes]:
        """Codes of the model's chroma on the clip's grid; its edges are those of its luma."""
        enlarger = self.enlarger or Enlarger(self.working_size)
        guide = Guide(plane(clip, 0), coding_of(clip), plane(luma, 0))
        with CancelToken().asked(number):
            return enlarger.codes(_chroma_of(small), guide, grid_of(clip))

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
            self.working_size,
            grid_of(clip),
        )


def _chroma_of(small: vs.VideoFrame) -> Plane:
    """The chroma [2, h, w] in a frame that `Stages.write` made."""
    return np.stack([plane(small, index) for index in (1, 2)])


def _copy_reports(small: vs.VideoFrame, frame: vs.VideoFrame) -> None:
    """Copy the properties that tell users about the colours."""
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
