"""vidcolor key: strokes on a gray frame go in, a whole key comes out, or one clear sentence."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.videos import HEIGHT, WIDTH, picture, write_clip
from vidcolor.cli import main

need.scipy()

RED, BLUE = (60, 80, 180), (190, 110, 80)
"""B, G, R"""
FULL = 2


def chroma_of(image):
    """Cb and Cr [2, h, w] of an image, of a range of 1."""
    blue, green, red = np.moveaxis(image.astype(np.float64) / np.iinfo(image.dtype).max, -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return np.stack(((blue - luma) / 1.772, (red - luma) / 1.402))


def luma_of(image):
    return image.astype(np.float64) @ (0.114, 0.587, 0.299) / np.iinfo(image.dtype).max


def two_halves(dtype=np.uint8):
    """A gray picture: dark on the left, bright on the right, with a texture that tells it apart."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    level = np.where(columns < WIDTH // 2, 70.0, 150.0) + 2 * np.sin(rows / 3) * np.cos(columns / 5)
    level += 30 * (np.hypot(rows - 20, columns - 30) < 9)  # and a ring, so that a flip shows
    codes = np.rint(level * np.iinfo(dtype).max / 255).astype(dtype)
    return np.repeat(codes[..., None], 3, axis=-1)


def write(path, image):
    assert cv2.imwrite(str(path), image)
    return path


def with_strokes(gray, *, soft=False):
    """`gray` with a red stroke on the left and a blue one on the right."""
    painted, scale = gray.copy(), np.iinfo(gray.dtype).max // 255
    line = cv2.LINE_AA if soft else cv2.LINE_8
    for x, colour in ((12, RED), (60, BLUE)):
        layer = painted.copy()
        at = (x, HEIGHT - 12), (x + 20, HEIGHT - 9)
        cv2.line(layer, *at, tuple(scale * c for c in colour), 4, line)
        painted = layer
    return painted


def key(*arguments, output):
    return main(["key", *map(str, arguments), "-o", str(output), "--quiet"])


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "gray.png", two_halves())
    write(tmp_path / "painted.png", with_strokes(two_halves()))
    return tmp_path


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("soft", [False, True])
def test_strokes_on_the_gray_frame_are_spread_over_it(dtype, soft, tmp_path):
    """Also a soft brush's: its rim is no paler colour."""
    gray, painted = two_halves(dtype), with_strokes(two_halves(dtype), soft=soft)
    inputs = write(tmp_path / "gray.png", gray), write(tmp_path / "painted.png", painted)
    assert key(inputs[0], "--paint", inputs[1], output=tmp_path / "key.png") == 0
    whole = read(tmp_path / "key.png")
    assert whole.dtype == dtype
    assert np.abs(luma_of(whole) - luma_of(gray)).max() < 0.01
    chroma = chroma_of(whole)
    for half, colour in ((np.s_[:, :, :46], RED), (np.s_[:, :, 50:], BLUE)):
        want = chroma_of(np.uint8([[colour]]))
        assert np.abs(chroma[half] - want).max() < 0.02


def test_strokes_of_an_image_with_alpha(folder):
    strokes = np.dstack([with_strokes(two_halves()), np.zeros((HEIGHT, WIDTH), np.uint8)])
    strokes[(strokes[..., 0] != strokes[..., 2]), 3] = 255
    strokes[strokes[..., 3] == 0, :3] = (9, 200, 30)  # what is transparent does not matter
    write(folder / "strokes.png", strokes)
    for name, out in (("strokes", "one"), ("painted", "two")):
        paint = folder / f"{name}.png"
        assert key(folder / "gray.png", "--paint", paint, output=folder / f"{out}.png") == 0
    one, two = (chroma_of(read(folder / f"{name}.png")) for name in ("one", "two"))
    assert np.abs(one - two).max() < 0.01


def test_paints_own_luma_does_not_matter(folder):
    dark = with_strokes(two_halves())
    strokes = dark[..., 0] != dark[..., 2]
    chroma = chroma_of(dark)
    brighter = 0.9 - 0.5 * luma_of(dark)
    rgb = np.stack((brighter + 1.772 * chroma[0], brighter, brighter + 1.402 * chroma[1]), axis=-1)
    rgb[..., 1] -= (0.114 * 1.772 * chroma[0] + 0.299 * 1.402 * chroma[1]) / 0.587
    assert rgb[strokes].min() > 0
    image = np.where(strokes[..., None], np.rint(rgb.clip(0, 1) * 255), dark).astype(np.uint8)
    write(folder / "bright.png", image)
    for name in ("painted", "bright"):
        paint, output = folder / f"{name}.png", folder / f"key-{name}.png"
        assert key(folder / "gray.png", "--paint", paint, output=output) == 0
    one, two = (chroma_of(read(folder / f"key-{name}.png")) for name in ("painted", "bright"))
    assert np.abs(one - two).max() < 0.02


def test_strokes_of_another_size(folder):
    large = cv2.resize(
        read(folder / "painted.png"), None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST
    )
    write(folder / "large.png", large)
    assert key(folder / "gray.png", "--paint", folder / "large.png", output=folder / "key.png") == 0
    image = read(folder / "key.png")
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(chroma_of(image)[:, :, :40] - chroma_of(np.uint8([[RED]]))).max() < 0.03


def test_a_whole_painted_frame_keeps_its_gray_parts(folder):
    """Its colours go on the frame's luma, where without --whole gray would be no paint."""
    arguments = (folder / "gray.png", "--paint", folder / "painted.png", "--whole")
    assert key(*arguments, output=folder / "key.png") == 0
    got, painted = chroma_of(read(folder / "key.png")), chroma_of(read(folder / "painted.png"))
    assert np.abs(got - painted).max() < 0.02
    assert np.abs(luma_of(read(folder / "key.png")) - luma_of(two_halves())).max() < 0.01


@pytest.fixture
def film(tmp_path):
    return write_clip(tmp_path / "film.mkv", tags=(5, 2, 2, FULL, 0), pixel_format="gray")


def painted_frame(path, number):
    """Frame `number` of the film with a red stroke."""
    gray = np.repeat(picture(number)[..., None], 3, axis=-1)
    cv2.line(gray, (30, 30), (50, 33), RED, 4)
    return write(path, gray)


def test_the_frame_of_a_film(film, tmp_path):
    paint = painted_frame(tmp_path / "painted.png", 5)
    chosen, found = tmp_path / "chosen.png", tmp_path / "found.png"
    assert key("--clip", film, "--frame", 5, "--paint", paint, output=chosen) == 0
    assert np.abs(luma_of(read(chosen)) * 255 - picture(5)).max() < 1.5
    assert key("--clip", film, "--paint", paint, output=found) == 0
    assert found.read_bytes() == chosen.read_bytes()


def test_a_turned_films_frame_is_as_a_player_shows_it(tmp_path):
    film = write_clip(tmp_path / "film.mp4", codec="libx264", options={"qp": "0"}, rotation=90)
    upright = np.rot90(np.repeat(picture(2)[..., None], 3, axis=-1)).copy()
    cv2.line(upright, (20, 30), (23, 50), RED, 4)
    write(tmp_path / "painted.png", upright)
    arguments = ("--clip", film, "--paint", tmp_path / "painted.png")
    assert key(*arguments, output=tmp_path / "key.png") == 0
    assert read(tmp_path / "key.png").shape == (WIDTH, HEIGHT, 3)


def test_samples_that_are_not_square(tmp_path):
    film = write_clip(
        tmp_path / "film.mp4",
        codec="libx264",
        options={"qp": "0"},
        sample_aspect=Fraction(4, 3),
        tags=(5, 2, 2, FULL, 0),
    )
    stored = read(painted_frame(tmp_path / "stored.png", 0))
    shown = cv2.resize(stored, (WIDTH * 4 // 3, HEIGHT), interpolation=cv2.INTER_NEAREST)
    write(tmp_path / "shown.png", shown)
    for name in ("stored", "shown"):
        arguments = ("--clip", film, "--frame", 0, "--paint", tmp_path / f"{name}.png")
        assert key(*arguments, output=tmp_path / f"key-{name}.png") == 0
        assert read(tmp_path / f"key-{name}.png").shape == (HEIGHT, WIDTH, 3)


def refused(capsys, *arguments, output):
    """The one line that is said, less its beginning; nothing is written."""
    before = output.read_bytes() if output.is_file() else None
    assert key(*arguments, output=output) == 2
    text = capsys.readouterr().err
    assert text.startswith("vidcolor: ")
    assert text.count("\n") == 1
    assert (output.read_bytes() if output.is_file() else None) == before
    assert not list(output.parent.glob(".*partial*"))
    return text.removeprefix("vidcolor: ").strip()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda image: image[:, ::-1], "it is flipped left to right: turn it back"),
        (lambda image: image[::-1], "it is flipped upside down: turn it back"),
        (lambda image: cv2.resize(image[12:-12, 18:-18], (WIDTH, HEIGHT)), "it shows only a part"),
        (lambda image: np.roll(image, 8, axis=1), "it is shifted by 8.3% of the frame's width"),
    ],
)
def test_paint_that_does_not_belong_to_its_frame(change, sentence, film, tmp_path, capsys):
    image = change(read(painted_frame(tmp_path / "painted.png", 1)))
    write(tmp_path / "painted.png", np.ascontiguousarray(image))
    gray = write(tmp_path / "gray.png", np.repeat(picture(1)[..., None], 3, axis=-1))
    paint = tmp_path / "painted.png"
    said = refused(capsys, gray, "--paint", paint, output=tmp_path / "key.png")
    assert said.startswith(f"paint: {paint} does not belong to {gray}: {sentence}")


def test_the_frame_that_paint_belongs_to_is_told(tmp_path, capsys):
    first = write_clip(tmp_path / "film.mkv", tags=(5, 2, 2, FULL, 0), pts=range(0, 2000, 40))
    paint = painted_frame(tmp_path / "painted.png", 41)
    arguments = ("--clip", first, "--frame", 2, "--paint", paint)
    said = refused(capsys, *arguments, output=tmp_path / "key.png")
    assert said.startswith(f"paint: {paint} does not belong to frame 2 of {first}: it")
    assert said.endswith("it is most like frame 41: --frame 41")


def test_another_grade_is_a_warning(folder, capsys):
    gamma = np.rint(255 * (read(folder / "painted.png") / 255.0) ** 0.6).astype(np.uint8)
    write(folder / "graded.png", gamma)
    arguments = (folder / "gray.png", "--paint", folder / "graded.png")
    assert key(*arguments, output=folder / "key.png") == 0
    assert "graded.png has another grade than the frame" in capsys.readouterr().err


def test_no_paint_no_key(folder, capsys):
    said = refused(
        capsys, folder / "gray.png", "--paint", folder / "gray.png", output=folder / "key.png"
    )
    assert (
        said
        == f"paint: {folder / 'gray.png'} holds no colour, at least one stroke of paint is needed"
    )


@pytest.mark.parametrize(
    ("arguments", "output", "sentence"),
    [
        (["--paint", "painted.png"], "key.png", "give the gray frame either as an image or as --c"),
        (["gray.png", "--frame", "1", "--paint", "painted.png"], "key.png", "frame is 1, accepted"),
        (["gray.png", "--paint", "none.png"], "key.png", "paint: there is no file none.png"),
        (["gray.png", "--paint", "painted.png"], "key.jpg", "output: key.jpg must end in .png"),
        (["gray.png", "--paint", "painted.png"], "no/key.png", "output: there is no folder no"),
        (["gray.png", "--paint", "painted.png"], "gray.png", "output: gray.png is an input"),
        (["gray.png", "--paint", "painted.png"], "there.png", "output: there.png exists already"),
        (["gray.png", "--paint", "wide.png"], "key.png", "paint: wide.png is 96x32, gray.png is"),
        (
            ["--clip", "film.mkv", "--frame", "8", "--paint", "painted.png"],
            "key.png",
            "frame is 8,",
        ),
        (
            ["--clip", "film.mkv", "--paint", "painted.png"],
            "key.png",
            "paint: painted.png is like no",
        ),
    ],
)
def test_bad_input_is_told(arguments, output, sentence, folder, film, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    write(folder / "wide.png", two_halves()[:32])
    write(folder / "there.png", two_halves())
    assert refused(capsys, *arguments, output=Path(output)).startswith(sentence)


def test_a_key_is_replaced_on_demand(folder):
    output = write(folder / "key.png", two_halves())
    arguments = (folder / "gray.png", "--paint", folder / "painted.png", "--overwrite")
    assert key(*arguments, output=output) == 0
    assert np.abs(chroma_of(read(output))).max() > 0.1


def test_a_summary_tells_how_much_is_painted(folder, capsys):
    arguments = ["key", folder / "gray.png", "-p", folder / "painted.png", "-o", folder / "key.png"]
    assert main([str(part) for part in arguments]) == 0
    assert f"{folder / 'key.png'}: 96x64, " in capsys.readouterr().out


def test_a_full_disk_leaves_the_old_key(folder, capsys, monkeypatch):
    output = write(folder / "key.png", two_halves())

    def fail(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    arguments = (folder / "gray.png", "--paint", folder / "painted.png", "--overwrite")
    said = refused(capsys, *arguments, output=output)
    assert said == (
        f"output: {output} cannot be written (No space left on device); free some space on its "
        "disk, or write it to another folder"
    )
