"""START HERE: colour carried from a key frame along a clip, one frame at a time.

    frame -> luma, key's chroma -> step(luma, state) -> chroma, state' -> frame (luma untouched)

The state is a value: `step` takes one and returns the next, and changes nothing. The caller owns
the loop::

    propagator = Propagator(Session.load())
    state = propagator.init_state(Key(luma=lumas[0], chroma=chroma_of_the_key))
    for luma in lumas[1:]:
        chroma, confidence, state = propagator.step(luma, state)

Two frames of the same clip can be worked on at a time, for much of a step depends on luma alone.
`Propagator.run` is the same loop with that done ahead, on other cores::

    for chroma, confidence, state in propagator.run(lumas[1:], state):
        ...

Whoever keeps a state can return to its frame and step on from there, as often as wished, in any
thread, and gets the same colours to the last bit. The wrong loop is the one that forgets the state
it was given::

        chroma, confidence, _ = propagator.step(luma, state)  # every frame follows the key

Everything here is at working size; `vidcolor.working_size` leads there and back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import NamedTuple

from vidcolor.ahead import map_ahead
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.inference import contract
from vidcolor.inference.session import Session, Tensors
from vidcolor.motion.frame_inputs import FrameInputs, half_size, pad, prepare_inputs
from vidcolor.motion.optical_flow import Luma8, flow, to_uint8
from vidcolor.motion.track import Tracks
from vidcolor.planes import Key, Plane

_Later = Future[Tracks | None]
"""The tracks of a frame that another thread may still be looking at."""


@dataclass(frozen=True, eq=False)
class State:
    """All that the colour of the next frame depends on, besides its luma. Opaque to callers."""

    size: tuple[int, int]
    """Height and width of the planes, in pixels."""
    tensors: Tensors
    """The model's ``next.*`` of the last frame, on the session's device."""
    memory: Tensors
    """What the model keeps of the keys; shared by all states of a segment."""
    luma: Luma8 | None
    """The last frame's luma, if there is one and the model asks for the flow to it."""
    key_lumas: tuple[Luma8, ...]
    """The keys' lumas at half size, if the model asks for the flow to them."""
    tracks: Tracks | None = None
    """Where the last frame's pixels lie in the keys, if the model asks for it and there is one."""

    def __repr__(self) -> str:
        return f"State(size={self.size}, tensors={sorted(self.tensors)})"

    @property
    def nbytes(self) -> int:
        """Bytes that go when this state goes: all but what it shares with its segment."""
        own = sum(tensor.tensor_size_in_bytes() for tensor in self.tensors.values())
        luma = 0 if self.luma is None else self.luma.nbytes
        return int(own) + luma + sum(track.nbytes for track in self.tracks or ())


class Step(NamedTuple):
    """One coloured frame, and the state it leaves behind."""

    chroma: Plane
    """[2, h, w] float32, Cb and Cr in [-0.5, 0.5]."""
    confidence: Plane
    """[h, w] float32 in [0, 1]: how much the model trusts this colour."""
    state: State


class Propagator:
    """Carries colour with the model of `session`. Holds nothing else: threads may share it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._multiple = session.metadata.size_multiple

    def init_state(self, *keys: Key) -> State:
        """The state right after the last of `keys`; all of them are remembered.

        Keys are at working size, of one size, and whole; anything else raises KeyFrameError.
        """
        if not keys:
            raise KeyFrameError("init_state needs at least one key frame")
        size = _height_width(keys[0].luma)
        if any(key.luma.shape != size for key in keys):
            sizes = ", ".join(f"{key.luma.shape[1]}x{key.luma.shape[0]}" for key in keys)
            raise KeyFrameError(f"key frames are {sizes} pixels; all must have the same size")
        if any(key.weight is not None for key in keys):
            raise KeyFrameError(
                "a key frame is painted in parts, a whole one is needed: spread it with "
                "vidcolor.key.paint.Paint.of(key).small"
            )
        remembered = [
            self._session.remember(
                *(pad(planes, self._multiple) for planes in (key.luma[None], key.chroma))
            )
            for key in keys
        ]
        lumas = [to_uint8(key.luma) for key in keys]
        halves: tuple[Luma8, ...] = ()
        if self._session.flows & contract.FLOWS_TO_KEYS:
            halves = tuple(half_size(luma, self._multiple) for luma in lumas)
        tracked = contract.FLOW_TRACK in self._session.flows
        return State(
            size=size,
            tensors=remembered[-1][1],
            memory=self._session.stack([memory for memory, _ in remembered]),
            luma=self._past(lumas[-1]),
            key_lumas=halves,
            tracks=tuple(flow(halves[-1], half) for half in halves) if tracked else None,
        )

    def reset_state(self, state: State) -> State:
        """`state` without a past: what is left is the memory of its keys.

        Where a shot begins, nothing of the frame before may be carried on; `step` from here
        colours a shot's first frame by what the model remembers alone.
        """
        return replace(state, tensors=self._session.zeros(state.tensors), luma=None, tracks=None)

    def step(self, luma: Plane | FrameInputs, state: State) -> Step:
        """Colour the frame after the one that left `state`.

        luma: [h, w] float32 in [0, 1], the size of the key that began; or what `prepare` made
        which gives the same colours, sooner. `state` stays valid.
        Raises ArgumentError for another shape or type, or for what was seen beside other frames.
        """
        seen = luma if isinstance(luma, FrameInputs) else self.prepare(luma, state)
        if seen.size != state.size or not seen.follows(state.luma, state.key_lumas):
            raise ArgumentError("luma was seen beside other frames than those of its state")
        seen = seen.with_tracks(state.tracks)
        chroma, confidence, tensors = self._session.propagate(
            seen.luma, state.tensors, state.memory, seen.flows
        )
        height, width = state.size
        return Step(
            # Copies: onnxruntime's arrays are views of memory that the state may share.
            chroma=chroma[0, :, :height, :width].copy(),
            confidence=confidence[0, 0, :height, :width].copy(),
            state=replace(state, tensors=tensors, luma=self._past(seen.luma8), tracks=seen.tracks),
        )

    def prepare(
        self,
        luma: Plane,
        state: State,
        *,
        previous: Plane | None = None,
        reuse: FrameInputs | None = None,
    ) -> FrameInputs:
        """What `step` takes from luma alone: the part of it that any core can do at any time.

        luma: as in `step`. previous: the frame before; without it, the one that left `state`.
        state: where `previous` is given, any of the segment; what goes on from the last state then
        is left to `step`. like: what was seen of the same luma in another segment; what the two
        have in common is taken from it.
        Raises ArgumentError for another shape or type.
        """
        if previous is None:
            return self._prepare(luma, None, state.luma, state, reuse).with_tracks(state.tracks)
        return self._prepare(luma, None, self._past(to_uint8(previous)), state, reuse)

    def run(
        self, lumas: Iterable[Plane], state: State, *, workers: int | None = None
    ) -> Iterator[Step]:
        """The frames after the one that left `state`, one `step` after the other.

        While one is stepped, `workers` threads look at those that follow; None is half as many as
        there are cores. `lumas` is read that far ahead, in the caller's thread.
        Raises ArgumentError at a luma that `step` does not take.
        """
        if workers is None:
            workers = max(1, (os.cpu_count() or 1) // 2)
        begun, flows = state, self._session.flows

        def beside() -> Iterator[tuple[Plane, Luma8 | None, Luma8 | None, _Later, _Later]]:
            before, since = begun.luma, _Later()
            since.set_result(begun.tracks)
            for luma in lumas:
                luma8 = to_uint8(luma) if flows else None
                tracks = _Later()
                yield luma, luma8, before, since, tracks
                before, since = self._past(luma8), tracks

        def with_tracks(
            luma: Plane, luma8: Luma8 | None, before: Luma8 | None, since: _Later, tracks: _Later
        ) -> FrameInputs:
            try:
                seen = self._prepare(luma, luma8, before, begun).with_tracks(since.result())
            except BaseException as error:
                tracks.set_exception(error)  # or who waits for it would wait for ever
                raise
            tracks.set_result(seen.tracks)
            return seen

        for seen in map_ahead(lambda frame: with_tracks(*frame), beside(), workers):
            step = self.step(seen, state)
            state = step.state
            yield step

    def _prepare(
        self,
        luma: Plane,
        luma8: Luma8 | None,
        before: Luma8 | None,
        state: State,
        reuse: FrameInputs | None = None,
    ) -> FrameInputs:
        if luma.ndim == 2 and luma.shape != state.size:
            height, width = state.size
            raise ArgumentError(
                f"luma is {luma.shape[1]}x{luma.shape[0]} pixels, "
                f"its state is of frames of {width}x{height}"
            )
        try:
            return prepare_inputs(
                luma,
                luma8,
                required_flows=self._session.flows,
                multiple=self._multiple,
                previous=before,
                keys=state.key_lumas,
                reuse=reuse,
            )
        except ValueError as error:
            raise ArgumentError(str(error)) from None

    def _past(self, luma8: Luma8 | None) -> Luma8 | None:
        """`luma8` if the model asks for what takes the flow to the frame before."""
        asks = self._session.flows & {contract.FLOW_PREVIOUS, contract.FLOW_TRACK}
        return luma8 if asks else None


def _height_width(luma: Plane) -> tuple[int, int]:
    height, width = luma.shape
    return height, width
