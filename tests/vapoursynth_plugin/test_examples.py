"""The scripts in examples/, run as their first lines say."""

import os
import subprocess
import sys
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import vapoursynth as vs

from tests.support import need
from tests.support.videos import audio_packets, frames, plane, write_clip, write_key
from tests.vapoursynth_plugin.example_footage import (
    COLORIZER,
    HEIGHT,
    LENGTH,
    WIDTH,
)
from tests.vapoursynth_plugin.processes import EXAMPLES, SCRIPTS, example, vspipe

core = vs.core

UNEVEN = (0, 40, 80, 200, 240, 280, 320, 560, 600, 640, 680, 720)
"""Times of frames in milliseconds."""


def written(clip):
    """The bytes that vspipe writes of a clip."""
    return b"".join(np.asarray(p).tobytes() for frame in clip.frames() for p in frame)


def source(path):
    return core.bs.VideoSource(str(path))


def propagate(clip, key, model, **arguments):
    return core.vidcolor.Propagate(clip, key, model=str(model), provider="cpu", **arguments)


def test_many_keys(footage, toy_bundle):
    clip = source(footage / "clip.mkv")
    painted = [source(footage / "keys" / name) for name in ("2.png", "009.png")]
    key = core.std.Splice([core.resize.Bicubic(image, format=vs.RGB48) for image in painted])
    want = propagate(clip, key, toy_bundle, frames=[2, 9])
    assert example("many_keys.vpy", footage, toy_bundle, clip="clip.mkv", keys="keys") == written(
        want
    )

    cut = propagate(clip, key, toy_bundle, frames=[2, 9], scenes=[0, 5])
    got = example("many_keys.vpy", footage, toy_bundle, clip="clip.mkv", keys="keys", scenes="0,5")
    assert got == written(cut) != written(want)


def test_strokes(footage, toy_bundle):
    need.scipy()
    image = cv2.imread(str(footage / "key.png"))
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[10:14, 5:60] = mask[40:50, 30:36] = 255
    cv2.imwrite(str(footage / "strokes.png"), np.dstack((image, mask)))
    cv2.imwrite(str(footage / "mask.png"), cv2.merge([mask] * 3))
    clip, key = source(footage / "clip.mkv"), source(footage / "key.png")
    alpha = source(footage / "strokes.png").std.PropToClip()
    want = written(propagate(clip, key, toy_bundle, frames=4, alpha=alpha))
    given = {"clip": "clip.mkv", "frame": 4}
    assert example("strokes.vpy", footage, toy_bundle, strokes="strokes.png", **given) == want
    masked = {"strokes": "key.png", "mask": "mask.png"} | given
    assert example("strokes.vpy", footage, toy_bundle, **masked) == want
    assert want != written(propagate(clip, key, toy_bundle, frames=4))


@pytest.mark.parametrize(("first", "last"), [(3, 7), (0, 4), (6, LENGTH - 1)])
def test_only_a_part_is_colored(first, last, footage, toy_bundle):
    clip = source(footage / "clip.mkv")
    part = propagate(clip[first : last + 1], source(footage / "key.png"), toy_bundle)
    size = WIDTH * HEIGHT * 3 // 2
    want = bytearray(written(clip))
    want[first * size : (last + 1) * size] = written(part)
    given = {"clip": "clip.mkv", "key": "key.png", "first": first, "last": last}
    assert example("part.vpy", footage, toy_bundle, **given) == bytes(want)


def test_the_rest_of_a_gray_clip_stays_gray(footage, toy_bundle):
    given = {"clip": "gray.mkv", "key": "key.png", "first": 3, "last": 7}
    stream = example("part.vpy", footage, toy_bundle, **given)
    planes = np.frombuffer(stream, np.uint8).reshape(LENGTH, 3, HEIGHT, WIDTH)
    assert planes[:, 0].tobytes() == written(source(footage / "gray.mkv"))
    is_gray = [set(frame[1:].flat) == {128} for frame in planes]
    assert [n for n, gray in enumerate(is_gray) if not gray] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("name", ["clip.mkv", "gray.mkv"])
def test_a_colorizer_of_images_gives_the_keys(name, footage, toy_bundle):
    clip = source(footage / name)
    still = core.resize.Point(core.std.ShufflePlanes(clip, 0, vs.GRAY), format=vs.GRAYS)
    painted = []
    scenes = [0, 6]
    for n in scenes:
        gray = np.asarray(still.get_frame(n)[0])
        namespace = {}
        exec(COLORIZER, namespace)  # noqa: S102
        painted.append(namespace["colorize"](gray))
    key = core.std.BlankClip(still, format=vs.RGBS, length=len(scenes))

    def fill(n, f):
        frame = f.copy()
        for index in range(3):
            np.asarray(frame[index])[:] = painted[n][..., index]
        return frame

    key = core.std.ModifyFrame(key, key, fill)
    want = propagate(clip, key, toy_bundle, frames=scenes, scenes=scenes)
    got = example(
        "automatic.vpy", footage, toy_bundle, clip=name, colorizer="mine.py", scenes="0,6"
    )
    assert got == written(want)
    chroma = np.asarray(want.get_frame(0)[1])
    assert np.abs(chroma.astype(int) - 128).max() > 10


@pytest.mark.parametrize("name", ["clip.mkv", "gray.mkv"])
def test_side_by_side(name, footage, toy_bundle):
    clip = source(footage / name)
    colored, mask = propagate(
        clip, source(footage / "key.png"), toy_bundle, frames=4, confidence=True
    )
    given = {"clip": name, "key": "key.png", "frame": 4}
    stream = example("side_by_side.vpy", footage, toy_bundle, "-s", "6", "-e", "6", **given)
    told = core.text.FrameProps(colored, props=["VidcolorConfidence", "VidcolorKeyed"])
    for index in range(3):
        own, want = (np.asarray(node.get_frame(6)[index]) for node in (colored, told))
        both = np.frombuffer(stream, np.uint8, 2 * want.size).reshape(want.shape[0], -1)
        stream = stream[2 * want.size :]
        before, after = np.hsplit(both, 2)
        assert np.array_equal(after, want)
        assert np.array_equal(before, own) if index == 0 else set(before.flat) == {128}
    assert stream == b""
    assert example("side_by_side.vpy", footage, toy_bundle, "-o", "1", **given) == written(mask)


def python(name, *arguments, path=None):
    command = [sys.executable, EXAMPLES / name, *map(str, arguments)]
    path = path or os.pathsep.join((str(SCRIPTS), os.environ["PATH"]))
    environment = os.environ | {"PATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_stills_in_any_order(footage, toy_bundle, tmp_path):
    arguments = (footage / "clip.mkv", footage / "key.png", 11, 0, 5, "-o", tmp_path / "stills")
    done = python("stills.py", *arguments, "--model", toy_bundle)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "stills").iterdir()} == {"11.png", "0.png", "5.png"}
    clip = propagate(source(footage / "clip.mkv"), source(footage / "key.png"), toy_bundle)
    rgb = core.resize.Bicubic(clip, format=vs.RGB24)
    for n in (0, 5, 11):
        image = cv2.cvtColor(cv2.imread(str(tmp_path / f"stills/{n}.png")), cv2.COLOR_BGR2RGB)
        want = np.dstack([np.asarray(p) for p in rgb.get_frame(n)])
        assert np.array_equal(image, want)
        assert np.ptp(image.astype(int), axis=-1).mean() > 10


def test_a_folder_is_colored(films, toy_bundle, tmp_path):
    path = str(SCRIPTS)  # where there is no ffmpeg program
    out = tmp_path / "out"
    given = ("--arg", f"model={toy_bundle}", "--arg", "provider=cpu")
    done = python("batch.py", films, "-o", out, *given, path=path)
    assert done.returncode == 0, done.stderr
    assert [line.partition(": ")[2] for line in done.stdout.splitlines()] == [
        str(out / "many.mp4"),
        "has no key",
        str(out / "one.mp4"),
    ]
    assert {path.name for path in out.iterdir()} == {"many.mp4", "one.mp4"}
    for name in ("many", "one"):
        colored = frames(out / f"{name}.mp4")
        assert len(colored) == LENGTH
        assert all(np.ptp(plane(frame, 1).astype(int)) > 10 for frame in colored)
    assert audio_packets(out / "one.mp4")

    again = python("batch.py", films, "-o", out, *given, path=path)
    assert again.stdout.count("done before") == 2


def test_a_batch_keeps_range_timing_and_the_shape_of_samples(toy_bundle, tmp_path):
    """None of which y4m holds. The clip is flagged as interlaced, besides."""
    (tmp_path / "films").mkdir()
    clip = write_clip(
        tmp_path / "films" / "wide.mkv",
        codec="libx264",
        width=WIDTH,
        height=HEIGHT,
        pts=UNEVEN,
        tags=(1, 1, 1, 2, 0),
        sample_aspect=Fraction(4, 3),
        options={"x264-params": "interlaced=1:fullrange=on"},
    )
    write_key(clip.with_suffix(".png"), width=WIDTH, height=HEIGHT)
    options = ("--arg", f"model={toy_bundle}", "--arg", "provider=cpu")
    done = python("batch.py", clip.parent, "-o", tmp_path / "out", *options)
    assert done.returncode == 0, done.stderr
    with av.open(tmp_path / "out" / "wide.mp4") as made:
        stream = made.streams.video[0]
        got = list(made.decode(stream))
        assert stream.sample_aspect_ratio == Fraction(4, 3)
        assert stream.codec_context.color_range == 2  # full
        assert stream.codec_context.colorspace == 1
    assert [round(frame.time * 1000) for frame in got] == list(UNEVEN)
    for frame, want in zip(got, frames(clip), strict=True):
        assert abs(plane(frame, 0).mean() - plane(want, 0).mean()) < 1


@pytest.mark.parametrize(("turn", "mirrored"), [(90, False), (180, False), (270, True), (0, True)])
def test_a_clip_that_is_shown_turned_is_so_once(turn, mirrored, toy_bundle, tmp_path):
    """BestSource turns its frames, and the output is turned by players as the clip is."""
    clip = write_clip(
        tmp_path / "clip.mp4",
        codec="libx264",
        width=WIDTH,
        height=HEIGHT,
        pts=UNEVEN,
        rotation=turn,
        mirrored=mirrored,
    )
    shown = source(clip)
    write_key(tmp_path / "key.png", width=shown.width, height=shown.height)
    y4m = example("propagate.vpy", tmp_path, toy_bundle, "-c", "y4m", clip=clip, key="key.png")
    out = tmp_path / "out.mp4"
    command = [sys.executable, EXAMPLES / "encode_y4m.py", "--like", clip, "-o", out]
    subprocess.run(command, input=y4m, check=True)
    again = source(out)
    assert (again.width, again.height) == (shown.width, shown.height)
    for n in (0, 5):
        got, want = (np.asarray(node.get_frame(n)[0]).astype(int) for node in (again, shown))
        assert np.abs(got - want).mean() < 1
        assert np.abs(got - want[::-1, ::-1]).mean() > 5
    with av.open(out) as made, av.open(clip) as given:
        assert plane(next(made.decode(video=0)), 0).shape == (HEIGHT, WIDTH)
        assert made.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert given.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_chroma_that_cannot_be_turned_is_told(toy_bundle, tmp_path):
    clip = write_clip(
        tmp_path / "clip.mp4", codec="libx264", pixel_format="yuv422p", pts=UNEVEN, rotation=90
    )
    command = [sys.executable, EXAMPLES / "encode_y4m.py", "--like", clip, "-o", tmp_path / "o.mp4"]
    done = subprocess.run(
        command, input=b"YUV4MPEG2 W48 H64 F25:1 C420jpeg\n", capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.decode().strip() == (
        f"encode_y4m: {clip} is shown turned, which yuv422p cannot be; give --codec h264-420"
    )


def test_a_clip_that_fails_leaves_nothing_behind(films, tmp_path):
    out = tmp_path / "out"
    done = python("batch.py", films, "-o", out, "--arg", "model=nosuch")
    assert done.returncode == 1
    assert done.stdout.count("failed") == 2
    assert "model is 'nosuch'" in done.stderr
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("many_keys.vpy", b"needs --arg clip=VIDEO and --arg keys=FOLDER"),
        ("strokes.vpy", b"needs --arg clip=VIDEO and --arg strokes=IMAGE"),
        ("part.vpy", b"needs --arg clip=VIDEO, key=IMAGE, first=FRAME and last=FRAME"),
        ("automatic.vpy", b"needs --arg clip=VIDEO"),
        ("side_by_side.vpy", b"needs --arg clip=VIDEO and --arg key=IMAGE"),
    ],
)
def test_each_says_what_it_needs(name, sentence, footage):
    done = vspipe(EXAMPLES / name, "-", cwd=footage, check=False)
    assert done.returncode != 0
    assert sentence in done.stderr
