"""A graph for each size, on the CPU: what the CUDA provider is given."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support.scenes import render
from vidcolor.inference import contract
from vidcolor.inference.providers import open_graph
from vidcolor.inference.runner import Run
from vidcolor.inference.session import Session
from vidcolor.inference.sized import MOST, SizedGraphs, Sizes
from vidcolor.propagate import Propagator


def sized(bundle: Path) -> tuple[Session, list[dict[str, int]]]:
    """A session that runs sized graphs, and the sizes for which they were opened."""
    session, opened = Session.load(bundle, provider="cpu", precision="float32"), []

    def reopen(sizes: Sizes) -> Run:
        opened.append(dict(sizes))
        path = contract.graph_path(bundle, "propagate", "float32")
        graph = open_graph(path, provider="cpu", device_id=0, threads=1, sizes=sizes)
        return partial(session._runner.run, graph)

    return replace(session, _sized=SizedGraphs(session._graphs["propagate"], reopen)), opened


@pytest.mark.parametrize("keys", [1, 2])
def test_a_sized_graph_colours_as_the_open_one_and_is_opened_once(
    flow_bundle: Path, keys: int
) -> None:
    session, opened = sized(flow_bundle)
    scene = render(keys + 4, 48, 64)
    given = [scene.key(n) for n in range(keys)]
    painted = []
    for propagator in (Propagator(session), Propagator(replace(session, _sized=None))):
        steps = propagator.run(scene.luma[keys:], propagator.init_state(*given))
        painted.append([step.chroma for step in steps])
    np.testing.assert_array_equal(*painted)
    assert len(opened) == 1
    assert keys in opened[0].values()


def test_the_last_few_sizes_are_kept(flow_bundle: Path) -> None:
    session, opened = sized(flow_bundle)
    propagator = Propagator(session)

    def step(height: int) -> None:
        scene = render(2, height, 64)
        propagator.step(scene.luma[1], propagator.init_state(scene.key()))

    heights = range(32, 32 + 8 * (MOST + 1), 8)
    for height in heights:
        step(height)
    assert len(opened) == MOST + 1
    step(heights[-1])
    step(heights[1])
    assert len(opened) == MOST + 1
    step(heights[0])
    assert len(opened) == MOST + 2
