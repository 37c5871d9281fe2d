"""Ceilings for the operators of a step: a clock would not tell on a busy machine."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import operators
from vidcolor.inference import contract
from vidcolor.inference.bundle import DEFAULT_MODEL, find_bundle

CUDA, CPU = "float16", contract.INT8
SIZE = {"height": 256, "width": 464}


def count(precision: str, keys: int = 1) -> Counter[str]:
    return operators.count(find_bundle(DEFAULT_MODEL), precision, keys=keys, **SIZE)


@pytest.mark.parametrize(("keys", "most"), [(1, 399), (2, 401)])
def test_operators_of_a_step_on_cuda(keys: int, most: int) -> None:
    assert count(CUDA, keys).total() <= most
    path = contract.graph_path(find_bundle(DEFAULT_MODEL), "propagate", CUDA)
    model = operators.optimised(path, CUDA, keys=keys, **SIZE)
    assert operators.on_host(model) == []


def test_casts_of_a_step_on_cuda() -> None:
    """Those of the graph itself: what the CPU puts around its operators is not counted."""
    assert 10 <= count(CUDA)["Cast"] <= 14


def test_operators_of_a_step_in_8_bits() -> None:
    counts = count(CPU)
    assert counts.total() <= 609
    # The trunk, and all other wide convolutions; attention, in four parts each.
    assert counts["QLinearConv"] >= 70
    assert counts["MatMulIntegerToFloat"] == 8


def test_each_flow_is_followed_once_at_each_size() -> None:
    """At full size what was painted and the chain; below it all frames and ways at once."""
    for precision in (CUDA, CPU):
        assert count(precision)["GridSample"] == 4
