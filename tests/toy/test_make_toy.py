from __future__ import annotations

from pathlib import Path

from tests.toy.make_toy import HERE, write_all


def test_the_committed_bundles_are_what_the_generator_makes(tmp_path: Path) -> None:
    write_all(tmp_path)
    fresh = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.onnx"))
    assert fresh == sorted(path.relative_to(HERE) for path in HERE.rglob("*.onnx"))
    assert len(fresh) == 8
    for name in fresh:
        assert (tmp_path / name).read_bytes() == (HERE / name).read_bytes(), name
