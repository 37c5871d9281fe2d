"""What is known of a clip and of its frames, as values: shape, timing and colour tags."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from vidcolor.media.orientation import Orientation
from vidcolor.media.pictures import Codes, bits_of

type CopiedStream = av.AudioStream | SubtitleStream | VideoStream
type CopiedPacket = av.Packet[CopiedStream]

UNSPECIFIED = 2
"""Matrix, primaries and transfer in ITU-T H.273: 'the file does not say'."""
RGB_MATRIX = 0
"""Some files say so of YUV, which cannot be; it tells as much as UNSPECIFIED."""
LIMITED_RANGE, FULL_RANGE = 1, 2
"""AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG; 0 is unspecified."""


@dataclass(frozen=True)
class Tags:
    """What a stream says of its colours, in FFmpeg's numbers, which are ITU-T H.273's."""

    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    range: int = 0
    siting: int = 0
    """Where chroma samples sit: 0 unspecified, 1 left, 2 centre, 3 top left, and so on."""


@dataclass(frozen=True)
class Info:
    """What is true of every frame of a clip."""

    width: int
    height: int
    pixel_format: str
    """FFmpeg's name of a planar little-endian gray or YUV format, such as 'yuv420p10le'."""
    tags: Tags
    sample_aspect: Fraction
    """Width of a sample over its height; 1 where the file does not say."""
    rotation: int
    """Degrees counter-clockwise that a player turns the picture by: 0, 90, 180 or 270."""
    time_base: Fraction
    """Seconds that a tick of `Frame.pts` lasts."""
    rate: Fraction
    """Mean frames a second."""
    frame_count: int | None
    """As the file announces it, or as its length and rate say; None where it announces neither."""
    mirrored: bool = False
    """Whether a player mirrors the picture, left to right, before it turns it."""
    display_matrix: tuple[int, ...] | None = None
    """The 9 numbers of the file's display matrix, which `rotation` and `mirrored` follow from."""

    @property
    def is_gray(self) -> bool:
        """Whether frames have a luma plane only."""
        return self.pixel_format.startswith("gray")

    @property
    def bits(self) -> int:
        """Bits of a code value."""
        return bits_of(self.pixel_format)

    @property
    def orientation(self) -> Orientation:
        """How the picture lies in the frames."""
        return Orientation(self.rotation // 90, mirrored=self.mirrored)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture: code values of luma and, in YUV clips, of both chroma planes."""

    planes: tuple[Codes, ...]
    pts: int
    """When it shows, in ticks of the clip's time base. Frames have rising times."""
    duration: int
    """For how many ticks it shows."""
