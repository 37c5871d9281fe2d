"""START HERE: colour carried from a key frame along a clip, one frame at a time.

    frame -> luma, key's chroma -> step(luma, state) -> chroma, state' -> frame (luma untouched)

The state is a value: `step` takes one and returns the next, and changes nothing. The caller owns
the loop::

    propagator = Propagator(Session.load())
    state = propagator.begin(Key(luma=lumas[0], chroma=chroma_of_the_key))
    for luma in lumas[1:]:
        chroma, confidence, state = propagator.step(luma, state)

Whoever keeps a state can return to its frame and step on from there, as often as wished, in any
thread, and gets the same colours to the last bit. The wrong loop is the one that forgets the state
it was given::

        chroma, confidence, _ = propagator.step(luma, state)  # every frame follows the key

Everything here is at working size; `vidcolor.fit` leads there and back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidcolor import contract
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.flow import flow, quantise
from vidcolor.planes import Key, Plane, check_luma
from vidcolor.session import Session, Tensors

Luma8 = NDArray[np.uint8]


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
    """The keys' lumas, if the model asks for the flow to them."""

    def __repr__(self) -> str:
        return f"State(size={self.size}, tensors={sorted(self.tensors)})"

    @property
    def nbytes(self) -> int:
        """Bytes that go when this state goes: all but what it shares with its segment."""
        own = sum(tensor.tensor_size_in_bytes() for tensor in self.tensors.values())
        return int(own) + (0 if self.luma is None else self.luma.nbytes)


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

    def begin(self, *keys: Key) -> State:
        """The state right after the last of `keys`; all of them are remembered.

        Keys are at working size, of one size, and whole; anything else raises KeyFrameError.
        """
        if not keys:
            raise KeyFrameError("begin needs at least one key frame")
        size = _height_width(keys[0].luma)
        if any(key.luma.shape != size for key in keys):
            sizes = ", ".join(f"{key.luma.shape[1]}x{key.luma.shape[0]}" for key in keys)
            raise KeyFrameError(f"key frames are {sizes} pixels; all must have the same size")
        if any(key.weight is not None for key in keys):
            raise KeyFrameError(
                "a key frame is painted in parts, a whole one is needed: spread it with "
                "vidcolor.paint.Paint.of(key).small"
            )
        remembered = [
            self._session.remember(self._pad(key.luma[None]), self._pad(key.chroma)) for key in keys
        ]
        flows = self._session.flows
        return State(
            size=size,
            tensors=remembered[-1][1],
            memory=self._session.stack([memory for memory, _ in remembered]),
            luma=quantise(keys[-1].luma) if contract.FLOW_PREVIOUS in flows else None,
            key_lumas=tuple(quantise(key.luma) for key in keys if contract.FLOW_KEY in flows),
        )

    def forget(self, state: State) -> State:
        """`state` without a past: what is left is the memory of its keys.

        Where a shot begins, nothing of the frame before may be carried on; `step` from here
        colours a shot's first frame by what the model remembers alone.
        """
        return replace(state, tensors=self._session.zeros(state.tensors), luma=None)

    def step(self, luma: Plane, state: State) -> Step:
        """Colour the frame after the one that left `state`.

        luma: [h, w] float32 in [0, 1], the size of the key that began. `state` stays valid.
        Raises ArgumentError for another shape or type.
        """
        try:
            check_luma(luma)
        except ValueError as error:
            raise ArgumentError(str(error)) from None
        height, width = state.size
        if luma.shape != state.size:
            raise ArgumentError(
                f"luma is {luma.shape[1]}x{luma.shape[0]} pixels, "
                f"its state is of frames of {width}x{height}"
            )
        luma8 = quantise(luma) if self._session.flows else None
        chroma, confidence, tensors = self._session.propagate(
            self._pad(luma[None]), state.tensors, state.memory, self._flows(luma8, state)
        )
        after = State(
            size=state.size,
            tensors=tensors,
            memory=state.memory,
            luma=luma8 if contract.FLOW_PREVIOUS in self._session.flows else None,
            key_lumas=state.key_lumas,
        )
        return Step(
            # Copies: onnxruntime's arrays are views of memory that the state may share.
            chroma=chroma[0, :, :height, :width].copy(),
            confidence=confidence[0, 0, :height, :width].copy(),
            state=after,
        )

    def _flows(self, luma8: Luma8 | None, state: State) -> dict[str, Plane]:
        """The flow inputs that the model asks for, padded as the planes are."""
        flows = {}
        if luma8 is not None and contract.FLOW_PREVIOUS in self._session.flows:
            still = np.zeros((2, *state.size), np.float32)  # to no frame, where there is no past
            to_previous = still if state.luma is None else flow(luma8, state.luma)
            flows[contract.FLOW_PREVIOUS] = self._pad(to_previous)
        if luma8 is not None and state.key_lumas:
            to_keys = [self._pad(flow(luma8, key)) for key in state.key_lumas]
            flows[contract.FLOW_KEY] = np.concatenate(to_keys)
        return flows

    def _pad(self, planes: Plane) -> Plane:
        """Planes [c, h, w] as a batch [1, c, H, W], edges repeated right and below.

        H and W are the next multiples of the model's size multiple; `step` crops back.
        """
        height, width = (-size % self._multiple for size in planes.shape[1:])
        return np.pad(planes, ((0, 0), (0, height), (0, width)), mode="edge")[None]


def _height_width(luma: Plane) -> tuple[int, int]:
    height, width = luma.shape
    return height, width
