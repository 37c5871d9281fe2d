"""A propagate graph whose wide convolutions compute in 8 bits, for CPUs.

Weights have a scale for each output channel, activations one for each tensor, as wide as they were
on real frames (`calibration_feeds`): post-training quantisation as Jacob et al. 2018 have it, by
onnxruntime's own tool. Convolutions with few output channels stay float32. They are at the ends of
a network: the last ones write colours and weights, of which 256 levels would be seen, and at the
sizes where they work little is gained. So do convolutions of one pixel and those that work channel
by channel, which a trunk for classification is made of: to code their inputs and decode their
outputs takes longer than they do. And so do sampling, attention and everything at the borders:
names, types and shapes are those of the float32 graph, beside whose remember graph it runs.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from evaluation.clips import CODING, Clip, find_videos, load_clip
from evaluation.options import ClipOptions
from evaluation.predictors import key_frame
from export.graphs import ExportError
from vidcolor.color import decode_luma
from vidcolor.inference import contract
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator

WIDE, FED = 32, 16
"""Output channels and input channels from which on a convolution computes in 8 bits."""
CLIPS = 8
FRAMES = 40
EVERY = 13
"""Activations are measured on this many clips, on every so manieth of their first frames."""

Feeds = dict[str, NDArray[np.float32]]
"""Inputs of the propagate graph, by name."""


def calibration_feeds(bundle: Path, folders: Sequence[Path]) -> Iterator[Feeds]:
    """What the propagate graph of `bundle` is given on clips of these folders, coloured in turn.

    Raises ArgumentError where there is no video, ExportError for one that cannot be decoded.
    """
    propagator = Propagator(Session.load(bundle, provider="cpu", precision="float32"))
    for clip in _clips(folders):
        state = propagator.init_state(key_frame(clip, 0))
        for number, codes in enumerate(clip.luma[1:], start=1):
            seen = propagator.prepare(decode_luma(codes, CODING), state)
            if number % EVERY == 0:
                yield {
                    contract.LUMA: seen.luma,
                    **seen.flows,
                    **{contract.STATE + n: t.numpy().copy() for n, t in state.tensors.items()},
                    **{contract.MEMORY + n: t.numpy().copy() for n, t in state.memory.items()},
                }
            state = propagator.step(seen, state).state


def to_int8(model: ModelProto, feeds: Iterable[Feeds]) -> ModelProto:
    """A new model with the same names and metadata; `feeds` show it what it will be given."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        whole, ready, done = (Path(folder) / f"{n}.onnx" for n in ("whole", "ready", "done"))
        onnx.save(model, whole)
        # The tool of symbolic shapes is for transformers; onnx infers those of convolutions.
        quant_pre_process(whole, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            done,
            _Reader(iter(feeds)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=_exact(onnx.load(ready)),
            per_channel=True,
            # CPUs without the instructions for 8 bits add two products in 16: 7 bits are safe.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        quantised = onnx.load(done)
    del quantised.metadata_props[:]
    quantised.metadata_props.extend(model.metadata_props)
    return quantised


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, feeds: Iterator[Feeds]) -> None:
        self._feeds = feeds

    def get_next(self) -> Feeds | None:
        return next(self._feeds, None)


def _exact(model: ModelProto) -> list[str]:
    """The names of the convolutions that stay float32."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    convolutions = (node for node in model.graph.node if node.op_type == "Conv")
    return [node.name for node in convolutions if not _pays(*shapes[node.input[1]])]


def _pays(outputs: int, inputs: int, *size: int) -> bool:
    """Whether 8 bits are quicker for a convolution: what turns it into them and back costs too.

    Of one that works channel by channel, `inputs` is 1.
    """
    return outputs >= WIDE and inputs >= FED and size != (1, 1)


def _clips(folders: Sequence[Path]) -> Iterator[Clip]:
    """Some of the videos, evenly chosen; nothing of them is kept."""
    videos = list(find_videos(folders))
    chosen = np.linspace(0, len(videos) - 1, min(CLIPS, len(videos))).round().astype(int)
    with tempfile.TemporaryDirectory() as cache:
        options = ClipOptions(max_frames=FRAMES, cache=Path(cache))
        for place in chosen:
            path, name = videos[place]
            try:
                yield load_clip(path, name=name, options=options)
            except (OSError, ValueError) as error:
                raise ExportError(f"calibrate: {path} cannot be decoded: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the tool's advice off the terminal."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
