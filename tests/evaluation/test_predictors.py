from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation import predictors
from evaluation.clips import CODING
from evaluation.predictors import Predictor, propagation, transfer
from tests.support.footage import scene_clip
from tests.toy.colorizers import METADATA, PLANES, write_colorizer
from vidcolor.color import decode_chroma
from vidcolor.inference.session import Session
from vidcolor.planes import Key
from vidcolor.propagate import Propagator, State, Step

STEP = np.float32(0.01)


class Brighter:
    """A model at the `Propagator` interface: the chroma before plus `STEP`; sure of its key."""

    def init_state(self, key: Key) -> State:
        return State(
            size=key.luma.shape,
            tensors={"chroma": key.chroma},
            memory={"level": key.luma.mean()},
            luma=None,
            key_lumas=(key.luma,),
        )

    def step(self, luma: np.ndarray, state: State) -> Step:
        chroma = state.tensors["chroma"] + STEP
        after = replace(state, tensors={"chroma": chroma})
        return Step(chroma, np.full_like(luma, state.memory["level"]), after)


@pytest.fixture(scope="module")
def clip():
    return scene_clip(frames=4)


def truth(clip, frame):
    return decode_chroma(*clip.chroma[frame], CODING)


def test_propagation_feeds_its_own_output_back(clip):
    steps = list(propagation(Brighter(), clip))
    assert len(steps) == 3
    for t, step in enumerate(steps, start=1):
        np.testing.assert_allclose(step.chroma, truth(clip, 0) + t * STEP, atol=1e-6)


def test_transfer_feeds_the_truth_back_and_keeps_the_first_key(clip):
    steps = list(transfer(Brighter(), clip))
    assert len(steps) == 3
    for t, step in enumerate(steps, start=1):
        np.testing.assert_allclose(step.chroma, truth(clip, t - 1) + STEP, atol=1e-6)
        assert step.confidence.mean() == pytest.approx(clip.luma[0].mean() / 255, rel=1e-5)


def test_a_bundle_runs_through_the_runtime(clip, toy_bundle):
    propagator = Propagator(Session.load(toy_bundle, provider="cpu"))
    painted = list(Predictor("propagation", "toy", str(toy_bundle), "cpu").predict(clip))
    for step, frame in zip(propagation(propagator, clip), painted, strict=True):
        np.testing.assert_array_equal(frame.chroma, step.chroma)
        assert frame.confidence == pytest.approx(step.confidence.mean())
        assert frame.seconds > 0


def test_a_colorizer_sees_each_frame_and_nothing_else(clip, tmp_path):
    """Cb is 0.2 luma and Cr -0.3 luma, of frames 1, 2 and 3."""
    path = write_colorizer(tmp_path / "toy.onnx", PLANES, metadata=METADATA)
    painted = list(Predictor("per frame", bundle=str(path), provider="cpu").predict(clip))
    assert len(painted) == 3
    for codes, frame in zip(clip.luma[1:], painted, strict=True):
        luma = codes.astype(np.float32) / 255
        np.testing.assert_allclose(frame.chroma, [0.2 * luma, -0.3 * luma], atol=1e-6)
        assert frame.confidence is None


def test_only_what_painting_took_is_timed(monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(predictors.time, "perf_counter", lambda: next(clock))
    times = [painted.seconds for painted in Predictor("hold").predict(scene_clip(frames=4))]
    assert times == [10, 10, 10]


def test_labels():
    assert Predictor("flow chain").label == "flow chain"
    assert Predictor("per frame", bundle="path").label == "per frame"
    assert Predictor("propagation", "seeds", "path").label == "seeds"
    assert Predictor("transfer", "seeds", "path").label == "seeds transfer"
