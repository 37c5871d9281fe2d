"""Colour under control: grades, ranges and a second colouring, with nothing coloured anew."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support import need
from tests.support.films import scenes, write_film, write_keys, write_scenes
from tests.support.videos import frames, plane
from vidcolor.cli import main
from vidcolor.color import (
    Coding,
    decode_chroma,
    decode_luma,
    encode_chroma,
    key_to_rgb,
    rgb_to_key,
)
from vidcolor.film.report import Report
from vidcolor.grade import Grade
from vidcolor.planes import Key

TOY = Path(__file__).parents[2] / "toy" / "bundle"
SHOTS, CUTS, KEYS = (9, 10), (0, 9), (3, 14)
LENGTH = sum(SHOTS)
CODING = Coding("bt709", full_range=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a film of two shots, keys, and the film in their colours."""
    monkeypatch.chdir(tmp_path)
    scene = scenes(SHOTS)
    write_film(Path("film.mkv"), scene)
    write_keys(Path("keys"), scene, KEYS)
    write_scenes(Path("cuts.txt"), CUTS)
    assert color("out.mkv") == 0
    return tmp_path


def color(output: str, *more: str) -> int:
    options = ["--keys", "keys", "--scenes", "cuts.txt", "--model", str(TOY), "--provider", "cpu"]
    return main(["color", "film.mkv", "-o", output, *options, "--codec", "ffv1", "--quiet", *more])


def planes(path: str) -> list[list[np.ndarray]]:
    return [[plane(frame, n).copy() for n in range(3)] for frame in frames(Path(path))]


def test_grades_by_range_change_the_codes_and_colour_nothing(
    folder: Path, steps: list[int]
) -> None:
    before = planes("out.mkv")
    steps.clear()
    grades = ["--saturation", "0.5", "--saturation", "4-8:1.5", "--hue", "7-11:90"]
    assert color("out.mkv", *grades) == 0
    assert not steps
    for number, (was, now) in enumerate(zip(before, planes("out.mkv"), strict=True)):
        grade = Grade(1.5 if 4 <= number <= 8 else 0.5, 90.0 if 7 <= number <= 11 else 0.0)
        expected = encode_chroma(grade.apply(decode_chroma(was[1], was[2], CODING)), CODING)
        np.testing.assert_array_equal(now[0], was[0])
        np.testing.assert_array_equal(now[1], expected[0])
        np.testing.assert_array_equal(now[2], expected[1])
    assert color("out.mkv") == 0
    assert not steps
    for again, was in zip(planes("out.mkv"), before, strict=True):
        assert [codes.tobytes() for codes in again] == [codes.tobytes() for codes in was]


def test_the_report_says_what_was_done(folder: Path) -> None:
    """By which two versions of a film are told apart on the review page."""
    grades = ["--saturation", "0.5", "--saturation", "4-8:1.5", "--hue", "7-11:90"]
    assert color("new.mkv", *grades, "--blend", "out.mkv:0.25") == 0
    options = Report.read(Path("new.mkv")).options
    assert options["saturation"] == "0.5, 4-8:1.5"
    assert (options["hue"], options["blend"]) == ("7-11:90", "out.mkv:0.25")
    assert not {"saturation", "hue", "blend"} & Report.read(Path("out.mkv")).options.keys()


def test_a_first_run_with_a_grade_gives_the_same(folder: Path) -> None:
    assert color("out.mkv", "--saturation", "0.7") == 0
    assert color("fresh.mkv", "--saturation", "0.7") == 0
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()


def test_a_second_colouring_is_mixed_in_by_weight(folder: Path, steps: list[int]) -> None:
    assert color("other.mkv", "--hue", "120", "--saturation", "0.8") == 0
    own, other = planes("out.mkv"), planes("other.mkv")
    steps.clear()
    assert color("out.mkv", "--blend", "other.mkv:0.25") == 0
    assert not steps
    whole = [[codes.tobytes() for codes in frame] for frame in planes("out.mkv")]
    part = ["--range", "5-15", "--overwrite"]
    assert color("out.mkv", "--blend", "other.mkv:0.25", *part) == 0
    mixed = planes("out.mkv")
    assert [[codes.tobytes() for codes in frame] for frame in mixed] == whole[5:16]
    for (luma, *chroma), (was, *own_chroma), (_, *other_chroma) in zip(
        mixed, own[5:16], other[5:16], strict=True
    ):
        np.testing.assert_array_equal(luma, was)
        for got, one, two in zip(chroma, own_chroma, other_chroma, strict=True):
            expected = 0.75 * one.astype(float) + 0.25 * two
            assert np.abs(got - expected).max() <= 0.51  # to the nearest code


def test_of_another_subsampling(folder: Path) -> None:
    """The other's colours lie where they lay."""
    write_film(Path("gray.mkv"), scenes(SHOTS), pixel_format="gray")
    command = ["color", "gray.mkv", "-o", "fine.mkv", "--keys", "keys", "--scenes", "cuts.txt"]
    command += ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1", "--quiet"]
    assert main(command) == 0
    assert frames(Path("fine.mkv"))[0].format.name == "yuv444p"
    own = planes("out.mkv")
    assert color("out.mkv", "--blend", "fine.mkv:1") == 0
    for now, was in zip(planes("out.mkv"), own, strict=True):
        assert np.abs(now[1].astype(int) - was[1]).mean() < 2


REFUSALS = {
    "saturation": (["--saturation", "loud"], "saturation is 'loud', accepted are a number, such"),
    "its range": (["--hue", "9-3:4"], "hue is '9-3:4', accepted are a number, such as 0.8, and"),
    "its value": (
        ["--saturation", "-1"],
        "saturation is -1.0, accepted are 0 to 1000",
    ),
    "a hue": (["--hue", "0-3:400"], "hue is 400.0, accepted are degrees from -360 to 360"),
    "beyond the end": (
        ["--saturation", "0.9", "--saturation", "12-19:0.5"],
        "saturation is for frames 12 to 19, the film has frames 0 to 18",
    ),
    "all beyond": (["--hue", "30-40:9"], "hue is for frames 30 to 40, the film has frames 0 to 18"),
    "blend": (["--blend", "other.mkv"], "blend is 'other.mkv', accepted are a film and its share"),
    "its weight": (["--blend", "out.mkv:1.5"], "blend's weight is 1.5, accepted are 0 to 1"),
    "no film": (["--blend", "none.mkv:0.5"], "none.mkv"),
    "gray": (["--blend", "plain.mkv:0.5"], "blend: plain.mkv is gray, a film in colour is needed"),
    "small": (["--blend", "small.mkv:0.5"], "small.mkv is 40x32, the film is 64x48; they must"),
    "key-range": (["--key-range", "14"], "key-range is '14', accepted are a key's frame and the"),
    "of keys": (["--key-range", "3-14:0-18"], "key-range is '3-14:0-18', accepted are a key's"),
    "no key": (["--key-range", "5:2-8"], "key-range is for frame 5, which has no key"),
    "without it": (["--key-range", "14:2-8"], "key-range of frame 14 is 2-8, accepted are frames"),
    "beyond": (["--key-range", "14:12-40"], "of frame 14 is 12-40, the film has frames 0 to 18"),
    "two of a key": (
        ["--key-range", "14:12-15", "--key-range", "14:16-17"],
        "key-range is given twice for frame 14, once is accepted",
    ),
    "overlapping": (
        ["--key-range", "14:9-15", "--key-range", "3:2-9"],
        "key-range 3:2-9 and 14:9-15 overlap, one key for a frame is accepted",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_film(Path("plain.mkv"), scenes(SHOTS), pixel_format="gray")
    write_film(Path("small.mkv"), scenes(SHOTS, height=32, width=40))
    before = Path("out.mkv").read_bytes()
    more, sentence = REFUSALS[case]
    assert color("out.mkv", *more) == 2
    assert sentence in capsys.readouterr().err
    assert Path("out.mkv").read_bytes() == before


def test_a_film_that_ends_early(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["color", "film.mkv", "-o", "short.mkv", "--keys", "keys", "--range", "0-11"]
    command += ["--scenes", "cuts.txt", "--model", str(TOY), "--provider", "cpu", "--quiet"]
    assert main([*command, "--codec", "ffv1"]) == 0
    assert color("out.mkv", "--blend", "short.mkv:0.5") == 2
    assert "blend: short.mkv" in capsys.readouterr().err


def test_a_film_of_another_matrix_is_converted_as_the_refusal_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = 100, 150, 110
    with av.open("other.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.colorspace = 64, 48, "yuv420p", 6
        frame = av.VideoFrame(64, 48, "yuv420p")
        for index, code in enumerate(codes):
            plane(frame, index)[...] = code
        frame.colorspace, frame.color_range = 6, 1
        for frame.pts in range(LENGTH):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert color("out.mkv", "--blend", "other.mkv:0.5") == 2
    told = capsys.readouterr().err
    assert "blend: other.mkv has matrix bt601, the film has bt709; convert it, such as" in told
    need.ffmpeg()
    subprocess.run(["ffmpeg", *shlex.split(told.rpartition("ffmpeg ")[2])], check=True)
    luma, cb, cr = (np.full((1, 1), code, np.uint8) for code in codes)
    other = replace(CODING, matrix="bt601")
    key = Key(decode_luma(luma, other), decode_chroma(cb, cr, other))
    chroma = rgb_to_key(key_to_rgb(key, "bt601"), "bt709").chroma
    converted = np.stack(planes("converted.mkv")[0][1:]).astype(int)
    assert np.abs(converted - np.stack(encode_chroma(chroma, CODING))).max() <= 1
    assert color("out.mkv", "--blend", "converted.mkv:0.5") == 0
