from __future__ import annotations

from pathlib import Path

import pytest

from vidcolor.inference import contract

METADATA = contract.Metadata(
    name="toy",
    size_multiple=8,
    color_space="Lab",
    licence="MIT",
    training_data="none",
    metrics="PSNR 30",
)
PROPERTIES = METADATA.to_properties()


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


def test_paths() -> None:
    path = contract.graph_path(Path("models/x"), "remember", "float16")
    assert path == Path("models/x/remember.float16.onnx")
