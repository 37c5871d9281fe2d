"""Which convolutions compute in 8 bits."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from export.plan import NUMBERS, Plan


def test_a_convolution_of_few_numbers_keeps_its_digits_before_a_wide_one():
    """What only rearranges and subtracts planes would lose more by 8 bits than it saves."""
    shapes = {"few": (18, 19, 1, 1), "wide": (32, 18, 3, 3), "next": (32, 32, 1, 1)}
    assert np.prod(shapes["few"]) < NUMBERS <= np.prod(shapes["next"])
    weights = [
        numpy_helper.from_array(np.ones(shape, np.float32), f"{name}.weight")
        for name, shape in shapes.items()
    ]
    taken, nodes = "planes", []
    for name in (*shapes, "last"):
        weight = f"{name}.weight" if name in shapes else "next.weight"
        nodes.append(helper.make_node("Conv", [taken, weight], [f"{name}.out"], name))
        taken = f"{name}.out"
    graph = helper.make_graph(
        nodes,
        "convolutions",
        [helper.make_tensor_value_info("planes", TensorProto.FLOAT, [1, 19, 8, 8])],
        [helper.make_tensor_value_info("last.out", TensorProto.FLOAT, [1, 32, 6, 6])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    assert Plan(model).exact == ["few", "last"]  # the last one is seen by others
