"""A propagate graph whose convolutions and attention compute in 8 bits, for CPUs.

Weights have a scale for each output channel, activations one for each tensor, as wide as they were
on real frames (`calibration_feeds`): post-training quantisation as Jacob et al. 2018 have it, by
onnxruntime's own tool. What turns numbers into 8 bits and back costs time, so whole chains compute
so: the convolutions, what is added up between them, and activations, which cost nothing at all
where they only cut off a range. A trunk for classification gains by that as wide convolutions do,
though its convolutions are of one pixel or work channel by channel.

Results of 8 bits go to other convolutions only. The last ones write colours and weights, of which
256 levels would be seen; they stay float32. So do convolutions of few channels, by which little is
gained, sampling, and everything at the borders: names, types and shapes are those of the float32
graph, beside whose remember graph it runs. Of attention, the product that compares places takes
numbers of 8 bits and gives float32.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, numpy_helper
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
from export.plan import Feeds, Plan, level_last
from vidcolor.color import decode_luma
from vidcolor.inference import contract
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator

CLIPS = 8
FRAMES = 40
EVERY = 13
"""Activations are measured on this many clips, on every so manieth of their first frames."""


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
        shown = list(feeds)
        plan = Plan(level_last(onnx.load(ready), shown))
        onnx.save(plan.model, ready)
        quantize_static(
            ready,
            done,
            _Reader(iter(shown)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Add", "Clip", "Relu", "MatMul"],
            nodes_to_exclude=plan.exact,
            per_channel=True,
            # CPUs without the instructions for 8 bits add two products in 16: 7 bits are safe.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                "OpTypesToExcludeOutputQuantization": ["MatMul"],
                "TensorQuantOverrides": {name: [_AS_WEIGHTS] for name in plan.compared},
            },
        )
        quantised = onnx.load(done)
    _reduce_ranges(quantised, plan.compared)
    del quantised.metadata_props[:]
    quantised.metadata_props.extend(model.metadata_props)
    return quantised


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, feeds: Iterator[Feeds]) -> None:
        self._feeds = feeds

    def get_next(self) -> Feeds | None:
        return next(self._feeds, None)


_AS_WEIGHTS = {"quant_type": QuantType.QInt8, "symmetric": True}
"""What a product's second factor is coded as: CPUs have instructions for signed ones."""


def _reduce_ranges(model: ModelProto, names: Iterable[str]) -> None:
    """Leave these tensors 7 of their 8 bits, as weights; the tool does that for weights alone."""
    scales = {f"{name}_scale" for name in names}
    for tensor in model.graph.initializer:
        if tensor.name in scales:
            double = 2 * numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(double, tensor.name))


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
