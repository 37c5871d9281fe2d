"""The law over everything at once: clips, formats, keys, directions, cuts, threads, orders.

Whatever the filter is asked for, its bytes are those of the plain loops in `loops`.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import vapoursynth as vs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.scenes import Scene, render
from tests.vapoursynth_plugin.reference import SITINGS, Case, planes_of
from vidcolor.timeline import DIRECTIONS
from vsvidcolor import propagate
from vsvidcolor.replay import BUDGET, Replay

core = vs.core
FORMATS = ["GRAY8", "GRAY16", "GRAYH", "YUV420P8", "YUV422P10", "YUV411P8", "YUV444PS", "YUV440P8"]
LEAST = 15
"""Requests in an example, at least."""


@functools.lru_cache(maxsize=8)
def scene(length: int, seed: int, *, odd: bool) -> Scene:
    return render(length, 48 + odd, 64 + odd, seed=seed)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    length = draw(st.integers(1, 40))
    numbers = st.integers(0, length - 1)
    siting = draw(st.sampled_from(sorted(SITINGS)))
    full = draw(st.booleans())
    name = draw(st.sampled_from(FORMATS))
    odd = name.startswith(("GRAY", "YUV444")) and draw(st.booleans())
    return Case(
        scene(length, draw(st.integers(0, 3)), odd=odd),
        name,
        full_range=full,
        siting=siting,
        size=draw(st.sampled_from([32, 40, 48])),
        props={"_Matrix": 1, "_Range": int(full), "_ChromaLocation": SITINGS[siting]},
        keys=tuple(draw(st.lists(numbers, unique=True, min_size=1, max_size=5))),
        direction=draw(st.sampled_from(DIRECTIONS)),
        cuts=tuple(draw(st.sets(numbers, max_size=4))),
        painted=draw(st.sampled_from([1.0, 0.2, 0.7])),
        references=draw(st.integers(0, 2)),
    )


orders = st.lists(st.integers(0, 10**6), min_size=LEAST, max_size=2 * LEAST)


@contextmanager
def conditions(threads: int, budget: int, cache: int):
    """How VapourSynth runs, and what a filter that is made here may keep."""
    before = core.num_threads, core.max_cache_size
    core.num_threads, core.max_cache_size = threads, cache
    propagate.Replay = functools.partial(Replay, budget=budget)
    try:
        yield
    finally:
        propagate.Replay = Replay
        core.num_threads, core.max_cache_size = before


def filter_of(case: Case, bundle: Path, *, key_says: bool, clip_says: bool) -> vs.VideoNode:
    """The case's filter; keys and cuts are named by arguments or by properties."""
    arguments: dict[str, object] = {"direction": case.direction, "frames": list(case.keys)}
    arguments |= {"confidence": 1, "scenes": list(case.cuts) or [0]}
    if key_says:
        arguments["key"] = case.key([{"VidcolorFrame": n} for n in case.keys])
        del arguments["frames"]
    if clip_says:
        arguments["clip"] = case.clip(is_tagged=True)
        del arguments["scenes"]
    own = {"clip": case.clip(), "key": case.key(), "size": case.size, "model": str(bundle)}
    own["num_streams"] = 1 + len(case.keys) % 3
    if case.references:
        own["references"] = case.reference_clip()
    if case.painted < 1 and key_says:
        arguments["key"] = core.std.ClipToProp(arguments["key"], case.alpha(), prop="_Alpha")
    elif case.painted < 1:
        arguments["alpha"] = case.alpha()
    return core.vidcolor.Propagate(**(own | {"provider": "cpu", "checkpoint": 3} | arguments))


def check(session, bundle, case, order, threads, budget, key_says, clip_says) -> None:
    order = [n % len(case.scene.luma) for n in order]
    planes, colors = case.plain_loop(session), case.colors(session)
    with conditions(threads, budget, cache=1):
        colored, mask = filter_of(case, bundle, key_says=key_says, clip_says=clip_says)
        waiting = [(colored.get_frame_async(n), mask.get_frame_async(n)) for n in order]
        for n, futures in zip(order, waiting, strict=True):
            frame, confidence = (future.result() for future in futures)
            assert planes_of(frame) == planes[n]
            assert planes_of(confidence) == (case.mask(colors[n][1]).tobytes(),)
            mean = float(colors[n][1].mean(dtype=np.float64))
            assert (
                frame.props["VidcolorConfidence"] == confidence.props["VidcolorConfidence"] == mean
            )
            assert frame.props["VidcolorKeyed"] == colors[n][2]


arguments = given(
    case=cases(),
    order=orders,
    threads=st.integers(1, 8),
    budget=st.sampled_from([1, 200_000, BUDGET]),
    key_says=st.booleans(),
    clip_says=st.booleans(),
)
rules = functools.partial(
    settings,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@arguments
@rules(max_examples=25)
def test_the_law(session, toy_bundle, case, order, threads, budget, key_says, clip_says):
    check(session, toy_bundle, case, order, threads, budget, key_says, clip_says)


@arguments
@rules(max_examples=10)
def test_the_law_with_flow(
    flow_session, flow_bundle, case, order, threads, budget, key_says, clip_says
):
    """What a step takes from luma is made ahead here, for the runs that seem likely."""
    check(flow_session, flow_bundle, case, order, threads, budget, key_says, clip_says)


@pytest.mark.long
@arguments
@rules(max_examples=700)
def test_the_law_at_length(session, toy_bundle, case, order, threads, budget, key_says, clip_says):
    check(session, toy_bundle, case, order, threads, budget, key_says, clip_says)


@pytest.mark.long
@arguments
@rules(max_examples=400)
def test_the_law_with_flow_at_length(
    flow_session, flow_bundle, case, order, threads, budget, key_says, clip_says
):
    check(flow_session, flow_bundle, case, order, threads, budget, key_says, clip_says)
