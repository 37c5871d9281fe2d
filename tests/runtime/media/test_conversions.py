"""What is refused is converted by the command that the refusal names."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support import need
from tests.support.videos import plane, write_clip
from vidcolor.errors import MediaError
from vidcolor.media.info import Frame
from vidcolor.media.reader import Reader

LIMITED = 1
REFUSED = {
    "YCgCo": (8, 1, 1),
    "derived from the primaries": (12, 1, 1),
    "ICtCp": (14, 9, 16),
}
"""Matrix, primaries and transfer by the matrix's name."""


def refusal(clip: Path) -> str:
    with pytest.raises(MediaError) as refused, Reader(clip) as reader:
        list(reader)
    return str(refused.value)


def converted(clip: Path, folder: Path) -> Path:
    """The clip as the command of its refusal converts it, which is run in a folder."""
    _, ffmpeg, words = refusal(clip).rpartition("ffmpeg ")
    assert ffmpeg
    need.ffmpeg()
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", *shlex.split(words)],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "converted.mkv"


def lumas(clip: Path, **options: bool) -> list[np.ndarray]:
    with Reader(clip, **options) as reader:
        return [item.planes[0].astype(int) for item in reader if isinstance(item, Frame)]


@pytest.mark.parametrize("name", REFUSED)
def test_a_matrix_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a clip.mkv", tags=(*REFUSED[name], LIMITED, 1))
    message = refusal(clip)
    assert message.startswith(f"clip: {clip} cannot be used: the clip's matrix is ")
    assert f"{REFUSED[name][0]} ({name}), accepted are 1 (bt709), " in message
    assert f"ffmpeg -i '{clip}' -vf zscale=matrix=" in message


def test_the_command_takes_a_film_whose_name_looks_like_a_protocols(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clip = write_clip(Path("clip.mkv"), pixel_format="bgr0").rename("2024-08-20T13:28:35.mkv")
    assert "ffmpeg -i ./2024-08-20T13:28:35.mkv -vf " in refusal(clip)


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("name", REFUSED)
def test_gray_stays_what_it_is_where_the_matrix_is_converted(
    name: str, tagged: bool, tmp_path: Path
) -> None:
    """Gray is the same in every matrix; so it is where primaries and transfer are not said."""
    matrix, *others = REFUSED[name]
    tags = (matrix, *(others if tagged else (2, 2)), LIMITED, 1)
    clip = write_clip(tmp_path / "clip.mkv", tags=tags, audio="flac")
    plain = write_clip(tmp_path / "plain.mkv", tags=(1, 1, 1, LIMITED, 1))
    after = converted(clip, tmp_path)
    for before, luma in zip(lumas(plain), lumas(after), strict=True):
        assert np.abs(before - luma).max() <= 1
    with av.open(after) as container:
        assert [stream.codec.name for stream in container.streams.audio] == ["flac"]


def test_colours_of_ycgco_are_those_of_bt709_afterwards(tmp_path: Path) -> None:
    """Half green: R'G'B' 0, 0.5, 0 has Y 0.25, Cg 0.25, Co 0, and in BT.709 Y 0.3576."""
    clip = tmp_path / "green.mkv"
    with av.open(clip, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 64, 48, "yuv444p"
        context.colorspace, context.color_range = 8, LIMITED
        frame = av.VideoFrame(64, 48, "yuv444p")
        for index, code in enumerate((16 + 219 / 4, 128 + 224 / 4, 128)):
            plane(frame, index)[...] = round(code)
        frame.colorspace, frame.color_range = 8, LIMITED
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    [luma] = lumas(converted(clip, tmp_path))
    assert np.abs(luma - (16 + 219 * 0.3576)).max() <= 1


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (10, "(BT.2020 with constant luminance), accepted"),
        (11, "(SMPTE ST 2085), accepted"),
        (13, "(derived from the primaries, with constant luminance), accepted"),
        (15, "(IPT-C2), accepted"),
        (17, "(YCgCo-Ro), accepted"),
    ],
)
def test_a_matrix_that_ffmpeg_does_not_convert(matrix: int, said: str, tmp_path: Path) -> None:
    message = refusal(write_clip(tmp_path / "clip.mkv", tags=(matrix, 1, 1, LIMITED, 1)))
    assert f"the clip's matrix is {matrix} {said}" in message
    assert message.endswith("; convert it to BT.709 with the program that made it")


@pytest.mark.parametrize("height", [48, 600])
def test_rgb_is_converted_to_the_matrix_that_it_is_read_with(height: int, tmp_path: Path) -> None:
    """FFmpeg itself takes BT.601 and does not say so: above 576 lines it is read as BT.709."""
    clip = tmp_path / "green.mkv"
    with av.open(clip, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 64, height, "bgr0"
        green = np.zeros((height, 64, 3), np.uint8)
        green[..., 1] = 255
        frame = av.VideoFrame.from_ndarray(green, "rgb24").reformat(format="bgr0")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    after = converted(clip, tmp_path)
    with Reader(after) as reader:
        assert reader.info.tags.matrix == 1
    [luma] = lumas(after)
    assert np.abs(luma - (16 + 219 * 0.7152)).max() <= 1


def test_fields_become_frames_of_the_same_rate(tmp_path: Path) -> None:
    options = {"x264-params": "interlaced=1"}
    clip = write_clip(tmp_path / "clip.mkv", codec="libx264", options=options)
    assert "give --progressive, or deinterlace it first" in refusal(clip)
    after = converted(clip, tmp_path)
    assert len(lumas(after)) == len(lumas(clip, progressive=True))
