"""Keys with black bars around them, through the command: fitted, and told."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import films
from tests.support.scenes import Scene
from vidcolor.cli import main

TOY = Path(__file__).parents[2] / "toy" / "bundle"
CUT = "has black bars, which are cut off"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(scene: Scene) -> np.ndarray:
    """A film of a scene, and its first frame as a key, plain.png."""
    films.write_film(Path("film.mkv"), scene)
    films.write_keys(Path("plain"), scene, [0])
    return cv2.imread("plain/000000.png")


def boxed(image: np.ndarray, high: int, wide: int) -> str:
    image = cv2.copyMakeBorder(image, high, high, wide, wide, cv2.BORDER_CONSTANT)
    assert cv2.imwrite("key.png", image)
    return "key.png"


def color(key: str, output: str) -> int:
    options = ["--model", str(TOY), "--provider", "cpu", "--size", "32", "--codec", "ffv1"]
    return main(["color", "film.mkv", "--key", key, "-o", output, *options])


@pytest.mark.parametrize("bars", [(8, 0), (0, 12), (6, 9)])
def test_of_another_aspect_by_its_bars(
    bars: tuple[int, int], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bars were put beside the frame. It colours as it would without them."""
    image = write(films.scenes((6,)))
    assert color("plain/000000.png", "plain.mkv") == 0
    assert CUT not in capsys.readouterr().err
    assert color(boxed(image, *bars), "boxed.mkv") == 0
    assert capsys.readouterr().err.count(f"key.png {CUT}") == 1
    assert Path("boxed.mkv").read_bytes() == Path("plain.mkv").read_bytes()


def test_around_a_film_that_has_bars_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """These are a part of its frames, and stay in the key."""
    scene = films.scenes((6,))
    for part in (np.s_[..., :6], np.s_[..., -6:]):
        scene.luma[part], scene.chroma[part] = 0, 0
    image = write(scene)
    assert color("plain/000000.png", "plain.mkv") == 0
    assert CUT not in capsys.readouterr().err
    assert color(boxed(image, 9, 0), "boxed.mkv") == 0
    assert capsys.readouterr().err.count(CUT) == 1
    assert Path("boxed.mkv").read_bytes() == Path("plain.mkv").read_bytes()


@pytest.mark.parametrize("bars", [(0, 0), (8, 0)])
def test_a_gray_key_is_refused_with_bars_as_without(
    bars: tuple[int, int], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = write(films.scenes((6,)))
    gray = cv2.merge([cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)] * 3)
    assert color(boxed(gray, *bars), "out.mkv") == 2
    assert "key.png is gray, a coloured picture" in capsys.readouterr().err


def test_on_one_side_alone_it_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = np.pad(write(films.scenes((6,))), ((0, 12), (0, 0), (0, 0)))
    assert color(boxed(image, 0, 0), "out.mkv") == 2
    assert "key.png is 64x60, of aspect 1.067" in capsys.readouterr().err
