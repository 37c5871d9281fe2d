from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from vidcolor.errors import MediaError
from vidcolor.files import whole_file, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"new"
    write_whole(tmp_path / "a.json", b"newer")
    assert (tmp_path / "a.json").read_bytes() == b"newer"
    assert names(tmp_path) == ["a.json"]


def test_it_has_the_permissions_that_a_new_file_has(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"")
    (tmp_path / "b").write_bytes(b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"}
    assert len(modes) == 1


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "0.png").mkdir()
    with pytest.raises(MediaError, match=r"^key: .*0\.png cannot be written \(Is a directory\)$"):
        write_whole(tmp_path / "0.png", b"picture", argument="key")
    assert names(tmp_path) == ["0.png"]
    with pytest.raises(MediaError, match=r"cannot be written \(No such file or directory\)"):
        write_whole(tmp_path / "nowhere" / "0.png", b"picture")


def fail_half_way(path: Path, error: BaseException) -> None:
    with whole_file(path) as partial:
        partial.write_bytes(b"half")
        raise error


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    for error, raised in (
        (OSError(errno.ENOSPC, "No space left on device"), MediaError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (MediaError("the film is damaged"), MediaError),
    ):
        with pytest.raises(raised) as caught:
            fail_half_way(path, error)
        assert names(tmp_path) == ["a.txt"]
        assert path.read_bytes() == b"old"
    assert caught.value is error, "an error that is a sentence already stays as it is"


def test_the_temporary_file_is_new_and_ends_like_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that somebody laid at the temporary name is not followed."""
    monkeypatch.setattr("vidcolor.files.secrets.token_hex", lambda _: "0")
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    link = tmp_path / ".film.0.partial.mp4"
    link.symlink_to(victim)
    with pytest.raises(MediaError, match="cannot be written"):
        write_whole(tmp_path / "film.mp4", b"film")
    assert victim.read_bytes() == b"precious"
    assert names(tmp_path) == [link.name, "victim"], "it is somebody else's, and stays"


def test_the_longest_name_that_a_file_may_have_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 251 + ".png")
    write_whole(path, b"picture")
    assert path.read_bytes() == b"picture"
