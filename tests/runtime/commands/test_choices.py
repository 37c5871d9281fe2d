"""Ranges and lists of shots as people write them."""

from pathlib import Path

import pytest

from vidcolor.commands.choices import parse_range, read_scenes
from vidcolor.errors import ArgumentError, MediaError


@pytest.mark.parametrize(
    ("text", "frames"),
    [("240-479", range(240, 480)), ("7", range(7, 8)), (" 0 - 0 ", range(1))],
)
def test_ranges(text: str, frames: range) -> None:
    assert parse_range(text) == frames


@pytest.mark.parametrize("text", ["", "9-8", "-3", "3-", "a-b", "1-2-3", "1.5"])
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
