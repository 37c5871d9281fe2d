import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from export.graphs import check_graphs
from export.precision import to_float16

HALF, FULL = TensorProto.FLOAT16, TensorProto.FLOAT


def types_of(model: onnx.ModelProto) -> dict[str, int]:
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = (*graph.input, *graph.output, *graph.value_info)
    weights = {tensor.name: tensor.data_type for tensor in graph.initializer}
    return {value.name: value.type.tensor_type.elem_type for value in values} | weights


def halves_of(
    nodes: list[tuple[str, str, str]], outputs: dict[str, int], channels: int = 32
) -> onnx.ModelProto:
    """A chain of operators as it is after the conversion, from `luma`, of so many channels.

    nodes: Each one's type, what it takes and what it gives; convolutions are of 3x3 pixels.
    outputs: Their channels.
    """
    weight = np.full((channels, channels, 3, 3), 0.01, np.float32)
    known = {
        "Conv": (["weight"], {"pads": [1, 1, 1, 1]}),
        "Split": ([], {"axis": 1, "num_outputs": 2}),
    }
    made = []
    for operator, taken, given in nodes:
        others, attributes = known.get(operator, ([], {}))
        inputs = [*taken.split(), *others]
        made.append(helper.make_node(operator, inputs, given.split(), **attributes))
    graph = helper.make_graph(
        made,
        "chain",
        [helper.make_tensor_value_info("luma", FULL, [1, channels, 8, 8])],
        [helper.make_tensor_value_info(n, FULL, [1, c, 8, 8]) for n, c in outputs.items()],
        [numpy_helper.from_array(weight, "weight")],
    )
    opset = [helper.make_opsetid("", 18)]
    model = to_float16(helper.make_model(graph, opset_imports=opset, ir_version=10))
    onnx.checker.check_model(model, full_check=True)
    return model


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_all_at_the_borders_stays_float32(courier_graphs):
    halves = {name: to_float16(model) for name, model in courier_graphs.items()}
    check_graphs(halves)
    for name, model in halves.items():
        types = types_of(model)
        for value in (*model.graph.input, *model.graph.output):
            assert types[value.name] == FULL, (name, value.name)
        assert list(model.metadata_props) == list(courier_graphs[name].metadata_props)


def test_products_run_in_float16_and_sampling_in_float32(courier_graphs):
    model = to_float16(courier_graphs["propagate"])
    types = types_of(model)
    kinds = {"MatMul": HALF, "GridSample": FULL, "Softmax": FULL}
    seen = set()
    for node in model.graph.node:
        if node.op_type in kinds:
            seen.add(node.op_type)
            assert {types[name] for name in (*node.input, *node.output)} == {kinds[node.op_type]}
    assert seen == kinds.keys()


def test_wide_convolutions_run_in_float16_and_what_lies_between_them():
    chain = [("Conv", "luma", "a"), ("LeakyRelu", "a", "b"), ("Exp", "b", "c"), ("Conv", "c", "d")]
    model = halves_of(chain, {"d": 32})
    assert operators(model) == ["Cast", "Conv", "LeakyRelu", "Exp", "Conv", "Cast"]
    types = types_of(model)
    assert {tensor.name: tensor.data_type for tensor in model.graph.initializer} == {
        "weight.float16": HALF
    }
    assert [types[name] for node in model.graph.node[1:5] for name in node.output] == [HALF] * 4


def test_convolutions_of_few_channels_stay_float32_beside_what_does():
    chain = [("Log", "luma", "a"), ("Conv", "a", "b"), ("Abs", "b", "c"), ("Conv", "c", "d")]
    assert operators(halves_of(chain, {"d": 4}, channels=4)) == ["Log", "Conv", "Abs", "Conv"]
    assert operators(halves_of(chain, {"d": 32})).count("Cast") == 2


def test_a_graph_without_products_stays_as_it_is():
    assert operators(halves_of([("Abs", "luma", "a")], {"a": 32})) == ["Abs"]


def test_there_are_as_few_casts_as_can_be():
    """One before the parts, not one behind each; and none around what is float32 on both sides."""
    chain = [
        ("Conv", "luma", "a"),
        ("Split", "a", "b c"),
        ("Log", "b", "d"),
        ("Softmax", "c", "e"),
        ("Add", "d e", "f"),
        ("Sqrt", "f", "g"),
    ]
    model = halves_of(chain, {"g": 16})
    assert operators(model) == ["Cast", "Conv", "Cast", "Split", "Log", "Softmax", "Add", "Sqrt"]


def test_a_chain_before_the_first_product_is_not_rounded_between_its_steps():
    """1000 + x - 1000: rounded to float16 in between, nothing but steps of a half would be left."""
    thousand = numpy_helper.from_array(np.float32(1000), "thousand")
    weight = numpy_helper.from_array(np.eye(4, dtype=np.float32), "weight")
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["luma", "thousand"], ["far"]),
            helper.make_node("Sub", ["far", "thousand"], ["near"]),
            helper.make_node("MatMul", ["near", "weight"], ["chroma"]),
        ],
        "chain",
        [helper.make_tensor_value_info("luma", FULL, [1, 1, "h", 4])],
        [helper.make_tensor_value_info("chroma", FULL, [1, 1, "h", 4])],
        [thousand, weight],
    )
    opset = [helper.make_opsetid("", 18)]
    model = to_float16(helper.make_model(graph, opset_imports=opset, ir_version=10))
    onnx.checker.check_model(model, full_check=True)
    assert types_of(model)["weight.float16"] == HALF
    luma = np.linspace(0, 1, 32, dtype=np.float32).reshape(1, 1, 8, 4)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (chroma,) = session.run(None, {"luma": luma})
    np.testing.assert_allclose(chroma, luma, atol=2**-11)
