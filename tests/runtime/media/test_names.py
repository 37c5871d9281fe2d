"""Any name that a file may have is one for FFmpeg, and can be told."""

import os
import shutil
from pathlib import Path

import pytest

from tests.runtime.media.test_timing import recode
from tests.support.faults import write_steady
from tests.support.videos import frames
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.media.info import Frame
from vidcolor.media.names import LONGEST, check_length, kind_of, partial_of, printable, typed
from vidcolor.media.reader import Reader

NAMES = [
    "Film: part 1.mp4", "2024-08-20T13:28:35.mp4", "http:x.mp4", "concat:a|b.mp4", "file:x.mp4",
    "100%.mp4", "a%03d.mp4", "a#b?c.mp4", "it's \"it\".mp4", "-i.mp4", "白黒.mp4", "new\nline.mp4",
    "*[1].mp4", "語" * 78 + ".mp4", os.fsdecode(b"old-\xe9\xff.mp4"),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_clips_and_outputs(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = write_steady(tmp_path / "plain.mp4")
    shutil.copy(plain, name)
    assert len(frames(recode(Path(name), tmp_path / "out.mp4"))) == 12
    (tmp_path / "there").mkdir()
    there = Path("there") / name
    recode(plain, there)
    with Reader(there) as reader:
        assert sum(isinstance(item, Frame) for item in reader) == 12
    assert [path.name for path in Path("there").iterdir()] == [name]


def test_a_pattern_of_pictures_may_be_a_files_own_name(tmp_path: Path) -> None:
    """FFmpeg would look for scan001.png."""
    film = write_steady(tmp_path / "film.mov", frames=1, codec="png", pixel_format="gray")
    data = film.read_bytes()
    start = data.index(b"\x89PNG")
    (tmp_path / "scan%03d.png").write_bytes(data[start:])
    with Reader(tmp_path / "scan%03d.png") as reader:
        assert sum(isinstance(item, Frame) for item in reader) == 1


def test_temporary_names_are_short_and_hidden(tmp_path: Path) -> None:
    one, two = (partial_of(tmp_path / f"{'語' * 80}{n}.mp4") for n in (1, 2))
    assert one != two
    assert len(one.name) < 50
    assert one.name.startswith(".")
    assert one.suffix == ".mp4"
    assert one.parent == tmp_path


def test_names_that_are_too_long_are_told() -> None:
    check_length(Path("a" * LONGEST))
    with pytest.raises(ArgumentError, match="too long a name by 1 bytes; give a shorter one"):
        check_length(Path("a" * (LONGEST + 1)))
    with pytest.raises(
        ArgumentError, match=r"by 2 bytes, for beside it lies one that ends in \.js"
    ):
        check_length(Path("é" * 126), spare=".json")


def test_what_no_terminal_should_get_is_escaped() -> None:
    assert printable("plain 白黒.mp4") == "plain 白黒.mp4"
    assert printable("a\x1b[2Jb\rc\udcff") == r"a\x1b[2Jb\rc\udcff"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("-keys/000014.png", "./-keys/000014.png"),
        ("Film: part 1.mp4", "./Film: part 1.mp4"),
        ("2024-08-20T13:28:35.mp4", "./2024-08-20T13:28:35.mp4"),
        ("films/-a:b.mp4", "films/-a:b.mp4"),
        ("/films/a.mp4", "/films/a.mp4"),
        (".", "."),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows takes no colons in names")
def test_what_is_typed_is_no_option_and_no_protocols(name: str, words: str) -> None:
    assert typed(Path(name)) == words


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    assert kind_of(tmp_path / "file") is None
    assert kind_of(tmp_path / "absent") == "not there"
    assert kind_of(tmp_path) == "a folder"
    assert kind_of(tmp_path / "pipe") == kind_of(Path("/dev/zero"))
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(MediaError, match="is no file but a pipe or a device, a video file is"):
            Reader(path)


def test_a_name_that_cannot_be_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", forbidden)
    assert kind_of(tmp_path / "clip.mp4") == "out of reach (Permission denied)"
