from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import profile
from benchmarks.machine import Model


def test_every_operator_of_the_graph_is_told_of(flow_bundle: Path) -> None:
    nodes = profile.profile(Model(str(flow_bundle), "cpu", "float32"), size=64)
    assert all(node.alone >= 0 and node.together >= 0 for node in nodes)
    planes = [node for node in nodes if node.scale == "1/1"]
    # Working size of 480p is 64x114, padded to 64x120.
    assert max(node.bytes for node in planes) >= 3 * 4 * 2 * 64 * 120


def test_the_tables(flow_bundle: Path) -> None:
    text = profile.report(Model(str(flow_bundle), "cpu", "float32"), size=64)
    for title in ("| operator |", "| scale |", "| node |"):
        assert text.count(title) == 1
    assert "Gflop/s" in text.splitlines()[0]


@pytest.mark.parametrize(
    ("operator", "inputs", "output", "expected"),
    [
        # 16 filters over 8 channels of 3x3: 2 * 8 * 9 for each value.
        ("Conv", ([1, 8, 20, 30], [16, 8, 3, 3]), [1, 16, 20, 30], 2 * 72 * 16 * 600),
        ("Conv", ([1, 8, 20, 30], [8, 1, 3, 3]), [1, 8, 20, 30], 2 * 9 * 8 * 600),
        ("MatMul", ([5, 7], [7, 11]), [5, 11], 2 * 5 * 7 * 11),
        ("FusedMatMul", ([3, 7, 5], [3, 7, 11]), [3, 5, 11], 2 * 3 * 5 * 7 * 11),
        ("MatMul", ([3, 5, 7], [7, 11]), [3, 5, 11], 2 * 3 * 5 * 7 * 11),
        ("Add", ([4, 5], [4, 5]), [4, 5], 20),
    ],
)
def test_operations(
    operator: str, inputs: tuple[list[int], ...], output: list[int], expected: int
) -> None:
    tensors = [("float", shape) for shape in inputs]
    assert profile._flops(operator, tensors, [("float", output)]) == pytest.approx(expected)


def test_a_floor_is_the_slower_of_work_and_traffic() -> None:
    peak = profile.Peak(flops=1e9, bytes=1e9)
    node = profile.Node("a", "Conv", 1, 1, flops=3e6, bytes=1e6, scale="1/1")
    assert node.floor(peak) == pytest.approx(3000)
    assert node._replace(bytes=5e6).floor(peak) == pytest.approx(5000)
