from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation import __main__ as command
from evaluation.evaluate import REPORT, RESULTS, TABLE, evaluate
from evaluation.options import EvaluateOptions
from tests.support.footage import FRAMES, write_video
from tests.support.scenes import render
from tests.toy.colorizers import RGB, write_colorizer
from vidcolor.errors import ArgumentError, BundleNotFoundError

LABELS = [
    "gray", "hold", "flow chain", "fine chain", "flow direct", "tracked", "toy-bundle",
    "toy-bundle transfer", "toy-flow", "toy-flow transfer",
]  # fmt: skip


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for seed in range(2):
        scene = render(FRAMES - seed, 64, 96, seed=seed)
        write_video(folder / f"scene-{seed}.mkv", scene.rgb("bt601"))
    return folder


@pytest.fixture
def options(videos, tmp_path, toy_bundle, flow_bundle) -> EvaluateOptions:
    return EvaluateOptions(
        bundles=(str(toy_bundle), str(flow_bundle)),
        clips=videos,
        out=tmp_path / "out",
        size=64,
        provider="cpu",
        threads=1,
        pictures=1,
        cache=tmp_path / "cache",
    )


def test_the_whole_way(options, monkeypatch, capsys):
    arguments = [
        *options.bundles, "--clips", str(options.clips), "-o", str(options.out),
        "--size", "64", "--provider", "cpu", "--threads", "1", "--pictures", "1",
        "--cache", str(options.cache),
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["evaluation", *arguments])
    monkeypatch.setattr(sys, "orig_argv", ["/bin/python3", "-m", "evaluation", *arguments])
    assert command.main() == 0
    content = json.loads((options.out / RESULTS).read_text())
    assert list(content["summaries"]) == LABELS
    assert content["command"].startswith("python3 -m evaluation ")
    assert content["command"].endswith(f"--cache {options.cache}")
    assert content["options"]["size"] == 64
    assert content["versions"]["onnxruntime"]
    assert content["models"]["toy-flow"]["licence"] == "MIT"
    lengths = {
        clip: {len(scores["frames"]["psnr"]) for scores in methods.values()}
        for clip, methods in content["clips"].items()
    }
    assert sorted(lengths.values(), key=str) == [{FRAMES - 2}, {FRAMES - 1}]
    assert content["summaries"]["gray"]["psnr"] < content["summaries"]["hold"]["psnr"]
    table = (options.out / TABLE).read_text()
    assert table in capsys.readouterr().out
    assert all(f"| {label} |" in table for label in LABELS)
    assert (options.out / REPORT).read_text().count("<video") == 1


def test_workers_find_the_same(options):
    options = replace(options, bundles=options.bundles[:1], pictures=0)
    alone = evaluate(options)
    together = evaluate(replace(options, workers=2, out=options.out / "2"))
    for clip, methods in alone.clips.items():
        for label, scores in methods.items():
            assert replace(together.clips[clip][label], seconds=scores.seconds) == scores


def test_methods_and_frames_that_are_asked_for(options):
    found = evaluate(replace(options, methods=("transfer", "flow-chain"), frames=5, pictures=0))
    labels = ["flow chain", "toy-bundle transfer", "toy-flow transfer"]
    for scores in found.clips.values():
        assert list(scores) == labels
        assert {len(s.psnr) for s in scores.values()} == {4}


def test_there_and_back_it_ends_beside_the_key(options):
    """What is held from the key is as right there as it was at the beginning; a chain is not."""
    asked = replace(options, bundles=(), methods=("hold", "flow-chain"), passes=10, pictures=1)
    found = evaluate(asked)
    for scores in found.clips.values():
        held = scores["hold"].psnr
        assert list(held[-3:]) == list(held[2::-1])
        assert scores["flow chain"].psnr[-1] < scores["flow chain"].psnr[0] - 1
    assert {len(s["hold"].psnr) for s in found.clips.values()} == {
        10 * (n - 1) - 1 for n in (FRAMES, FRAMES - 1)
    }
    assert found.summaries["hold"].drift == pytest.approx(0, abs=1e-9)
    assert found.summaries["hold"].error_growth is None  # though there is a frame 60
    assert "played there and back, 10 ways in all" in (options.out / TABLE).read_text()
    assert (options.out / REPORT).read_text().count("<video") == 1


@pytest.mark.parametrize("wear", ["flicker", "grain"])
def test_worn_luma_is_shown_and_told(options, wear):
    """What is held from the key does not look at luma, and true chroma is as it was."""
    asked = replace(options, bundles=(), methods=("hold", "flow-chain"), pictures=0)
    clean, worn = evaluate(asked), evaluate(replace(asked, **{wear: 0.1}))
    for clip, scores in clean.clips.items():
        assert worn.clips[clip]["hold"].chroma == scores["hold"].chroma
        assert worn.clips[clip]["flow chain"].chroma != scores["flow chain"].chroma
    assert f"frames each, {wear} of 0.1 added to luma; the key" in (options.out / TABLE).read_text()


def test_a_colorizer_is_one_more_baseline(options, tmp_path):
    path = write_colorizer(tmp_path / "rgb.onnx", RGB)
    found = evaluate(
        replace(options, bundles=(), methods=("gray",), colorizer=str(path), frames=4, pictures=0)
    )
    assert list(found.summaries) == ["gray", "per frame"]
    assert found.summaries["per frame"].psnr != found.summaries["gray"].psnr
    with pytest.raises(BundleNotFoundError, match="colorizer is 'absent'"):
        evaluate(replace(options, colorizer="absent"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 8}, "size is 8, whole numbers from 16 are accepted"),
        ({"frames": 1}, "frames is 1, whole numbers from 2"),
        ({"workers": 0}, "workers is 0"),
        ({"flicker": -0.1}, "flicker is -0.1, 0 to 1 are accepted"),
        ({"grain": float("nan")}, "grain is nan"),
        ({"methods": ()}, "methods is empty, some of gray, "),
        ({"bundles": (), "methods": ("transfer",)}, "nothing would run"),
        ({"clips": Path("nowhere")}, "nowhere is not a folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(options, change, message):
    with pytest.raises(ArgumentError, match=message):
        evaluate(replace(options, **change))
    assert not options.out.exists()


def test_two_models_of_one_name(options):
    with pytest.raises(ArgumentError, match="second method called 'toy-bundle'"):
        evaluate(replace(options, bundles=options.bundles[:1] * 2))


def test_a_bundle_that_is_not_there(options):
    with pytest.raises(BundleNotFoundError):
        evaluate(replace(options, bundles=("no-such-model",)))


@pytest.mark.parametrize("broken", ["damaged", "single"])
def test_a_video_that_cannot_be_measured(options, broken, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(options.clips, folder)
    path = folder / "z.mkv"
    if broken == "damaged":
        path.write_bytes(b"no video")
    else:
        write_video(path, render(1, 64, 96).rgb("bt601"))
    with pytest.raises(ArgumentError, match=r"clips: .*z.mkv (cannot be decoded|has one frame)"):
        evaluate(replace(options, clips=folder))
    assert not options.out.exists()
