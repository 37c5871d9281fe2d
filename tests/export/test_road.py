"""Generators with a state or a memory of their own go the whole road: a checkpoint, a bundle, the
runtime, the command line, the filter."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from export.__main__ import main as export
from tests.export.conftest import Exported
from tests.export.generators import vivid
from tests.support import need
from tests.support.scenes import render
from tests.support.shallow import shallow_unets
from tests.support.videos import write_clip, write_key
from training.checkpoint import Config, save_generator
from training.models.similarity import SimilarityUNet
from vidcolor.cli import main as vidcolor
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator

SIMILARITY = {"width": 1 / 32, "similarity_width": 4, "match_width": 8}


@pytest.fixture(scope="module", params=["convlstm", "similarity"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of random weights that colour visibly, by the command line."""
    if request.param == "convlstm":
        exported: Exported = request.getfixturevalue("exported")
        return exported.bundle
    torch.manual_seed(0)
    with shallow_unets():
        return export_similarity(tmp_path_factory.mktemp("road"))


def export_similarity(folder: Path) -> Path:
    generator = vivid(SimilarityUNet(**SIMILARITY))
    config = Config(name="similarity", model="similarity", arguments=SIMILARITY)
    save_generator(folder / "checkpoint", generator, config=config)
    with pytest.MonkeyPatch.context() as patch:
        output = folder / "similarity"
        patch.setattr(sys, "argv", ["export", str(folder / "checkpoint"), "-o", str(output)])
        assert export() == 0
    return output


def test_the_runtime_carries_its_state(bundle):
    """Colours depend on the past beyond the frame before, and on nothing but it."""
    scene = render(5, 48, 64)
    propagator = Propagator(Session.load(bundle, provider="cpu"))
    start = propagator.init_state(scene.key())
    states, state = [start], start
    painted = []
    for luma in scene.luma[1:]:
        chroma, confidence, state = propagator.step(luma, state)
        assert confidence.min() >= 0
        assert confidence.max() <= 1
        painted.append(chroma)
        states.append(state)
    assert np.ptp(painted[-1]) > 0.01
    again = propagator.step(scene.luma[4], states[3]).chroma
    assert np.array_equal(again, painted[-1])
    other = propagator.init_state(scene.key(2))
    assert not np.allclose(propagator.step(scene.luma[4], other).chroma, painted[-1], atol=1e-3)
    assert np.isfinite(propagator.step(scene.luma[4], propagator.reset_state(state)).chroma).all()


def test_the_command_line_colours_with_it(bundle, tmp_path):
    clip, key = write_clip(tmp_path / "clip.mkv"), write_key(tmp_path / "key.png")
    options = ["--key", str(key), "--model", str(bundle), "--provider", "cpu", "--size", "64"]
    assert vidcolor(["color", str(clip), *options, "-o", str(tmp_path / "out.mkv")]) == 0
    with av.open(str(tmp_path / "out.mkv")) as video:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in video.decode(video=0)]
    assert len(frames) == 8
    assert all(np.ptp(frame, axis=2).max() > 10 for frame in frames)


def test_the_filter_colours_with_it_as_the_plain_loop_does(bundle):
    need.vapoursynth()
    from tests.vapoursynth_plugin.reference import Case, planes_of

    case = Case(render(5, 64, 96), "YUV420P8")
    session = Session.load(bundle, provider="cpu")
    got = [planes_of(frame) for frame in case.propagate(bundle).frames()]
    assert got == case.plain_loop(session)
