"""The scripts in examples/: where they find files, what they refuse, and what they write."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import av
import cv2
import numpy as np
import pytest
import vapoursynth as vs

from tests.support import need
from tests.support.videos import write_clip, write_key
from tests.support.waiting import DEADLINE
from tests.vapoursynth_plugin.example_footage import (
    HEIGHT,
    LENGTH,
    PTS,
    WIDTH,
)
from tests.vapoursynth_plugin.processes import (
    EXAMPLES,
    SCRIPTS,
    arguments,
    environment,
    example,
    vspipe,
    whole,
)
from vidcolor.inference.colorizer import Colorizer

core = vs.core


SCRIPTS_WITH_FILES = {
    "propagate.vpy": {"clip": "clip.mkv", "key": "key.png"},
    "many_keys.vpy": {"clip": "clip.mkv", "keys": "keys"},
    "part.vpy": {"clip": "clip.mkv", "key": "key.png", "first": 0, "last": 3},
    "side_by_side.vpy": {"clip": "clip.mkv", "key": "key.png"},
    "strokes.vpy": {"clip": "clip.mkv", "strokes": "strokes.png", "mask": "mask.png"},
    "automatic.vpy": {"clip": "clip.mkv", "colorizer": "mine.py"},
}


@pytest.mark.parametrize("name", SCRIPTS_WITH_FILES)
def test_files_lie_beside_the_script(name, footage, toy_bundle, tmp_path):
    """Wherever vspipe is called, and whatever PWD says."""
    if name == "strokes.vpy":
        need.scipy()
    folder = tmp_path / "scripts"
    shutil.copytree(footage, folder)
    shutil.copy(EXAMPLES / name, folder)
    paint_strokes(folder)
    given = SCRIPTS_WITH_FILES[name] | {"model": toy_bundle, "provider": "cpu"}
    beside = vspipe(*arguments(given), "scripts/" + name, "-", cwd=tmp_path).stdout
    assert beside == written(name, whole(folder, given))


def written(name, given):
    """The bytes of what a script colours, in this process."""
    vs.clear_outputs()
    run_path(str(EXAMPLES / name), {key: str(value) for key, value in given.items()})
    frames = vs.get_output(0).clip.frames()
    return b"".join(np.asarray(plane).tobytes() for frame in frames for plane in frame)


@pytest.mark.parametrize("name", SCRIPTS_WITH_FILES)
def test_a_file_that_is_not_there_is_named(name, footage):
    paint_strokes(footage)
    for argument in sorted(SCRIPTS_WITH_FILES[name].keys() - {"first", "last", "colorizer"}):
        given = whole(footage, SCRIPTS_WITH_FILES[name] | {argument: "gone.mkv"})
        told = refusal(name, given)
        assert told.startswith(f"{name}: {argument} is gone.mkv, and there is no such file; give ")
        assert "\n" not in told


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("part.vpy", "first", "12"),
        ("part.vpy", "first", "-2"),
        ("part.vpy", "last", "300"),
        ("part.vpy", "last", "x"),
        ("side_by_side.vpy", "frame", "12"),
        ("strokes.vpy", "frame", "1.5"),
        ("many_keys.vpy", "scenes", "0,12"),
        ("many_keys.vpy", "scenes", "0;5"),
        ("automatic.vpy", "scenes", "0,-1"),
        ("automatic.vpy", "scenes", "0,"),
    ],
)
def test_a_number_that_is_no_frame_of_the_clip_is_told(name, argument, value, footage):
    paint_strokes(footage)
    given = whole(footage, SCRIPTS_WITH_FILES[name] | {argument: value})
    assert refusal(name, given) == (
        f"{name}: {argument} is {value}, accepted are frames of the clip, 0 to 11"
    )


def test_a_part_does_not_end_before_it_begins(footage):
    given = whole(footage, SCRIPTS_WITH_FILES["part.vpy"] | {"first": 4, "last": 3})
    assert refusal("part.vpy", given) == "part.vpy: last is 3, which is before first, 4"


def test_two_images_of_one_frame_are_told(footage, tmp_path):
    """One of them would be left out, whichever the folder lists first."""
    shutil.copytree(footage / "keys", tmp_path / "keys")
    shutil.copy(tmp_path / "keys" / "2.png", tmp_path / "keys" / "02.png")
    given = {"clip": str(footage / "clip.mkv"), "keys": str(tmp_path / "keys")}
    with pytest.raises(vs.Error, match="frames holds 2 more than once"):
        run_path(str(EXAMPLES / "many_keys.vpy"), given)


def test_shots_are_painted_from_the_first_frame_on(footage, toy_bundle):
    given = whole(footage, SCRIPTS_WITH_FILES["automatic.vpy"] | {"model": toy_bundle})
    assert written("automatic.vpy", given | {"scenes": "6"}) == written(
        "automatic.vpy", given | {"scenes": "0, 6"}
    )


def test_vspipe_tells_a_scripts_refusal_and_no_more(footage):
    given = whole(footage, {"clip": "gone.mkv", "key": "key.png"})
    done = vspipe(*arguments(given), EXAMPLES / "propagate.vpy", "-", cwd=footage, check=False)
    assert done.returncode != 0
    assert done.stdout == b""
    told = done.stderr.decode()
    assert "Traceback" not in told
    assert refusal("propagate.vpy", given) in told


def refusal(name, given):
    """The sentence by which a script ends at once, before it has an output."""
    vs.clear_outputs()
    with pytest.raises(SystemExit) as ended:
        run_path(str(EXAMPLES / name), given)
    assert not vs.get_outputs()
    assert isinstance(ended.value.code, str)
    return ended.value.code


def paint_strokes(folder):
    """strokes.png, which is opaque, and mask.png, which says where its strokes are."""
    shutil.copy(folder / "key.png", folder / "strokes.png")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[10:14, 5:60] = 255
    cv2.imwrite(str(folder / "mask.png"), cv2.merge([mask] * 3))


@pytest.mark.parametrize(
    ("alpha", "as_mask", "sentence"),
    [
        (None, False, "has no transparent part, so all of it would be the key"),
        (0, False, "the mask is the same everywhere"),
        (0, True, "the mask is the same everywhere"),
        (255, False, "the mask is the same everywhere"),
        (255, True, "the mask is the same everywhere"),
    ],
)
def test_strokes_that_would_not_be_spread_are_refused(alpha, as_mask, sentence, footage, tmp_path):
    image = cv2.imread(str(footage / "key.png"))
    plane = np.full(image.shape[:2], alpha or 0, np.uint8)
    given = {"clip": str(footage / "clip.mkv"), "strokes": str(tmp_path / "strokes.png")}
    if as_mask:
        given["mask"] = str(tmp_path / "mask.png")
        cv2.imwrite(given["mask"], plane)
    elif alpha is not None:
        image = np.dstack((image, plane))
    cv2.imwrite(given["strokes"], image)
    assert sentence in refusal("strokes.vpy", given)


def test_without_a_colorizer_the_shipped_one_paints(footage, toy_bundle):
    given = {"clip": "clip.mkv", "model": toy_bundle, "provider": "cpu", "colorizer": "stills-2"}
    named = written("automatic.vpy", whole(footage, given))
    assert example("automatic.vpy", footage, toy_bundle, clip="clip.mkv") == named
    gray = core.bs.VideoSource(str(footage / "gray.mkv"))
    luma = np.array(gray.resize.Point(format=vs.GRAYS).get_frame(0)[0])
    blue, _ = Colorizer.load(provider="cpu").color(luma, matrix="bt601")
    codes = np.frombuffer(named, np.uint8)[WIDTH * HEIGHT :][: WIDTH * HEIGHT // 4]
    assert abs((codes.astype(float).mean() - 128) / 224 - blue.mean()) < 0.01
    assert codes.std() > 1


@pytest.mark.parametrize("pixel_format", ["gray", "yuv444p10le", "yuv420p"])
def test_readmes_line_gives_what_browsers_and_phones_play(pixel_format, toy_bundle, tmp_path):
    write_clip(
        tmp_path / "clip.mkv", width=WIDTH, height=HEIGHT, pts=PTS, pixel_format=pixel_format
    )
    write_key(tmp_path / "key.png", width=WIDTH, height=HEIGHT)
    readme = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    lines = re.findall(
        r"^    vspipe .*examples/propagate.vpy - \\\n +\| (.*)$", readme, re.MULTILINE
    )
    encoders = [shlex.split(line) for line in lines]
    assert {encoder[0] for encoder in encoders} == {"ffmpeg", "python"}
    y4m = example(
        "propagate.vpy", tmp_path, toy_bundle, "-c", "y4m", clip="clip.mkv", key="key.png"
    )
    programs = {"python": sys.executable, "ffmpeg": shutil.which("ffmpeg")}
    places = {"examples/encode_y4m.py": EXAMPLES / "encode_y4m.py", "clip.mp4": "clip.mkv"}
    for program, *options in encoders:
        if programs[program] is None:
            continue
        command = [programs[program], *(places.get(option, option) for option in options)]
        subprocess.run(command, input=y4m, cwd=tmp_path, check=True, capture_output=True)
        with av.open(tmp_path / options[-1]) as made:
            video = made.streams.video[0]
            assert video.codec_context.name == "h264"
            assert video.codec_context.pix_fmt == "yuv420p"
            assert video.profile == "High"
            assert sum(1 for _ in made.decode(video=0)) == LENGTH
        (tmp_path / options[-1]).unlink()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes to /dev/full")
@pytest.mark.parametrize("end", [">/dev/full", ">&-", "2>&-"])
def test_a_batch_goes_on_where_nobody_reads(end, films, toy_bundle, tmp_path):
    out = tmp_path / "out"
    options = [films, "-o", out, "--arg", f"model={toy_bundle}", "--arg", "provider=cpu"]
    command = shlex.join(map(str, [sys.executable, EXAMPLES / "batch.py", *options]))
    done = subprocess.run(
        ["sh", "-c", f"{command} {end}"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} == {"many.mp4", "one.mp4"}
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes to /dev/full")
@pytest.mark.parametrize("end", ["> /dev/full", ">&-", "| head -c 10 > /dev/null"])
def test_a_script_whose_output_nobody_takes_ends_without_a_traceback(end, footage, toy_bundle):
    given = whole(footage, {"clip": "clip.mkv", "key": "key.png", "model": toy_bundle})
    command = [SCRIPTS / "vspipe", *arguments(given), EXAMPLES / "propagate.vpy", "-"]
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shlex.join(map(str, command))} {end}"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode != 0


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("stills.py", ["gone.mkv", "key.png", "3", "-o", "stills"], "stills: .*gone.mkv"),
        (
            "stills.py",
            ["clip.mkv", "key.png", "3", "12", "-o", "stills"],
            "stills: frame 12 is not in the clip, which has frames 0 to 11",
        ),
        ("stills.py", ["clip.mkv", "key.png", "3", "-o", "key.png"], "stills: .*key.png"),
        ("batch.py", ["gone", "-o", "out"], "batch: there is no folder gone"),
        ("batch.py", [".", "-o", "key.png"], "batch: .*key.png"),
        ("before_after.py", ["gone.mkv", "clip.mkv", "-o", "a.png"], "before_after: .*gone.mkv"),
        ("before_after.py", ["mine.py", "clip.mkv", "-o", "a.png"], "before_after: .*mine.py"),
        ("before_after.py", ["clip.mkv", "clip.mkv", "-o", "gone/a.png"], "before_after: .*gone"),
        (
            "before_after.py",
            ["clip.mkv", "clip.mkv", "-o", "a.gif"],
            "before_after: a.gif does not end in .png or .jpg",
        ),
        (
            "before_after.py",
            ["clip.mkv", "key.png", "-o", "a.png"],
            r"before_after: the clips have \[12, 1\] frames, equally many are needed",
        ),
        ("batch.py", [".", "-o", "."], "batch: . holds the clips; another folder is needed"),
        (
            "encode_y4m.py",
            ["--like", "clip.mkv", "-o", "out.mp4"],
            "encode_y4m: there is no input; pipe the output of vspipe -c y4m into it",
        ),
    ],
)
def test_programs_say_in_one_sentence_what_is_wrong(name, arguments, sentence, footage):
    command = shlex.join(map(str, [sys.executable, EXAMPLES / name, *arguments]))
    done = subprocess.run(
        ["sh", "-c", f"{command} <&-"], cwd=footage, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.search(f"^{sentence}", done.stderr, re.MULTILINE), done.stderr
    assert "Traceback" not in done.stderr


def test_a_batch_says_that_there_is_no_vspipe(films, tmp_path):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "batch.py", films, "-o", tmp_path / "out"],
        env=environment() | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("batch: there is no vspipe on the PATH; activate the environment")
    assert "Traceback" not in done.stderr


def y4m(width, height, length):
    header = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n".encode()
    return header + length * (b"FRAME\n" + bytes(width * height * 3 // 2))


@pytest.mark.parametrize(
    ("stream", "sentence"),
    [
        (b"", "encode_y4m: the input is empty, or no y4m; pipe the output of vspipe -c y4m into"),
        (b"no video\n", "encode_y4m: the input is empty, or no y4m; pipe the output of vspipe"),
        (y4m(WIDTH, HEIGHT, LENGTH - 1), "encode_y4m: the stream has fewer frames than clip.mkv"),
        (y4m(WIDTH, HEIGHT, LENGTH + 1), "encode_y4m: the stream has more frames than clip.mkv"),
        (y4m(HEIGHT, WIDTH, LENGTH), "encode_y4m: the stream is 64x96, clip.mkv is 96x64 as it is"),
    ],
    # pytest names the test in an environment variable, whose length systems limit.
    ids=["empty", "no y4m", "short", "long", "turned"],
)
def test_a_stream_that_is_not_of_the_clip_is_not_encoded(stream, sentence, footage, tmp_path):
    out = tmp_path / "out.mp4"
    command = [sys.executable, EXAMPLES / "encode_y4m.py", "--like", "clip.mkv", "-o", out]
    done = subprocess.run(command, input=stream, cwd=footage, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().startswith(sentence)
    assert list(tmp_path.iterdir()) == []


def test_of_two_clips_of_one_name_in_a_batch_the_second_is_told(films, tmp_path):
    """Not that it was done before."""
    folder = tmp_path / "two"
    shutil.copytree(films, folder)
    shutil.copy(folder / "one.mkv", folder / "one.mov")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("one.mp4", "many.mp4"):
        (out / name).touch()
    done = subprocess.run(
        [sys.executable, EXAMPLES / "batch.py", folder, "-o", out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.count("done before") == 2
    assert f"{folder / 'one.mov'}: failed, {out / 'one.mp4'} is another clip's" in done.stdout
