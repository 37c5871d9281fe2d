"""Where the tests put their temporary files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import in_memory
from tests.support.in_memory import memory_folder, use_memory_for_temporary_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no folder in memory")


def test_a_folder_with_room_is_taken(tmp_path: Path) -> None:
    assert memory_folder(tmp_path, room=1) == tmp_path
    assert memory_folder(tmp_path, room=2**60) is None
    assert memory_folder(tmp_path / "nothing", room=1) is None


def test_a_folder_that_programs_cannot_be_started_in_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        told = SimpleNamespace(f_bavail=1, f_frsize=1, f_flag=os.ST_NOEXEC)
        patch.setattr(os, "statvfs", lambda _: told)
        assert memory_folder(tmp_path, room=1) is None
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert memory_folder(tmp_path, room=1) is None


@pytest.mark.parametrize("named", [None, "named"])
def test_temporary_files_go_there_unless_a_folder_is_named(
    named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tmp_path / "before"
    monkeypatch.setattr(tempfile, "tempdir", str(before))
    monkeypatch.setattr(in_memory, "memory_folder", lambda: tmp_path)
    monkeypatch.setenv("TMPDIR", str(named))
    if not named:
        monkeypatch.delenv("TMPDIR")
    use_memory_for_temporary_files()
    assert tempfile.gettempdir() == str(before if named else tmp_path)
    assert os.environ["TMPDIR"] == (named or str(tmp_path))
