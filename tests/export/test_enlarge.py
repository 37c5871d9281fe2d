"""The graph `enlarge` that ships is the one that is made here, and is fit for a device."""

from __future__ import annotations

from collections import Counter

import onnx
import pytest

from export.enlarge import make_enlarge, write_enlarge
from export.graphs import OPSET
from vidcolor.enlarge_geometry import enlarge_geometry
from vidcolor.inference.enlarge import CODES, FULL, LUMA_TYPES, graph_path
from vidcolor.working_size import WorkingSize

OF_SIZES = {"Shape", "Reshape", "Expand", "ConstantOfShape", "Size", "Resize", "Range", "Slice"}
MOST = 45
"""Operators: each is a launch on a device."""


@pytest.mark.parametrize("luma", LUMA_TYPES)
def test_what_ships_is_what_is_made(luma: str, tmp_path) -> None:
    shipped = onnx.load(graph_path(luma))
    assert shipped == make_enlarge(luma)
    write_enlarge(tmp_path)
    assert onnx.load(tmp_path / graph_path(luma).name) == shipped


@pytest.mark.parametrize("luma", LUMA_TYPES)
def test_it_computes_no_sizes_and_has_few_operators(luma: str) -> None:
    graph = make_enlarge(luma).graph
    operators = Counter(node.op_type for node in graph.node)
    assert not operators.keys() & OF_SIZES
    assert operators.total() <= MOST


@pytest.mark.parametrize("luma", LUMA_TYPES)
def test_its_inputs_are_a_frames_and_the_geometry(luma: str) -> None:
    model = make_enlarge(luma)
    assert {o.domain: o.version for o in model.opset_import} == {"": OPSET}
    fit = WorkingSize.of(96, 128, 48)
    geometry = enlarge_geometry(fit.working, fit.grid((0, 0), "left"))
    assert geometry is not None
    names = {value.name for value in model.graph.input}
    assert names == {"luma", "chroma", "small", "scale", *geometry}
    outputs = [FULL] if luma == "float32" else [FULL, CODES]
    assert [value.name for value in model.graph.output] == outputs
