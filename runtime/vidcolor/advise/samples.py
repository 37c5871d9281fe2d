"""Small copies of a few frames of each shot of a film, to try keys out on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vidcolor.media.info import Frame
from vidcolor.media.pictures import Codes
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of
from vidcolor.planes import Plane
from vidcolor.working_size import WorkingSize

A_SECOND = 6
"""Samples in a second of film; motion between them is short enough to follow."""
MOST = 512
"""Most samples of one shot, so that memory is bounded. A longer shot has them further apart."""
CLEAR = 0.7
"""Contrast, in that of the shot's clearer samples, from which on a frame is fit to be painted. Half
way through a fade it is a half."""
LONGEST_FADE = 3 * A_SECOND
"""Samples; what is paler for longer than that is no fade, but what the shot shows."""


@dataclass
class Sampled:
    """The samples of one shot."""

    frames: range
    """All frames of the shot."""
    lumas: dict[int, Plane] = field(default_factory=dict)
    """Frame -> luma [h, w] float32 at working size, of the samples, rising. The shot's last frame
    is always a sample."""

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The frames that are samples."""
        return np.array(sorted(self.lumas))

    @property
    def weights(self) -> NDArray[np.float64]:
        """How many frames each sample stands for: those that it is nearest to."""
        between = (self.numbers[1:] + self.numbers[:-1] + 1) / 2
        return np.diff([self.frames.start, *between, self.frames.stop])

    @property
    def clear(self) -> list[int]:
        """Indices of the samples that are not in a fade or dissolve at either end of the shot."""
        contrasts = [float(self.lumas[frame].std()) for frame in sorted(self.lumas)]
        enough = CLEAR * np.quantile(contrasts, 0.75)
        first, last = _fade(contrasts, enough), _fade(contrasts[::-1], enough)
        return list(range(first, len(contrasts) - last))


def _fade(contrasts: Sequence[float], enough: float) -> int:
    """How many samples from the first one on are in a fade."""
    clear = next(n for n, contrast in enumerate(contrasts) if contrast >= enough)
    return clear if clear <= LONGEST_FADE else 0


def sample(
    path: Path,
    shots: Sequence[int],
    working_size: WorkingSize,
    *,
    progressive: bool = False,
    always: Collection[int] = (),
    progress: tqdm[NoReturn] | None = None,
) -> Iterator[Sampled]:
    """Sample the shots of a film, one after the other.

    Args:
        path: The film.
        shots: First frames of the shots, as `find_shots` gives them.
        working_size: The film's working size.
        always: Frames that must be samples.
        progressive: Whether frames that are flagged as interlaced are taken for progressive.
        progress: A progress bar, updated at every frame.

    Yields:
        The samples of each shot. Only one shot is in memory at a time.

    Raises:
        MediaError: The film cannot be read.
    """
    begins, always = frozenset(shots), frozenset(always)
    with Reader(path, progressive=progressive) as reader:
        coding = coding_of(reader.info)
        shortest = max(1, round(reader.info.rate / A_SECOND))
        shot, every, last = Sampled(range(0)), shortest, None

        def keep(number: int, codes: Codes) -> None:
            shot.lumas[number] = working_size.downsample_codes(codes, coding)

        frames = (item.planes[0] for item in reader if isinstance(item, Frame))
        for number, codes in enumerate(frames):
            if number in begins and last is not None:
                keep(number - 1, last)
                yield shot
                shot, every = Sampled(range(number, number)), shortest
            shot.frames = range(shot.frames.start, number + 1)
            if number in always or (number - shot.frames.start) % every == 0:
                keep(number, codes)
            if len(shot.lumas) > MOST + len(always):
                every *= 2
                shot.lumas = _thinned(shot, every, always)
            last = codes
            if progress is not None:
                progress.update()
        if last is not None:
            keep(shot.frames[-1], last)
            yield shot


def _thinned(shot: Sampled, every: int, always: frozenset[int]) -> dict[int, Plane]:
    start = shot.frames.start
    return {n: luma for n, luma in shot.lumas.items() if n in always or (n - start) % every == 0}
