"""The copy of a film that browsers play."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support.videos import HEIGHT, STEADY, UNEVEN, WIDTH, frames, plane, write_clip
from vidcolor.advise.preview import GAP, encode_preview
from vidcolor.errors import ArgumentError, MediaError


def write_red_and_blue(
    path: Path, *, pixel_format: str = "yuv420p", tags: tuple[int, ...] = (1, 1, 1, 1)
):
    """A clip whose left half is red and whose right half is blue, without loss."""
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, pixel_format
        context.colorspace, context.color_primaries, context.color_trc = tags[:3]
        context.color_range = tags[3]
        for _ in range(3):
            frame = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
            one = 1 << frame.format.components[0].bits - 8
            for index, (left, right) in enumerate(((90, 90), (100, 200), (200, 110))):
                codes = plane(frame, index)
                codes[:, : codes.shape[1] // 2] = left * one
                codes[:, codes.shape[1] // 2 :] = right * one
            frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = tags
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_every_frame_at_its_time_and_a_key_frame_never_far(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mkv", pts=UNEVEN)
    preview = encode_preview(film, tmp_path / "p.mp4", side=480, pictures_of=[])
    shown = frames(tmp_path / "p.mp4")
    assert len(shown) == len(UNEVEN)
    assert [round(1000 * frame.time) for frame in shown] == list(UNEVEN)
    np.testing.assert_allclose(preview.times[:-1], np.array(UNEVEN) / 1000, atol=1e-9)
    assert preview.times[-1] > preview.times[-2]
    long = write_clip(tmp_path / "long.mkv", pts=range(0, 40 * 50, 40))
    encode_preview(long, tmp_path / "l.mp4", side=480, pictures_of=[])
    starts = [n for n, frame in enumerate(frames(tmp_path / "l.mp4")) if frame.key_frame]
    assert max(np.diff([*starts, 50])) <= 12


@pytest.mark.parametrize("given", ["yuv420p", "yuv444p", "yuv422p10le", "gray"])
def test_it_is_small_and_of_a_kind_that_browsers_play(tmp_path: Path, given: str) -> None:
    film = write_clip(tmp_path / "a.mkv", pixel_format=given, width=192, height=128)
    encode_preview(film, tmp_path / "p.mp4", side=64, pictures_of=[])
    with av.open(tmp_path / "p.mp4") as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.width, context.height) == (96, 64)


@pytest.mark.parametrize(("width", "height"), [(97, 65), (96, 64)])
def test_odd_sizes(tmp_path: Path, width: int, height: int) -> None:
    film = write_clip(tmp_path / "a.mkv", pixel_format="yuv444p", width=width, height=height)
    preview = encode_preview(film, tmp_path / "p.mp4", side=480, pictures_of=[0])
    assert frames(tmp_path / "p.mp4")[0].width == 96
    assert preview.aspect == 96 / 64, "of the copy, whose sides are even"


@pytest.mark.parametrize(
    ("pixel_format", "tags"),
    [
        ("yuv420p", (1, 1, 1, 1)),
        ("yuv420p", (6, 6, 6, 1)),
        ("yuv444p", (1, 1, 1, 2)),
        ("yuv444p10le", (1, 1, 1, 1)),
    ],
)
def test_colours_are_the_films(tmp_path: Path, pixel_format: str, tags: tuple[int, ...]) -> None:
    film = write_red_and_blue(tmp_path / "a.mkv", pixel_format=pixel_format, tags=tags)
    preview = encode_preview(film, tmp_path / "p.mp4", side=480, pictures_of=[1])
    picture = cv2.imdecode(np.frombuffer(preview.pictures[1], np.uint8), cv2.IMREAD_COLOR)
    limited = tags[3] == 1
    red = np.array([90, 100, 200], float)
    luma, cb, cr = (
        (red - (16, 128, 128)) / (219, 224, 224) if limited else (red - (0, 128, 128)) / 255
    )
    kr, kb = (0.2126, 0.0722) if tags[0] == 1 else (0.299, 0.114)
    r, b = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    expected = np.array([b, g, r]).clip(0, 1) * 255
    np.testing.assert_allclose(picture[64, 40], expected, atol=9)
    shown = frames(tmp_path / "p.mp4")[1]
    assert (shown.colorspace, shown.color_range) == (tags[0], 1)
    codes = [float(np.median(plane(shown, index)[:, :20])) for index in range(3)]
    scaled = (16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr)
    np.testing.assert_allclose(codes, scaled, atol=3)


def test_pictures_are_upright_and_of_square_pixels(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mp4", rotation=90, sample_aspect=Fraction(2), pts=STEADY)
    preview = encode_preview(film, tmp_path / "p.mp4", side=480, pictures_of=[3])
    picture = cv2.imdecode(np.frombuffer(preview.pictures[3], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[:2] == (192, 64)
    assert preview.aspect == pytest.approx(HEIGHT / (2 * WIDTH))
    with av.open(tmp_path / "p.mp4") as container:
        context = container.streams.video[0].codec_context
        assert (context.width, context.height) == (HEIGHT, 2 * WIDTH)
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
    assert preview.film_size == (HEIGHT, WIDTH)
    stored = plane(next(iter(frames(film))), 0).astype(float)
    shown = cv2.resize(plane(frame, 0).astype(float), (HEIGHT, WIDTH), interpolation=cv2.INTER_AREA)
    assert np.abs(np.rot90(stored) - shown).mean() < 8


def write_shaded(path: Path, luma: int, count: int = 8, width: int = WIDTH) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, HEIGHT, "yuv420p"
        for number in range(count):
            frame = av.VideoFrame(width, HEIGHT, "yuv420p")
            for index, code in enumerate((luma + number, 128, 128)):
                plane(frame, index)[...] = code
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_second_version_lies_under_the_first_frame_by_frame(tmp_path: Path) -> None:
    one, other = write_shaded(tmp_path / "1.mkv", 60), write_shaded(tmp_path / "2.mkv", 160)
    encode_preview(one, tmp_path / "p.mp4", side=480, pictures_of=[], against=other)
    shown = frames(tmp_path / "p.mp4")
    assert len(shown) == 8
    for number, frame in enumerate(shown):
        luma = plane(frame, 0)
        assert luma.shape == (2 * HEIGHT + GAP, WIDTH)
        np.testing.assert_allclose(luma[:HEIGHT], 60 + number, atol=3)
        np.testing.assert_allclose(luma[HEIGHT + GAP :], 160 + number, atol=3)


@pytest.mark.parametrize(
    ("count", "width", "message"),
    [
        (7, WIDTH, r"against: .*2.mkv has 7 frames, .*1.mkv has more"),
        (9, WIDTH, r"against: .*2.mkv has more frames than the 8 of"),
        (8, 2 * WIDTH, r"against: .*2.mkv has another shape"),
    ],
)
def test_a_second_version_of_other_frames(
    tmp_path: Path, count: int, width: int, message: str
) -> None:
    one = write_shaded(tmp_path / "1.mkv", 60)
    other = write_shaded(tmp_path / "2.mkv", 160, count, width)
    with pytest.raises(ArgumentError, match=message):
        encode_preview(one, tmp_path / "p.mp4", side=480, pictures_of=[], against=other)


def test_sound_is_in_step_with_the_picture(tmp_path: Path) -> None:
    """A click at 0.8 s of a film whose first frame shows at 0.2 s is heard 0.6 s after it."""
    film = tmp_path / "a.mkv"
    write_click(film, frames_from=0.2, click=0.8, length=1.5)
    preview = encode_preview(film, tmp_path / "p.mp4", side=480, pictures_of=[])
    assert preview.has_sound
    with av.open(tmp_path / "p.mp4") as container:
        heard = [(frame.time, frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    start, loudest = max(heard, key=lambda item: np.abs(item[1]).max())
    assert start + np.abs(loudest).argmax() / 48000 == pytest.approx(0.6, abs=0.02)
    silent = encode_preview(film, tmp_path / "q.mp4", side=480, pictures_of=[], audio=False)
    assert not silent.has_sound
    with av.open(tmp_path / "q.mp4") as container:
        assert not container.streams.audio


def write_click(path: Path, *, frames_from: float, click: float, length: float) -> None:
    with av.open(path, "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=44100, layout="mono")
        samples = np.zeros(round(44100 * length), np.int16)
        samples[round(44100 * click) :][:40] = 30000
        sound = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
        sound.sample_rate, sound.pts, sound.time_base = 44100, 0, Fraction(1, 44100)
        container.mux(audio.encode(sound))
        for number in range(round(25 * (length - frames_from))):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            for index in range(3):
                plane(frame, index)[...] = 128
            frame.pts, frame.time_base = round(25 * frames_from) + number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        container.mux(audio.encode())


def test_what_cannot_be_written(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mkv")
    with pytest.raises(MediaError, match=r"output: .*absent.* cannot be written"):
        encode_preview(film, tmp_path / "absent" / "p.mp4", side=480, pictures_of=[])
