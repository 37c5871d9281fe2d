from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.footage import write_video
from tests.support.scenes import render
from tests.support.videos import UNEVEN, picture, write_clip
from training.data.prepare.shots import ShotFrame, Size, UnreadableError, cut, paced, read_shots
from vidcolor.errors import ArgumentError

KEPT = Size.parse("keep")


def begins(frames) -> list[int]:
    return [index for index, frame in enumerate(frames) if frame.begins]


def pictures(*shots: np.ndarray) -> list[ShotFrame]:
    rgb = np.concatenate(shots)
    return [ShotFrame(frame, Fraction(index, 25)) for index, frame in enumerate(rgb)]


@pytest.fixture(scope="module")
def scenes() -> list[np.ndarray]:
    return [render(8, 64, 96, seed=seed).rgb() for seed in range(3)]


@pytest.mark.parametrize("lengths", [(8, 8, 8), (8, 3, 8), (1, 8, 1), (8, 2), (8,), (1,), (2, 8)])
def test_a_shot_begins_where_the_footage_changes(scenes, lengths):
    shots = [scene[:length] for scene, length in zip(scenes, lengths, strict=False)]
    starts = [sum(lengths[:index]) for index in range(len(lengths))]
    frames = pictures(*shots)
    found = list(cut(frames))
    assert begins(found) == starts
    assert [frame.seconds for frame in found] == [frame.seconds for frame in frames]
    assert all(one.rgb is other.rgb for one, other in zip(found, frames, strict=True))


@pytest.mark.parametrize("repeats", [2, 3, 8])
def test_repeated_frames_are_no_cuts(repeats):
    fast = render(8, 64, 96, seed=3, pan=12).rgb()
    assert begins(cut(pictures(fast.repeat(repeats, 0)))) == [0]


@given(
    steps=st.lists(st.integers(1, 400), min_size=1, max_size=30),
    cuts=st.sets(st.integers(1, 29)),
    rate=st.sampled_from([Fraction(30), Fraction(24000, 1001), Fraction(7)]),
)
def test_pace_keeps_time_and_shots(steps, cuts, rate):
    """At every tick the frame that shows there, and of no other shot."""
    times = [Fraction(sum(steps[:index]), 1000) for index in range(len(steps) + 1)]
    shot = [sum(c <= index for c in cuts) for index in range(len(steps))]
    frames = [
        ShotFrame(np.full((1, 1, 3), index, np.uint8), times[index], index == 0 or index in cuts)
        for index in range(len(steps))
    ]
    found: dict[int, list[ShotFrame]] = {}
    for frame in paced(frames, rate=rate, last=Fraction(steps[-1], 1000)):
        number = shot[frame.rgb[0, 0, 0]]
        assert frame.begins == (number not in found)
        found.setdefault(number, []).append(frame)
    for number in set(shot):
        mine = [index for index in range(len(steps)) if shot[index] == number]
        start, end = times[mine[0]], times[mine[-1] + 1]
        given_ = found.get(number, [])
        assert abs(len(given_) - (end - start) * rate) <= Fraction(1, 2)
        for tick, frame in enumerate(given_):
            assert frame.seconds == start + tick / rate
            middle = frame.seconds + 1 / (2 * rate)
            index = frame.rgb[0, 0, 0]
            assert times[index] <= middle <= times[index + 1]


def test_frames_come_at_the_rate_that_is_asked_for(tmp_path):
    path = write_clip(tmp_path / "uneven.mkv", pts=UNEVEN)
    rate, frames = read_shots(path, size=KEPT, rate=Fraction(100))
    numbers = [nearest(frame.rgb) for frame in frames]
    assert rate == 100
    gaps = np.diff(UNEVEN) // 10
    assert numbers[: UNEVEN[-1] // 10] == np.arange(len(gaps)).repeat(gaps).tolist()
    rate, frames = read_shots(path, size=KEPT, rate=None)
    assert [nearest(frame.rgb) for frame in frames] == list(range(len(UNEVEN)))


def nearest(rgb: np.ndarray) -> int:
    gray = (rgb[..., 0].astype(float) - 128) * 219 / 255 + 126
    return int(np.argmin([np.abs(picture(n) - gray).mean() for n in range(len(UNEVEN))]))


def test_time_stamps_that_jump_do_not_stretch_the_video(tmp_path):
    hour = 3_600_000
    path = write_clip(tmp_path / "jump.mkv", pts=(0, 40, 80, hour, hour + 40, hour + 80))
    _, frames = read_shots(path, size=KEPT, rate=Fraction(25))
    assert len(list(frames)) < 60


@pytest.mark.parametrize(
    ("size", "shape"),
    [("32x48", (48, 32)), ("32", (32, 48)), ("keep", (64, 96)), ("128", (128, 192))],
)
def test_size(tmp_path, scenes, size, shape):
    path = write_video(tmp_path / "video.mkv", scenes[0][:2])
    _, frames = read_shots(path, size=Size.parse(size), rate=None)
    assert {frame.rgb.shape for frame in frames} == {(*shape, 3)}


def test_frames_stand_upright_and_are_not_squeezed(tmp_path):
    path = write_clip(
        tmp_path / "turned.mp4", codec="libx264", rotation=90, sample_aspect=Fraction(3, 2)
    )
    _, frames = read_shots(path, size=KEPT, rate=None)
    rgb = next(frames).rgb
    assert rgb.shape == (144, 96 * 2 // 3, 3)


def test_rotation_is_counter_clockwise(tmp_path):
    upright = write_clip(tmp_path / "upright.mp4", codec="libx264")
    turned = write_clip(tmp_path / "turned.mp4", codec="libx264", rotation=90)
    pair = [next(read_shots(path, size=KEPT, rate=None)[1]).rgb for path in (upright, turned)]
    there, here = (rgb.astype(int) for rgb in pair)
    # x264 does not give the same bytes twice.
    assert np.abs(np.rot90(there) - here).mean() < 1
    assert np.abs(np.rot90(there, -1) - here).mean() > 10


@pytest.mark.parametrize("text", ["", "256x", "8", "256x256x3", "-256", "wide", "256 x 256", "0x9"])
def test_sizes_that_are_none(text):
    with pytest.raises(ArgumentError, match=r"size is .*'keep' are accepted"):
        Size.parse(text)


def damaged(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.mkv"
    if kind == "no video":
        path.write_bytes(b"this is no video" * 99)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "sound alone":
        with av.open(path, "w") as container:
            stream = container.add_stream("pcm_s16le", rate=48000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), "s16", "mono")
            frame.sample_rate = 48000
            container.mux(stream.encode(frame))
    return path


@pytest.mark.parametrize("kind", ["no video", "empty", "sound alone", "missing"])
def test_what_cannot_be_read_is_said_without_naming_the_place(tmp_path, kind):
    with pytest.raises(UnreadableError) as error:
        list(read_shots(damaged(tmp_path, kind), size=KEPT, rate=None)[1])
    assert str(error.value).startswith("it ")
    assert str(tmp_path) not in str(error.value)
