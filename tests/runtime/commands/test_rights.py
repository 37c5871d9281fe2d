"""Places without rights cost one sentence each, before the work."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.videos import HEIGHT, WIDTH, picture, write_clip
from tests.toy.colorizers import RGB, write_colorizer
from vidcolor.cli import main
from vidcolor.commands import paint_key as key_command
from vidcolor.commands import review_film as review_command
from vidcolor.errors import VidcolorError
from vidcolor.film.report import Report
from vidcolor.inference.colorizer import Colorizer
from vidcolor.inference.session import Session
from vidcolor.key.image import read_picture
from vidcolor.working_size import WorkingSize

need.scipy()

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")

TOY = Path(__file__).parents[2] / "toy" / "bundle"
NOBODY = 65534
ADVISE = ["advise", "film.mkv", "-o", "keys", "--model", "bundle", "--quiet"]
KEY = ["key", "gray.png", "--paint", "paint.png", "-o", "out/key.png", "--quiet"]
REVIEW = ["review", "film.mkv", "-o", "out/page.html", "--quiet"]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody may use, with a film, its report, a key and a model."""
    Session.load(TOY, provider="cpu")  # onnxruntime warns when it is loaded without a home
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o777)
        write_clip(root / "film.mkv")
        report = Report(film="a", model="toy", size=32, keys={}, shots=(0,), confidence=(0.5,) * 8)
        report.write(root / "film.mkv")
        gray = np.repeat(picture(0)[..., None], 3, axis=2)
        cv2.imwrite(str(root / "gray.png"), gray)
        paint = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        paint[4:9, 4:9] = (200, 60, 40, 255)
        cv2.imwrite(str(root / "paint.png"), paint)
        shutil.copytree(TOY, root / "bundle")
        for new in ("keys", "out"):
            (root / new).mkdir()
            (root / new).chmod(0o777)
        shutil.copy(root / "paint.png", root / "keys" / "000000.png")
        write_colorizer(root / "color.onnx", RGB)
        monkeypatch.chdir(root)
        yield root


@contextmanager
def without(path: Path, rights: int) -> Iterator[None]:
    """Somebody who is not root, and has these rights to a path only."""
    before, was = path.stat().st_mode, os.geteuid()
    path.chmod(rights)
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)
        path.chmod(before)


COMMANDS = {
    "advise, its folder": (ADVISE, "keys", 0o555, "output: keys/contact-sheet.jpg cannot be writt"),
    "advise, a closed folder": (ADVISE, "keys", 0, "output: keys"),
    "advise, a painted key": (ADVISE, "keys/000000.png", 0, "key: keys/000000.png cannot be read"),
    "advise, the film": (ADVISE, "film.mkv", 0, "clip: film.mkv cannot be read"),
    "advise, the model": (ADVISE, "bundle", 0, "model: bundle cannot be read"),
    "advise, a graph": (
        ADVISE,
        "bundle/propagate.float32.onnx",
        0,
        "bundle/propagate.float32.onnx cannot be read",
    ),
    "key, its folder": (KEY, "out", 0o555, "output: out/key.png cannot be written"),
    "key, a closed folder": (KEY, "out", 0, "output: out/key.png cannot be written"),
    "key, the gray frame": (KEY, "gray.png", 0, "gray: gray.png cannot be read"),
    "key, the paint": (KEY, "paint.png", 0, "paint: paint.png cannot be read"),
    "review, its folder": (REVIEW, "out", 0o555, "output: out/page.html cannot be written"),
    "review, a closed folder": (REVIEW, "out", 0, "output: out/page.html cannot be written"),
    "review, the report": (
        REVIEW,
        "film.mkv.vidcolor.json",
        0,
        "output: the report film.mkv.vidcolor.json cannot be read",
    ),
    "review, the film": (REVIEW, "film.mkv", 0, "clip: film.mkv cannot be read"),
    "review, everything": (REVIEW, ".", 0, "cannot be "),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_tells_it_before_the_work(
    case: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words, place, rights, said = COMMANDS[case]

    def work(*_: Any, **__: Any) -> Any:
        pytest.fail("work began")

    monkeypatch.setattr(WorkingSize, "downsample_codes", work)
    monkeypatch.setattr(key_command, "write_picture", work)
    if place != "film.mkv":  # which is opened by the work itself
        monkeypatch.setattr(review_command, "encode_preview", work)
    with without(folder / place, rights):
        assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"vidcolor: {said}" if place != "." else "vidcolor: ")
    assert "(Permission denied)" in captured.err
    remedy = "; write it to another folder" if " cannot be written" in captured.err else ""
    assert captured.err.endswith(f"(Permission denied){remedy}\n")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("place", ["out/film.mkv.vidcolor", "out"])
def test_kept_parts_that_cannot_be_read_are_not_told_to_be_none(
    place: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Path("out/film.mkv.vidcolor")
    kept.mkdir()
    (kept / "lock").touch()
    with without(folder / place, 0):
        assert main(["clean", "out/film.mkv"]) == 2
    said = "vidcolor: outputs: out/film.mkv.vidcolor cannot be read (Permission denied)\n"
    assert capsys.readouterr().err == said
    assert main(["clean", "out/film.mkv.vidcolor"]) == 2
    assert "the output's own name is needed: out/film.mkv\n" in capsys.readouterr().err
    assert main(["clean", "out/film.mkv"]) == 0


CALLS: dict[str, tuple[Callable[[], object], str, str]] = {
    "a model": (lambda: Session.load("bundle", provider="cpu"), "bundle", "model: bundle"),
    "a model in a closed folder": (
        lambda: Session.load("out/model", provider="cpu"),
        "out",
        "model: out/model",
    ),
    "a colorizer": (lambda: Colorizer.load("color.onnx", provider="cpu"), "color.onnx", "color"),
    "a colorizer in a closed folder": (
        lambda: Colorizer.load("out/color.onnx", provider="cpu"),
        "out",
        "colorizer: out/color.onnx",
    ),
    "a picture in a closed folder": (
        lambda: read_picture(Path("out/key.png")),
        "out",
        "key: out/key.png",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_the_library_tells_it_in_a_sentence(case: str, folder: Path) -> None:
    call, place, said = CALLS[case]
    with (
        without(folder / place, 0),
        pytest.raises(VidcolorError, match=rf"^{said}.*\(Permission denied\)"),
    ):
        call()
