from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnxruntime import InferenceSession

from vidcolor.inference import contract
from vidcolor.inference.graph import Graph, Tensor, check_contract, suffixes

METADATA = contract.Metadata(
    name="toy",
    size_multiple=8,
    color_space="Lab",
    licence="MIT",
    training_data="none",
    metrics="PSNR 30",
)


def tensors(**channels: tuple[int | None, ...]) -> dict[str, Tensor]:
    """Float32 planes by name, dots written as underscores; a name's value is all but height and
    width."""
    return {
        name.replace("_", "."): Tensor("float", (*shape, None, None))
        for name, shape in channels.items()
    }


PROPERTIES = METADATA.to_properties()
REMEMBER = Graph(
    "remember",
    inputs=tensors(key_luma=(1, 1), key_chroma=(1, 2)),
    outputs=tensors(memory_a=(1, 3), next_b=(1, 4)),
    properties=PROPERTIES,
)
PROPAGATE = Graph(
    "propagate",
    inputs=tensors(luma=(1, 1), state_b=(1, 4), memory_a=(None, 3)),
    outputs=tensors(chroma=(1, 2), confidence=(1, 1), next_b=(1, 4)),
    properties=PROPERTIES,
)
FLOWS = tensors(flow_previous=(1, 2), flow_key=(None, 2), flow_track=(None, 2))


def changed(graph: Graph, side: str, change: dict[str, Tensor | None]) -> Graph:
    """The graph with inputs or outputs added, changed, or, where None, left out."""
    values = {**getattr(graph, side), **change}
    return replace(graph, **{side: {k: v for k, v in values.items() if v is not None}})


def test_graphs_that_keep_the_contract_pass() -> None:
    assert check_contract(REMEMBER, PROPAGATE) == METADATA
    assert check_contract(REMEMBER, changed(PROPAGATE, "inputs", FLOWS)) == METADATA


def test_a_batch_of_any_size_is_accepted_where_the_runtime_gives_one() -> None:
    luma = tensors(luma=(None, 1))
    assert check_contract(REMEMBER, changed(PROPAGATE, "inputs", luma)) == METADATA


def test_flow_to_keys_takes_an_even_multiple() -> None:
    """It is found at half size."""
    odd = replace(METADATA, size_multiple=5)
    remember, propagate = (
        replace(graph, properties=odd.to_properties()) for graph in (REMEMBER, PROPAGATE)
    )
    previous = tensors(flow_previous=(1, 2))
    assert check_contract(remember, changed(propagate, "inputs", previous)) == odd
    with pytest.raises(
        contract.ContractError, match=r"flow\.track takes an even size_multiple; it is 5"
    ):
        check_contract(remember, changed(propagate, "inputs", tensors(flow_track=(None, 2))))


@pytest.mark.parametrize(
    ("side", "change", "message"),
    [
        ("inputs", {"key.chroma": None}, "remember: inputs lack key.chroma"),
        ("inputs", tensors(extra=(1, 1)), "remember: inputs hold unknown extra"),
        ("outputs", tensors(chroma=(1, 2)), "remember: outputs hold unknown chroma"),
        ("outputs", {"next.b": None}, r"remember: returns state \[\] but propagate takes \[b\]"),
        ("outputs", tensors(memory_z=(1, 3)), r"remember: returns memory \[a, z\]"),
        ("inputs", tensors(key_luma=(1, 3)), r"key.luma is float \[1, 3, \?, \?\], needed is"),
        ("inputs", tensors(key_luma=(2, 1)), r"key.luma is float \[2, 1, \?, \?\], needed is"),
        (
            "outputs",
            tensors(next_b=(1, 5)),
            r"returns next.b as float \[1, 5, \?, \?\], but",
        ),
        ("outputs", tensors(memory_a=(1, 2)), r"returns memory.a as float \[1, 2, \?, \?\], but"),
        ("outputs", {"next.b": Tensor("float16", (1, 4, None, None))}, "next.b as float16"),
        ("outputs", {"next.b": Tensor("float", (1, 4))}, r"next.b as float \[1, 4\], but"),
    ],
)
def test_a_remember_graph_that_breaks_the_contract(
    side: str, change: dict[str, Tensor | None], message: str
) -> None:
    with pytest.raises(contract.ContractError, match=message):
        check_contract(changed(REMEMBER, side, change), PROPAGATE)


@pytest.mark.parametrize(
    ("side", "change", "message"),
    [
        ("inputs", {"luma": None}, "propagate: inputs lack luma"),
        ("inputs", tensors(flow_next=(1, 2)), "propagate: inputs hold unknown flow.next"),
        ("outputs", {"confidence": None}, "propagate: outputs lack confidence"),
        ("outputs", tensors(luma=(1, 1)), "propagate: outputs hold unknown luma"),
        ("inputs", tensors(state_c=(1, 1)), r"returns state \[b\] but propagate takes \[b, c\]"),
        ("outputs", tensors(next_b=(1, 3)), "propagate: returns next.b as .* but state.b of prop"),
        ("inputs", tensors(memory_a=(1, 3)), "memory.a is .*, a dynamic number of keys is needed"),
        ("inputs", tensors(flow_key=(1, 2)), r"flow.key is float \[1, 2, \?, \?\], needed is"),
        ("inputs", {"luma": Tensor("float", (1, 1, 64, None))}, r"luma is float \[1, 1, 64, \?\]"),
        ("outputs", {"confidence": Tensor("float", (1,))}, r"confidence is float \[1\], needed"),
        ("outputs", {"chroma": Tensor("float16", (1, 2, None, None))}, "chroma is float16"),
    ],
)
def test_a_propagate_graph_that_breaks_the_contract(
    side: str, change: dict[str, Tensor | None], message: str
) -> None:
    with pytest.raises(contract.ContractError, match=message):
        check_contract(REMEMBER, changed(PROPAGATE, side, change))


FEATURES = Graph(
    "features",
    inputs=tensors(luma=(1, 1)),
    outputs=tensors(features_c=(1, 5)),
    properties=PROPERTIES,
)
TAKES_FEATURES = changed(PROPAGATE, "inputs", tensors(features_c=(1, 5)))


def test_a_features_graph_that_keeps_the_contract_passes() -> None:
    assert check_contract(REMEMBER, TAKES_FEATURES, FEATURES) == METADATA


@pytest.mark.parametrize(
    ("side", "change", "message"),
    [
        ("inputs", {"luma": None}, "features: inputs lack luma"),
        ("inputs", {"luma": Tensor("float16", (1, 1, None, None))}, "features: luma is float16"),
        ("inputs", tensors(key_luma=(1, 1)), "features: inputs hold unknown key.luma"),
        ("outputs", tensors(next_b=(1, 4)), "features: outputs hold unknown next.b"),
        ("outputs", tensors(features_d=(1, 1)), r"returns features \[c, d\] but .* takes \[c\]"),
        (
            "outputs",
            tensors(features_c=(1, 6)),
            r"returns features.c as float \[1, 6, \?, \?\], but",
        ),
    ],
)
def test_a_features_graph_that_breaks_the_contract(
    side: str, change: dict[str, Tensor | None], message: str
) -> None:
    with pytest.raises(contract.ContractError, match=message):
        check_contract(REMEMBER, TAKES_FEATURES, changed(FEATURES, side, change))


def test_features_are_made_and_taken_or_neither() -> None:
    with pytest.raises(contract.ContractError, match=r"propagate: inputs hold unknown features\.c"):
        check_contract(REMEMBER, TAKES_FEATURES)
    with pytest.raises(contract.ContractError, match=r"returns features \[c\] but .* takes \[\]"):
        check_contract(REMEMBER, PROPAGATE, FEATURES)


def test_all_graphs_must_carry_the_same_metadata() -> None:
    other = replace(METADATA, name="another").to_properties()
    with pytest.raises(contract.ContractError, match=r"metadata differ from those of remember$"):
        check_contract(replace(REMEMBER, properties=other), PROPAGATE)
    with pytest.raises(contract.ContractError, match=r"metadata differ from those of features$"):
        check_contract(REMEMBER, TAKES_FEATURES, replace(FEATURES, properties=other))
    with pytest.raises(contract.ContractError, match=r"propagate: metadata lacks vidcolor\.name"):
        check_contract(REMEMBER, replace(PROPAGATE, properties={}))


def test_a_session_and_an_onnx_model_say_the_same_of_a_graph(flow_bundle: Path) -> None:
    for name in contract.GRAPHS:
        path = contract.graph_path(flow_bundle, name, "float32")
        session = InferenceSession(path, providers=["CPUExecutionProvider"])
        graph = Graph.of_session(name, session)
        assert graph == Graph.of_model(name, onnx.load(path))
    assert graph.inputs["flow.key"] == Tensor("float", (None, 2, None, None))
    assert str(graph.inputs["flow.key"]) == "float [?, 2, ?, ?]"


def test_suffixes() -> None:
    assert suffixes(["state.a", "next.b", "state.c.d"], "state.") == {"a", "c.d"}
