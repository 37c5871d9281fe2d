"""What is done to finished chroma on its way into the output: blending and grading.

It is done to the code values that the work folder keeps, behind them, so a film that is finished
gets another grade without a frame coloured anew.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from vidcolor.blend import blend_chroma
from vidcolor.color import Codes, Coding, decode_chroma, encode_chroma
from vidcolor.errors import ArgumentError, MediaError, renamed_argument
from vidcolor.grade import Grades
from vidcolor.grid import Grid, resample
from vidcolor.media.conversions import convert, to_matrix
from vidcolor.media.info import Frame, Info
from vidcolor.media.pictures import subsampling
from vidcolor.media.reader import Reader
from vidcolor.media.sequence import as_ffmpeg_input, find_pictures
from vidcolor.media.tags import coding_of, siting_of
from vidcolor.planes import Plane


@dataclass(frozen=True)
class Blend:
    """Another colouring of the same film, whose chroma is mixed in."""

    path: Path
    weight: float
    """Its share, in [0, 1]."""

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ArgumentError(f"blend's weight is {self.weight}, accepted are 0 to 1")

    def check(self, info: Info, *, side: int | None, progressive: bool) -> None:
        """Check that it has the film's frames in colour, as far as its header says.

        Args:
            info: The film's, as `side` scales it.
            side: As in `Reader`.
            progressive: As in `Reader`.

        Raises:
            MediaError: It cannot be read.
            ArgumentError: It is gray, or has another size or number of frames.
        """
        with (
            renamed_argument("blend"),
            Reader(self.path, side=side, progressive=progressive) as reader,
        ):
            other = reader.info
        if other.pixel_format.startswith("gray"):
            raise ArgumentError(f"blend: {self.path} is gray, a film in colour is needed")
        if (other.width, other.height) != (info.width, info.height):
            raise ArgumentError(
                f"blend: {self.path} is {other.width}x{other.height}, the film is "
                f"{info.width}x{info.height}; they must have one size"
            )
        matrix, needed = coding_of(other).matrix, coding_of(info).matrix
        if matrix != needed:
            source = as_ffmpeg_input(self.path, find_pictures(self.path))
            raise ArgumentError(
                f"blend: {self.path} has matrix {matrix}, the film has {needed}; convert it, such "
                f"as with: {convert(source, to_matrix(needed))}"
            )
        counts = other.frame_count, info.frame_count
        if None not in counts and counts[0] != counts[1]:
            raise ArgumentError(
                f"blend: {self.path} has {counts[0]} frames, the film has {counts[1]}; it must be "
                "the same film"
            )


@dataclass(frozen=True)
class Finish:
    """How finished chroma is changed."""

    grades: Grades = field(default_factory=Grades)
    """What is done after blending."""
    blend: Blend | None = None

    def describe(self) -> dict[str, str]:
        """What is done, by the names of the options that ask for it."""
        spans = {"saturation": self.grades.saturation, "hue": self.grades.hue}
        told = {name: ", ".join(map(_written, values)) for name, values in spans.items() if values}
        if self.blend is not None:
            told["blend"] = f"{self.blend.path.name}:{self.blend.weight:g}"
        return told

    def check(self, info: Info, output: Path, *, side: int | None, progressive: bool) -> None:
        """As `Blend.check`, where there is a film to blend with, which is not the output either."""
        if self.blend is None:
            return
        self.blend.check(info, side=side, progressive=progressive)
        if output.exists() and output.samefile(self.blend.path):
            raise ArgumentError(
                f"output: {output} is the film to blend with, which it would replace; another name "
                "is needed"
            )


class Finisher:
    """Changes the chroma of frame after frame. A context: it may hold a film open.

    Args:
        finish: What is to be done.
        coding: The output's.
        grid: Of the output's chroma.
        side: As in `Reader`, for the film to blend with.
        progressive: As in `Reader`, likewise.
    """

    def __init__(
        self, finish: Finish, *, coding: Coding, grid: Grid, side: int | None, progressive: bool
    ) -> None:
        self._finish, self._coding, self._grid = finish, coding, grid
        self._side, self._progressive = side, progressive
        self._others = self._read_others()
        self._next = 0
        """The frame that `_others` gives next."""

    def apply(self, number: int, planes: tuple[Codes, Codes]) -> tuple[Codes, Codes]:
        """The chroma codes of a frame as they go into the output.

        Args:
            number: The frame's. Numbers rise from call to call.
            planes: Chroma codes [h, w] of the output's depth. They are given back untouched where
                nothing is to be done.

        Raises:
            MediaError: The film to blend with ends before this frame.
        """
        blend, grade = self._finish.blend, self._finish.grades.at(number)
        if blend is None and grade.is_neutral:
            return planes
        chroma = decode_chroma(*planes, self._coding)
        if blend is not None:
            chroma = blend_chroma(chroma, self._other(number, blend), blend.weight)
        return encode_chroma(grade.apply(chroma), self._coding)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._others.close()

    def _other(self, number: int, blend: Blend) -> Plane:
        """Chroma of a frame of the film to blend with, on the output's grid."""
        for frame, coding, grid in self._others:
            self._next += 1
            if self._next > number:
                chroma = decode_chroma(frame.planes[1], frame.planes[2], coding)
                return resample(chroma, grid, self._grid)
        raise MediaError(
            f"blend: {blend.path} ends after {self._next} frames, the film goes on; it must be the "
            "same film"
        )

    def _read_others(self) -> Generator[tuple[Frame, Coding, Grid]]:
        blend = self._finish.blend
        if blend is None:
            return
        with (
            renamed_argument("blend"),
            Reader(blend.path, side=self._side, progressive=self._progressive) as reader,
        ):
            info, coding = reader.info, coding_of(reader.info)
            grid = Grid(
                info.height, info.width, subsampling(info.pixel_format), siting_of(info.tags)
            )
            for item in reader:
                if isinstance(item, Frame):
                    yield item, coding, grid


def _written(span: tuple[range | None, float]) -> str:
    frames, value = span
    return f"{value:g}" if frames is None else f"{frames.start}-{frames.stop - 1}:{value:g}"
