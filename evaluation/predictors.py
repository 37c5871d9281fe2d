"""Everything that is evaluated, as one thing: it predicts the colours of a clip from frame 0.

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
from vidcolor.inference.colorizer import Colorizer
from vidcolor.inference.contract import Metadata
from vidcolor.inference.session import Session
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, State, Step

MODES = ("propagation", "transfer")
PER_FRAME = "per frame"
"""An image colorizer on every frame by itself, the key unseen: the reports' baseline."""


class Prediction(NamedTuple):
    """One frame as a predictor coloured it."""

    chroma: Plane
    """[2, h, w] float32 in ±0.5."""
    confidence: float | None
    """The mean over the frame, in [0, 1]; None where the method has no opinion."""
    seconds: float
    """Spent on this frame, flow included."""


@dataclass(frozen=True)
class Predictor:
    """A baseline, or a model in one of `MODES`: it colours a clip whose frame 0 is the key."""

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

    def predict(self, clip: Clip) -> Iterator[Prediction]:
        """Yield the predictions for frames 1, 2, ... of the clip, in order."""
        if self.kind in BASELINES:
            key = clip.chroma_plane(0)
            for chroma, seconds in _timed(BASELINES[self.kind](clip.luma, key)):
                yield Prediction(chroma, None, seconds)
            return
        if self.kind == PER_FRAME:
            colorizer = load_colorizer(self.bundle, self.provider, self.threads)
            for chroma, seconds in _timed(per_frame(colorizer, clip)):
                yield Prediction(chroma, None, seconds)
            return
        _, propagator = load(self.bundle, self.provider, self.threads)
        follow = propagation if self.kind == "propagation" else transfer
        for step, seconds in _timed(follow(propagator, clip)):
            yield Prediction(step.chroma, float(step.confidence.mean()), seconds)


def per_frame(colorizer: Colorizer, clip: Clip) -> Iterator[Plane]:
    """Yield chroma [2, h, w] of frames 1, 2, ...: each from its own luma alone."""
    for t in range(1, len(clip)):
        yield colorizer.color(clip.luma_plane(t), matrix=CODING.matrix)


def propagation(propagator: Propagator, clip: Clip) -> Iterator[Step]:
    """Run a model on its own output, as it is used.

    Args:
        propagator: The model.
        clip: Frame 0 is the key.

    Yields:
        Steps for frames 1, 2, ...: each from the state that the step before left.
    """
    state = propagator.init_state(key_frame(clip, 0))
    for t in range(1, len(clip)):
        step = propagator.step(clip.luma_plane(t), state)
        state = step.state
        yield step


def transfer(propagator: Propagator, clip: Clip) -> Iterator[Step]:
    """Run a model one step from each true frame, as the reports measured theirs.

    Args:
        propagator: The model.
        clip: Frame 0 is the key, whose memory and tracks are kept throughout as in propagation.

    Yields:
        Steps for frames 1, 2, ...: each from a new state, made of the true frame before it.
    """
    followed = propagator.init_state(key_frame(clip, 0))
    for t in range(1, len(clip)):
        state = remember(propagator.init_state(key_frame(clip, t - 1)), of=followed)
        step = propagator.step(clip.luma_plane(t), replace(state, tracks=followed.tracks))
        followed = step.state
        yield step


def remember(state: State, *, of: State) -> State:
    """Return a state that has the keys of another one.

    Args:
        state: What is kept, but for keys and tracks.
        of: The state whose keys are taken. Their tracks are begun anew.
    """
    return replace(state, memory=of.memory, key_lumas=of.key_lumas, tracks=None)


def key_frame(clip: Clip, frame: int) -> Key:
    """Return a frame of the clip, by its number, as a key frame in its true colours."""
    return Key(luma=clip.luma_plane(frame), chroma=clip.chroma_plane(frame))


@cache
def load(bundle: str, provider: str, threads: int | None) -> tuple[Metadata, Propagator]:
    """Load a bundle, once for the same arguments; threads may share it.

    Args:
        bundle: Name of a shipped model, or path of a bundle.
        provider: As in `Session.load`.
        threads: CPU threads for one frame; None leaves it to onnxruntime.

    Returns:
        What the bundle says of itself, and its propagator.

    Raises:
        BundleError, ProviderError, ...: As `Session.load`.
    """
    session = Session.load(bundle, provider=provider, threads=threads)
    return session.metadata, Propagator(session)


@cache
def load_colorizer(colorizer: str, provider: str, threads: int | None) -> Colorizer:
    """Load an image colorizer, once for the same arguments; otherwise as `load`."""
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
