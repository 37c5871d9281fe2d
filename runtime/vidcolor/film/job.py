"""What is coloured, from what, into what: all that the colours of a film depend on.

Which frame is stepped from which is said by `vidcolor.timeline`, as it is for the VapourSynth
filter, and all colour is made by the runtime's own `WorkingSize.downsample`, `Propagator.step`,
`blend` and `Enlarger`: the same film, keys and shots get the same colours, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from vidcolor.color import Codes, Coding, change_bits, decode_luma
from vidcolor.film.fingerprint import digest, fingerprint_film
from vidcolor.film.finish import Finish, Finisher
from vidcolor.film.key_ranges import covered
from vidcolor.film.keys import FittedKey, FittedReference
from vidcolor.film.propagate import Colors
from vidcolor.film.scan import FilmIndex
from vidcolor.film.segments import Segment, split_segments
from vidcolor.grid import Grid
from vidcolor.inference.enlarge import Enlarger, Guide
from vidcolor.media.info import Info
from vidcolor.media.pictures import bits_of, subsampling
from vidcolor.media.span import Span
from vidcolor.media.tags import coding_of, siting_of
from vidcolor.planes import Key, Plane
from vidcolor.timeline import Timeline
from vidcolor.working_size import WorkingSize

type Unkeyed = Literal["guess", "gray", "auto"]
"""What becomes of a shot without a key: its colours are guessed from the nearest keys of other
shots, it stays gray, or an image colorizer paints its best frame."""

UNKEYED = ("guess", "gray", "auto")


@dataclass(frozen=True)
class Film:
    """A film and what it is to be coloured from. Its colours depend on nothing else."""

    path: Path
    side: int | None
    """Short side that the film itself is scaled down to first; None leaves it."""
    info: Info
    working_size: WorkingSize
    index: FilmIndex
    keys: Mapping[int, FittedKey]
    direction: str
    part: range
    """The frames to colour."""
    pixel_format: str
    """Of the output."""
    model: str
    """The model's fingerprint."""
    references: Sequence[FittedReference] = ()
    """What shots without a key are coloured from."""
    progressive: bool = False
    """Whether frames that are flagged as interlaced are taken for progressive ones."""
    unkeyed: Unkeyed = "guess"
    """What becomes of shots without a key."""
    auto_keys: tuple[int, ...] = ()
    """The keys that a colorizer has painted for want of others."""
    key_ranges: Mapping[int, range] = field(default_factory=dict)
    """Frame of a key -> the frames that it alone holds for; see `vidcolor.film.key_ranges`."""

    @cached_property
    def coding(self) -> Coding:
        """What the film's code values mean."""
        return coding_of(self.info)

    @cached_property
    def output_coding(self) -> Coding:
        """What the output's code values mean."""
        return Coding(self.coding.matrix, self.coding.full_range, bits_of(self.pixel_format))

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all that the colours of every segment depend on."""
        return digest(
            fingerprint_film(self.path),
            self.side,
            self.working_size,
            self.info.tags,
            self.pixel_format,
            self.model,
        )

    @property
    def output_grid(self) -> Grid:
        """Where the output's chroma samples are."""
        return self.working_size.grid(*self._layout)

    @property
    def span(self) -> Span | None:
        """The part, in time; None for all of the film."""
        return self.index.span(self.part, self.info.time_base)

    @property
    def segments(self) -> list[Segment]:
        """All of the film's, in order, as the keys without a range divide it."""
        timeline = Timeline(self.lasting_keys, self.direction)
        segments = split_segments(timeline, self.index.shot_starts, self.index.length)
        return segments if self.lasting_keys else [self._guessed(each) for each in segments]

    @property
    def range_segments(self) -> list[Segment]:
        """Those of the frames that keys with a range hold for, in order."""
        ranges = self.key_ranges.values()
        edges = {edge for frames in ranges for edge in (frames.start, frames.stop)}
        starts = {0, *edges} - {self.index.length}
        timeline = Timeline(self.key_ranges, self.direction)
        segments = split_segments(timeline, starts, self.index.length)
        return [segment for segment in segments if segment.start in self.covered]

    @cached_property
    def lasting_keys(self) -> frozenset[int]:
        """Frames of the keys without a range."""
        return frozenset(self.keys) - frozenset(self.key_ranges)

    @cached_property
    def covered(self) -> frozenset[int]:
        """The frames that keys with a range hold for."""
        return covered(self.key_ranges)

    def is_hidden(self, segment: Segment) -> bool:
        """Whether none of its frames shows: all that are asked for are in the ranges of keys."""
        return self.covered.issuperset(segment.part(self.part))

    def is_gray(self, segment: Segment) -> bool:
        """Whether a segment has no key and stays gray."""
        return self.unkeyed == "gray" and not segment.has_key_in_shot

    def fingerprint_of(self, segment: Segment) -> str:
        """Digest of all that a segment's passes depend on.

        How far a segment goes is none of it: a frame's colours do not depend on the frames behind
        it in its pass.
        """
        keys = [self.keys[frame].fingerprint for frame in segment.keys]
        if not segment.has_key_in_shot:
            keys += [reference.fingerprint for reference in self.references]
        if self.is_gray(segment):
            keys = ["gray"]
        return digest(self.fingerprint, segment.passes, keys)

    def small_keys(self, segment: Segment) -> dict[int, Key]:
        """The keys that a segment needs, at working size."""
        return {frame: self.keys[frame].small for frame in segment.keys}

    def references_of(self, segment: Segment) -> tuple[Key, ...]:
        """The references that a segment's colours depend on, at working size."""
        if segment.has_key_in_shot:
            return ()
        return tuple(reference.small for reference in self.references)

    def upsample(
        self, colors: Colors, enlarger: Enlarger, codes: Codes, small: Plane
    ) -> tuple[Codes, Codes]:
        """Bring a frame's colours to the output's grid.

        Args:
            colors: At working size.
            enlarger: Of the film's working size.
            codes: The frame's luma codes [h, w].
            small: Their luma at working size.

        Returns:
            The output's Cb and Cr codes, [h', w'] each.
        """
        guide = Guide(codes, self.coding, small)
        return enlarger.codes(colors.chroma, guide, self.output_grid, self.output_coding)

    def key_chroma(self, frame: int, codes: Codes) -> Plane:
        """A key's own chroma [2, h', w'] on the output's grid; `codes` as in `upsample`."""
        luma = decode_luma(codes, self.coding)
        return self.keys[frame].chroma(luma, self.working_size, self.output_grid)

    def finisher(self, finish: Finish) -> Finisher:
        """What changes finished chroma codes on their way into the output."""
        return Finisher(
            finish,
            coding=self.output_coding,
            grid=self.working_size.grid(*self._layout),
            side=self.side,
            progressive=self.progressive,
        )

    def output_luma(self, codes: Codes) -> Codes:
        """A frame's luma codes as the output has them."""
        return change_bits(codes, self.coding, self.output_coding)

    def _guessed(self, segment: Segment) -> Segment:
        """A segment of a film in which all keys have ranges: it is guessed from the nearest."""
        [pass_] = segment.passes
        around = Timeline(self.keys, self.direction).around(segment.start)
        nearest = tuple(sorted({key for key in around if key is not None}))
        return segment._replace(passes=(pass_._replace(keys=nearest),))

    @property
    def _layout(self) -> tuple[tuple[int, int], str]:
        return subsampling(self.pixel_format), siting_of(self.info.tags)
