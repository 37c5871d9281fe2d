"""Time per frame, side by side: the bare graph, the loops over the runtime, filter and command."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from onnxruntime import InferenceSession

from benchmarks import command, vspipe
from benchmarks.footage import CLIPS, key_of, pan, place
from benchmarks.machine import Model
from benchmarks.rounds import Case, Timing, take_turns, timed
from vidcolor.color import Coding
from vidcolor.inference import contract
from vidcolor.inference.enlarge import Enlarger, Guide
from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.motion.optical_flow import to_uint8
from vidcolor.planes import Plane
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

GRAPH = "session.run alone"
SEEN = "step, inputs given"
STEP = "step"
RUN = "run: flow ahead"
CHAIN = "flow chain"
LOOP = "plain loop"
FILTER = "filter, vspipe"
COMMAND = "vidcolor color"
LIMITS = {
    GRAPH: "the graphs themselves, see the profile",
    SEEN: "the propagate graph; chroma and confidence copied out",
    STEP: "the graphs, then optical flow, one after the other",
    RUN: "the graphs and optical flow side by side, on all cores",
    CHAIN: "one optical flow, and no model: the free alternative",
    LOOP: "a step, then full-size planes, one after the other",
    FILTER: "as run, with full-size planes on VapourSynth's threads",
    COMMAND: "the loop, beside it decoding and libx264",
}
"""What bounds each row."""

CODING = Coding("bt709", full_range=True)


class Row(NamedTuple):
    """One line of the table."""

    place: str
    """Provider and precision."""
    size: int
    """Short side of the working size."""
    clip: str
    """A name in `CLIPS`; empty for what sees planes of working size only."""
    what: str
    timing: Timing


def measure(model: Model, *, size: int, frames: int, rounds: int) -> Iterator[Row]:
    """All rows of one model at one working size."""
    small = Small(model, size, frames)
    cases: dict[tuple[str, str], Case] = {("", name): case for name, case in small.cases().items()}
    with tempfile.TemporaryDirectory() as folder:
        for clip, shape in CLIPS.items():
            video = command.render(Path(folder) / clip, shape, frames)
            cases[clip, LOOP] = small.loop(shape)
            cases[clip, FILTER] = partial(vspipe.lap, model, size=size, shape=shape, frames=frames)
            cases[clip, COMMAND] = partial(command.lap, model, video, size=size)
        timings = take_turns(cases, rounds)
    for (clip, what), timing in timings.items():
        yield Row(model.place, size, clip, what, timing)


class Small:
    """The runtime on `frames` frames of working size, made of the 480p clip."""

    def __init__(self, model: Model, size: int, frames: int, threads: int | None = None) -> None:
        self._session = model.load(threads)
        self._propagator = Propagator(self._session)
        self._size, self._frames = size, frames
        height, width = CLIPS["480p"]
        fit = WorkingSize.of(height, width, size)
        planes = [fit.downsample_codes(codes, CODING) for codes in pan(height, width)]
        self._lumas = [planes[place(n)] for n in range(1, frames + 1)]
        self._key = key_of(planes[0])
        self._begun = self._propagator.init_state(self._key)
        self._seen = list(self._prepared(planes[0]))

    def _prepared(self, before: Plane) -> Iterator[FrameInputs]:
        """The inputs of the frames, the first of which comes after `before`."""
        tracks = self._begun.tracks
        for luma in self._lumas:
            inputs = self._propagator.prepare(luma, self._begun, previous=before)
            inputs = inputs.with_tracks(tracks)
            yield inputs
            before, tracks = luma, inputs.tracks

    def cases(self) -> dict[str, Case]:
        """The rows that see planes of working size only."""
        works = {
            GRAPH: self.graph,
            SEEN: self.step_seen,
            STEP: self.step,
            RUN: self.run,
            CHAIN: self.chain,
        }
        return {name: timed(work, self._frames) for name, work in works.items()}

    def graph(self) -> None:
        """The graphs of a frame, and nothing else."""
        tensors = self._begun.tensors
        for seen in self._seen:
            features = self._session.features(seen.luma)
            _, _, tensors = self._session.propagate(
                seen.luma, tensors, self._begun.memory, seen.flows, features
            )

    def replay_features(self, graph: InferenceSession) -> None:
        """The same frames in another session of the features graph."""
        for seen in self._seen:
            graph.run(None, {contract.LUMA: seen.luma})

    def replay(self, graph: InferenceSession) -> None:
        """The same frames in another session of the propagate graph."""
        memory = {contract.MEMORY + name: t.numpy() for name, t in self._begun.memory.items()}
        carried = {contract.STATE + name: t.numpy() for name, t in self._begun.tensors.items()}
        names = [tensor.name for tensor in graph.get_outputs()]
        for seen in self._seen:
            features = {contract.FEATURES + n: t.numpy() for n, t in seen.features.items()}
            feeds = {contract.LUMA: seen.luma, **seen.flows, **memory, **carried, **features}
            made = dict(zip(names, graph.run(names, feeds), strict=True))
            carried = {
                name: made[name.replace(contract.STATE, contract.NEXT, 1)] for name in carried
            }

    def step_seen(self) -> None:
        """Steps whose flow and features are there already."""
        state = self._begun
        for seen in self._seen:
            state = self._propagator.step(seen, state).state

    def step(self) -> None:
        """Steps that make their flow and features in line."""
        state = self._begun
        for luma in self._lumas:
            state = self._propagator.step(luma, state).state

    def run(self) -> None:
        """Steps whose flow and features are made ahead, on other threads."""
        for _ in self._propagator.run(self._lumas, self._begun):
            pass

    def chain(self) -> None:
        """Chroma warped from frame to frame along OpenCV's DIS flow, at its medium preset."""
        chroma = np.moveaxis(self._key.chroma, 0, 2).copy()
        height, width = self._key.luma.shape
        grid = np.moveaxis(np.mgrid[:height, :width][::-1], 0, 2).astype(np.float32)
        nothing = np.empty(0, np.float32)
        before = to_uint8(self._key.luma)
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        for luma in self._lumas:
            here = to_uint8(luma)
            places = grid + np.asarray(dis.calc(here, before, nothing), np.float32)
            carried = cv2.remap(
                chroma, places, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            chroma = np.asarray(carried, np.float32)
            before = here

    def loop(self, shape: tuple[int, int]) -> Case:
        """From code values to code values of 4:2:0, all in line."""
        height, width = shape
        fit, codes = WorkingSize.of(height, width, self._size), pan(height, width)
        enlarger, grid = Enlarger(fit, self._session.device_runner), fit.grid((1, 1), "left")

        def work() -> None:
            state = self._propagator.init_state(key_of(fit.downsample_codes(codes[0], CODING)))
            for n in range(1, self._frames + 1):
                here = codes[place(n)]
                small = fit.downsample_codes(here, CODING)
                chroma, _, state = self._propagator.step(small, state)
                enlarger.codes(chroma, Guide(here, CODING, small), grid)

        return timed(work, self._frames)
