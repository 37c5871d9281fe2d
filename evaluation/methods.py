"""Everything that is evaluated, as one thing: a way to paint a clip whose frame 0 is the key.

Models run through the shipped runtime (`vidcolor.propagate`, onnxruntime), in
*propagation*, on their own output, as they are used, or in *transfer*, where every frame follows
the true one before it, as the reports measured theirs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from evaluation.baselines import BASELINES
from evaluation.clips import CODING, Clip
from vidcolor.color import decode_chroma, decode_luma
from vidcolor.inference.colorizer import Colorizer
from vidcolor.inference.contract import Metadata
from vidcolor.inference.session import Session
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, State, Step

MODES = ("propagation", "transfer")
PER_FRAME = "per frame"
"""An image colorizer on every frame by itself, the key unseen: the reports' baseline."""


class Painted(NamedTuple):
    """One frame as a method coloured it."""

    chroma: Plane
    """[2, h, w] float32 in ±0.5."""
    confidence: float | None
    """The mean over the frame, in [0, 1]; None where the method has no opinion."""
    seconds: float
    """Spent on this frame, flow included."""


@dataclass(frozen=True)
class Method:
    """A baseline, or a model in one of `MODES`."""

    kind: str
    """A name in `BASELINES`, `PER_FRAME`, 'propagation' or 'transfer'."""
    model: str = ""
    """How tables call the model; empty for baselines."""
    bundle: str = ""
    """What `Session.load`, or `Colorizer.load`, takes for it."""
    provider: str = "auto"
    threads: int | None = None
    """CPU threads of onnxruntime for one frame; None leaves it to onnxruntime."""

    @property
    def label(self) -> str:
        """What tables call it: the model alone when it propagates."""
        if self.kind == "transfer":
            return f"{self.model} transfer"
        return self.model or self.kind

    def paint(self, clip: Clip) -> Iterator[Painted]:
        """Frames 1, 2, ... of the clip, in order."""
        if self.kind in BASELINES:
            key = decode_chroma(*clip.chroma[0], CODING)
            for chroma, seconds in _timed(BASELINES[self.kind](clip.luma, key)):
                yield Painted(chroma, None, seconds)
            return
        if self.kind == PER_FRAME:
            colorizer = load_colorizer(self.bundle, self.provider, self.threads)
            for chroma, seconds in _timed(per_frame(colorizer, clip)):
                yield Painted(chroma, None, seconds)
            return
        _, propagator = load(self.bundle, self.provider, self.threads)
        follow = propagation if self.kind == "propagation" else transfer
        for step, seconds in _timed(follow(propagator, clip)):
            yield Painted(step.chroma, float(step.confidence.mean()), seconds)


def per_frame(colorizer: Colorizer, clip: Clip) -> Iterator[Plane]:
    """Chroma of frames 1, 2, ...: each from its own luma alone."""
    for codes in clip.luma[1:]:
        yield colorizer.color(decode_luma(codes, CODING), matrix=CODING.matrix)


def propagation(propagator: Propagator, clip: Clip) -> Iterator[Step]:
    """Steps for frames 1, 2, ...: each from the state that the step before left."""
    state = propagator.init_state(key_frame(clip, 0))
    for codes in clip.luma[1:]:
        step = propagator.step(decode_luma(codes, CODING), state)
        state = step.state
        yield step


def transfer(propagator: Propagator, clip: Clip) -> Iterator[Step]:
    """Steps for frames 1, 2, ...: each from a state begun anew at the true frame before it.

    What the model remembers of a key is frame 0's throughout, as in propagation.
    """
    followed = propagator.init_state(key_frame(clip, 0))
    for before, codes in enumerate(clip.luma[1:]):
        state = remember(propagator.init_state(key_frame(clip, before)), of=followed)
        step = propagator.step(decode_luma(codes, CODING), replace(state, tracks=followed.tracks))
        followed = step.state
        yield step


def remember(state: State, *, of: State) -> State:
    """The state with the keys of another one, whose tracks are begun anew."""
    return replace(state, memory=of.memory, key_lumas=of.key_lumas, tracks=None)


def key_frame(clip: Clip, frame: int) -> Key:
    """A frame in its true colours."""
    return Key(
        luma=decode_luma(clip.luma[frame], CODING),
        chroma=decode_chroma(*clip.chroma[frame], CODING),
    )


@cache
def load(bundle: str, provider: str, threads: int | None) -> tuple[Metadata, Propagator]:
    """A bundle, loaded once, by the arguments of `Session.load`; threads may share it."""
    session = Session.load(bundle, provider=provider, threads=threads)
    return session.metadata, Propagator(session)


@cache
def load_colorizer(colorizer: str, provider: str, threads: int | None) -> Colorizer:
    """An image colorizer, loaded once, as `load`."""
    return Colorizer.load(colorizer, provider=provider, threads=threads)


def _timed[Item](items: Iterator[Item]) -> Iterator[tuple[Item, float]]:
    """Each item with the seconds that it took; what is done with it meanwhile does not count."""
    while True:
        start = time.perf_counter()
        try:
            item = next(items)
        except StopIteration:
            return
        yield item, time.perf_counter() - start
