"""The keys of a film: images read, held against their frames, and fitted to the working size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vidcolor.errors import KeyFrameError
from vidcolor.film import fingerprint
from vidcolor.grid import Grid
from vidcolor.key.image import is_painted, read_key
from vidcolor.key.matching import best_frame, check_key
from vidcolor.key.paint import Paint
from vidcolor.media.reader import Info
from vidcolor.planes import Key, Plane
from vidcolor.working_size import Fit


@dataclass(frozen=True)
class Source:
    """Where a key comes from."""

    name: str
    """For people: of the image, without its folder."""
    read: Callable[[], Key]
    """Gives it at its own size."""


@dataclass(frozen=True)
class Painted:
    """A frame of the film in colour."""

    small: Key
    """At working size, with the luma of the film's own frame; spread, if only parts are painted."""
    identity: str
    """Of its colours."""
    source: Source
    """It is read again at full size when it is its turn: dozens of keys would fill the memory."""

    def chroma(self, luma: Plane, fit: Fit, grid: Grid) -> Plane:
        """Its own colours on a grid of the film: [2, *grid.shape].

        luma: the frame's own, at full size.
        """
        return Paint.of(self.source.read()).full(self.small, luma, fit, grid)


def find_sources(
    images: Mapping[int, Path], *, info: Info, matrix: str
) -> tuple[dict[int, Source], list[Path]]:
    """The keys in `images`, by the frames they colour; and the images that are still gray.

    Raises KeyFrameError for an image that is no key of the film, or where all of them are gray.
    """
    unpainted = [path for path in images.values() if len(images) > 1 and not is_painted(path)]
    if len(unpainted) == len(images):
        raise KeyFrameError(
            f"keys: all {len(unpainted)} images in {unpainted[0].parent} are gray, at least one "
            "has to be painted"
        )
    sources = {
        frame: Source(path.name, partial(read_key, path, info=info, matrix=matrix))
        for frame, path in sorted(images.items())
        if path not in unpainted
    }
    for source in sources.values():
        source.read()  # mistakes are told before the film is read
    return sources, unpainted


def fit_keys(
    sources: Mapping[int, Source],
    lumas: Mapping[int, Plane],
    fit: Fit,
    *,
    search: Callable[[], Iterable[Plane]] | None,
) -> tuple[dict[int, Painted], list[str]]:
    """The keys fitted to the film; and in words what is odd about some of them.

    lumas: of their frames, at working size. search: gives the luma of all the film's frames, to
    tell where a key belongs that is none of its frame's; None takes keys whatever they show.
    Raises KeyFrameError for a key that does not belong to its frame.
    """
    keys, odd = {}, []
    for frame, source in sources.items():
        key = source.read()
        # The luma under what is transparent says nothing.
        if search is not None and key.weight is None:
            verdict = check_key(key.luma, lumas[frame])
            if verdict.fault:
                raise KeyFrameError(
                    f"key: {source.name} is no picture of frame {frame}: it {verdict.fault}"
                    f"{_hint(key.luma, search)}; --any-key takes it all the same"
                )
            if verdict.warning:
                odd.append(f"{source.name} {verdict.warning}")
        small = Paint.of(key).small(lumas[frame], fit)
        keys[frame] = Painted(small, fingerprint.of_key(key), source)
    return keys, odd


def _hint(luma: Plane, search: Callable[[], Iterable[Plane]]) -> str:
    best = best_frame(luma, search())
    return "" if best is None else f", most like frame {best.frame}"
