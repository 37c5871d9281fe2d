"""`vidcolor color` on films that are not tidy, from the command to the file."""

import io
import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support.faults import spoil_packet, write_steady
from tests.support.videos import HEIGHT, WIDTH, frames, picture, plane, write_clip, write_key
from vidcolor.cli import main

TOY = Path(__file__).parents[2] / "toy" / "bundle"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def color(clip: Path, output: Path, *more: object, any_key: bool = True) -> int:
    """Colour a clip with the toy model, and with a key that is made here unless one is given."""
    options: list[object] = ["--model", TOY, "--provider", "cpu", "--size", "32"]
    if "--key" not in more and "--keys" not in more:
        options += ["--key", write_key(output.parent / "a_key.png")]
    if any_key:
        options.append("--any-key")
    return run("color", clip, *options, "-o", output, *more)


def painted(path: Path, *, luma: np.ndarray) -> Path:
    """A picture of this luma with colour that leaves it as it is to the eye."""
    image = cv2.cvtColor(
        cv2.merge([luma, np.full_like(luma, 140), np.full_like(luma, 110)]), cv2.COLOR_YCrCb2BGR
    )
    assert cv2.imwrite(str(path), image)
    return path


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_frames_whose_times_go_back(tmp_path: Path, ending: str) -> None:
    clip = write_steady(tmp_path / "film.avi", frames=30, options={"bf": "3"})
    assert color(clip, tmp_path / f"out{ending}") == 0
    times = [frame.time for frame in frames(tmp_path / f"out{ending}")]
    assert [round((time - times[0]) * 24) for time in times] == list(range(30))


def test_two_recordings(tmp_path: Path) -> None:
    one = write_steady(
        tmp_path / "one.mpg", frames=30, rate=Fraction(25), codec="mpeg2video", sound="mp2"
    )
    clip = tmp_path / "two.mpg"
    clip.write_bytes(one.read_bytes() * 2)
    assert color(clip, tmp_path / "out.mp4") == 0
    assert len(frames(tmp_path / "out.mp4")) == 60
    assert color(clip, tmp_path / "second.mp4", "--range", "30-59") == 0
    times = [frame.time for frame in frames(tmp_path / "second.mp4")]
    assert [round((time - times[0]) * 25) for time in times] == list(range(30))
    with av.open(tmp_path / "second.mp4") as container:
        assert sum(1 for packet in container.demux(audio=0) if packet.size) > 40


def test_a_damaged_frame_is_told_once_and_not_by_other_parts(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = write_steady(tmp_path / "film.avi", frames=30, codec="mjpeg", pixel_format="yuvj420p")
    clip = spoil_packet(whole, 12, lambda data: bytes(len(data)))
    assert color(clip, tmp_path / "out.mkv") == 0
    told = capfd.readouterr().err
    note = f"{clip}: 1 frame at 0:00:00.500, between frames 11 and 12, cannot be decoded and is"
    assert told.count("note") == 1
    assert note in told
    times = [round(frame.time * 24) for frame in frames(tmp_path / "out.mkv")]
    assert times == [n for n in range(30) if n != 12]
    assert color(clip, tmp_path / "part.mkv", "--range", "0-8") == 0
    assert "note" not in capfd.readouterr().err
    assert color(clip, tmp_path / "out.mkv", "--overwrite") == 0
    assert note in capfd.readouterr().err  # also where the film is not scanned again


RATES = {"24": Fraction(24), "25": Fraction(25), "23.976": Fraction(24000, 1001)}


@pytest.mark.parametrize(("codec", "name"), [
    ("prores", "out.mov"), ("dnxhr", "out.mov"), ("libx264", "out.mp4"), ("libx264", "out.mkv"),
])  # fmt: skip
@pytest.mark.parametrize("rate", RATES)
def test_what_editing_systems_read_of_a_films_rate(
    tmp_path: Path, codec: str, name: str, rate: str
) -> None:
    """Constant, exactly that of the film, and progressive, from a Matroska that rounds times."""
    size = {"width": 256, "height": 144}
    clip = write_steady(tmp_path / "film.mkv", frames=30, rate=RATES[rate], **size)
    key, output = write_key(tmp_path / "key.png", **size), tmp_path / name
    assert color(clip, output, "--codec", codec, "--key", key) == 0
    with av.open(output) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.base_rate) == (RATES[rate], RATES[rate])
        steps = [frame.time for frame in container.decode(video=0)]
        assert [round(time * RATES[rate]) for time in steps] == list(range(30))
    if probe := shutil.which("ffprobe"):
        shown = "stream=r_frame_rate,avg_frame_rate,field_order"
        words = ["-v", "error", "-select_streams", "v", "-show_entries", shown, "-of", "json"]
        told = subprocess.run([probe, *words, output], capture_output=True, check=True).stdout
        [stream] = json.loads(told)["streams"]
        exact = f"{RATES[rate].numerator}/{RATES[rate].denominator}"
        assert (stream["r_frame_rate"], stream["avg_frame_rate"]) == (exact, exact)
        assert stream.get("field_order", "progressive") == "progressive"
    if program := shutil.which("mediainfo"):
        words = ["--Output=JSON", output]
        told = subprocess.run([program, *words], capture_output=True, check=True).stdout
        video = next(t for t in json.loads(told)["media"]["track"] if t["@type"] == "Video")
        assert float(video["FrameRate"]) == pytest.approx(float(RATES[rate]), abs=0.0006)
        assert video["FrameRate_Mode"] == "CFR"
        assert video.get("ScanType", "Progressive") == "Progressive"


def test_a_damaged_part_of_a_frame_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = write_steady(tmp_path / "film.avi", frames=30, codec="mpeg4", width=256, height=144)
    clip = spoil_packet(whole, 13, lambda data: data[: len(data) // 2] + b"Z" * (len(data) // 2))
    key = write_key(tmp_path / "key.png", width=256, height=144)
    assert color(clip, tmp_path / "out.mkv", "--key", key) == 0
    assert f"{clip}: frame 13 at 0:00:00.542 is damaged" in capfd.readouterr().err
    assert len(frames(tmp_path / "out.mkv")) == 30
    assert color(clip, tmp_path / "part.mkv", "--key", key, "--range", "0-12") == 0
    assert "is damaged" not in capfd.readouterr().err


def test_frames_of_another_size_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A broadcast that changes its size: as the FFmpeg program has it, all of the first one's."""
    clip = tmp_path / "film.ts"
    parts = [(720, 576), (704, 576)]
    for number, (width, height) in enumerate(parts):
        part = write_steady(
            tmp_path / f"{number}.ts", frames=10, rate=Fraction(25), options={"bf": "0"},
            width=width, height=height,
        )  # fmt: skip
        with clip.open("ab") as file:
            file.write(part.read_bytes())
    key = write_key(tmp_path / "key.png", width=720, height=576)
    assert color(clip, tmp_path / "out.mkv", "--key", key) == 0
    assert (
        "frames 10 to 19 at 0:00:00.400 have another size or format than the first, and are "
        "converted"
    ) in capfd.readouterr().err
    assert {(frame.width, frame.height) for frame in frames(tmp_path / "out.mkv")} == {(720, 576)}
    assert len(frames(tmp_path / "out.mkv")) == 20


def test_previews_of_odd_sizes(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "odd.mkv", width=71, height=47)
    key = write_key(tmp_path / "key.png", width=71, height=47)
    assert color(clip, tmp_path / "look.mp4", "--preview", "--key", key) == 0
    frame = frames(tmp_path / "look.mp4")[0]
    assert (frame.width, frame.height, frame.format.name) == (72, 48, "yuv420p")


def mirrored(tmp_path: Path) -> Path:
    """A film that is shown mirrored, left to right."""
    plain, clip = write_steady(tmp_path / "plain.mp4"), tmp_path / "mirrored.mp4"
    with av.open(plain) as given, av.open(clip, "w") as container:
        video = container.add_stream_from_template(given.streams.video[0], opaque=True)
        video.set_display_matrix((-(1 << 16), 0, 0, 0, 1 << 16, 0, WIDTH << 16, 0, 1 << 30))
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)
    return clip


@pytest.mark.parametrize("view", ["shown", "stored"])
def test_keys_of_a_mirrored_film(
    tmp_path: Path, view: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A mark on one side of the key comes out on that side of the film."""
    luma = picture(0)
    image = cv2.imread(str(painted(tmp_path / "plain.png", luma=luma)))
    half = image.copy()
    half[:, WIDTH // 2 :] = cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR)[:, WIDTH // 2 :]
    key = tmp_path / "key.png"
    cv2.imwrite(str(key), half[:, ::-1] if view == "shown" else half)
    output = tmp_path / "out.mp4"
    more = "--key", key, "--whole-keys"  # half of it is gray, which are no strokes here
    assert color(mirrored(tmp_path), output, *more, any_key=False) == 0
    assert ("is taken as the frames are stored" in capfd.readouterr().err) == (view == "stored")
    red = plane(frames(output)[0], 2).astype(float)
    left, right = red[:, : WIDTH // 4 - 4].mean(), red[:, WIDTH // 4 + 4 :].mean()
    assert left > right + 4
    assert abs(right - 128) < 3


@pytest.mark.parametrize("bars", [(8, 0), (0, 12)])
def test_keys_between_black_bars(
    tmp_path: Path, bars: tuple[int, int], capfd: pytest.CaptureFixture[str]
) -> None:
    """The film is squeezed between them, as editors do it."""
    high, wide = bars
    inner = cv2.resize(
        cv2.imread(str(painted(tmp_path / "plain.png", luma=picture(0)))),
        (WIDTH - 2 * wide, HEIGHT - 2 * high), interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    key = tmp_path / "key.png"
    cv2.imwrite(str(key), cv2.copyMakeBorder(inner, high, high, wide, wide, cv2.BORDER_CONSTANT))
    clip = write_steady(tmp_path / "film.mp4")
    output = tmp_path / "out.mp4"
    assert color(clip, output, "--key", key, any_key=False) == 0
    assert "key.png has black bars, which are cut off" in capfd.readouterr().err
    first = frames(output)[0]
    assert abs(plane(first, 1).astype(float) - 110).mean() < 4
    assert abs(plane(first, 2).astype(float) - 140).mean() < 4


def test_a_name_that_the_output_cannot_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="cp1252"))
    clip = write_steady(tmp_path / "film.mp4")
    assert color(clip, tmp_path / "日本.mp4") == 0
    sys.stdout.flush()
    assert rb"\u65e5\u672c.mp4: 12 frames" in printed.getvalue()


@pytest.mark.parametrize("name", ["Film: part 1.mp4", "語" * 78 + ".mp4", "100%#?.mp4"])
def test_names_in_and_out(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(write_steady(tmp_path / "film.mp4"), name)
    assert color(Path(name), tmp_path / "out.mp4") == 0
    (tmp_path / "there").mkdir()
    assert color(Path(name), Path("there") / name) == 0
    assert len(frames(tmp_path / "there" / name)) == 12
    assert run("advise", name, "--model", TOY, "-o", "keys: 1") == 0


def interlaced(path: Path) -> Path:
    return write_steady(path, codec="libx264", options={"x264-params": "interlaced=1"})


def test_progressive_film_that_is_flagged_interlaced(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = interlaced(tmp_path / "pal.mkv")
    assert color(clip, tmp_path / "out.mkv") == 2
    assert "give --progressive" in capfd.readouterr().err
    assert color(clip, tmp_path / "out.mkv", "--progressive") == 0
    assert not any(frame.interlaced_frame for frame in frames(tmp_path / "out.mkv"))
    assert run("advise", clip, "--model", TOY, "-o", tmp_path / "k", "--progressive") == 0
    strokes = painted(tmp_path / "painted.png", luma=picture(0))
    command = ["key", "--clip", clip, "--frame", 0, "--paint", strokes, "-o", tmp_path / "key.png"]
    assert run(*command) == 2
    assert run(*command, "--progressive") == 0


def test_sound_may_be_left_out(tmp_path: Path) -> None:
    clip = write_steady(tmp_path / "film.mkv", frames=24, sound="aac")
    assert color(clip, tmp_path / "out.mp4", "--no-audio") == 0
    with av.open(tmp_path / "out.mp4") as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "scan").mkdir()
    for number in range(5):
        cv2.imwrite(str(tmp_path / "scan" / f"frame_{number:05d}.png"), picture(number))
    for clip in (tmp_path / "scan", tmp_path / "scan" / "frame_%05d.png"):
        output = tmp_path / "out.mkv"
        assert color(clip, output, "--codec", "ffv1", "--overwrite") == 0
        written = frames(output)
        assert len(written) == 5
        for number, frame in enumerate(written):
            np.testing.assert_array_equal(plane(frame, 0), picture(number))


@pytest.mark.parametrize("command", ["color", "advise", "key", "review"])
def test_video_that_nobody_can_decode(
    tmp_path: Path, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    film = write_steady(tmp_path / "film.mp4")
    key = write_key(tmp_path / "key.png")
    assert color(film, tmp_path / "fine.mp4") == 0
    clip = tmp_path / "film2.mp4"
    clip.write_bytes(film.read_bytes().replace(b"avc1", b"zzz1"))
    shutil.copy(tmp_path / "fine.mp4.vidcolor.json", tmp_path / "film2.mp4.vidcolor.json")
    arguments: dict[str, list[object]] = {
        "color": [clip, "--key", key, "--model", TOY, "-o", tmp_path / "out.mp4"],
        "advise": [clip, "--model", TOY, "-o", tmp_path / "keys"],
        "key": ["--clip", clip, "--frame", 0, "--paint", key, "-o", tmp_path / "k.png"],
        "review": [clip, "-o", tmp_path / "review.html"],
    }
    capfd.readouterr()
    assert run(command, *arguments[command]) == 2
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert "holds video that FFmpeg has no decoder for; convert it first" in told
