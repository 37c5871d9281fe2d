"""A generator's two methods as ONNX graphs, with names and axes of `vidcolor.inference.contract`.

torch.export traces each method once, on planes of a few cells of `size_multiple` pixels, with
height, width and the number of keys symbolic. `check_graphs` then reads the result back: a model
whose code fixes a size in the trace is refused instead of shipped.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn
from torch.export import Dim

from export.simplify import simplified
from training.models.base import Generator, Remembered
from vidcolor.errors import VidcolorError
from vidcolor.inference import contract
from vidcolor.inference.graph import Graph, check_contract

OPSET = 18
"""The newest for which every released onnxruntime from 1.20 has all the CUDA kernels.

The CPU would run 21. But onnxruntime's CUDA kernels lag: Pad has none from opset 19 on
(its issue 26393), and Shape, Reshape and Transpose had none for 21 (its issue 26065); such nodes
fall back to the CPU, with a copy there and back for each. 18 is also what torch's exporter is
written in, so nothing is converted afterwards.
"""

ROWS, COLUMNS, _KEYS = Dim("rows"), Dim("columns"), Dim("keys")
# Cells of the traced planes and of a second size that tells a tensor's axes apart. All differ
# from each other and from one, which torch.export would take for a constant.
TRACED = (2, 3)
_PROBE = (3, 5)
_TRACED_KEYS = 4

INVALID = (
    contract.ContractError,
    onnx.checker.ValidationError,
    onnx.shape_inference.InferenceError,
)
"""What is raised for graphs that are not valid."""

Axes = dict[int, Any]
"""Which axes of a tensor are dynamic: axis -> torch.export's dimension."""


class ExportError(VidcolorError, RuntimeError):
    """A generator cannot become a bundle, or not at this place."""


@dataclass(frozen=True)
class Input:
    """A graph's input: its name in the contract, an example of it, its dynamic axes."""

    name: str
    example: Tensor
    axes: Axes


class RememberGraph(nn.Module):
    """`Generator.remember` for one clip and one key, tensors in and out in the contract's order."""

    def __init__(self, generator: Generator, memory: Iterable[str], state: Iterable[str]) -> None:
        super().__init__()
        self.generator = generator
        self.memory = tuple(memory)
        self.state = tuple(state)
        self.outputs = [
            *(contract.MEMORY + name for name in self.memory),
            *(contract.NEXT + name for name in self.state),
        ]

    def forward(self, *planes: Tensor) -> tuple[Tensor, ...]:
        """key.luma [1, 1, h, w], key.chroma [1, 2, h, w] -> memory.* [1, ...], next.* [1, ...]."""
        memory, state = self.generator.remember(*planes)
        return (
            *(memory[name].squeeze(0) for name in self.memory),
            *(state[name] for name in self.state),
        )


class PropagateGraph(nn.Module):
    """`Generator.propagate` for one clip and k keys, tensors in and out in the contract's order."""

    def __init__(self, generator: Generator, inputs: Iterable[str]) -> None:
        super().__init__()
        self.generator = generator
        self.inputs = tuple(inputs)
        self.state = [
            n.removeprefix(contract.STATE) for n in self.inputs if n.startswith(contract.STATE)
        ]
        self.outputs = [
            contract.CHROMA,
            contract.CONFIDENCE,
            *(contract.NEXT + name for name in self.state),
        ]

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """luma, state.*, memory.* [k, ...], flow.* -> chroma, confidence, next.*."""
        given = dict(zip(self.inputs, tensors, strict=True))
        memory = _part(given, contract.MEMORY)
        flows = {name: given[name] for name in self.generator.flows}
        state = _part(given, contract.STATE)
        frame = self.generator.propagate_stacked(given[contract.LUMA], state, memory, flows)
        return (frame.chroma, frame.confidence, *(frame.state[name] for name in self.state))


def export_graphs(generator: Generator, metadata: contract.Metadata) -> dict[str, ModelProto]:
    """The float32 graphs by name, checked and with `metadata` on board.

    Raises ExportError when the generator cannot be traced or what it became breaks the contract.
    """
    generator = generator.eval()
    generator.compute_in_parts(1)
    key, _ = _inputs(generator)
    memory, state = _remember(generator, TRACED)
    remember = RememberGraph(generator, memory, state)
    graphs = {
        "remember": trace(remember, key, remember.outputs, metadata),
        "propagate": export_propagate(generator, metadata),
    }
    check_graphs(graphs)
    return graphs


def export_propagate(generator: Generator, metadata: contract.Metadata) -> ModelProto:
    """One of `export_graphs`, of a generator that may compute in parts; it is not checked."""
    _, frame = _inputs(generator)
    propagate = PropagateGraph(generator, [i.name for i in frame])
    return trace(propagate, frame, propagate.outputs, metadata)


def check_graphs(graphs: dict[str, ModelProto]) -> None:
    """Check a bundle's graphs against ONNX and the contract; raises ExportError, naming the fault.

    What only loading can tell is checked by the runtime, in `parity`.
    """
    try:
        for model in graphs.values():
            onnx.checker.check_model(model, full_check=True)
        check_contract(*(Graph.of_model(n, graphs[n]) for n in contract.GRAPHS))
    except INVALID as error:
        raise ExportError(
            f"the exported graphs are not valid, the model's code fixes a size or a type: {error}"
        ) from error


def trace(
    module: nn.Module, inputs: list[Input], outputs: list[str], metadata: contract.Metadata
) -> ModelProto:
    """A module as a graph, with `metadata` on board; its `forward` takes the inputs as `*tensors`.

    Raises ExportError when it cannot be traced.
    """
    with _quiet(), torch.no_grad():
        try:
            program = torch.onnx.export(
                module.eval(),
                tuple(i.example for i in inputs),
                dynamo=True,
                dynamic_shapes=(tuple(i.axes for i in inputs),),
                input_names=[i.name for i in inputs],
                output_names=outputs,
                opset_version=OPSET,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise ExportError(f"{type(module).__name__} cannot be exported: {reason}") from error
    assert program is not None  # noqa: S101 - as it is with dynamo=True
    model = simplified(program.model_proto)
    _strip(model)
    onnx.helper.set_model_props(model, metadata.to_properties())
    return model


def _strip(model: ModelProto) -> None:
    """Drop what the exporter notes about its own run: it names source files and is of no use."""
    model.doc_string = ""
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    for part in (*model.graph.node, *model.graph.input, *model.graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    for initializer in model.graph.initializer:
        initializer.doc_string = ""
        del initializer.metadata_props[:]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter: it reports packages it does not need and axis names it merged."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _inputs(generator: Generator) -> tuple[list[Input], list[Input]]:
    """What the remember graph and the propagate graph take, in this order."""
    cell = generator.size_multiple
    rows, columns = (cell * cells for cells in TRACED)
    planes: Axes = {2: cell * ROWS, 3: cell * COLUMNS}
    per_key: Axes = {0: _KEYS, **planes}
    key = [
        Input(contract.KEY_LUMA, torch.zeros(1, 1, rows, columns), planes),
        Input(contract.KEY_CHROMA, torch.zeros(1, 2, rows, columns), planes),
    ]
    frame = [Input(contract.LUMA, torch.zeros(1, 1, rows, columns), planes)]
    memory, state = _remember(generator, TRACED)
    other_memory, other_state = _remember(generator, _PROBE)
    for name, tensor in state.items():
        # Cloned, since torch.export takes a tensor that stands under two names for one input.
        frame.append(Input(contract.STATE + name, tensor.clone(), _axes(tensor, other_state[name])))
    for name, tensor in memory.items():
        axes = {0: _KEYS, **_axes(tensor[0], other_memory[name][0])}
        keys = tensor[0].repeat(_TRACED_KEYS, *[1] * (tensor.ndim - 2))
        frame.append(Input(contract.MEMORY + name, keys, axes))
    flows = {
        contract.FLOW_PREVIOUS: (torch.zeros(1, 2, rows, columns), planes),
        contract.FLOW_KEY: (torch.zeros(_TRACED_KEYS, 2, rows, columns), per_key),
        contract.FLOW_TRACK: (torch.zeros(_TRACED_KEYS, 2, rows, columns), per_key),
    }
    frame += [Input(name, *flows[name]) for name in sorted(generator.flows)]
    return key, frame


def _remember(generator: Generator, cells: tuple[int, int]) -> Remembered:
    """A made-up key of this size, remembered: only the tensors' names and shapes matter."""
    height, width = (generator.size_multiple * n for n in cells)
    with torch.no_grad():
        return generator.remember(
            torch.zeros(1, 1, height, width), torch.zeros(1, 2, height, width)
        )


def _axes(traced: Tensor, probe: Tensor) -> Axes:
    """The dynamic axes of a tensor, told by its shapes at the sizes `TRACED` and `_PROBE`.

    An axis is constant, a multiple of the rows, a multiple of the columns, or something else
    (rows times columns) whose form torch.export finds by itself.
    """
    axes: Axes = {}
    for axis, sizes in enumerate(zip(traced.shape, probe.shape, strict=True)):
        if sizes[0] == sizes[1]:
            continue
        axes[axis] = Dim.AUTO
        for unit, *cells in ((ROWS, TRACED[0], _PROBE[0]), (COLUMNS, TRACED[1], _PROBE[1])):
            scale = sizes[0] // cells[0]
            if list(sizes) == [scale * n for n in cells]:
                axes[axis] = unit if scale == 1 else scale * unit
    return axes


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those named with `prefix`, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
