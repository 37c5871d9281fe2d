"""Grading: saturation and hue of finished colours, in the chroma planes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np

from vidcolor.errors import ArgumentError
from vidcolor.planes import Plane

SATURATION_LIMIT = 1000.0
"""Largest factor of chroma; far below it, the least colour is as strong as a code can say."""

HUE_LIMIT = 360.0
"""Largest turn of the hue, in degrees, either way."""


@dataclass(frozen=True)
class Grade:
    """How chroma is changed before it is written. Luma stays as it is.

    Attributes:
        saturation: What chroma is multiplied by, 0 to 1000; 0 gives gray, 1 changes nothing.
        hue: Degrees, -360 to 360, by which (Cb, Cr) is turned counterclockwise, with Cb to the
            right and Cr up: from blue towards red. 0 changes nothing.

    Raises:
        ArgumentError: A value is not accepted.
    """

    saturation: float = 1.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.saturation <= SATURATION_LIMIT:
            raise ArgumentError(
                f"saturation is {self.saturation}, accepted are 0 to {SATURATION_LIMIT:g}"
            )
        if not -HUE_LIMIT <= self.hue <= HUE_LIMIT:
            raise ArgumentError(
                f"hue is {self.hue}, accepted are degrees from {-HUE_LIMIT:g} to {HUE_LIMIT:g}"
            )

    @property
    def is_neutral(self) -> bool:
        """Whether it changes nothing."""
        return self.saturation == 1 and self.hue % 360 == 0

    def apply(self, chroma: Plane) -> Plane:
        """Grade chroma.

        Args:
            chroma: [2, h, w] float32, Cb and Cr in [-0.5, 0.5].

        Returns:
            The same shape and range; `chroma` itself, bit for bit, where the grade is neutral.
            Colours that would leave the range are clipped, Cb and Cr each by itself.
        """
        if self.is_neutral:
            return chroma
        turn = radians(self.hue % 360)
        along, across = (np.float32(self.saturation * part) for part in (cos(turn), sin(turn)))
        cb, cr = chroma
        graded = np.stack((along * cb - across * cr, across * cb + along * cr))
        return np.clip(graded, -0.5, 0.5, out=graded)


type Spans = Sequence[tuple[range | None, float]]
"""Values, each for some frames; None is all frames."""


@dataclass(frozen=True)
class Grades:
    """The grade of every frame of a clip. Of several values for one frame the last one counts.

    Attributes:
        saturation: Values as in `Grade`.
        hue: Likewise.

    Raises:
        ArgumentError: A value is not accepted.
    """

    saturation: Spans = ()
    hue: Spans = ()

    def __post_init__(self) -> None:
        for _, value in self.saturation:
            Grade(saturation=value)
        for _, value in self.hue:
            Grade(hue=value)

    def check_ends(self, length: int) -> None:
        """Raise ArgumentError if a value is for frames that a clip of this length does not have."""
        for name, spans in (("saturation", self.saturation), ("hue", self.hue)):
            for frames, _ in spans:
                if frames is not None and frames.stop > length:
                    raise ArgumentError(
                        f"{name} is for frames {frames.start} to {frames.stop - 1}, the film has "
                        f"frames 0 to {length - 1}"
                    )

    def at(self, frame: int) -> Grade:
        """The grade of a frame, by its number."""
        return Grade(_value_at(self.saturation, frame, 1.0), _value_at(self.hue, frame, 0.0))


def _value_at(spans: Spans, frame: int, default: float) -> float:
    values = [value for frames, value in spans if frames is None or frame in frames]
    return values[-1] if values else default
