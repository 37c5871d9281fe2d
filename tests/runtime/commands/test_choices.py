"""Ranges and lists of shots as people write them."""

import os
from pathlib import Path

import pytest

from vidcolor.commands.choices import (
    format_size,
    parse_codec_options,
    parse_range,
    parse_size,
    read_scenes,
)
from vidcolor.errors import ArgumentError, MediaError


@pytest.mark.parametrize(
    ("text", "frames"),
    [("240-479", range(240, 480)), ("7", range(7, 8)), (" 0 - 0 ", range(1))],
)
def test_ranges(text: str, frames: range) -> None:
    assert parse_range(text) == frames


@pytest.mark.parametrize(
    "text", ["", "9-8", "-3", "3-", "a-b", "1-2-3", "1.5", "9" * 5000, f"0-{'9' * 5000}"]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"range is .*, accepted are"):
        parse_range(text)


def test_first_frames_of_shots(tmp_path: Path) -> None:
    path = tmp_path / "cuts.txt"
    path.write_text("# found by hand\n240, 7\n480  # at night\n7\n")
    assert read_scenes(path) == (7, 240, 480)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, MediaError, "cannot be read"),
        (b"\xff\xfe\x00", MediaError, "it is no text"),
        (b"240 two", ArgumentError, "holds 'two'"),
        (b"-5", ArgumentError, "holds '-5'"),
        (b"# nothing\n", ArgumentError, "holds nothing"),
        (b"0 11\n24 12\n", ArgumentError, "two numbers in each line, .* they do not rise"),
    ],
)
def test_what_is_no_such_list(
    tmp_path: Path, content: bytes | None, error: type[Exception], message: str
) -> None:
    path = tmp_path / "cuts.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=message):
        read_scenes(path)


@pytest.mark.parametrize(
    "data",
    [
        b"0\r\n12\r\n480\r\n",
        b"\xef\xbb\xbf0\r\n12\r\n480",
        "0\r\n12\r\n480\r\n".encode("utf-16"),
        "\ufeff0, 12; 480".encode("utf-16-be"),
        b"0 11\n12 471\n480 999\n",
        b"0 11 # TransNetV2\n\n12 479\n480 480\n",
        b"Scene Number,Start Frame\r\n1,1\r\n2,13\r\n3,481\r\n",
        b"Timecode List:,0\nScene Number,Start Frame,Start Time\n1,1,0\n2,13,0\n3,481,1\n",
    ],
)
def test_lists_as_other_programs_write_them(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "cuts.txt"
    path.write_bytes(data)
    assert read_scenes(path) == (0, 12, 480)


def test_a_table_that_counts_from_nought(tmp_path: Path) -> None:
    path = tmp_path / "cuts.csv"
    path.write_text("Scene Number,Start Frame\n1,0\n2,13\n")
    with pytest.raises(ArgumentError, match=r"cuts\.csv holds a start frame 0, .* count from 1"):
        read_scenes(path)


def test_what_never_ends_is_no_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(MediaError, match="a pipe or a device"):
            read_scenes(path)
    with pytest.raises(MediaError, match="a folder"):
        read_scenes(tmp_path)
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(MediaError, match="it is too large"):
        read_scenes(large)


def test_numbers_that_no_film_has(tmp_path: Path) -> None:
    path = tmp_path / "cuts.txt"
    path.write_text("0 " + "9" * 5000)
    with pytest.raises(ArgumentError, match=r"holds '9{20}\.{3}9{10}', the number of each"):
        read_scenes(path)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1", 1), ("2k", 2000), ("500M", 5 * 10**8), ("10GB", 10**10), (" 1T ", 10**12)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "1.5G", "10 X", "G", "1" * 5000, "²"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"keep is .*, accepted are sizes such as 500M"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 kB"), (2500, "2.5 kB"), (3 * 10**6, "3.0 MB"), (10**10, "10.0 GB")]
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert format_size(size) == text


def test_codec_options() -> None:
    assert parse_codec_options(None, None, "") == {}
    assert parse_codec_options(18.5, "slow", " tune=film, x264-params=a=1:b=2,") == {
        "crf": "18.5",
        "preset": "slow",
        "tune": "film",
        "x264-params": "a=1:b=2",
    }
    assert parse_codec_options(0, None, "") == {"crf": "0"}


@pytest.mark.parametrize(
    ("crf", "text", "message"),
    [
        (-1, "", "crf is -1, accepted are numbers from 0 to 51"),
        (float("nan"), "", "crf is nan, accepted"),
        (52, "", "crf is 52, accepted"),
        (18, "crf=20", "codec-options: crf is given twice"),
        (None, "g=1,g=2", "codec-options: g is given twice"),
        (None, "film", "codec-options holds 'film', accepted are pairs such as tune=film"),
        (None, "=3", "codec-options holds '=3'"),
        (None, "g=", "codec-options holds 'g='"),
    ],
)
def test_what_are_no_codec_options(crf: float | None, text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{message}"):
        parse_codec_options(crf, None, text)


def test_statistics_of_pyscenedetect_are_no_list_of_shots(tmp_path: Path) -> None:
    path = tmp_path / "stats.csv"
    path.write_text("Frame Number,Timecode,content_val\n1,00:00:00.000,0.0\n")
    with pytest.raises(ArgumentError, match=r"stats\.csv holds statistics .* list-scenes"):
        read_scenes(path)
