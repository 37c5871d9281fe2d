from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnxruntime import InferenceSession

from vidcolor.inference.io_binding import StagingBuffer

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("keys", [1, 3])
def test_a_graph_gets_and_gives_the_same_planes_as_one_by_one(flow_bundle: Path, keys: int) -> None:
    graph = InferenceSession(flow_bundle / "propagate.float32.onnx")
    given = {
        tensor.name: RNG.random((keys if tensor.shape[0] == "keys" else 1, tensor.shape[1], 24, 40))
        .astype(np.float32)
        for tensor in graph.get_inputs()
    }  # fmt: skip
    names = [tensor.name for tensor in graph.get_outputs()]
    expected = dict(zip(names, graph.run(names, given), strict=True))

    binding = graph.io_binding()
    back = {name: expected[name].shape for name in ("confidence", "chroma")}
    buffer = StagingBuffer(binding, "cpu", 0, inputs=given, output_shapes=back)
    for name in names:
        if name not in back:
            binding.bind_output(name)
    graph.run_with_iobinding(binding)
    got = buffer.fetch()
    assert list(got) == ["confidence", "chroma"]
    for name, plane in got.items():
        np.testing.assert_array_equal(plane, expected[name])
