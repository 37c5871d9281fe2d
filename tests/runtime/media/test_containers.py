"""No clip makes FFmpeg read other files, the network or a script."""

from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket

import pytest

from tests.support.faults import write_steady
from vidcolor.errors import MediaError
from vidcolor.media.containers import open_input
from vidcolor.media.reader import Reader

LISTS = {
    "live.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{url}\n",
    "bom.txt": "\ufeff#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{url}\n",
    "parts.txt": "ffconcat version 1.0\nfile {url}\n",
    "film.mpd": '<?xml version="1.0"?><MPD><BaseURL>{url}</BaseURL></MPD>',
    "call.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_other_files_are_refused_and_nobody_is_called(tmp_path: Path, name: str) -> None:
    with socket(AF_INET, SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.1)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/film.ts"
        path = tmp_path / name
        path.write_text(LISTS[name].format(url=url), encoding="utf-8")
        with pytest.raises(MediaError, match="is a list of other files, a single video file is"):
            Reader(path)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_list_of_local_files_is_no_clip(tmp_path: Path) -> None:
    write_steady(tmp_path / "film.mp4")
    path = tmp_path / "parts.mp4"
    path.write_text("file film.mp4\n")
    with pytest.raises(MediaError, match="cannot be read as a video"):
        Reader(path)


def test_a_text_is_no_picture(tmp_path: Path) -> None:
    """FFmpeg has a demuxer that draws the letters of any .txt file."""
    path = tmp_path / "notes.txt"
    path.write_text("hello " * 1000)
    with pytest.raises(MediaError, match="cannot be read as a video"):
        Reader(path)


@pytest.mark.parametrize("name", ["https://example.com/film.mp4", "concat:film.mp4", "pipe:0"])
def test_protocols_are_names_of_files(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_steady(tmp_path / "film.mp4")
    with pytest.raises(MediaError, match="there is no file"):
        Reader(Path(name))


@pytest.mark.parametrize(
    ("name", "codec", "tag", "pixel_format"),
    [
        ("clip.mp4", "libx264", b"avc1", "yuv420p"),
        ("clip.mov", "prores_ks", b"apch", "yuv422p10le"),
        ("clip.avi", "mjpeg", b"MJPG", "yuvj420p"),
    ],
)
def test_video_that_nobody_can_decode(
    tmp_path: Path, name: str, codec: str, tag: bytes, pixel_format: str
) -> None:
    from tests.support.videos import write_clip

    clip = write_clip(tmp_path / name, codec=codec, pixel_format=pixel_format)
    data = clip.read_bytes()
    assert tag in data
    clip.write_bytes(data.replace(tag, b"Q" * len(tag)))
    with pytest.raises(MediaError, match="holds video that FFmpeg has no decoder for; convert"):
        Reader(clip)


def test_a_header_that_asks_for_gigabytes(tmp_path: Path) -> None:
    """A frame of 40,000 by 40,000 pixels, in a file of a few bytes."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    with pytest.raises(MediaError):
        Reader(path)
    with open_input(write_steady(tmp_path / "film.mp4")) as container:
        assert container.streams.video
