"""Ceilings for the operators of a step: a clock would not tell on a busy machine."""

from __future__ import annotations

import pytest
from onnx import ModelProto

from benchmarks.operators import count, on_host, optimised
from vidcolor.inference import contract
from vidcolor.inference.bundle import DEFAULT_MODEL, find_bundle

CUDA, CPU = "float16", contract.INT8


def step(precision: str, keys: int = 1) -> ModelProto:
    return optimised(find_bundle(DEFAULT_MODEL), precision, height=256, width=464, keys=keys)


@pytest.mark.parametrize("keys", [1, 2])
def test_operators_of_a_step_on_cuda(keys: int) -> None:
    model = step(CUDA, keys)
    assert count(model).total() <= 665
    assert on_host(model) == []


def test_casts_of_a_step_on_cuda() -> None:
    assert count(step(CUDA))["Cast"] <= 54


def test_operators_of_a_step_in_8_bits() -> None:
    counts = count(step(CPU))
    assert counts.total() <= 775
    # The trunk, and all other wide convolutions; attention, in four parts each.
    assert counts["QLinearConv"] >= 70
    assert counts["MatMulIntegerToFloat"] == 8


def test_each_flow_is_followed_once_at_each_size() -> None:
    """At full size chroma and the chain; below it all frames and ways at once."""
    for precision in (CUDA, CPU):
        assert count(step(precision))["GridSample"] == 5
