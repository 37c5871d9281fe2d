from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vidcolor.inference import contract

METADATA = contract.Metadata(
    name="toy",
    size_multiple=8,
    colour_space="Lab",
    licence="MIT",
    training_data="none",
    metrics="PSNR 30",
)
REMEMBER = ({"key.luma", "key.chroma"}, {"memory.a", "next.b"})
PROPAGATE = ({"luma", "state.b", "memory.a"}, {"chroma", "confidence", "next.b"})


def test_metadata_survives_the_way_through_properties() -> None:
    properties = METADATA.to_properties()
    assert all(isinstance(value, str) for value in properties.values())
    assert properties["vidcolor.size_multiple"] == "8"
    assert contract.Metadata.from_properties(properties | {"other": "x"}) == METADATA


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vidcolor.contract": "99"}, "contract is 99, this vidcolor reads 1"),
        ({"vidcolor.contract": "one"}, "contract is one"),
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


def test_graphs_that_keep_the_contract_pass() -> None:
    contract.check_remember(*REMEMBER)
    contract.check_propagate(*PROPAGATE)
    contract.check_propagate(
        PROPAGATE[0] | {"flow.previous", "flow.key", "flow.track"}, PROPAGATE[1]
    )
    contract.check_pair(REMEMBER[1], PROPAGATE[0])


def test_flow_to_keys_takes_an_even_multiple() -> None:
    """It is found at half size."""
    odd = replace(METADATA, size_multiple=5)
    contract.check_flows(PROPAGATE[0] | {"flow.key", "flow.track"}, METADATA)
    contract.check_flows(PROPAGATE[0] | {"flow.previous"}, odd)
    with pytest.raises(contract.ContractError, match="which takes an even size_multiple; it is 5"):
        contract.check_flows(PROPAGATE[0] | {"flow.track"}, odd)


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ({"key.luma"}, REMEMBER[1], "remember inputs lack key.chroma"),
        (REMEMBER[0] | {"extra"}, REMEMBER[1], "remember inputs hold unknown extra"),
        (REMEMBER[0], REMEMBER[1] | {"chroma"}, "remember outputs hold unknown chroma"),
    ],
)
def test_remember_names(inputs: set[str], outputs: set[str], message: str) -> None:
    with pytest.raises(contract.ContractError, match=message):
        contract.check_remember(inputs, outputs)


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (PROPAGATE[0] - {"luma"}, PROPAGATE[1], "propagate inputs lack luma"),
        (PROPAGATE[0] | {"flow.next"}, PROPAGATE[1], "inputs hold unknown flow.next"),
        (PROPAGATE[0], PROPAGATE[1] - {"confidence"}, "outputs lack confidence"),
        (PROPAGATE[0], PROPAGATE[1] | {"luma"}, "outputs hold unknown luma"),
        (PROPAGATE[0] | {"state.c"}, PROPAGATE[1], "takes state .*'c'.* but returns next"),
    ],
)
def test_propagate_names(inputs: set[str], outputs: set[str], message: str) -> None:
    with pytest.raises(contract.ContractError, match=message):
        contract.check_propagate(inputs, outputs)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"memory.a"}, r"returns state \[\] but propagate takes \['b'\]"),
        ({"next.b", "memory.a", "memory.z"}, r"returns memory \['a', 'z'\]"),
    ],
)
def test_graphs_must_fit_each_other(outputs: set[str], message: str) -> None:
    with pytest.raises(contract.ContractError, match=message):
        contract.check_pair(outputs, PROPAGATE[0])


def test_suffixes_and_paths() -> None:
    assert contract.suffixes(["state.a", "next.b", "state.c.d"], "state.") == {"a", "c.d"}
    path = contract.graph_path(Path("models/x"), "remember", "float16")
    assert path == Path("models/x/remember.float16.onnx")
