"""Pixel formats are read as their planar twins, code by code, or not at all."""

from pathlib import Path

import av
import numpy as np
import pytest

from vidcolor.errors import MediaError
from vidcolor.media.info import Frame
from vidcolor.media.pictures import Twin, bits_of, converted, planar_codes, twin_of
from vidcolor.media.reader import Reader

W, H = 13, 6
"""An odd width, for formats that pair pixels."""


def twin(pixel_format: str) -> Twin:
    found = twin_of(pixel_format)
    assert found is not None, pixel_format
    return found


def planar_frame(pixel_format: str, *, width: int = W, height: int = H) -> av.VideoFrame:
    """Random code values in a planar little-endian format."""
    frame = av.VideoFrame(width, height, pixel_format)
    bits = bits_of(pixel_format)
    random = np.random.default_rng(3)
    for plane in frame.planes:
        dtype = np.uint8 if bits == 8 else np.uint16
        rows = np.frombuffer(plane, dtype).reshape(plane.height, -1)
        rows[...] = random.integers(0, 1 << bits, rows.shape, dtype)
    return frame


CONVERTED = [
    "yuyv422", "uyvy422", "yvyu422", "nv12", "nv21", "nv16", "nv24", "nv42", "nv20le", "nv20be",
    "p010le", "p010be", "p012le", "p016le", "p210le", "p216be", "p410le", "p416le", "y210le",
    "y212le", "y216le", "gray10be", "gray16be", "yuv420p10be", "yuv422p16be", "yuv444p12be",
    "yuv444p10msble", "yuv444p12msbbe", "yuv420p", "gray12le",
]  # fmt: skip


@pytest.mark.parametrize("size", [(W, H), (12, 6)])
@pytest.mark.parametrize("pixel_format", CONVERTED)
def test_code_values_are_the_twins(pixel_format: str, size: tuple[int, int]) -> None:
    """FFmpeg's own conversion, which loses nothing here, is the other side of the comparison.

    Its conversion to packed formats may invent the sample behind an odd width.
    """
    width, height = size
    try:
        read = twin(pixel_format)
        planar = planar_frame(read.pixel_format, width=width, height=height)
        given = planar.reformat(format=pixel_format, interpolation="POINT", threads=1)
    except ValueError:
        pytest.skip(f"this FFmpeg does not convert to {pixel_format}")
    back = given.reformat(format=read.pixel_format, interpolation="POINT", threads=1)
    planes = read.planes(given)
    assert len(planes) == len(back.planes)
    for index, codes in enumerate(planes):
        plane = back.planes[index]
        dtype = np.uint8 if bits_of(read.pixel_format) == 8 else np.uint16
        expected = np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width]
        assert codes.dtype == expected.dtype
        # FFmpeg leaves the last samples of some formats of odd width as they were in memory.
        sure = expected.shape[1] - width % 2
        np.testing.assert_array_equal(codes[:, :sure], expected[:, :sure])


def test_packed_and_paired_samples_by_hand() -> None:
    """Known bytes: FFmpeg has no part in it."""
    yuyv = av.VideoFrame(4, 1, "yuyv422")
    np.frombuffer(yuyv.planes[0], np.uint8)[:8] = (10, 20, 11, 30, 12, 21, 13, 31)
    assert [plane.tolist() for plane in twin("yuyv422").planes(yuyv)] == [
        [[10, 11, 12, 13]], [[20, 21]], [[30, 31]],
    ]  # fmt: skip
    uyvy = av.VideoFrame(4, 1, "uyvy422")
    np.frombuffer(uyvy.planes[0], np.uint8)[:8] = (20, 10, 30, 11, 21, 12, 31, 13)
    assert [plane.tolist() for plane in twin("uyvy422").planes(uyvy)] == [
        [[10, 11, 12, 13]], [[20, 21]], [[30, 31]],
    ]  # fmt: skip
    p010 = av.VideoFrame(2, 2, "p010le")
    np.frombuffer(p010.planes[0], "<u2").reshape(2, -1)[:, :2] = [[64, 128], [65472, 192]]
    np.frombuffer(p010.planes[1], "<u2")[:2] = (512 << 6, 513 << 6)
    luma, u, v = twin("p010le").planes(p010)
    assert (luma.tolist(), u.tolist(), v.tolist()) == ([[1, 2], [1023, 3]], [[512]], [[513]])
    assert twin("p010le").pixel_format == "yuv420p10le"
    odd = av.VideoFrame(3, 1, "nv12")
    np.frombuffer(odd.planes[0], np.uint8)[:3] = (1, 2, 3)
    np.frombuffer(odd.planes[1], np.uint8)[:4] = (20, 30, 21, 31)
    assert [plane.tolist() for plane in twin("nv12").planes(odd)] == [
        [[1, 2, 3]], [[20, 21]], [[30, 31]],
    ]  # fmt: skip
    odd = av.VideoFrame(3, 1, "yuyv422")
    np.frombuffer(odd.planes[0], np.uint8)[:8] = (1, 20, 2, 30, 3, 21, 99, 31)
    assert [plane.tolist() for plane in twin("yuyv422").planes(odd)] == [
        [[1, 2, 3]], [[20, 21]], [[30, 31]],
    ]  # fmt: skip
    packed = av.VideoFrame(8, 1, "uyyvyy411")
    np.frombuffer(packed.planes[0], np.uint8)[:12] = (20, 1, 2, 30, 3, 4, 21, 5, 6, 31, 7, 8)
    assert [plane.tolist() for plane in twin("uyyvyy411").planes(packed)] == [
        [[1, 2, 3, 4, 5, 6, 7, 8]], [[20, 21]], [[30, 31]],
    ]  # fmt: skip
    gray = av.VideoFrame(2, 1, "gray16be")
    np.frombuffer(gray.planes[0], np.uint8)[:4] = (1, 2, 255, 0)
    assert twin("gray16be").planes(gray)[0].tolist() == [[258, 65280]]


@pytest.mark.parametrize(
    "pixel_format",
    [
        "grayf16le", "grayf32le", "grayf32be", "gray32le", "ya8", "ya16be", "yuva420p", "rgb24",
        "gbrp", "gbrpf32le", "pal8", "monow", "xyz12le", "vuya", "bayer_rggb8",
    ],
)  # fmt: skip
def test_what_has_no_plain_luma_is_refused(pixel_format: str) -> None:
    assert twin_of(pixel_format) is None


def test_half_float_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """Its values were once taken for integers of 16 bits."""
    path = tmp_path / "frame.exr"
    with av.open(path, "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("exr", rate=24, options={"format": "half"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "grayf32le"
        frame = av.VideoFrame(32, 32, "grayf32le")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match=r"pixel format grayf\d+le.*-pix_fmt gray16le -c:v ffv1"):
        Reader(path)


@pytest.mark.parametrize(
    ("codec", "given", "taken", "ending"),
    [
        ("rawvideo", "yuyv422", "yuv422p", ".avi"),
        ("rawvideo", "uyvy422", "yuv422p", ".mov"),
        ("rawvideo", "nv12", "yuv420p", ".mkv"),
        ("png", "gray16be", "gray16le", ".mov"),
        ("rawvideo", "gray10be", "gray10le", ".nut"),
    ],
)
def test_films_of_such_formats(
    tmp_path: Path, codec: str, given: str, taken: str, ending: str
) -> None:
    path = tmp_path / f"clip{ending}"
    pictures = [planar_frame(taken, width=32, height=16) for _ in range(3)]
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 16, given
        for number, planar in enumerate(pictures):
            frame = planar.reformat(format=given, interpolation="POINT", threads=1)
            frame.pts, frame.time_base = number, 1 / stream.average_rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with Reader(path) as reader:
        assert reader.info.pixel_format == taken
        frames = [item for item in reader if isinstance(item, Frame)]
    assert len(frames) == 3
    for frame, planar in zip(frames, pictures, strict=True):
        for codes, plane in zip(frame.planes, planar.planes, strict=True):
            rows = np.frombuffer(plane, codes.dtype).reshape(plane.height, -1)
            np.testing.assert_array_equal(codes, rows[:, : plane.width])


def test_frames_are_converted_alike_each_time() -> None:
    """Several of FFmpeg's threads now and then leave lines of a small frame as they were."""
    planar = planar_frame("yuv422p10le", width=12, height=6)
    given = planar.reformat(format="nv20le", interpolation="POINT", threads=1)

    def convert() -> list[bytes]:
        made = converted(given, 12, 6, "yuv422p10le", full_range=False)
        return [codes.tobytes() for codes in planar_codes(made)]

    first = convert()
    assert all(convert() == first for _ in range(4000))
