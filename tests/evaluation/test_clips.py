from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation import clips
from evaluation.clips import (
    Clip,
    find_videos,
    load_clip,
    load_split,
    rgb_to_codes,
    there_and_back,
)
from evaluation.options import ClipOptions
from tests.support.footage import scene_clip, write_scenes, write_video
from vidcolor.errors import ArgumentError


@pytest.fixture
def options(tmp_path: Path) -> ClipOptions:
    return ClipOptions(size=64, cache=tmp_path / "cache")


@pytest.fixture(scope="module")
def blocks() -> np.ndarray:
    """Four frames of flat 32-pixel blocks, so that scaling keeps their colours."""
    colours = np.random.default_rng(0).integers(40, 200, (4, 2, 3, 3), np.uint8)
    return colours.repeat(32, axis=1).repeat(32, axis=2)


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full_range", [False, True])
def test_planes_are_full_range_bt601_whatever_the_video_is(
    tmp_path, options, blocks, matrix, full_range
):
    path = write_video(tmp_path / "video.mkv", blocks, matrix=matrix, full_range=full_range)
    clip = load_clip(path, name="video", options=options)
    assert clip.luma.shape == (4, 64, 96)
    assert clip.chroma.shape == (4, 2, 64, 96)
    for t, rgb in enumerate(blocks):
        luma, chroma = rgb_to_codes(rgb)
        # The video's codes and the 8-bit RGB on the way are rounded once each.
        assert np.abs(clip.luma[t].astype(int) - luma).max() <= 2
        assert np.abs(clip.chroma[t].astype(int) - chroma).max() <= 2


def test_gray_is_gray():
    luma, chroma = rgb_to_codes(np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2))
    assert np.array_equal(luma[0], np.arange(256))
    assert (chroma == clips.CHROMA_ZERO).all()


@pytest.mark.parametrize(("size", "shape"), [(32, (32, 48)), (64, (64, 96)), (96, (96, 144))])
def test_the_short_side_is_scaled_to_size(tmp_path, options, blocks, size, shape):
    path = write_video(tmp_path / "video.mkv", blocks)
    clip = load_clip(path, name="video", options=replace(options, size=size))
    assert clip.luma.shape[1:] == shape


def test_only_the_first_frames_are_taken(tmp_path, options, blocks):
    path = write_video(tmp_path / "video.mkv", blocks)
    assert len(load_clip(path, name="video", options=replace(options, max_frames=3))) == 3


@pytest.mark.parametrize(
    ("passes", "order"),
    [
        (1, [0, 1, 2, 3]),
        (2, [0, 1, 2, 3, 2, 1]),
        (3, [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]),
        (4, [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]),
    ],
)
def test_there_and_back(passes, order):
    numbers = np.arange(4, dtype=np.uint8)
    luma = np.broadcast_to(numbers[:, None, None], (4, 16, 16))
    chroma = np.broadcast_to(10 + numbers[:, None, None, None], (4, 2, 16, 16))
    long = there_and_back(Clip("clip", luma, chroma), passes)
    assert long.luma[:, 0, 0].tolist() == order
    assert long.chroma[:, 1, 0, 0].tolist() == [10 + n for n in order]
    assert long.name == "clip"


def test_a_video_is_decoded_once_until_it_changes(tmp_path, options, blocks, monkeypatch):
    path = write_video(tmp_path / "video.mkv", blocks)
    first = load_clip(path, name="video", options=options)
    with monkeypatch.context() as patch:
        patch.setattr(clips, "_decode", lambda *_, **__: pytest.fail("decoded again"))
        again = load_clip(path, name="video", options=options)
    assert np.array_equal(first.luma, again.luma)
    write_video(path, blocks[::-1])
    os.utime(path, ns=(1, 1))
    changed = load_clip(path, name="video", options=options)
    assert not np.array_equal(first.luma, changed.luma)


def test_broken_videos_are_reported_and_left_out(tmp_path, options, capsys):
    folder = write_scenes(tmp_path / "videos", 3)
    (folder / "broken.mp4").write_bytes(b"this is no video" * 100)
    split = load_split([folder], options=options)
    assert len(split.train) + len(split.validation) + len(split.test) == 3
    assert "skipped" in (report := capsys.readouterr().err)
    assert "broken.mp4" in report


def test_folders_are_searched_in_a_fixed_order(tmp_path):
    folder = write_scenes(tmp_path / "videos", 3)
    (folder / "notes.txt").write_text("no video")
    names = [name for _, name in find_videos([folder])]
    assert names == ["videos/more/scene-1.mkv", "videos/scene-0.mkv", "videos/scene-2.mkv"]


def test_split_is_by_video_and_repeatable():
    held = [scene_clip(seed, frames=1) for seed in range(10)]
    first, again, other = (
        clips.split_clips(held, shares=(0.6, 0.2, 0.2), seed=seed) for seed in (1, 1, 2)
    )
    parts = [first.train, first.validation, first.test]
    assert [len(part) for part in parts] == [6, 2, 2]
    assert len({clip.name for part in parts for clip in part}) == 10
    assert [c.name for c in first.train] == [c.name for c in again.train]
    assert [c.name for c in first.train] != [c.name for c in other.train]


@pytest.mark.parametrize("seed", range(4))
def test_the_shots_of_a_video_stay_together(seed):
    frame = scene_clip(frames=1)
    held = [replace(frame, name=f"{v}.mp4.shot-{s:03d}.mp4") for v in range(5) for s in range(3)]
    split = clips.split_clips(held, shares=(0.6, 0.2, 0.2), seed=seed)
    videos = [{clip.name[0] for clip in part} for part in vars(split).values()]
    assert sorted(map(len, videos)) == [1, 1, 3]
    assert set.union(*videos) == set("01234")
    assert [len(part) for part in (split.train, split.validation, split.test)] == [9, 3, 3]


def test_shots_of_one_video_are_not_enough(tmp_path, options):
    folder = write_scenes(tmp_path / "videos", 1)
    for shot in range(2):
        shutil.copy(folder / "scene-0.mkv", folder / f"a.mkv.shot-00{shot}.mkv")
    (folder / "scene-0.mkv").unlink()
    with pytest.raises(ArgumentError, match="holds 1 readable videos, at least two are needed"):
        load_split([folder], options=options)


def test_two_videos_are_enough():
    split = clips.split_clips(
        [scene_clip(0, frames=1), scene_clip(1, frames=1)], shares=(0.8, 0.1, 0.1), seed=0
    )
    assert (len(split.train), len(split.validation), len(split.test)) == (1, 1, 0)


def test_what_cannot_be_trained_on(tmp_path, options):
    with pytest.raises(ArgumentError, match="missing is not a folder"):
        load_split([tmp_path / "missing"], options=options)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArgumentError, match="empty holds no video"):
        load_split([tmp_path / "empty"], options=options)
    (tmp_path / "empty" / "broken.mp4").write_bytes(b"")
    with pytest.raises(ArgumentError, match="holds 0 readable videos"):
        load_split([tmp_path / "empty"], options=options)
    with pytest.raises(ArgumentError, match="split is"):
        clips.split_clips([scene_clip(0, frames=1)], shares=(0.9, 0.2, 0.2), seed=0)
