import json
import sys
from pathlib import Path

import pytest

from export.__main__ import main
from export.options import Export
from tests.export.conftest import NOTES, Exported
from tests.support.shallow import HALVINGS, shallow_unets
from training.checkpoint import CONFIG, WEIGHTS
from vidcolor.inference.session import Session


@pytest.fixture(scope="module")
def checkpoint(exported: Exported) -> Path:
    return exported.checkpoint


@pytest.fixture
def call(monkeypatch, capsys):
    """The command line in this process: exit status and what it said."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["export", *map(str, arguments)])
        status = main()
        return status, capsys.readouterr().err

    return call


def test_a_checkpoint_becomes_a_bundle_that_the_runtime_loads(exported):
    bundle = exported.bundle
    assert exported.err == ""
    *_, wrote, following = exported.out.splitlines()
    assert wrote == f"wrote {bundle}"
    assert following.endswith(f"--key first.png --model {bundle}")
    assert exported.out.count("\n") < 10
    for precision in ("float32", "float16"):
        session = Session.load(bundle, provider="cpu", precision=precision)
        assert session.metadata.name == "lstm-1"  # the checkpoint's
        assert session.metadata.licence == "CC0"
        assert session.metadata.training_data == "rendered scenes"
        assert session.metadata.metrics == "psnr 30.12"
        assert session.metadata.size_multiple == 2**HALVINGS
    assert f"\n{NOTES}\n##" in (bundle / "CARD.md").read_text()
    sizes = [
        (bundle / f"propagate.{precision}.onnx").stat().st_size
        for precision in ("float32", "float16")
    ]
    assert sizes[1] < 0.7 * sizes[0]


def test_a_missing_checkpoint_is_one_sentence(call, shelf):
    status, said = call(shelf / "nothing", "-o", shelf / "mine")
    assert status == 2
    assert said.count("\n") == 1
    assert "nothing" in said
    assert list(shelf.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (CONFIG, b"{"),
        (CONFIG, b"\xff\xfe"),
        (CONFIG, json.dumps({"model": "convlstm"}).encode()),
        (WEIGHTS, b"not tensors"),
    ],
)
def test_a_garbled_checkpoint_is_one_sentence(call, checkpoint, shelf, tmp_path, file, content):
    garbled = tmp_path / "garbled"
    garbled.mkdir()
    for path in checkpoint.iterdir():
        (garbled / path.name).write_bytes(path.read_bytes())
    (garbled / file).write_bytes(content)
    status, said = call(garbled, "-o", shelf / "mine")
    assert status == 2
    assert said.count("\n") == 1
    assert file in said
    assert list(shelf.iterdir()) == []


def test_notes_that_cannot_be_read_are_one_sentence(call, checkpoint, shelf):
    status, said = call(checkpoint, "-o", shelf / "mine", "--notes", shelf / "none.md")
    assert status == 2
    assert said.count("\n") == 1
    assert "none.md" in said
    assert list(shelf.iterdir()) == []


def test_an_existing_output_is_refused_at_once(call, checkpoint, shelf):
    (shelf / "mine").mkdir()
    status, said = call(checkpoint, "-o", shelf / "mine")
    assert status == 2
    assert said.count("\n") == 1
    assert "exists already" in said
    assert list((shelf / "mine").iterdir()) == []


def test_a_model_can_be_given_another_name(checkpoint, shelf, monkeypatch):
    from export import run as exporter

    given = []
    monkeypatch.setattr(
        exporter, "write_bundle", lambda *_, metadata, **__: given.append(metadata.name) or []
    )
    with shallow_unets():
        exporter.run(Export(checkpoint=checkpoint, output=shelf / "bundle", name="mine-2"))
        exporter.run(Export(checkpoint=checkpoint, output=shelf / "bundle"))
    assert given == ["mine-2", "lstm-1"]
