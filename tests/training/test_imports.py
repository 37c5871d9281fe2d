"""What takes seconds to import is imported without passes of Python's collector of garbage."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from training.imports import import_at_once


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_stands_still_meanwhile_and_is_then_as_before(
    was_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"vidcolor_imported_{was_on}"
    (tmp_path / f"{name}.py").write_text("import gc\nis_on = gc.isenabled()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    if not was_on:
        gc.disable()
    try:
        module = import_at_once(name)
        assert not module.is_on
        assert gc.isenabled() == was_on
    finally:
        gc.enable()
        sys.modules.pop(name, None)


def test_it_is_as_before_where_there_is_no_such_module() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_at_once("vidcolor_nowhere")
    assert gc.isenabled()
