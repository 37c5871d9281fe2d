"""Keys that are what they seem, and references, through the command."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.films import scenes, write_film, write_keys, write_scenes
from tests.support.scenes import Scene, render
from tests.support.videos import frames, plane
from vidcolor.cli import main

TOY = Path(__file__).parents[2] / "toy" / "bundle"
SHOTS, CUTS, KEYS = (9, 10, 11), (0, 9, 19), (3, 14)


@pytest.fixture
def scene() -> Scene:
    return scenes(SHOTS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Scene) -> Path:
    """A folder to stand in, with a film of three shots, keys for two, and two other pictures."""
    monkeypatch.chdir(tmp_path)
    write_film(Path("film.mkv"), scene)
    write_keys(Path("keys"), scene, KEYS)
    write_scenes(Path("cuts.txt"), CUTS)
    for name, seed in (("a.png", 21), ("b.jpg", 22)):
        cv2.imwrite(name, render(1, 60, 50, seed=seed).rgb()[0][..., ::-1])
    return tmp_path


def color(output: str, *more: str, keys: bool = True) -> int:
    options = ["--scenes", "cuts.txt", "--model", str(TOY), "--provider", "cpu"]
    options += ["--keys", "keys"] if keys else []
    return main(["color", "film.mkv", "-o", output, *options, "--codec", "ffv1", *more])


def paint_strokes(frame: int, scene: Scene) -> Path:
    """The gray frame with a stroke of the true colours on it."""
    path = Path("keys") / f"{frame:06}.png"
    rgb = scene.rgb()[frame]
    gray = cv2.merge([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)] * 3)
    gray[18:26, 8:56] = rgb[18:26, 8:56]
    cv2.imwrite(str(path), gray[..., ::-1])
    return path


def test_strokes_left_among_the_keys_are_spread_and_told(
    folder: Path, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    need.scipy()
    path = paint_strokes(14, scene)
    assert color("out.mkv") == 0
    told = capsys.readouterr().err
    assert f"note: {path} is gray in " in told
    assert "its colours are taken as strokes, and are spread over the frame; --whole-keys" in told
    assert color("whole.mkv", "--whole-keys") == 0
    assert "strokes" not in capsys.readouterr().err

    def saturation(output: str) -> float:
        key = frames(Path(output))[14]
        return float(np.mean([np.abs(plane(key, n).astype(int) - 128).mean() for n in (1, 2)]))

    assert saturation("out.mkv") > 2.5 * saturation("whole.mkv")


def test_strokes_in_jpeg_are_told_to_be_smeared(
    folder: Path, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    need.scipy()
    path = paint_strokes(14, scene)
    cv2.imwrite(str(path.with_suffix(".jpg")), cv2.imread(str(path)))
    path.unlink()
    assert color("out.mkv") == 0
    assert "takes it whole; save strokes as PNG, JPEG smears" in capsys.readouterr().err


def test_a_key_that_is_nearly_gray_is_told_with_the_command(
    folder: Path, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """As footage can be: it is taken whole, and not in silence."""
    path = paint_strokes(14, scene)
    image = cv2.imread(str(path)).astype(int)
    image[..., 0] += np.random.default_rng(0).integers(-3, 4, image.shape[:2])
    cv2.imwrite(str(path), image.clip(0, 255).astype(np.uint8))
    assert color("out.mkv") == 0
    told = capsys.readouterr().err
    command = f"vidcolor key --clip film.mkv --frame 14 --paint {path} -o {path} --overwrite"
    assert f"and is taken whole; if these are strokes to be spread, run `{command}`" in told


def test_names_by_a_template(folder: Path) -> None:
    for frame in KEYS:
        Path(f"keys/{frame:06}.png").rename(f"keys/take2-{frame}-ok.png")
    assert color("named.mkv", "--key-name", "take2-{frame}-ok.png", "--quiet") == 0
    keys = json.loads(Path("named.mkv.vidcolor.json").read_text())["keys"]
    assert keys == {"3": "take2-3-ok.png", "14": "take2-14-ok.png"}


def test_references_colour_the_shots_without_a_key(folder: Path, steps: list[int]) -> None:
    """And no others: all else comes from the work folder."""
    assert color("out.mkv", "--quiet") == 0
    before = read(Path("out.mkv"))
    steps.clear()
    assert color("out.mkv", "--reference", "a.png", "--reference", "b.jpg", "--quiet") == 0
    assert len(steps) == SHOTS[2]
    after = read(Path("out.mkv"))
    differ = [n for n, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert differ
    assert min(differ) >= CUTS[2]
    report = json.loads(Path("out.mkv.vidcolor.json").read_text())
    assert report["options"]["references"] == "a.png, b.jpg"
    steps.clear()
    assert color("out.mkv", "--reference", "a.png", "--quiet") == 0
    assert len(steps) == SHOTS[2]


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_references_without_any_key(folder: Path, steps: list[int], jobs: str) -> None:
    command = ["--reference", "a.png", "--reference", "b.jpg", "--quiet"]
    assert color("out.mkv", *command, "--jobs", jobs, keys=False) == 0
    assert len(steps) == sum(SHOTS)
    assert color("part.mkv", *command, "--range", "12-20", keys=False) == 0
    assert read(Path("part.mkv")) == read(Path("out.mkv"))[12:21]


def test_references_that_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(sentence: str, *more: str) -> None:
        assert color("out.mkv", *more, keys=False) == 2
        assert sentence in capsys.readouterr().err

    refused("reference: film.mkv", "--reference", "film.mkv")
    refused("references are 17, accepted are at most 16", *["--reference", "a.png"] * 17)
    older = ["--model", "unet-2019"]
    refused("remembers no pictures, another model is needed", "--reference", "a.png", *older)
    refused("or a --reference")
    refused("unkeyed is 'gray'; only one of them", "--reference", "a.png", "--unkeyed", "gray")


def test_a_job_file_holds_several(folder: Path) -> None:
    options = ["--scenes", "cuts.txt", "--model", str(TOY), "--provider", "cpu", "--codec", "ffv1"]
    Path("job.toml").write_text(
        'films = ["film.mkv"]\noutput = "job.mkv"\nreference = ["a.png", "b.jpg"]\n'
        'saturation = ["0.9", "0-3:1.2"]\nhue = 5\n'
    )
    assert main(["color", "job.toml", *options, "--quiet"]) == 0
    more = ["--reference", "a.png", "--reference", "b.jpg", "--saturation", "0.9"]
    more += ["--saturation", "0-3:1.2", "--hue", "5", "--quiet"]
    assert color("typed.mkv", *more, keys=False) == 0
    assert Path("job.mkv").read_bytes() == Path("typed.mkv").read_bytes()
    Path("job.toml").write_text('films = "film.mkv"\noutput = "job.mkv"\nblend = "typed.mkv:0.5"\n')
    assert main(["color", "job.toml", *options, *more]) == 0
    assert color("mixed.mkv", "--blend", "typed.mkv:0.5", *more, keys=False) == 0
    assert Path("job.mkv").read_bytes() == Path("mixed.mkv").read_bytes()


def test_a_film_is_not_replaced_by_what_it_is_blended_with(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it would be another film each time."""
    assert color("out.mkv", "--reference", "a.png", keys=False) == 0
    before = Path("out.mkv").read_bytes()
    blend = ("--blend", "./out.mkv:0.5", "--overwrite")
    assert color("out.mkv", "--reference", "a.png", *blend, keys=False) == 2
    assert "output: out.mkv is the film to blend with" in capsys.readouterr().err
    assert Path("out.mkv").read_bytes() == before


def read(path: Path) -> list[bytes]:
    return [b"".join(plane(f, n).tobytes() for n in range(3)) for f in frames(path)]
