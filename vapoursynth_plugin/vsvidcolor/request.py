"""What a request for a frame may need while it is under way, and what it is given.

A request is a generator: it yields what it needs, is sent what was fetched, and returns its
result. So each request keeps its own place in a replay, whatever others do meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

from vidcolor.planes import Key, Plane


class Need(NamedTuple):
    """Numbers of frames; no more than 64 together."""

    lumas: Sequence[int] = ()
    """Of the clip."""
    keys: Sequence[int] = ()
    """Of the key clip."""


class Luma(NamedTuple):
    """What there is to know of a frame of the clip."""

    plane: Plane
    """[h, w] float32 in [0, 1], at working size."""
    starts_shot: bool | None = None
    """Whether its properties say that a shot starts here; None when they do not say."""
    matrix: str = "bt709"
    """What the chroma of its key must be coded in."""


class Painted(NamedTuple):
    """What there is to know of a frame of the key clip."""

    fit: Callable[[Luma], Key]
    """The whole key at working size, of the frame with this luma."""
    frame: int | None = None
    """The number of the clip's frame that its properties say it colours."""


class Given(NamedTuple):
    """Frames by their numbers, as they were needed."""

    lumas: dict[int, Luma]
    keys: dict[int, Painted]


type Request[T] = Generator[Need, Given, T]
