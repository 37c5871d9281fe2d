"""Examples for every generator: rollouts of frames g_t with their truth, a start, and a key.

Every example is drawn from (seed, step, place in the batch) alone, so that a resumed run, or one
spread over more processes, sees the very same examples.

Rollouts are independent of each other, or, as streams, the next one in a place of the batch begins
where the last one ended: then the generator sees its own output of up to a hundred frames, as in
use, at the cost of a few (backpropagation through time, truncated: Williams and Peng 1990).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation.clips import Clip, Codes
from evaluation.help_text import manual
from training.data.motion import chances
from training.data.scene import Scene
from vidcolor.errors import ArgumentError
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK, FLOWS_TO_KEYS
from vidcolor.motion.frame_inputs import EVEN, half_size, prepare_clip
from vidcolor.motion.track import Tracks
from vidcolor.planes import Plane


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
    motion: float = 0.0
    """Draw clips in proportion to this power of how fast things move in them, in pixels a frame;
    0: all alike."""
    crop: int = 256
    """Side of the squares cut from the frames, in pixels."""
    flip: bool = True
    """Mirror half of the examples left to right."""
    reverse: bool = False
    """Play half of the examples backward."""
    chroma_rotation: float = 0.0
    """Turn each example's chroma plane by up to this many degrees (180: any hue), so that colour
    must be carried and cannot be guessed."""
    rotated: float = 1.0
    """Share of the examples that are turned so; the others teach what colours things have."""
    saturation: float = 1.0
    """Multiply each example's chroma by a factor between one over this and this."""
    film: float = 0.0
    """Share of the examples whose luma is made like old film's: grain, blur, flicker, gamma."""
    stream: tuple[int, int] | None = None
    """Follow each example on for some number of frames between these two: its next rollout begins
    where the last one ended, with the generator's own state. The key is the first frame."""
    cold: float = 0.0
    """Share of the examples that begin without a past, as a shot does that has no key: with a state
    of zeros instead of the start's colours."""


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
    """[B, T, k, 2, h, w]: from frames 1..T straight to each key."""
    flow_track: Tensor | None
    """[B, T, k, 2, h, w]: the same, followed from frame to frame."""
    follows: Tensor
    """[B] bool: whether frame 0 is the last frame of the rollout that was in this place before."""
    cold: Tensor
    """[B] bool: whether frame 1 has no past; its flow to the frame before is zero then."""

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
        every = {
            FLOW_PREVIOUS: self.flow_previous,
            FLOW_KEY: self.flow_key,
            FLOW_TRACK: self.flow_track,
        }
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
        self._chances = chances(self.clips, options.motion) if options.motion else None
        self._streams: dict[int, _Stream] = {}
        self._followed: dict[int, _Followed] = {}

    def batch(self, step: int, places: Sequence[int]) -> Rollout:
        """The examples with these places in the batch of this step."""
        return Rollout.stack([self.example(step, place) for place in places])

    def example(self, step: int, place: int) -> Rollout:
        """One example, as a batch of one."""
        if self.options.stream is None:
            rollout, _ = self._cut(self._draw([self.seed, step, place]), 0, None)
            return rollout
        stream = self._stream_at(step, place)
        followed = self._followed.get(place)
        if followed is None or followed.stream is not stream or followed.step > step:
            followed = _Followed(stream, stream.first, None)
        # One turn, but for a run that was resumed in the midst of a stream.
        for at in range(followed.step, step + 1):
            rollout, tracks = self._cut(stream.scene, at - stream.first, followed.tracks)
            followed = _Followed(stream, at + 1, tracks)
        self._followed[place] = followed
        return rollout

    def _stream_at(self, step: int, place: int) -> _Stream:
        """The stream that runs in this place at this step; they follow each other from step 0."""
        stream = self._streams.get(place)
        if stream is None or stream.first > step:
            stream = _Stream(0, 0, self._draw([self.seed, place, 0, 1]))
        while step >= (end := stream.first + stream.scene.parts(self.options.frames)):
            number = stream.number + 1
            stream = _Stream(number, end, self._draw([self.seed, place, number, 1]))
        self._streams[place] = stream
        return stream

    def _draw(self, seed: list[int]) -> Scene:
        rng = np.random.default_rng(seed)
        clip = self.clips[rng.choice(len(self.clips), p=self._chances)]
        if self.options.stream is None:
            frames, key = self._positions(len(clip), rng)
        else:
            frames = self._course(len(clip), self.options.stream, rng)
            key = frames[0]
        return Scene.draw(clip, frames, key, options=self.options, rng=rng)

    def _cut(self, scene: Scene, part: int, tracks: Tracks | None) -> tuple[Rollout, Tracks | None]:
        """The rollout that is the part-th of a scene, and the tracks of its last frame.

        tracks: those of the part's frame 0; None if it is the scene's.
        """
        first = part * self.options.frames
        frames = scene.frames[first : first + self.options.frames + 1]
        luma, chroma = scene.planes([*frames, scene.key])
        cold = scene.cold and part == 0
        flows, tracks = self._flows(luma, cold=cold, tracks=tracks)
        rollout = Rollout(
            luma=_batch_of_one(luma[:-1, None] / np.float32(255)),
            chroma=_batch_of_one(chroma[:-1]),
            key_luma=_batch_of_one(luma[-1:, None] / np.float32(255)),
            key_chroma=_batch_of_one(chroma[-1:]),
            **flows,
            follows=torch.tensor([part > 0]),
            cold=torch.tensor([cold]),
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
        self, luma: Codes, *, cold: bool, tracks: Tracks | None
    ) -> tuple[dict[str, Tensor | None], Tracks | None]:
        """Flows of [T+2, h, w] luma: the start, the frames to colour, the key. The last tracks.

        tracks: those of the start; None where nobody followed them there.
        """
        keyed = self.wanted & FLOWS_TO_KEYS
        keys = (half_size(luma[-1], EVEN),) if keyed else ()
        planes = luma.astype(np.float32) / np.float32(255)
        look = partial(prepare_clip, required_flows=self.wanted, multiple=EVEN, keys=keys)
        if tracks is None and keyed and not cold:
            tracks = next(look(planes[:1], previous=None, tracks=None)).tracks
        looks = []
        frames = planes[1:-1] if self.wanted else ()
        for seen in look(frames, previous=None if cold else luma[0], tracks=tracks):
            tracks = seen.tracks
            looks.append({name: seen.flows[name] for name in self.wanted})
        return {
            "flow_previous": _over_time(looks, FLOW_PREVIOUS, lambda flows: flows[0]),
            "flow_key": _over_time(looks, FLOW_KEY),
            "flow_track": _over_time(looks, FLOW_TRACK),
        }, tracks


@dataclass(frozen=True)
class _Stream:
    """One of the scenes that follow each other in a place of the batch."""

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


class Source[Batch](Protocol):
    """What batches of examples are drawn from, of any kind."""

    def batch(self, step: int, places: Sequence[int]) -> Batch:
        """The examples with these places in the batch of this step."""


def prefetch[Batch](
    source: Source[Batch], *, steps: range, places: range
) -> Iterator[tuple[int, Batch]]:
    """(step, batch) for all steps; the next one is made in a background thread meanwhile."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead = worker.submit(source.batch, steps.start, places)
        for step in steps:
            batch = ahead.result()
            if step + 1 < steps.stop:
                ahead = worker.submit(source.batch, step + 1, places)
            yield step, batch


def _check(options: RolloutOptions) -> None:
    if options.frames < 1:
        raise ArgumentError(f"frames is {options.frames}, at least 1 is needed")
    ranges = {
        "dt": (options.dt, 1),
        "key_distance": (options.key_distance or (0, 0), 0),
        "stream": (options.stream or (1, 1), 1),
    }
    for name, ((low, high), least) in ranges.items():
        if not least <= low <= high:
            raise ArgumentError(
                f"{name} is {low} {high}, two rising numbers of frames from {least} on are accepted"
            )
    if options.stream is not None and not options.own_output:
        raise ArgumentError("stream is given without own-output, but it follows the own output")
    if options.stream is not None and options.key_distance is not None:
        raise ArgumentError("stream and key_distance are both given; a stream's key is its start")
    for name in ("rotated", "film", "cold"):
        if not 0 <= getattr(options, name) <= 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, a share of 0 to 1 is needed")
    if not options.motion >= 0:
        raise ArgumentError(f"motion is {options.motion}, a power from 0 on is accepted")
    if options.saturation < 1:
        raise ArgumentError(f"saturation is {options.saturation}, a factor from 1 on is accepted")


def _over_time(
    looks: Sequence[dict[str, Plane]],
    name: str,
    what: Callable[[Plane], Plane] = lambda flows: flows,
) -> Tensor | None:
    """One flow of all frames as [1, T, ...]; None where it is not asked for."""
    there = [what(flows[name]) for flows in looks if name in flows]
    return _batch_of_one(np.stack(there)) if there else None


def _batch_of_one(array: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).unsqueeze(0)
