"""Keys that are what they seem, and references, through the command."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.films import scenes, write_film, write_keys, write_scenes
from tests.support.scenes import Scene, render
from tests.support.videos import frames, picture, plane, write_clip
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


def test_strokes_on_another_frame_are_refused(
    folder: Path, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gray between them shows which frame it is, and what a mask hides does."""
    need.scipy()
    paint_strokes(14, scene).rename("keys/000003.png")
    mask = Path("keys/000003.mask.png")
    where = np.zeros((48, 64), np.uint8)
    where[18:26, 8:56] = 255
    told = r"000003.png is no picture of frame 3: .*frame 1[345]"
    for masked in (False, True):
        if masked:
            cv2.imwrite(str(mask), where)
        assert color("out.mkv") == 2
        assert re.search(told, capsys.readouterr().err)
        assert color("out.mkv", "--any-key") == 0


@pytest.mark.parametrize("around", ["flat", "transparent"])
def test_what_shows_no_frame_around_paint_is_not_compared(
    around: str, folder: Path, scene: Scene
) -> None:
    need.scipy()
    path, where = Path("keys/000003.png"), np.zeros((48, 64), np.uint8)
    where[18:26, 8:56] = 255
    image = cv2.imread(str(path))
    if around == "flat":
        cv2.imwrite("keys/000003.mask.png", where)
        cv2.imwrite(str(path), np.where(where[..., None] > 0, image, 90))
    else:
        cv2.imwrite(str(path), np.dstack((image[:, ::-1], where)))
    assert color("out.mkv") == 0


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
    path = nearly_gray(paint_strokes(14, scene))
    assert color("out.mkv") == 0
    told = capsys.readouterr().err
    command = f"vidcolor key --clip film.mkv --frame 14 --paint {path} -o {path} --overwrite"
    assert f"and is taken whole; if these are strokes to be spread, run `{command}`" in told


def nearly_gray(path: Path, *, bar: int = 0) -> Path:
    """Noise over an image makes it no gray frame any more; black bars of this height are added."""
    image = cv2.imread(str(path)).astype(int)
    image[..., 0] += np.random.default_rng(0).integers(-3, 4, image.shape[:2])
    image = np.pad(image.clip(0, 255), ((bar, bar), (0, 0), (0, 0)))
    assert cv2.imwrite(str(path), image.astype(np.uint8))
    return path


def saturation(image: np.ndarray) -> float:
    return float(np.ptp(image.astype(float), axis=2).mean())


@pytest.mark.parametrize("name", ["000014.png", "ref 14.tif"])
@pytest.mark.parametrize("bar", [0, 9])
def test_the_command_spreads_the_strokes_when_it_is_typed(
    name: str, bar: int, folder: Path, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is in names: and what was painted is kept. The key is a good one then."""
    need.scipy()
    Path("film.mkv").rename("-it's a film.mkv")
    Path("film.mkv").symlink_to("-it's a film.mkv")
    path = nearly_gray(paint_strokes(14, scene), bar=bar)
    if name.endswith("tif"):
        cv2.imwrite(f"keys/{name}", cv2.imread(str(path)))
        path.unlink()
        path = Path("keys", name)
    painted, before = path.read_bytes(), cv2.imread(str(path))
    words = [
        "color",
        "./-it's a film.mkv",
        "-o",
        "out.mkv",
        "--model",
        str(TOY),
        "--provider",
        "cpu",
    ]
    words += ["--keys", "keys", "--scenes", "cuts.txt", "--codec", "ffv1"]
    assert main(words) == 0
    [command] = re.findall("run `(.+)`", capsys.readouterr().err)
    first, *typed = shlex.split(command)
    assert first == "vidcolor"
    assert main(typed) == 0
    kept = path.with_name(f"{path.stem}.strokes{path.suffix}")
    assert f"what was painted is kept as {kept}" in capsys.readouterr().out
    assert kept.read_bytes() == painted
    after = cv2.imread(str(path.with_suffix(".png")))
    assert after.shape[:2] == (48, 64)
    assert saturation(after) > 2 * saturation(before)
    assert main(words) == 0
    told = capsys.readouterr().err
    assert "note:" not in told, told


def test_the_command_for_a_film_that_is_flagged_as_interlaced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need.scipy()
    flagged = {"qp": "0", "x264-params": "interlaced=1"}
    write_clip(Path("pal.mkv"), codec="libx264", options=flagged)
    gray = np.repeat(picture(0)[..., None], 3, axis=-1)
    cv2.line(gray, (30, 30), (50, 33), (60, 80, 180), 4)
    cv2.imwrite("first.png", gray)
    nearly_gray(Path("first.png"))
    words = ["color", "pal.mkv", "--key", "first.png", "-o", "out.mkv", "--progressive"]
    assert main([*words, "--model", str(TOY), "--provider", "cpu"]) == 0
    [command] = re.findall("run `vidcolor (.+)`", capsys.readouterr().err)
    assert command.endswith(" --overwrite --progressive")
    assert main(command.split()) == 0
    assert saturation(cv2.imread("first.png")) > 2 * saturation(cv2.imread("first.strokes.png"))


def test_strokes_that_were_kept_are_never_written_over(folder: Path, scene: Scene) -> None:
    need.scipy()
    path, kept = paint_strokes(14, scene), []
    for _ in range(3):
        kept.append(nearly_gray(paint_strokes(14, scene)).read_bytes())
        words = ["key", "--clip", "film.mkv", "--frame", "14", "--paint", str(path)]
        assert main([*words, "-o", str(path), "--overwrite", "--quiet"]) == 0
    names = ["000014.strokes.png", "000014.strokes-2.png", "000014.strokes-3.png"]
    assert [Path("keys", name).read_bytes() for name in names] == kept


def test_strokes_that_a_link_leads_to_are_kept(folder: Path, scene: Scene) -> None:
    need.scipy()
    path = paint_strokes(14, scene)
    painted, link = path.read_bytes(), Path("painted.png")
    link.symlink_to(path)
    words = ["key", "--clip", "film.mkv", "--frame", "14", "--paint", str(link), "-o", str(path)]
    assert main([*words, "--quiet"]) == 2
    assert path.read_bytes() == painted
    assert main([*words, "--quiet", "--overwrite"]) == 0
    assert path.read_bytes() != painted
    assert Path("keys/000014.strokes.png").read_bytes() == painted


def test_strokes_stay_where_they_are_if_the_key_cannot_be_written(
    folder: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    need.scipy()
    path = paint_strokes(14, scene)
    before = {path: path.read_bytes() for path in Path("keys").iterdir()}

    def fail(self: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    words = ["key", "--clip", "film.mkv", "--frame", "14", "--paint", str(path)]
    assert main([*words, "-o", str(path), "--overwrite"]) == 2
    assert {path: path.read_bytes() for path in Path("keys").iterdir()} == before


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
    refused(
        "remembers no pictures; leave them out, or choose another model, such as vidcolor-2",
        "--reference",
        "a.png",
        *older,
    )
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
