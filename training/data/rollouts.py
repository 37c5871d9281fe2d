"""Examples for every generator: rollouts of frames g_t with their targets, a start, and a key.

Every example is drawn from (seed, step, batch index) alone, so that a resumed run, or one
spread over more processes, sees the very same examples.

Rollouts are independent of each other, or, as streams, the next one at a batch index begins
where the last one ended: then the generator sees its own output of up to a hundred frames, as in
use, at the cost of a few (backpropagation through time, truncated: Williams and Peng 1990).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation.clips import Clip, Codes
from training.data.flows import FlowCache
from training.data.motion import sampling_weights
from training.data.options import RolloutOptions, check_rollout
from training.data.rollout import Rollout
from training.data.scene import Scene
from vidcolor.errors import ArgumentError
from vidcolor.inference.contract import (
    FLOW_KEY,
    FLOW_PREVIOUS,
    FLOW_TRACK,
    FLOWS_TO_KEYS,
    FLOWS_WITH_PREVIOUS,
)
from vidcolor.motion.clip_inputs import prepare_clip
from vidcolor.motion.pad import EVEN
from vidcolor.motion.track import Tracks, first_tracks, half_size
from vidcolor.planes import Plane


class Rollouts:
    """Draws rollouts from clips; clips too short for one are left out."""

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        options: RolloutOptions,
        seed: int,
        flows: frozenset[str] = frozenset(),
        flow_folder: Path | None = None,
    ) -> None:
        """Choose the clips that are long and large enough.

        Args:
            clips: The footage.
            options: What an example is.
            seed: Of all that is drawn.
            flows: The flow inputs that the generator has.
            flow_folder: Where flows of whole clips are kept; needed for `options.flow_cache`.

        Raises:
            ArgumentError: The options do not fit together, or no clip is left.
        """
        check_rollout(options)
        if options.flow_cache and flow_folder is None:
            raise ArgumentError("flow_cache is on, but no folder is given to keep flows in")
        self._flow_cache = FlowCache(flow_folder) if options.flow_cache and flow_folder else None
        self.options, self.seed, self.required_flows = options, seed, flows
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
        self._weights = sampling_weights(self.clips, options.motion) if options.motion else None
        self._streams: dict[int, _Stream] = {}
        self._followed: dict[int, _Followed] = {}

    def batch(self, step: int, indices: Sequence[int]) -> Rollout:
        """Return the examples with these indices in the batch of this step."""
        examples = [self.example(step, index) for index in indices]
        return examples[0] if len(examples) == 1 else Rollout.stack(examples)

    def example(self, step: int, index: int) -> Rollout:
        """Return one example, as a batch of one."""
        if self.options.stream is None:
            rollout, _ = self._cut(self._draw([self.seed, step, index]), 0, None)
            return rollout
        stream = self._stream_at(step, index)
        followed = self._followed.get(index)
        if followed is None or followed.stream is not stream or followed.step > step:
            followed = _Followed(stream, stream.first, None)
        # One turn, but for a run that was resumed in the midst of a stream.
        for at in range(followed.step, step + 1):
            rollout, tracks = self._cut(stream.scene, at - stream.first, followed.tracks)
            followed = _Followed(stream, at + 1, tracks)
        self._followed[index] = followed
        return rollout

    def _stream_at(self, step: int, index: int) -> _Stream:
        """The stream that runs at this batch index at this step; the first begins at step 0."""
        stream = self._streams.get(index)
        if stream is None or stream.first > step:
            stream = _Stream(0, 0, self._draw([self.seed, index, 0, 1]))
        while step >= (end := stream.first + stream.scene.parts(self.options.frames)):
            number = stream.number + 1
            stream = _Stream(number, end, self._draw([self.seed, index, number, 1]))
        self._streams[index] = stream
        return stream

    def _draw(self, seed: list[int]) -> Scene:
        rng = np.random.default_rng(seed)
        clip = self.clips[rng.choice(len(self.clips), p=self._weights)]
        if self.options.stream is None:
            frames, key = self._positions(len(clip), rng)
        else:
            frames = self._course(len(clip), self.options.stream, rng)
            key = frames[0]
        # As `Preparer.previous` has it: other models' frames are not compared in use.
        evened = bool(self.required_flows & FLOWS_WITH_PREVIOUS)
        return Scene.draw(clip, frames, key, options=self.options, evened=evened, rng=rng)

    def _cut(self, scene: Scene, part: int, tracks: Tracks | None) -> tuple[Rollout, Tracks | None]:
        """The rollout that is the part-th of a scene, and the tracks of its last frame.

        tracks: those of the part's frame 0; None if it is the scene's.
        """
        first = part * self.options.frames
        frames = scene.frames[first : first + self.options.frames + 1]
        luma, chroma = scene.planes([*frames, scene.key])
        no_history = scene.no_history and part == 0
        known = None if self._flow_cache is None else scene.flows(frames, self._flow_cache)
        flows, tracks = self._flows(luma, no_history=no_history, tracks=tracks, known=known)
        rollout = Rollout(
            luma=_batch_of_one(luma[:-1, None] / np.float32(255)),
            chroma=_batch_of_one(chroma[:-1]),
            key_luma=_batch_of_one(luma[-1:, None] / np.float32(255)),
            key_chroma=_batch_of_one(chroma[-1:]),
            **flows,
            follows=torch.tensor([part > 0]),
            no_history=torch.tensor([no_history]),
        )
        return rollout, tracks

    def _positions(self, length: int, rng: np.random.Generator) -> tuple[list[int], int]:
        """Positions in the clip of frames 0..T and of the key."""
        dt = self._dt(rng)
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

    def _course(self, length: int, stream: tuple[int, int], rng: np.random.Generator) -> list[int]:
        """Positions in the clip of a stream's frames, the key first."""
        dt, part = self._dt(rng), self.options.frames
        count = min(int(rng.integers(stream[0], stream[1] + 1)), (length - 1) // dt)
        count = max(part, count - count % part)
        start = int(rng.integers(length - count * dt))
        frames = [start + dt * t for t in range(count + 1)]
        if self.options.reverse and rng.random() < 0.5:
            return [length - 1 - frame for frame in frames]
        return frames

    def _dt(self, rng: np.random.Generator) -> int:
        low, high = self.options.dt
        return int(rng.integers(low, high + 1))

    def _flows(
        self,
        luma: Codes,
        *,
        no_history: bool,
        tracks: Tracks | None,
        known: list[Plane] | None,
    ) -> tuple[dict[str, Tensor | None], Tracks | None]:
        """Flows of [T+2, h, w] luma: the start, the frames to colour, the key. The last tracks.

        tracks: those of the start; None where nobody followed them there. known: flows of the
        frames to colour to the frames before; None where they are not known.
        """
        to_keys = self.required_flows & FLOWS_TO_KEYS
        keys = (half_size(luma[-1], EVEN),) if to_keys else ()
        if tracks is None and to_keys and not no_history:
            tracks = first_tracks(half_size(luma[0], EVEN), keys)
        by_frame = []
        for inputs in prepare_clip(
            luma[1:-1] if self.required_flows else (),
            required_flows=self.required_flows,
            multiple=EVEN,
            previous=None if no_history else luma[0],
            keys=keys,
            tracks=tracks,
            to_previous=known,
        ):
            tracks = inputs.tracks
            by_frame.append({name: inputs.flows[name] for name in self.required_flows})
        return {
            "flow_previous": _over_time(by_frame, FLOW_PREVIOUS, lambda flows: flows[0]),
            "flow_key": _over_time(by_frame, FLOW_KEY),
            "flow_track": _over_time(by_frame, FLOW_TRACK),
        }, tracks


@dataclass(frozen=True)
class _Stream:
    """One of the scenes that follow each other at a batch index."""

    number: int
    first: int
    """The step of its first rollout."""
    scene: Scene


@dataclass(frozen=True)
class _Followed:
    """How far the keys' tracks are followed along a stream."""

    stream: _Stream
    step: int
    """Whose rollout is the next one."""
    tracks: Tracks | None
    """Those of that rollout's frame 0; None before the first."""


def _over_time(
    by_frame: Sequence[dict[str, Plane]],
    name: str,
    what: Callable[[Plane], Plane] = lambda flows: flows,
) -> Tensor | None:
    """One flow of all frames as [1, T, ...]; None where it is not asked for."""
    there = [what(flows[name]) for flows in by_frame if name in flows]
    return _batch_of_one(np.stack(there)) if there else None


def _batch_of_one(array: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).unsqueeze(0)
