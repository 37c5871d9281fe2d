"""Videos come in with all that is known of them, or not at all."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support.faults import write_steady
from tests.support.videos import HEIGHT, STEADY, UNEVEN, WIDTH, picture, write_clip
from vidcolor.errors import MediaError
from vidcolor.media.info import FULL_RANGE, Frame, Tags
from vidcolor.media.losses import Fate
from vidcolor.media.pictures import subsampling
from vidcolor.media.reader import Reader

BT709 = (1, 1, 1, 1, 1)


def read(path: Path) -> list[Frame]:
    with Reader(path) as reader:
        return [item for item in reader if isinstance(item, Frame)]


@pytest.mark.parametrize("pixel_format", ["gray", "gray10le", "gray16le", "yuv420p", "yuv422p10le"])
def test_planes_are_the_files_own_code_values(tmp_path: Path, pixel_format: str) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pixel_format=pixel_format)
    with Reader(clip) as reader:
        info, bits = reader.info, reader.info.bits
        lumas = [item.planes[0] for item in reader if isinstance(item, Frame)]
    assert info.pixel_format == pixel_format
    assert info.is_gray == pixel_format.startswith("gray")
    assert len(lumas) == len(STEADY)
    for index, luma in enumerate(lumas):
        np.testing.assert_array_equal(luma, picture(index, bits=bits))


def test_rows_longer_than_the_picture_are_cut(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pixel_format="yuv420p10le", width=70, height=38)
    luma, u, v = read(clip)[0].planes
    assert (luma.shape, u.shape, v.shape) == ((38, 70), (19, 35), (19, 35))
    np.testing.assert_array_equal(luma, picture(0, bits=10, width=70, height=38))


def test_info_tells_shape_timing_and_tags(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.mp4",
        codec="libx264",
        tags=BT709,
        sample_aspect=Fraction(16, 15),
        rotation=90,
    )
    with Reader(clip) as reader:
        info = reader.info
    assert (info.width, info.height, info.bits) == (WIDTH, HEIGHT, 8)
    assert info.tags == Tags(matrix=1, primaries=1, transfer=1, range=1, siting=1)
    assert info.sample_aspect == Fraction(16, 15)
    assert info.rotation == 90
    assert info.rate == 25
    assert info.frame_count == len(STEADY)


@pytest.mark.parametrize("encoder", ["Lavf59.27.100", "mkvmerge v80.0"])
def test_a_film_that_begins_late_is_no_longer_for_it(tmp_path: Path, encoder: str) -> None:
    """FFmpeg's DURATION of a Matroska track is the time of its end, mkvmerge's is its length."""

    def later(packet: av.Packet) -> None:
        wait = int(3 / packet.time_base)
        packet.pts, packet.dts = (packet.pts or 0) + wait, (packet.dts or 0) + wait

    clip = write_steady(tmp_path / "late.mkv", sound="aac", times=later, options={"bf": "0"})
    content = clip.read_bytes()
    if encoder.startswith("mkvmerge"):
        content = content.replace(b"00:00:03.500000000", b"00:00:00.500000000")
        content = content.replace(b"Lavf", b"merg")
        clip.write_bytes(content)
    with Reader(clip) as reader:
        assert reader.announced == Fraction(1, 2)
        assert reader.info.frame_count == 12
        assert len([item for item in reader if isinstance(item, Frame)]) == 12
        assert reader.losses == ()


def test_silent_tags_stay_silent(tmp_path: Path) -> None:
    with Reader(write_clip(tmp_path / "clip.mkv")) as reader:
        assert reader.info.tags == Tags()
        assert reader.info.sample_aspect == 1


def test_jpeg_range_is_full_range(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", codec="mjpeg", pixel_format="yuvj420p")
    with Reader(clip) as reader:
        assert reader.info.pixel_format == "yuv420p"
        assert reader.info.tags.range == FULL_RANGE
        assert len([item for item in reader if isinstance(item, Frame)]) == len(STEADY)


def test_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pts=UNEVEN)
    assert [frame.pts for frame in read(clip)] == list(UNEVEN)


def test_frames_without_time_stamps_follow_at_the_mean_rate(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.h264", codec="libx264", options={"bf": "0"})
    with Reader(clip) as reader:
        seconds = [item.pts * reader.info.time_base for item in reader if isinstance(item, Frame)]
    assert seconds == [Fraction(index, 25) for index in range(len(STEADY))]


def test_reading_ahead_for_the_format_loses_nothing(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", codec="libx264", audio="aac")
    with Reader(clip) as reader:
        items = list(reader)
        assert len(reader.copied) == 1
    assert sum(isinstance(item, Frame) for item in items) == len(STEADY)
    assert sum(not isinstance(item, Frame) for item in items) > 10


@pytest.mark.parametrize(
    ("pixel_format", "expected"),
    [("yuv420p", (1, 1)), ("yuv422p10le", (1, 0)), ("yuv444p16le", (0, 0)), ("yuv411p", (2, 0))],
)
def test_subsampling(pixel_format: str, expected: tuple[int, int]) -> None:
    assert subsampling(pixel_format) == expected


def refusal(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith("clip: ")
    assert "\n" not in message
    return message


def test_missing_file(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "absent.mp4")


def test_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("not a video at all")
    assert "cannot be read as a video" in refusal(path)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    path.touch()
    assert "cannot be read as a video" in refusal(path)


def test_truncated_file(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", codec="libx264").read_bytes()
    path = tmp_path / "clip.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    assert "cannot be read as a video" in refusal(path)


def test_a_decoder_that_cannot_be_opened(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv")
    with av.open(clip) as container:
        header = bytes(container.streams.video[0].codec_context.extradata)
    data = clip.read_bytes()
    assert data.count(header) == 1
    clip.write_bytes(data.replace(header, bytes(len(header))))
    with pytest.raises(MediaError, match="no video frame that can be decoded"):
        Reader(clip)


def test_clip_without_frames(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(write_clip(tmp_path / "clip.mkv", pts=()))
    clip = write_clip(tmp_path / "with_sound.mkv", pts=(), audio="aac")
    assert "no video frame" in refusal(clip)


def test_sound_only(tmp_path: Path) -> None:
    import av

    path = tmp_path / "clip.wav"
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), "s16", "stereo")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
    assert "holds no video that FFmpeg knows" in refusal(path)


@pytest.mark.parametrize("pixel_format", ["bgr0", "yuva420p", "gbrp10le"])
def test_formats_without_a_plain_luma_plane(tmp_path: Path, pixel_format: str) -> None:
    message = refusal(write_clip(tmp_path / "clip.mkv", pixel_format=pixel_format))
    assert f"pixel format {pixel_format}" in message
    assert "gray and YUV" in message


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_alpha_that_is_not_decoded(tmp_path: Path, codec: str) -> None:
    options = {"auto-alt-ref": "0"}  # with it libvpx takes no alpha
    clip = tmp_path / "clip.webm"
    write_clip(clip, codec=codec, pixel_format="yuva420p", options=options)
    assert "clip.webm has alpha beside its picture, gray and YUV formats" in refusal(clip)
    with Reader(write_clip(tmp_path / "plain.webm", codec=codec)) as reader:
        assert reader.info.pixel_format == "yuv420p"


def test_interlaced(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.mkv", codec="libx264", options={"x264-params": "interlaced=1"}
    )
    assert "frame 0" in refusal(clip)
    assert "deinterlace" in refusal(clip)


def joined(tmp_path: Path, **others: object) -> Path:
    """A film whose second half differs in something, and its own other half behind that."""
    parts = [{}, others, {}]
    path = tmp_path / "clip.h264"
    files = [
        write_clip(tmp_path / f"{n}.h264", codec="libx264", options={"bf": "0", "crf": "4"}, **more)
        for n, more in enumerate(parts)
    ]
    path.write_bytes(b"".join(file.read_bytes() for file in files))
    return path


@pytest.mark.parametrize("others", [{"width": 128}, {"height": 96}, {"width": 64, "height": 48}])
def test_frames_of_another_size_are_scaled(tmp_path: Path, others: dict[str, int]) -> None:
    """As the FFmpeg program does it; the others stay as they are."""
    clip = joined(tmp_path, **others)
    length = len(STEADY)
    with Reader(clip) as reader:
        frames = [item for item in reader if isinstance(item, Frame)]
        [loss] = reader.losses
    assert len(frames) == 3 * length
    assert {frame.planes[0].shape for frame in frames} == {(HEIGHT, WIDTH)}
    assert {frame.planes[1].shape for frame in frames} == {(HEIGHT // 2, WIDTH // 2)}
    assert (loss.frame, loss.count, loss.fate) == (length, length, Fate.CONVERTED)
    size = {"width": WIDTH, "height": HEIGHT} | others
    for index, frame in enumerate(frames[length : 2 * length]):
        scaled = cv2.resize(picture(index, **size), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        assert np.abs(frame.planes[0].astype(float) - scaled).mean() < 3
    for one, other in zip(frames[:length], frames[2 * length :], strict=True):
        # x264 on several threads is not quite the same each time.
        assert np.abs(one.planes[0].astype(float) - other.planes[0]).mean() < 0.2


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv444p"])
def test_frames_of_another_format_are_converted(tmp_path: Path, pixel_format: str) -> None:
    clip = joined(tmp_path, pixel_format=pixel_format)
    length = len(STEADY)
    with Reader(clip) as reader:
        assert reader.info.pixel_format == "yuv420p"
        frames = [item for item in reader if isinstance(item, Frame)]
        [loss] = reader.losses
    assert (loss.frame, loss.count, loss.fate) == (length, length, Fate.CONVERTED)
    for index, frame in enumerate(frames[length : 2 * length]):
        assert frame.planes[0].dtype == np.uint8
        difference = frame.planes[0].astype(float) - picture(index)
        assert np.abs(difference).mean() < 2


def test_a_preview_of_frames_of_two_sizes(tmp_path: Path) -> None:
    with Reader(joined(tmp_path, width=128), side=32) as reader:
        shapes = {item.planes[0].shape for item in reader if isinstance(item, Frame)}
    assert shapes == {(32, 48)}


def test_frames_that_become_rgb(tmp_path: Path) -> None:
    for number, kind in enumerate((cv2.IMREAD_GRAYSCALE, cv2.IMREAD_COLOR)):
        image = picture(number) if kind == cv2.IMREAD_GRAYSCALE else np.zeros((64, 96, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"scan_{number}.png"), image)
    assert "frame 1" in refusal(tmp_path)
    assert "has the pixel format rgb24 where the first has gray" in refusal(tmp_path)
