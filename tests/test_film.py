"""A film of three shots, from gray to the page it is reviewed on, as in docs/film.md."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import pytest

from tests.support import browser, need
from tests.support.videos import audio_packets, frames, plane
from vidcolor.cli import main
from vidcolor.film.report import Report

WIDTH, HEIGHT = 228, 128
SHOTS = (
    ("showlab-motiondirector_001", 14),
    ("michaelferrari-csci-576-videoquery_008", 60),
    ("hanuta-vee-kinesic_001", 14),
)
"""Clips, and how many frames of them; in the second one the camera turns away from what it saw."""
LENGTH = sum(count for _, count in SHOTS)
TAGS = (1, 1, 1, 1)
"""Matrix, primaries, transfer and range: BT.709, limited."""
SMALL = ("--size", "64", "--provider", "cpu")


class Footage(NamedTuple):
    gray: Path
    """The film to colour, with sound, its frames at uneven times."""
    truth: list[np.ndarray]
    """Its frames in their true colours: [HEIGHT, WIDTH, 3] RGB."""


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    clips = {path.stem: path for path in need.clips("dev")}
    if missing := [name for name, _ in SHOTS if name not in clips]:
        pytest.skip(f"the footage lacks {', '.join(missing)}")
    gray = tmp_path_factory.mktemp("film") / "film.mkv"
    pictures = [picture for name, count in SHOTS for picture in read(clips[name], count)]
    write_gray(gray, pictures)
    return Footage(gray, [rgb(picture) for picture in pictures])


def read(clip: Path, count: int) -> list[av.VideoFrame]:
    pictures = []
    with av.open(clip) as container:
        for frame in container.decode(video=0):
            picture = frame.reformat(WIDTH, HEIGHT, "yuv420p", dst_colorspace=TAGS[0])
            picture.colorspace, picture.color_primaries, picture.color_trc = TAGS[:3]
            picture.color_range = TAGS[3]
            pictures.append(picture)
            if len(pictures) == count:
                return pictures
    raise AssertionError(f"{clip} has {len(pictures)} frames")


def rgb(picture: av.VideoFrame) -> np.ndarray:
    return picture.reformat(format="rgb24", src_colorspace=TAGS[0]).to_ndarray()


def write_gray(path: Path, pictures: Sequence[av.VideoFrame]) -> None:
    """The pictures' luma without loss, every seventh frame a little late, with a tone."""
    with av.open(path, "w") as container:
        video = container.add_stream("ffv1", rate=25)
        context = video.codec_context
        context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context.time_base = Fraction(1, 1000)
        context.colorspace, context.color_primaries, context.color_trc = TAGS[:3]
        context.color_range = TAGS[3]
        sound = container.add_stream("aac", rate=48000, layout="mono")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            plane(frame, 0)[...] = plane(picture, 0)
            plane(frame, 1)[...] = plane(frame, 2)[...] = 128
            frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = TAGS
            frame.pts, frame.time_base = 40 * number + 9 * (number % 7 == 3), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        tone = np.sin(np.arange(48000 * LENGTH // 25) * 0.05).astype(np.float32)
        for start in range(0, len(tone) - 1024, 1024):
            samples = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "fltp", "mono")
            samples.sample_rate, samples.pts = 48000, start
            container.mux(sound.encode(samples))
        container.mux(sound.encode())


def paint(folder: Path, truth: Sequence[np.ndarray]) -> list[int]:
    """Give every image in the folder its frame's true colours; returns which frames there are."""
    numbers = sorted(int(path.stem) for path in folder.glob("[0-9]*.png"))
    for number in numbers:
        image = cv2.cvtColor(truth[number], cv2.COLOR_RGB2BGR)
        assert cv2.imwrite(str(folder / f"{number:06d}.png"), image)
    return numbers


def color(gray: Path, keys: Path, output: Path) -> list[av.VideoFrame]:
    options = ["--keys", str(keys), "-o", str(output), "--codec", "ffv1", "--quiet", *SMALL]
    assert main(["color", str(gray), *options]) == 0
    return frames(output)


def psnr(coloured: Sequence[av.VideoFrame], truth: Sequence[np.ndarray], span: range) -> float:
    """Mean over the frames, in dB."""
    errors = [np.mean((rgb(coloured[n]).astype(float) - truth[n]) ** 2) for n in span]
    return float(np.mean(10 * np.log10(255**2 / np.array(errors))))


def test_from_gray_to_the_review(tmp_path: Path, footage: Footage, capsys) -> None:
    keys, output = tmp_path / "keys", tmp_path / "out.mkv"
    assert main(["advise", str(footage.gray), "-o", str(keys), *SMALL]) == 0
    assert "in 3 shots" in capsys.readouterr().out
    painted = paint(keys, footage.truth)
    cuts = np.cumsum([0, *(count for _, count in SHOTS)]).tolist()
    shots = [range(*edges) for edges in pairwise(cuts)]
    assert all(any(number in shot for number in painted) for shot in shots)

    coloured = color(footage.gray, keys, output)
    given = frames(footage.gray)
    assert len(coloured) == LENGTH
    assert [frame.time for frame in coloured] == [frame.time for frame in given]
    assert audio_packets(output) == audio_packets(footage.gray)
    for before, after in zip(given, coloured, strict=True):
        np.testing.assert_array_equal(plane(after, 0), plane(before, 0))
    first = coloured[0]
    assert (first.colorspace, first.color_primaries, first.color_trc, first.color_range) == TAGS
    whole = range(LENGTH)
    assert psnr(coloured, footage.truth, whole) > psnr(given, footage.truth, whole) + 4

    report = Report.read(output)
    assert list(report.shots) == cuts[:-1]
    assert sorted(report.keys) == painted
    assert len(report.confidence) == LENGTH
    assert all(report.confidence[number] == 1 for number in painted)

    check_review(output, tmp_path / "review.html", painted)

    assert main(["advise", str(footage.gray), "-o", str(keys), "--goal", "0.8", *SMALL]) == 0
    told = capsys.readouterr().out
    [suggested] = set(paint(keys, footage.truth)) - set(painted)
    assert f"{suggested:06d}.png" in told
    better = color(footage.gray, keys, output)
    [shot] = [shot for shot in shots if suggested in shot]
    others = [n for n in shot if n not in (suggested, *painted)]
    gained = [psnr(better, footage.truth, [n]) - psnr(coloured, footage.truth, [n]) for n in others]
    assert np.mean(gained) > 0.5
    after = Report.read(output).confidence
    assert np.mean(after) > np.mean(report.confidence)


def check_review(output: Path, page_file: Path, painted: Sequence[int]) -> None:
    assert main(["review", str(output), "-o", str(page_file), "--quiet"]) == 0
    with browser.page() as page:
        page.goto(page_file.as_uri())
        page.wait_for_function("document.getElementById('film').readyState >= 2")
        assert page.locator("#shots .row").count() == len(SHOTS)
        box = page.locator("#film-track").bounding_box()
        page.mouse.click(box["x"] + (painted[-1] + 0.5) / LENGTH * box["width"], box["y"] + 30)
        assert page.locator("#frame").inner_text() == str(painted[-1])
        assert page.locator("#key-image").inner_text() == f"{painted[-1]:06d}.png"
