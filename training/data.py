"""Examples for every generator: rollouts of frames g_t with their truth, a start, and a key.

Every example is drawn from (seed, step, place in the batch) alone, so that a resumed run, or one
spread over more processes, sees the very same examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.clips import CHROMA_ZERO, Clip, Codes
from training.manual import manual
from vidcolor.contract import FLOW_KEY, FLOW_PREVIOUS
from vidcolor.errors import ArgumentError
from vidcolor.flow import flow

Floats = NDArray[np.float32]


@manual
@dataclass(frozen=True)
class RolloutOptions:
    """What an example is, and how it is varied."""

    frames: int = 1
    """T, the frames coloured in a row; the reports' models are trained on 1."""
    own_output: bool = False
    """Give the generator its own frame t-1 (propagation) instead of the true one (transfer, as in
    the reports)."""
    dt: tuple[int, int] = (1, 1)
    """Least and greatest distance in frames between c_{t-dt} and c_t; drawn for each example. The
    reports' models: 1 1 and 5 5."""
    key_distance: tuple[int, int] | None = None
    """Least and greatest distance in frames from the key to the rollout's start, drawn for each
    example; without it the key is c_1, the clip's first frame."""
    crop: int = 256
    """Side of the squares cut from the frames, in pixels."""
    flip: bool = True
    """Mirror half of the examples left to right."""
    reverse: bool = False
    """Play half of the examples backward."""
    chroma_rotation: float = 0.0
    """Turn each example's chroma plane by up to this many degrees (180: any hue), so that colour
    must be carried and cannot be guessed."""


@dataclass(eq=False)
class Rollout:
    """A batch of examples: T frames to colour after a start, all in the runtime's planes.

    Luma is in [0, 1], chroma in ±0.5. Flow is None unless the generator asks for it.
    """

    luma: Tensor
    """[B, T+1, 1, h, w]; frame 0 is the start, whose colours are given."""
    chroma: Tensor
    """[B, T+1, 2, h, w], the truth."""
    key_luma: Tensor
    """[B, k, 1, h, w]."""
    key_chroma: Tensor
    """[B, k, 2, h, w]."""
    flow_previous: Tensor | None
    """[B, T, 2, h, w]: from frames 1..T to the ones before, as `vidcolor.contract` has it."""
    flow_key: Tensor | None
    """[B, T, k, 2, h, w]: from frames 1..T to each key."""

    @classmethod
    def stack(cls, examples: Sequence[Rollout]) -> Self:
        """Join batches along B."""
        columns = {f.name: [getattr(e, f.name) for e in examples] for f in fields(cls)}
        return cls(**{n: None if c[0] is None else torch.cat(c) for n, c in columns.items()})

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        return type(self)(**{n: None if t is None else t.to(device) for n, t in tensors.items()})

    def flows(self, t: int) -> dict[str, Tensor]:
        """What `Generator.propagate` takes as flows for frame t in 1..T."""
        every = {FLOW_PREVIOUS: self.flow_previous, FLOW_KEY: self.flow_key}
        return {name: tensor[:, t - 1] for name, tensor in every.items() if tensor is not None}


class Rollouts:
    """Draws rollouts from clips; clips too short for one are left out.

    `flows` are the generator's. Raises ArgumentError when no clip is left.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        options: RolloutOptions,
        seed: int,
        flows: frozenset[str] = frozenset(),
    ) -> None:
        _check(options)
        self.options, self.seed, self.wanted = options, seed, flows
        span = options.frames * options.dt[1]
        self.clips = [
            clip for clip in clips if len(clip) > span and min(clip.luma.shape[1:]) >= options.crop
        ]
        if not self.clips:
            longest = max(len(clip) for clip in clips)
            smallest = max(min(clip.luma.shape[1:]) for clip in clips)
            raise ArgumentError(
                f"no clip is long and large enough: the rollout needs {span + 1} frames of "
                f"{options.crop} pixels, the clips have at most {longest} frames and {smallest} "
                "pixels on the short side"
            )

    def batch(self, step: int, places: Sequence[int]) -> Rollout:
        """The examples with these places in the batch of this step."""
        return Rollout.stack([self.example(step, place) for place in places])

    def example(self, step: int, place: int) -> Rollout:
        """One example, as a batch of one."""
        rng = np.random.default_rng([self.seed, step, place])
        clip = self.clips[rng.integers(len(self.clips))]
        frames, key = self._positions(len(clip), rng)
        luma, chroma = _cut(clip, [*frames, key], crop=self.options.crop, rng=rng)
        if self.options.flip and rng.random() < 0.5:
            luma, chroma = luma[..., ::-1], chroma[..., ::-1]
        colours = _turn((chroma.astype(np.float32) - CHROMA_ZERO) / 255, rng, self.options)
        return Rollout(
            luma=_batch_of_one(luma[:-1, None] / np.float32(255)),
            chroma=_batch_of_one(colours[:-1]),
            key_luma=_batch_of_one(luma[-1:, None] / np.float32(255)),
            key_chroma=_batch_of_one(colours[-1:]),
            **self._flows(np.ascontiguousarray(luma)),
        )

    def _positions(self, length: int, rng: np.random.Generator) -> tuple[list[int], int]:
        """Positions in the clip of frames 0..T and of the key."""
        low, high = self.options.dt
        dt = int(rng.integers(low, high + 1))
        last_start = length - 1 - self.options.frames * dt
        if self.options.key_distance is None:
            distance, start = None, int(rng.integers(last_start + 1))
        else:
            near, far = self.options.key_distance
            distance = min(int(rng.integers(near, far + 1)), last_start)
            start = int(rng.integers(distance, last_start + 1))
        frames = [start + dt * t for t in range(self.options.frames + 1)]
        key = 0 if distance is None else start - distance
        if self.options.reverse and rng.random() < 0.5:
            return [length - 1 - frame for frame in frames], length - 1 - key
        return frames, key

    def _flows(self, luma: Codes) -> dict[str, Tensor | None]:
        """Flow of [T+2, h, w] luma: the start, the frames to colour, and the key."""
        frames, key = luma[1:-1], luma[-1]
        previous = to_key = None
        if FLOW_PREVIOUS in self.wanted:
            pairs = zip(frames, luma[:-2], strict=True)
            previous = _batch_of_one(np.stack([flow(here, other) for here, other in pairs]))
        if FLOW_KEY in self.wanted:
            to_key = _batch_of_one(np.stack([flow(here, key)[None] for here in frames]))
        return {"flow_previous": previous, "flow_key": to_key}


def prefetch(rollouts: Rollouts, *, steps: range, places: range) -> Iterator[tuple[int, Rollout]]:
    """(step, batch) for all steps; the next one is made in a background thread meanwhile."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead = worker.submit(rollouts.batch, steps.start, places)
        for step in steps:
            batch = ahead.result()
            if step + 1 < steps.stop:
                ahead = worker.submit(rollouts.batch, step + 1, places)
            yield step, batch


def _check(options: RolloutOptions) -> None:
    if options.frames < 1:
        raise ArgumentError(f"frames is {options.frames}, at least 1 is needed")
    ranges = {"dt": (options.dt, 1), "key_distance": (options.key_distance or (0, 0), 0)}
    for name, ((low, high), least) in ranges.items():
        if not least <= low <= high:
            raise ArgumentError(
                f"{name} is {low} {high}, two rising numbers of frames from {least} on are accepted"
            )


def _cut(
    clip: Clip, positions: list[int], *, crop: int, rng: np.random.Generator
) -> tuple[Codes, Codes]:
    """The same square of these frames: [n, crop, crop] and [n, 2, crop, crop]."""
    height, width = clip.luma.shape[1:]
    y, x = (int(rng.integers(side - crop + 1)) for side in (height, width))
    rows, columns = slice(y, y + crop), slice(x, x + crop)
    luma = np.stack([clip.luma[n, rows, columns] for n in positions])
    return luma, np.stack([clip.chroma[n, :, rows, columns] for n in positions])


def _turn(chroma: Floats, rng: np.random.Generator, options: RolloutOptions) -> Floats:
    """Chroma [n, 2, h, w] turned about gray by one angle for all frames."""
    if not options.chroma_rotation:
        return chroma
    angle = np.deg2rad(rng.uniform(-options.chroma_rotation, options.chroma_rotation))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    return np.einsum("ij,njhw->nihw", turn, chroma).clip(-0.5, 0.5)


def _batch_of_one(array: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).unsqueeze(0)
