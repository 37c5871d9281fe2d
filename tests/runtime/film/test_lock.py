"""One job for each output."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from vidcolor.errors import BusyError, MediaError
from vidcolor.film.lock import lock_output

OUTPUT = Path("out.mkv")


def test_only_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with (
        lock_output(folder, OUTPUT),
        pytest.raises(BusyError, match=r"out\.mkv is being written by process \d+ since"),
        lock_output(folder, OUTPUT),
    ):
        pass
    assert not folder.exists()
    with lock_output(folder, OUTPUT):
        pass


def test_what_is_in_the_folder_stays(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with lock_output(folder, OUTPUT):
        (folder / "kept").touch()
    assert [path.name for path in folder.iterdir()] == ["kept"]


def test_a_file_of_its_name_that_is_not_empty_stays(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "lock").write_text("mine")
    with lock_output(folder, OUTPUT):
        pass
    assert (folder / "lock").read_text() == "mine"


def test_many_threads_one_after_the_other(tmp_path: Path) -> None:
    """The folder comes and goes with each of them: none holds it beside another."""
    folder, inside, most = tmp_path / "work", 0, 0
    guard, held, failed = threading.Lock(), [], []

    def work() -> None:
        nonlocal inside, most
        for _ in range(40):
            try:
                with lock_output(folder, OUTPUT):
                    with guard:
                        inside += 1
                        most = max(most, inside)
                        held.append(1)
                    with guard:
                        inside -= 1
            except BusyError:
                pass
            except BaseException as error:
                failed.append(error)
                raise

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert most == 1
    assert len(held) >= 40


@pytest.mark.parametrize(
    "owner",
    [
        "",
        "[]",
        "{}",
        '{"pid": 1, "host": 3, "since": 4}',
        '{"pid": "\u00b2", "host": "a", "since": "b"}',
        "[" * 100_000,
        '{"pid": 1e999, "host": "a", "since": "2026-01-01"}',
    ],
)
def test_an_owner_that_cannot_be_read(tmp_path: Path, owner: str) -> None:
    folder = tmp_path / "work"
    with lock_output(folder, OUTPUT):
        (folder / "owner.json").write_text(owner)
        with pytest.raises(BusyError, match="by another process"), lock_output(folder, OUTPUT):
            pass


def test_a_link_laid_at_its_place_is_not_followed(tmp_path: Path) -> None:
    folder, victim = tmp_path / "work", tmp_path / "victim"
    victim.write_text("precious")
    folder.mkdir()
    (folder / "owner.json").symlink_to(victim)
    with lock_output(folder, OUTPUT):
        pass
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("other", ["folder", "link", "pipe"])
def test_something_else_at_its_place_does_no_harm(tmp_path: Path, other: str) -> None:
    folder, victim = tmp_path / "work", tmp_path / "victim"
    victim.write_text("precious")
    folder.mkdir()
    place = folder / "lock"
    if other == "folder":
        place.mkdir()
        (place / "file").touch()
    elif other == "link":
        place.symlink_to(victim)
    else:
        os.mkfifo(place)
    with (
        lock_output(folder, OUTPUT),
        pytest.raises(BusyError),
        lock_output(folder, OUTPUT),
    ):
        pass
    assert victim.read_text() == "precious"
    assert os.path.lexists(place)


@pytest.mark.parametrize("other", ["pipe", "large"])
def test_who_holds_it_is_not_waited_for(tmp_path: Path, other: str) -> None:
    folder = tmp_path / "work"
    with lock_output(folder, OUTPUT):
        (folder / "owner.json").unlink()
        if other == "pipe":
            os.mkfifo(folder / "owner.json")
        else:
            with (folder / "owner.json").open("wb") as file:
                file.truncate(1 << 40)
        with pytest.raises(BusyError, match="by another process"), lock_output(folder, OUTPUT):
            pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "work").touch()
    with (
        pytest.raises(MediaError, match=r"cannot be locked .*; write the output to another"),
        lock_output(tmp_path / "work", OUTPUT),
    ):
        pass
