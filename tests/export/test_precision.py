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


def test_planes_and_flows_stay_float32_and_what_is_carried_is_float16(courier_graphs):
    halves = {name: to_float16(model) for name, model in courier_graphs.items()}
    check_graphs(halves)
    for name, model in halves.items():
        types = types_of(model)
        for value in (*model.graph.input, *model.graph.output):
            carried = value.name.startswith(("state.", "next.", "memory."))
            assert types[value.name] == (HALF if carried else FULL), (name, value.name)
        assert list(model.metadata_props) == list(courier_graphs[name].metadata_props)


def test_products_run_in_float16_and_sampling_in_float32(courier_graphs):
    model = to_float16(courier_graphs["propagate"])
    types = types_of(model)
    kinds = {"Conv": HALF, "MatMul": HALF, "LeakyRelu": HALF, "GridSample": FULL, "Softmax": FULL}
    seen = set()
    for node in model.graph.node:
        if node.op_type in kinds:
            seen.add(node.op_type)
            assert {types[name] for name in (*node.input, *node.output)} == {kinds[node.op_type]}
    assert seen == kinds.keys()
    weights = [t for t in model.graph.initializer if t.dims and np.prod(t.dims) > 8]
    assert weights
    assert {tensor.data_type for tensor in weights if ".weight" in tensor.name} == {HALF}


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
