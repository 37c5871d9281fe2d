from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnxruntime import InferenceSession

from vidcolor.inference import contract
from vidcolor.inference.contract import Graph, Tensor

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


def test_metadata_survives_the_way_through_properties() -> None:
    properties = METADATA.to_properties()
    assert all(isinstance(value, str) for value in properties.values())
    assert properties["vidcolor.size_multiple"] == "8"
    assert contract.Metadata.from_properties(properties | {"other": "x"}) == METADATA


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vidcolor.contract": "99"}, "contract is '99', this vidcolor reads 1"),
        ({"vidcolor.contract": "one"}, "contract is 'one'"),
        ({"vidcolor.size_multiple": "0"}, "size_multiple is '0'"),
        ({"vidcolor.size_multiple": "8.5"}, "size_multiple is '8.5'"),
        ({"vidcolor.licence": None}, "lacks vidcolor.licence"),
    ],
)
def test_metadata_says_what_is_off(change: dict[str, str | None], message: str) -> None:
    changed = METADATA.to_properties() | change
    properties = {key: value for key, value in changed.items() if value is not None}
    with pytest.raises(contract.ContractError, match=message):
        contract.Metadata.from_properties(properties)


@pytest.mark.parametrize("text", ["²", "٣", "9" * 5000, str(10**12), "4097", "-8", "+8", " 8", ""])
def test_a_size_multiple_must_be_a_number_that_fits_into_memory(text: str) -> None:
    with pytest.raises(contract.ContractError, match=r"size_multiple .* from 1 to 4096$") as caught:
        contract.Metadata.from_properties(PROPERTIES | {"vidcolor.size_multiple": text})
    assert len(str(caught.value)) < 200


def test_the_colour_space_is_stored_under_the_name_that_it_always_had() -> None:
    assert PROPERTIES["vidcolor.colour_space"] == "Lab"
    assert "vidcolor.color_space" not in PROPERTIES


def test_graphs_that_keep_the_contract_pass() -> None:
    assert contract.check(REMEMBER, PROPAGATE) == METADATA
    assert contract.check(REMEMBER, changed(PROPAGATE, "inputs", FLOWS)) == METADATA


def test_a_batch_of_any_size_is_accepted_where_the_runtime_gives_one() -> None:
    luma = tensors(luma=(None, 1))
    assert contract.check(REMEMBER, changed(PROPAGATE, "inputs", luma)) == METADATA


def test_flow_to_keys_takes_an_even_multiple() -> None:
    """It is found at half size."""
    odd = replace(METADATA, size_multiple=5)
    remember, propagate = (
        replace(graph, properties=odd.to_properties()) for graph in (REMEMBER, PROPAGATE)
    )
    previous = tensors(flow_previous=(1, 2))
    assert contract.check(remember, changed(propagate, "inputs", previous)) == odd
    with pytest.raises(
        contract.ContractError, match=r"flow\.track takes an even size_multiple; it is 5"
    ):
        contract.check(remember, changed(propagate, "inputs", tensors(flow_track=(None, 2))))


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
        contract.check(changed(REMEMBER, side, change), PROPAGATE)


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
        contract.check(REMEMBER, changed(PROPAGATE, side, change))


def test_both_graphs_must_carry_the_same_metadata() -> None:
    other = replace(METADATA, name="another").to_properties()
    with pytest.raises(contract.ContractError, match=r"metadata differ from those of remember$"):
        contract.check(replace(REMEMBER, properties=other), PROPAGATE)
    with pytest.raises(contract.ContractError, match=r"propagate: metadata lacks vidcolor\.name"):
        contract.check(REMEMBER, replace(PROPAGATE, properties={}))


def test_a_session_and_an_onnx_model_say_the_same_of_a_graph(flow_bundle: Path) -> None:
    for name in contract.GRAPHS:
        path = contract.graph_path(flow_bundle, name, "float32")
        session = InferenceSession(path, providers=["CPUExecutionProvider"])
        graph = Graph.of_session(name, session)
        assert graph == Graph.of_model(name, onnx.load(path))
    assert graph.inputs["flow.key"] == Tensor("float", (None, 2, None, None))
    assert str(graph.inputs["flow.key"]) == "float [?, 2, ?, ?]"


def test_suffixes_and_paths() -> None:
    assert contract.suffixes(["state.a", "next.b", "state.c.d"], "state.") == {"a", "c.d"}
    path = contract.graph_path(Path("models/x"), "remember", "float16")
    assert path == Path("models/x/remember.float16.onnx")
