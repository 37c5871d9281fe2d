"""The keys of a film, at working size; at full size they are read again when it is their turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vidcolor import identity
from vidcolor.errors import KeyFrameError, UnpaintedError
from vidcolor.fit import Fit
from vidcolor.grid import Grid, resample
from vidcolor.keyimage import read_key
from vidcolor.planes import Key, Plane
from vidcolor.survey import Survey
from vidcolor.video import Info

Reads = dict[int, Callable[[], Key]]
"""What gives the key of a frame at its own size, by the frame."""


@dataclass(frozen=True)
class Painted:
    """A frame of the film in colour."""

    small: Key
    """At working size, with the luma of the film's own frame."""
    identity: str
    """Of its colours."""
    read: Callable[[], Key]
    """Gives it at its own size."""

    def chroma(self, grid: Grid) -> Plane:
        """Its own colours on a grid of the film: [2, *grid.shape]."""
        key = self.read()
        return resample(key.chroma, Grid(*key.luma.shape), grid)


def read_keys(paths: Mapping[int, Path], *, info: Info, matrix: str) -> tuple[Reads, list[Path]]:
    """What reads the images again, by the frames they colour; and those that are still gray.

    Raises KeyFrameError for an image that is no key of the film, or where all of them are gray.
    """
    reads: Reads = {}
    unpainted = []
    for frame, path in sorted(paths.items()):
        reads[frame] = partial(read_key, path, info=info, matrix=matrix)
        try:
            reads[frame]()
        except UnpaintedError:
            if len(paths) == 1:
                raise
            del reads[frame]
            unpainted.append(path)
    if not reads:
        raise UnpaintedError(
            f"keys: all {len(unpainted)} images in {unpainted[0].parent} are gray, at least one "
            "has to be painted"
        )
    return reads, unpainted


def fit_keys(keys: Reads, survey: Survey, fit: Fit) -> dict[int, Painted]:
    """The keys by the frames they colour, fitted to the film.

    Raises KeyFrameError for a key beyond the film's end, and what reading a key raises.
    """
    beyond = [frame for frame in keys if frame >= survey.length]
    if beyond:
        raise KeyFrameError(
            f"keys: there is a key for frame {min(beyond)}, the film has frames 0 to "
            f"{survey.length - 1}"
        )
    return {frame: _fit(survey.lumas[frame], read, fit) for frame, read in sorted(keys.items())}


def _fit(luma: Plane, read: Callable[[], Key], fit: Fit) -> Painted:
    key = read()
    small = Key(luma, fit.down_chroma(key.chroma, Grid(*key.luma.shape)))
    return Painted(small, identity.of_key(key), read)
