"""Shots without a key: guessed, left gray, or painted by the colorizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vidcolor
from tests.support.films import LENGTHS, luma_codes, scenes, write_film, write_keys
from tests.support.scenes import render
from tests.support.videos import frames, plane
from vidcolor.errors import ArgumentError, BundleNotFoundError
from vidcolor.film.plan import Plan
from vidcolor.film.scan import FilmIndex
from vidcolor.film.unkeyed import paint_frame
from vidcolor.inference.colorizer import Colorizer
from vidcolor.working_size import WorkingSize

TOY = Path(__file__).parents[2] / "toy" / "bundle"
MODEL = {"model": TOY, "provider": "cpu", "codec": "ffv1", "size": 48}
CUTS = (0, LENGTHS[0], LENGTHS[0] + LENGTHS[1])
SECOND = range(CUTS[1], CUTS[2])
"""The shot that has no key."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    scene = scenes()
    write_film(Path("film.mkv"), scene)
    write_keys(Path("keys"), scene, (2, 23))
    return tmp_path


def color(output: str, **more) -> vidcolor.film.report.Report:
    options = {"keys": "keys", "scenes": CUTS, **MODEL, **more}
    return vidcolor.color_video("film.mkv", output=output, **options)


def chroma(output: str) -> np.ndarray:
    """Codes [n, 2, h, w]."""
    return np.stack([[plane(f, 1), plane(f, 2)] for f in frames(Path(output))]).astype(int)


def test_gray_leaves_the_luma_and_nothing_else(folder: Path) -> None:
    report = color("gray.mkv", unkeyed="gray")
    color("guess.mkv")
    gray, guess = chroma("gray.mkv"), chroma("guess.mkv")
    assert (gray[SECOND] == 128).all()
    assert (guess[SECOND] != 128).any()
    keyed = [n for n in range(len(gray)) if n not in SECOND]
    np.testing.assert_array_equal(gray[keyed], guess[keyed])
    for frame, luma in zip(frames(Path("gray.mkv")), luma_codes(scenes()), strict=True):
        np.testing.assert_array_equal(plane(frame, 0), luma)
    assert [report.confidence[n] for n in SECOND] == [0] * len(SECOND)
    assert report.options["unkeyed"] == "gray"


def test_several_at_a_time_and_kept_work_give_the_same(folder: Path) -> None:
    color("one.mkv", unkeyed="gray")
    first = Path("one.mkv").read_bytes()
    color("two.mkv", unkeyed="gray", jobs=2)
    assert Path("two.mkv").read_bytes() == first
    color("one.mkv", unkeyed="gray")
    assert Path("one.mkv").read_bytes() == first


def test_auto_paints_a_frame_of_each_such_shot(folder: Path) -> None:
    plans: list[Plan] = []
    report = color("auto.mkv", unkeyed="auto", plan=plans.append)
    [plan] = plans
    [painted] = plan.shots[1].auto_keys
    assert painted in SECOND
    assert report.keys == {2: "000002.png", painted: "auto", 23: "000023.png"}
    assert report.confidence[painted] == 1
    auto, guess = chroma("auto.mkv"), color("guess.mkv")
    assert (auto[SECOND] != 128).any()
    assert guess.keys == {2: "000002.png", 23: "000023.png"}
    keyed = [n for n in range(len(auto)) if n not in SECOND]
    np.testing.assert_array_equal(auto[keyed], chroma("guess.mkv")[keyed])


def test_a_painted_key_has_the_colorizers_colours() -> None:
    """At working size as they are, at full size brought up along the frame's luma."""
    scene = render(1, 96, 128)
    size = WorkingSize.of(96, 128, 48)
    small = size.downsample(scene.luma[0])
    colorizer = Colorizer.load(provider="cpu")
    key = paint_frame(small, colorizer, "bt709")
    chroma = colorizer.color(small, matrix="bt709")
    np.testing.assert_array_equal(key.small.luma, small)
    np.testing.assert_array_equal(key.small.chroma, chroma)
    grid = size.grid((1, 1), "left")
    np.testing.assert_array_equal(
        key.chroma(scene.luma[0], size, grid),
        size.upsample(chroma, small, scene.luma[0], (1, 1), "left"),
    )


def test_a_part_needs_no_paint_elsewhere(folder: Path) -> None:
    report = color("auto.mkv", unkeyed="auto", only_shot=3)
    assert report.keys == {2: "000002.png", 23: "000023.png"}


def test_the_best_frame_is_in_the_middle_and_has_most_to_see() -> None:
    details = [9, 1, 2, 3, 5, 3, 2, 9.0]
    index = FilmIndex(tuple(range(9)), (0,), {}, details=details)
    assert index.best_frame(range(8)) == 4
    assert index.best_frame(range(2)) == 0
    assert index.best_frame(range(7, 8)) == 7
    assert index.shots_without([], range(8)) == [range(8)]
    assert index.shots_without([3], range(8)) == []


def test_what_is_refused(folder: Path) -> None:
    with pytest.raises(ArgumentError, match="unkeyed is 'red', accepted are guess, gray, auto"):
        color("out.mkv", unkeyed="red")
    with pytest.raises(BundleNotFoundError, match="colorizer is 'none'"):
        color("out.mkv", unkeyed="auto", colorizer="none")
    assert not Path("out.mkv").exists()
    assert not Path("out.mkv.vidcolor").exists()
