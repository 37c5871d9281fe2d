"""A film seen small and at some of its frames, shot by shot: enough to try keys out on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vidcolor.color import decode_luma
from vidcolor.media.reader import Codes, Frame, Reader
from vidcolor.media.tags import coding_of
from vidcolor.planes import Plane
from vidcolor.working_size import Fit

A_SECOND = 6
"""Samples of a second of film; steps between them are short enough to follow motion."""
MOST = 512
"""Samples of one shot. A longer one is seen at fewer of its frames, so that memory is bounded."""


@dataclass
class Sampled:
    """One shot."""

    frames: range
    """All frames of it."""
    lumas: dict[int, Plane] = field(default_factory=dict)
    """Frame -> luma [h, w] at working size, of the samples, rising. The last frame is one."""

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The frames that are samples."""
        return np.array(sorted(self.lumas))

    @property
    def weights(self) -> NDArray[np.float64]:
        """How many frames each sample stands for: those nearest to it."""
        between = (self.numbers[1:] + self.numbers[:-1] + 1) / 2
        return np.diff([self.frames.start, *between, self.frames.stop])


def sample(
    path: Path,
    shots: Sequence[int],
    fit: Fit,
    *,
    always: Collection[int] = (),
    progress: tqdm[NoReturn] | None = None,
) -> Iterator[Sampled]:
    """The shots of a film, one after the other; only one is held at a time.

    shots: first frames, as `find_shots` gives them. always: frames that must be samples.
    progress: told of every frame. Raises MediaError as `Reader` does.
    """
    begins, always = frozenset(shots), frozenset(always)
    with Reader(path) as reader:
        coding = coding_of(reader.info)
        shortest = max(1, round(reader.info.rate / A_SECOND))
        shot, every, last = Sampled(range(0)), shortest, None

        def keep(number: int, codes: Codes) -> None:
            shot.lumas[number] = fit.down(decode_luma(codes, coding))

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
