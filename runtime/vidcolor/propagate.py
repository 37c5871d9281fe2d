"""START HERE: colour carried from a key frame along a clip, one frame at a time.

    frame -> luma, key's chroma -> step(luma, state) -> chroma, state' -> frame (luma untouched)

The state is a value: `step` takes one and returns the next, and changes nothing. The caller owns
the loop::

    propagator = Propagator(Session.load())
    state = propagator.init_state(Key(luma=lumas[0], chroma=chroma_of_the_key))
    for luma in lumas[1:]:
        chroma, confidence, state = propagator.step(luma, state)

Much of a step depends only on luma, so it can be computed ahead of time. `Propagator.run` is the
same loop, with that part on other threads::

    for chroma, confidence, state in propagator.run(lumas[1:], state):
        ...

A kept state can be stepped from again, any number of times and in any thread. The colours are the
same to the last bit. The wrong loop drops the state that it is given::

        chroma, confidence, _ = propagator.step(luma, state)  # every frame follows the key

All planes here are at working size; `vidcolor.working_size` converts to it and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from vidcolor.cores import count_cores
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.inference import contract
from vidcolor.inference.runner import Tensors
from vidcolor.inference.session import Session
from vidcolor.motion.exposure import STEADY, Exposure, exposed
from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.motion.optical_flow import Luma8, to_uint8
from vidcolor.motion.pad import crop, pad
from vidcolor.motion.preparer import Preparer
from vidcolor.motion.track import Tracks, first_tracks, half_size
from vidcolor.planes import Key, Plane, check_luma
from vidcolor.timeline import Pass

AHEAD_BYTES = 512 * 2**20
"""What `Propagator.run` may hold of frames that are prepared and not stepped yet, about."""
FEATURES_PLANES = 8
"""As many float32 planes of a frame's size take as many bytes as the features of one, about."""


@dataclass(frozen=True, eq=False)
class State:
    """All that the colours of the next frame depend on, besides its luma. Opaque to callers."""

    size: tuple[int, int]
    """Height and width of the planes, in pixels."""
    tensors: Tensors
    """The model's ``next.*`` of the last frame, on the session's device."""
    memory: Tensors
    """The model's ``memory.*`` of the keys, shared by all states of a pass."""
    luma: Luma8 | None
    """[h, w] of the last frame, if there is one and the model needs the flow to it."""
    key_lumas: tuple[Luma8, ...]
    """[H/2, W/2] of each key, if the model needs the flow to them."""
    tracks: Tracks | None = None
    """Flow [2, H/2, W/2] from the last frame to each key; None without one, or if not needed."""
    references: int = 0
    """How many references the memory ends with; no flow leads to them."""
    exposure: Exposure = STEADY
    """Of the frames since the pass began."""

    def __repr__(self) -> str:
        return f"State(size={self.size}, tensors={sorted(self.tensors)})"

    @property
    def nbytes(self) -> int:
        """Bytes that are freed with this state: all but what it shares with its pass."""
        own = sum(tensor.tensor_size_in_bytes() for tensor in self.tensors.values())
        luma = 0 if self.luma is None else self.luma.nbytes
        return int(own) + luma + sum(track.nbytes for track in self.tracks or ())


class Step(NamedTuple):
    """One coloured frame and the state after it."""

    chroma: Plane
    """[2, h, w] float32, Cb and Cr in [-0.5, 0.5]."""
    confidence: Plane
    """[h, w] float32 in [0, 1]: how likely the model thinks this colour is right."""
    state: State
    """What the next frame is stepped from."""


class Propagator:
    """Carries colour with the model of a session. It holds nothing else: threads may share it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        """The model."""
        self._multiple = session.metadata.size_multiple
        self._preparer = Preparer(session.flows, self._multiple, session.features)

    def init_state(self, *keys: Key, references: Sequence[Key] = ()) -> State:
        """The state right after a key frame.

        Args:
            *keys: All of the same working size and without `Key.weight`. All of them are
                remembered; the state is that of the last one.
            references: Pictures of other things than the clip's frames, see `vidcolor.references`.
                They are like keys, but colours are fetched from them by likeness alone. Without
                any key, the state is that of the last of them; `reset_state` then makes it one to
                begin a shot with.

        Raises:
            KeyFrameError: There is neither key nor reference, or they differ in size, or one is
                painted in parts.
        """
        pictures = (*keys, *_listed(references))
        size = _check_keys(pictures)
        remembered = [
            self.session.remember(
                *(pad(planes, self._multiple) for planes in (key.luma[None], key.chroma))
            )
            for key in pictures
        ]
        last = len(keys or pictures) - 1
        lumas = [to_uint8(key.luma) for key in keys or pictures[-1:]]
        halves: tuple[Luma8, ...] = ()
        if self.session.flows & contract.FLOWS_TO_KEYS:
            halves = tuple(half_size(luma, self._multiple) for luma in lumas[: len(keys)])
        has_tracks = contract.FLOW_TRACK in self.session.flows and halves
        return State(
            size=size,
            tensors=remembered[last][1],
            memory=self.session.stack([memory for memory, _ in remembered]),
            luma=self._preparer.previous(lumas[-1]),
            key_lumas=halves,
            tracks=first_tracks(halves[-1], halves) if has_tracks else None,
            references=len(references),
        )

    def reset_state(self, state: State) -> State:
        """A state without a past: of `state`, only the memory of the keys is left.

        The first frame of a shot is stepped from such a state, since nothing may be carried over
        a cut.
        """
        tensors = self.session.zeros(state.tensors)
        return replace(state, tensors=tensors, luma=None, tracks=None, exposure=STEADY)

    def init_pass(
        self, pass_: Pass, keys: Mapping[int, Key], references: Sequence[Key] = ()
    ) -> State:
        """The state that the first step of a pass starts from.

        Args:
            pass_: A pass as `Timeline.passes` gives it.
            keys: Key frames by their frame's number, at working size; at least `pass_.keys`.
            references: At working size; they colour shots without a key, and no others.

        Returns:
            The state right after the key that the pass starts at. Where the pass starts at a
            shot's edge instead, a state without a past that remembers the same keys.

        Raises:
            KeyFrameError: As in `init_state`.
        """
        used = [keys[frame] for frame in pass_.keys]
        if pass_.has_key_in_shot:
            return self.init_state(*used)
        return self.reset_state(self.init_state(*used, references=references))

    def step(self, luma: Plane | FrameInputs, state: State) -> Step:
        """Colour the frame after the one that left `state`; `state` itself stays valid.

        Args:
            luma: [h, w] float32 in [0, 1], of the size of the keys. Or what `prepare` made of it,
                which gives the same colours sooner.
            state: Of the frame before, or of a key.

        Returns:
            The frame's colours and the state after it.

        Raises:
            ArgumentError: `luma` has another shape or type, or was prepared for another state.
        """
        inputs = luma if isinstance(luma, FrameInputs) else self.prepare(luma, state)
        if inputs.size != state.size or not inputs.follows(state.luma, state.key_lumas):
            raise ArgumentError(
                "luma was prepared for other frames than those of its state; prepare it again"
            )
        inputs = inputs.with_tracks(state.tracks)
        exposure = state.exposure.after(inputs.brightening)
        even = exposed(inputs.luma, exposure.gain)
        chroma, confidence, tensors = self.session.propagate(
            even,
            state.tensors,
            state.memory,
            inputs.flows_with(state.references),
            inputs.features if inputs.gain == exposure.gain else self.session.features(even),
        )
        height, width = state.size
        return Step(
            # Copies: onnxruntime's arrays are views of memory that the state may share.
            chroma=crop(chroma, height, width).copy(),
            confidence=crop(confidence, height, width)[0].copy(),
            state=replace(
                state,
                tensors=tensors,
                luma=self._preparer.previous(inputs.luma8),
                tracks=inputs.tracks,
                exposure=exposure,
            ),
        )

    def prepare(
        self,
        luma: Plane,
        state: State,
        *,
        previous: Plane | None = None,
        reuse: FrameInputs | None = None,
    ) -> FrameInputs:
        """The part of `step` that depends only on luma. Any thread can call it at any time.

        Args:
            luma: As in `step`.
            state: The state that the frame will be stepped from. If `previous` is given, any state
                of the same pass; tracks are then added later by `step`.
            previous: Luma [h, w] float32 of the frame before; None if `state` is of that frame.
            reuse: Inputs already computed for this frame in another pass; features and flow to
                shared keys are taken from them.

        Returns:
            What `step` takes in place of `luma`.

        Raises:
            ArgumentError: `luma` or `previous` has another shape or type.
        """
        before = state.luma
        if previous is not None:
            before = self._preparer.previous(to_uint8(_checked("previous", previous, state.size)))
        inputs = self._preparer.prepare(
            luma,
            size=state.size,
            previous=before,
            keys=state.key_lumas,
            exposure=state.exposure if previous is None else None,
            reuse=reuse,
        )
        return inputs.with_tracks(state.tracks) if previous is None else inputs

    def run(
        self, lumas: Iterable[Plane], state: State, *, workers: int | None = None
    ) -> Iterator[Step]:
        """Step through the frames after the one that left `state`, in their order.

        While one frame is stepped, other threads prepare the next ones. `lumas` is read that far
        ahead, in the caller's thread.

        Args:
            lumas: Luma [h, w] float32 in [0, 1] of each frame.
            state: Of the frame before the first of them, or of a key.
            workers: How many threads prepare, never more than there are cores. None is half as many
                as there are cores, or all but one where the graphs run on a device. Either way,
                no more than `AHEAD_BYTES` hold the frames of.

        Yields:
            The step of each frame.

        Raises:
            ArgumentError: A luma has another shape or type; raised at its place.
        """
        prepared = self._preparer.ahead(
            lumas,
            size=state.size,
            previous=state.luma,
            keys=state.key_lumas,
            tracks=state.tracks,
            exposure=state.exposure,
            workers=self._workers(state, workers),
        )
        for inputs in prepared:
            step = self.step(inputs, state)
            state = step.state
            yield step

    def _workers(self, state: State, wanted: int | None) -> int:
        """How many threads prepare the frames after a state, and hold one frame each."""
        cores = count_cores()
        if wanted is None:
            wanted = cores - 1 if self.session.is_on_device else cores // 2
        height, width = state.size
        planes = 4 + 5 * len(state.key_lumas)  # luma, flow to the frame before; flow to each key
        planes += FEATURES_PLANES * self.session.has_features
        frames = AHEAD_BYTES // (planes * height * width * np.dtype(np.float32).itemsize)
        return max(1, min(wanted, cores, frames))


def _listed(references: Sequence[Key]) -> Sequence[Key]:
    """The references; raises KeyFrameError where one is given in place of a list of them."""
    if isinstance(references, Key):
        raise KeyFrameError("references is one Key, a list of them is needed: references=[key]")
    return references


def _checked(name: str, luma: Plane, size: tuple[int, int]) -> Plane:
    """A luma of this size; raises ArgumentError under the argument's name where it is none."""
    try:
        check_luma(luma)
    except ValueError as error:
        raise ArgumentError(f"{name}: {error}") from None
    if luma.shape != size:
        (height, width), (rows, columns) = size, luma.shape
        raise ArgumentError(
            f"{name} is {columns}x{rows} pixels, its state is of frames of {width}x{height}"
        )
    return luma


def _check_keys(keys: tuple[Key, ...]) -> tuple[int, int]:
    """The size of the keys; raises KeyFrameError where they cannot start a state."""
    if not keys:
        raise KeyFrameError("init_state needs at least one key frame or reference")
    for key in keys:
        if not isinstance(key, Key):
            raise KeyFrameError(
                f"a key frame or reference is a {type(key).__name__}, a vidcolor.Key is needed; "
                "several keys are given one by one, init_state(*keys)"
            )
    height, width = keys[0].luma.shape
    if any(key.luma.shape != (height, width) for key in keys):
        sizes = ", ".join(f"{key.luma.shape[1]}x{key.luma.shape[0]}" for key in keys)
        raise KeyFrameError(f"key frames are {sizes} pixels; all must have the same size")
    if any(key.weight is not None for key in keys):
        raise KeyFrameError(
            "a key frame is painted in parts, a whole one is needed: spread it with "
            "vidcolor.key.paint.Paint.of(key).small"
        )
    return height, width
